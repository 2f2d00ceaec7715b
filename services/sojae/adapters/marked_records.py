"""JSON Lines and Parquet files given back with a member `errors` in each record that is wrong."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from sojae.domain.marks import Mark
from sojae.domain.workbook_layout import ERRORS


def marked_json(source: Path, marks: Sequence[Mark]) -> bytes:
    """Return the lines as they are, with `errors` in those that are wrong; a line that is no record stays as it is."""
    said = _by_row(marks)
    return b"".join(
        _line(line, said.get(number, [])) for number, line in enumerate(source.read_bytes().splitlines(True), start=1)
    )


def _line(line: bytes, said: Sequence[str]) -> bytes:
    try:
        record = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return line
    if not isinstance(record, dict) or not (said or ERRORS in record):
        return line
    record.pop(ERRORS, None)
    told = {ERRORS: list(said)} if said else {}
    return json.dumps({**record, **told}, ensure_ascii=False).encode() + b"\n"


def marked_parquet(source: Path, marks: Sequence[Mark]) -> bytes:
    """Return the table with a column `errors`, a list of texts, null where nothing is wrong."""
    said, frame, stream = _by_row(marks), pl.read_parquet(source), io.BytesIO()
    told = pl.Series(ERRORS, [said.get(row) for row in range(1, frame.height + 1)], dtype=pl.List(pl.String))
    frame.with_columns(told).write_parquet(stream)
    return stream.getvalue()


def _by_row(marks: Sequence[Mark]) -> dict[int, list[str]]:
    said: dict[int, list[str]] = {}
    for mark in marks:
        said.setdefault(mark.row, []).append(f"{', '.join(mark.columns)} [{mark.rule}]: {mark.text}".strip())
    return said
