"""CSV and Excel files read as tables of text, with the row numbers that a spreadsheet shows."""

import csv
import io
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import fastexcel

from sojae.adapters.record_files import JSON_FILES, PARQUET_FILES, read_records
from sojae.adapters.workbook_size import refusal
from sojae.domain.errors import SpreadsheetError
from sojae.domain.spelling import near
from sojae.domain.table import Row, Table

TEXT_FILES = (".csv", ".tsv", ".txt")
PACKED_FILES = tuple(f"{suffix}.gz" for suffix in TEXT_FILES)
EXCEL_FILES = (".xlsx", ".xlsm")
KINDS = (*TEXT_FILES, *EXCEL_FILES, *JSON_FILES, *PARQUET_FILES)
SEPARATORS = ",;\t|"
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_CELL_CHARACTERS = 1_000_000
SNIFFED_ROWS = 50
_ERROR_CELL = re.compile(r"Error\((\w+)\)")


def read_table(path: Path, *, sheet: str | None = None, header_row: int = 1) -> Table:
    """Return the table of a CSV, Excel, JSON Lines or Parquet file; blank rows are left out, row numbers stay those of the file.

    Text is UTF-8 with or without a byte order mark, UTF-16 with one, else CP949, which the note then says; it may be
    packed by gzip. `sheet` names the sheet of a workbook (the first one otherwise). With `header_row` 0 the file has no
    header, and its columns are named `(column 1)`, `(column 2)`, …. Raises SpreadsheetError for a file that is empty, cannot
    be read, is of another kind, has two columns of one name, or a row that is longer than its header.
    """
    records = read_records(path)
    if records is not None:
        return records
    data = _bytes(path)
    kind = path.suffix.lower()
    if kind in EXCEL_FILES:
        return _excel(path, data, sheet, header_row)
    if kind in TEXT_FILES:
        return _text(path, data, header_row)
    if path.name.lower().endswith(PACKED_FILES):
        return _text(path, _unpacked(path, data), header_row)
    raise _error(
        path,
        f"a file of the kind {path.suffix or '(no suffix)'}",
        f"one of {', '.join(KINDS)}; save it as .xlsx or .csv",
        f"{', '.join(KINDS)} 가운데 하나. .xlsx나 .csv로 저장하십시오",
    )


def checked_bytes(path: Path) -> bytes:
    """Return the bytes of a file; of a workbook they unpack to no more than is allowed. Raises SpreadsheetError."""
    data = _bytes(path)
    refused = refusal(data) if path.suffix.lower() in EXCEL_FILES else None
    if refused is not None:
        raise _error(path, *refused)
    return data


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            megabytes = f"{MAX_FILE_BYTES // 2**20} MiB"
            raise _error(path, f"{path.stat().st_size} bytes", f"at most {megabytes}; split it", f"{megabytes} 이하")
        data = path.read_bytes()
    except OSError as error:
        raise SpreadsheetError(
            en=f"{path}: cannot be read: {error.strerror}", ko=f"{path}: 읽을 수 없습니다: {error.strerror}"
        ) from error
    if not data.strip():
        raise _error(path, "an empty file", "a header row and rows of data", "머리글 행과 자료 행")
    return data


def _unpacked(path: Path, data: bytes) -> bytes:
    """Return the bytes that gzip packed; at most as many as a file may have."""
    packed = zlib.decompressobj(wbits=31)
    try:
        text = packed.decompress(data, MAX_FILE_BYTES)
    except zlib.error as error:
        raise _error(path, f"no gzip file ({error})", "a file packed by gzip", "gzip으로 압축한 파일") from error
    if packed.unconsumed_tail:
        megabytes = f"{MAX_FILE_BYTES // 2**20} MiB"
        raise _error(path, f"more than {megabytes} unpacked", f"at most {megabytes}; split it", f"{megabytes} 이하")
    if not packed.eof:
        raise _error(path, "a gzip file that is cut short", "the whole file", "온전한 파일")
    return text


def _text(path: Path, data: bytes, header_row: int) -> Table:
    text, note = decoded_text(path, data)
    rows = _csv_rows(path, text, separator_of(text, header_row))
    return _table(path, rows, header_row, note)


def decoded_text(path: Path, data: bytes) -> tuple[str, str | None]:
    """Return the text of a file, and a note where its encoding had to be guessed; raises SpreadsheetError."""
    if data.startswith(b"PK\x03\x04"):
        raise _error(
            path, "a zip archive", "text; is it a workbook? name it .xlsx", "텍스트. 통합 문서라면 이름을 .xlsx로"
        )
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp949")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text, None if encoding == "utf-8-sig" else f"{path}: read as {encoding.upper()}"
    raise _error(path, "bytes that are no text", "UTF-8 or CP949", "UTF-8 또는 CP949 텍스트")


def separator_of(text: str, header_row: int) -> str:
    """Return the separator that gives the most columns, among those that give every sampled row as many."""
    best, most = ",", 1
    for separator in SEPARATORS:
        sampled = []
        try:
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
                sampled.append(row)
                if len(sampled) >= header_row + SNIFFED_ROWS:
                    break
        except csv.Error:
            continue
        lengths = {len(row) for row in sampled[max(0, header_row - 1) :] if any(cell.strip() for cell in row)}
        if len(lengths) == 1 and max(lengths) > most:
            best, most = separator, max(lengths)
    return best


def _csv_rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            yield number, row
    except csv.Error as error:
        expected, expected_ko = "balanced quotation marks", "짝이 맞는 따옴표"
        raise _error(path, f"row {number + 1}: {error}", expected, expected_ko) from error


def _excel(path: Path, data: bytes, sheet: str | None, header_row: int) -> Table:
    refused = refusal(data)
    if refused is not None:
        raise _error(path, *refused)
    try:
        workbook = fastexcel.read_excel(data)
        name = _sheet_name(path, workbook.sheet_names, sheet)
        loaded = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        batch, errors = loaded.to_arrow_with_errors()
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0].removeprefix("calamine error: ")
        got = f"a file that is no workbook ({reason})"
        raise _error(
            path, got, "an Excel workbook; save it as .xlsx", "엑셀 통합 문서. .xlsx로 저장하십시오"
        ) from error
    columns = [column.to_pylist() for column in batch.columns]
    for found in errors.errors if errors is not None else ():
        # A cell such as #DIV/0! would come back empty, as if nobody had filled it in.
        row, column = found.offset_position
        match = _ERROR_CELL.search(found.detail)
        columns[column][row] = f"#{match.group(1)}" if match else "#error"
    rows = ([cell or "" for cell in cells] for cells in zip(*columns, strict=True))
    return _table(path, enumerate(rows, start=1), header_row, None)


def _sheet_name(path: Path, sheets: Sequence[str], wanted: str | None) -> str:
    if not sheets:
        raise _error(path, "a workbook without sheets", "at least one sheet", "시트 하나 이상")
    if wanted is None:
        return sheets[0]
    if wanted not in sheets:
        close = near(wanted, sheets) or sheets[:5]
        expected = f"a sheet {wanted!r}; it has {', '.join(close)}"
        raise _error(path, f"no sheet {wanted!r}", expected, f"시트 {wanted!r}. 있는 것: {', '.join(close)}")
    return wanted


def _table(path: Path, rows: Iterable[tuple[int, Sequence[str]]], header_row: int, note: str | None) -> Table:
    names: tuple[str, ...] | None = None
    found = []
    for number, cells in rows:
        if number < header_row:
            continue
        if names is None:
            names = _names(path, cells, number) if header_row else _places(cells)
            if header_row:
                continue
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(names) :]):
            raise _error(
                path,
                f"{len(cells)} cells in row {number}",
                f"{len(names)}, as in the header; put cells that hold the separator in quotation marks",
                f"머리글처럼 {len(names)}칸. 구분 문자가 든 칸은 따옴표로 묶으십시오",
            )
        filled = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
        found.append(Row(number, filled))
    if names is None:
        raise _error(path, f"no row {header_row}", "a header row there", "그 자리에 머리글 행")
    if not found:
        raise _error(path, "a header without rows", "at least one row of data", "자료 행 하나 이상")
    return Table(str(path), names, tuple(found), note)


def _names(path: Path, cells: Sequence[str], number: int) -> tuple[str, ...]:
    """Return the column names; one without a name gets its place as name, and none beyond the last that has one."""
    named = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
    while named and not named[-1]:
        named.pop()
    if not named:
        raise _error(path, f"an empty row {number}", "the names of the columns there", "그 자리에 열 이름")
    names = [name or f"(column {place})" for place, name in enumerate(named, start=1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        shown = ", ".join(twice)
        raise _error(path, f"the column {shown} twice in row {number}", "each name once", "열 이름마다 한 번")
    return tuple(names)


def _places(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a file without header, by their places."""
    return tuple(f"(column {place})" for place in range(1, len(cells) + 1))


def _error(path: Path, got: str, expected: str, expected_ko: str) -> SpreadsheetError:
    return SpreadsheetError(
        en=f"{path}: got {got}, expected {expected}", ko=f"{path}: {got}입니다. 필요한 것: {expected_ko}"
    )
