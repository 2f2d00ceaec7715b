"""JSON Lines and Parquet files read as tables of text, so that they are imported as spreadsheets are."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from polars.exceptions import PolarsError
from pyarrow import ArrowException

from sojae.domain.errors import SpreadsheetError
from sojae.domain.table import Row, Table

JSON_FILES = (".jsonl", ".ndjson")
PARQUET_FILES = (".parquet",)
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_ROWS = 5_000_000
MAX_COLUMNS = 2_000
MAX_CELL_CHARACTERS = 1_000_000
LIST_SEPARATOR = ";"


def read_records(path: Path) -> Table | None:
    """Return the table of a JSON Lines or Parquet file, None for another kind of file; raises SpreadsheetError.

    Maps become a column for each member, `composition.Fe`; lists become texts with `;` between. A row's number is its
    line, or its place from 1.
    """
    kind = path.suffix.lower()
    if kind in JSON_FILES:
        return _table(path, _of_json(path))
    return _table(path, _of_parquet(path)) if kind in PARQUET_FILES else None


def _table(path: Path, records: Iterator[tuple[int, Mapping[str, object]]]) -> Table:
    rows, columns = [], dict[str, None]()
    for number, record in records:
        cells = dict(_cells(path, number, record))
        columns |= dict.fromkeys(cells)
        if len(columns) > MAX_COLUMNS:
            raise _error(
                path,
                f"more than {MAX_COLUMNS} fields in row {number}",
                f"at most {MAX_COLUMNS}",
                f"{MAX_COLUMNS}개 이하의 필드",
            )
        filled = {name: cell for name, cell in cells.items() if cell.strip()}
        if filled:
            rows.append(Row(number, filled))
    if not rows:
        raise _error(path, "a file without records", "at least one record", "기록 하나 이상")
    return Table(str(path), tuple(columns), tuple(rows))


def _cells(path: Path, number: int, record: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            for member, inner in value.items():
                if isinstance(inner, Mapping | list):
                    raise _error(path, f"row {number}: {name}.{member} is nested", "maps of one level", "한 단계의 맵")
                yield f"{name}.{member}", _text(inner)
        elif isinstance(value, list):
            if any(isinstance(item, Mapping | list) for item in value):
                raise _error(path, f"row {number}: {name} is nested", "a list of texts or numbers", "글이나 수의 목록")
            yield name, LIST_SEPARATOR.join(_text(item) for item in value)
        else:
            yield name, _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)[:MAX_CELL_CHARACTERS]


def _of_json(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    _check_size(path)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
            except (ValueError, RecursionError) as error:
                raise _error(
                    path, f"line {number}: no JSON ({error})", "one JSON object a line", "한 줄에 JSON 객체 하나"
                ) from error
            if not isinstance(value, dict):
                raise _error(
                    path, f"line {number}: {type(value).__name__}", "one JSON object a line", "한 줄에 JSON 객체 하나"
                )
            yield number, value


def _of_parquet(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    _check_size(path)
    try:
        rows = pq.read_metadata(path).num_rows
        if rows > MAX_ROWS:
            raise _error(path, f"{rows} rows", f"at most {MAX_ROWS}; split it", f"{MAX_ROWS}행 이하")
        yield from enumerate(pl.read_parquet(path).iter_rows(named=True), start=1)
    except (PolarsError, ArrowException, OSError) as error:
        raise _error(
            path, f"no Parquet file ({str(error).splitlines()[0]})", "a Parquet file", "Parquet 파일"
        ) from error


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SpreadsheetError(
            en=f"{path}: cannot be read: {error.strerror}", ko=f"{path}: 읽을 수 없습니다: {error.strerror}"
        ) from error
    if size > MAX_FILE_BYTES:
        megabytes = f"{MAX_FILE_BYTES // 2**20} MiB"
        raise _error(path, f"{size} bytes", f"at most {megabytes}; split it", f"{megabytes} 이하")


def _error(path: Path, got: str, expected: str, expected_ko: str) -> SpreadsheetError:
    return SpreadsheetError(
        en=f"{path}: got {got}, expected {expected}", ko=f"{path}: {got}입니다. 필요한 것: {expected_ko}"
    )
