"""JSON Lines and Parquet files read as tables of text, so that they are imported as spreadsheets are."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from polars.exceptions import PolarsError
from pyarrow import ArrowException

from sojae.adapters.data_file import MAX_CELL_CHARACTERS, MAX_CELLS, MAX_FILE_BYTES, checked_size, refused, unreadable
from sojae.domain.table import OF_A_LIST, WHOLE_ROW, Fault, Row, Table
from sojae.domain.text import Text

JSON_FILES = (".jsonl", ".ndjson")
PARQUET_FILES = (".parquet",)
MAX_COLUMNS = 2_000
MAX_DEPTH = 3
"""Levels of names: `header.uncertainty.yield_strength` has three."""

MAX_CHARACTERS = 2 * MAX_FILE_BYTES
"""All cells together: a few kilobytes of Parquet may say one long text a million times."""

LIST_SEPARATOR = ";"
SHOWN_CHARACTERS = 48
ONE_OBJECT = Text(ko="한 줄에 JSON 객체 하나", en="one JSON object a line")
Record = Mapping[str, object] | Fault
"""What a line or a row holds, or why it cannot be read."""


class _RepeatedError(ValueError):
    """A JSON object has a name twice."""


def read_records(path: Path) -> Table | None:
    """Return the table of a JSON Lines or Parquet file, None for another kind of file; raises SpreadsheetError.

    Maps become a column for each member, `composition.Fe`; lists become texts with `;` between. A row's number is its
    line, or its place from 1. A line that cannot be read is a fault of that row, one value too deep inside of that cell.
    """
    kind = path.suffix.lower()
    if kind in JSON_FILES:
        return _table(path, _of_json(path))
    return _table(path, _of_parquet(path)) if kind in PARQUET_FILES else None


def _table(path: Path, records: Iterator[tuple[int, Record]]) -> Table:
    rows, columns, cells, characters = [], dict[str, None](), 0, 0
    for number, record in records:
        row = _row(number, record)
        columns |= dict.fromkeys((*row.cells, *(name for name in row.faults if name != WHOLE_ROW)))
        cells += len(row.cells)
        characters += sum(map(len, row.cells.values()))
        for count, most, what in (
            (len(columns), MAX_COLUMNS, Text(ko="필드", en="fields")),
            (cells, MAX_CELLS, Text(ko="칸", en="cells")),
            (characters, MAX_CHARACTERS, Text(ko="글자", en="characters")),
        ):
            if count > most:
                got = Text(
                    ko=f"{number}행까지 {what.ko} {most}개 넘음", en=f"more than {most} {what.en} in row {number}"
                )
                raise refused(path, got, Text(ko=f"{most}개 이하. 나눈 파일", en=f"at most {most}; split it"))
        if row.cells or row.faults:
            rows.append(row)
    whole = next((row.faults[WHOLE_ROW] for row in rows if WHOLE_ROW in row.faults), None)
    if whole is not None and all(WHOLE_ROW in row.faults for row in rows):
        first = rows[0].number
        raise refused(path, Text(ko=f"{first}행: {whole.got}", en=f"line {first}: {whole.got}"), whole.expected)
    if not rows:
        got = Text(ko="기록이 없는 파일", en="a file without records")
        raise refused(path, got, Text(ko="기록 하나 이상", en="at least one record"))
    return Table(str(path), tuple(columns), tuple(rows))


def _row(number: int, record: Record) -> Row:
    if isinstance(record, Fault):
        return Row(number, {}, {WHOLE_ROW: record})
    cells, faults = dict[str, str](), dict[str, Fault]()
    for name, found in _flat("", record, 1):
        if isinstance(found, Fault):
            faults[name] = found
        elif found.strip():
            cells[name] = found
    return Row(number, cells, faults)


def _flat(prefix: str, record: Mapping[str, object], depth: int) -> Iterator[tuple[str, str | Fault]]:
    """Yield the cells of a record by their names, those of maps inside behind a point."""
    for key, held in record.items():
        name, value = f"{prefix}{key}", _plain_map(held)
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _flat(f"{name}.", value, depth + 1)
        elif isinstance(value, Mapping):
            yield name, _nested(value, Text(ko=f"{MAX_DEPTH}단계까지의 맵", en=f"maps of at most {MAX_DEPTH} levels"))
        elif isinstance(value, list):
            yield name, _listed(value)
        else:
            yield name, _text(value)


def _plain_map(value: object) -> object:
    """Return a map that came as a list of its keys and values, as Parquet holds one, as a map; anything else as it is."""
    if not isinstance(value, list) or not value:
        return value
    pairs = [item for item in value if isinstance(item, Mapping) and set(item) == {"key", "value"}]
    names = [str(item["key"]) for item in pairs]
    if len(pairs) < len(value) or len(set(names)) < len(names):
        return value
    return dict(zip(names, (item["value"] for item in pairs), strict=True))


def _listed(values: Sequence[object]) -> str | Fault:
    if any(isinstance(item, Mapping | list) for item in values):
        return _nested(values, Text(ko="글이나 수의 목록", en="a list of texts or numbers"))
    texts = [_text(item) for item in values]
    broken = next((text for text in texts if isinstance(text, Fault)), None)
    if broken is not None:
        return broken
    plain = [text for text in texts if isinstance(text, str)]
    if any(LIST_SEPARATOR in text for text in plain):
        return "".join(f"{text}{OF_A_LIST}" for text in plain)
    return LIST_SEPARATOR.join(plain)


def _nested(value: object, expected: Text) -> Fault:
    return Fault("nested", json.dumps(value, ensure_ascii=False, default=str)[:64], expected)


def _text(value: object) -> str | Fault:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    text = repr(value) if isinstance(value, float) else str(value)
    if len(text) > MAX_CELL_CHARACTERS:
        most = Text(ko=f"{MAX_CELL_CHARACTERS}자 이하", en=f"at most {MAX_CELL_CHARACTERS} characters")
        return Fault("cell_length", str(len(text)), most)
    return text


def _of_json(path: Path) -> Iterator[tuple[int, Record]]:
    checked_size(path)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _object(line)
    except OSError as error:
        raise unreadable(path, error) from error


def _object(line: bytes) -> Record:
    try:
        value = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        why = str(error)[:64]
        return _no_object(line, Text(ko=f"{ONE_OBJECT.ko} ({why})", en=f"{ONE_OBJECT.en} ({why})"))
    return value if isinstance(value, dict) else _no_object(line, ONE_OBJECT)


def _no_object(line: bytes, expected: Text) -> Fault:
    return Fault("json", line[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace").strip()[:SHOWN_CHARACTERS], expected)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object of some pairs; one that has a name twice says two things."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RepeatedError(f"{twice[:32]!r} twice")
    return found


def _of_parquet(path: Path) -> Iterator[tuple[int, Record]]:
    checked_size(path)
    try:
        about = pq.read_metadata(path)
        if about.num_rows * about.num_columns > MAX_CELLS:
            got = Text(
                ko=f"{about.num_rows}행 {about.num_columns}열", en=f"{about.num_rows} × {about.num_columns} cells"
            )
            raise refused(path, got, Text(ko=f"{MAX_CELLS}칸 이하. 나눈 파일", en=f"at most {MAX_CELLS}; split it"))
        yield from enumerate(pl.read_parquet(path).iter_rows(named=True), start=1)
    except (PolarsError, ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        got = Text(ko=f"Parquet이 아닌 파일({reason})", en=f"no Parquet file ({reason})")
        raise refused(path, got, Text(ko="Parquet 파일", en="a Parquet file")) from error
