"""Data files of every kind read as tables of text, with the row numbers that a spreadsheet shows."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sojae.adapters.data_file import file_bytes, refused
from sojae.adapters.delimited_text import SEPARATORS, TEXT_FILES, decoded, head_of, is_text, rows_of, separator_of
from sojae.adapters.record_files import JSON_FILES, PARQUET_FILES, read_records
from sojae.adapters.workbook_cells import EXCEL_FILES, SheetCells, is_workbook, sheet_cells, workbook_bytes
from sojae.adapters.workbook_traits import Cell
from sojae.domain.errors import SpreadsheetError
from sojae.domain.table import WHOLE_ROW, Fault, Row, Table
from sojae.domain.text import Text

KINDS = (*TEXT_FILES, *EXCEL_FILES, *JSON_FILES, *PARQUET_FILES)


def read_table(path: Path, *, sheet: str | None = None, header_row: int = 1) -> Table:
    """Return the table of a CSV, Excel, JSON Lines or Parquet file; blank rows are left out, row numbers stay those of the file.

    Text is UTF-8 with or without a byte order mark, UTF-16 with one, else CP949, which the note then says; it may be
    packed by gzip. `sheet` names the sheet of a workbook (the first one otherwise). With `header_row` 0 the file has no
    header, and its columns are named `(column 1)`, `(column 2)`, …. A row that is longer than its header is a fault of that
    row, of the file where most rows are. Raises SpreadsheetError for a file that cannot be read, is of another kind, has two
    columns of one name, or no rows.
    """
    table = _read(path, sheet, header_row)
    if not table.rows:
        got = Text(ko="자료 행이 없는 머리글", en="a header without rows")
        raise refused(table.place, got, Text(ko="자료 행 하나 이상", en="at least one row of data"))
    return table


def read_sheets(path: Path, header_rows: Mapping[str, int]) -> dict[str, Table]:
    """Return sheet → table of a workbook, by sheet → the row of its header; a table may have no rows.

    Raises SpreadsheetError as read_table does.
    """
    data = workbook_bytes(path)
    return {sheet: _of_sheet(path, sheet_cells(path, data, sheet), row) for sheet, row in header_rows.items()}


def find_header(path: Path, names: Collection[str], *, sheet: str | None, within: int) -> int | None:
    """Return the first row, of as many as are looked at, in which all these names stand; None when there is none.

    Raises SpreadsheetError for a file that cannot be read.
    """
    wanted = {unicodedata.normalize("NFC", name).strip() for name in names}
    for heads in _heads(path, sheet, within):
        for number, cells in enumerate(heads, start=1):
            if wanted <= {unicodedata.normalize("NFC", cell).strip() for cell in cells}:
                return number
    return None


def _read(path: Path, sheet: str | None, header_row: int) -> Table:
    records = read_records(path)
    if records is not None:
        return records
    if is_workbook(path):
        return _of_sheet(path, sheet_cells(path, workbook_bytes(path), sheet), header_row)
    if is_text(path):
        text, note = decoded(path, file_bytes(path))
        rows = rows_of(path, text, separator_of(text, header_row))
        return _with_rows(Table(str(path), (), (), note), rows, header_row, {})
    file_bytes(path)
    raise refused(
        path,
        Text(ko=f"종류가 {path.suffix or '없는'} 파일", en=f"a file of the kind {path.suffix or '(no suffix)'}"),
        Text(
            ko=f"{', '.join(KINDS)} 가운데 하나. .xlsx나 .csv로 저장한 것",
            en=f"one of {', '.join(KINDS)}; save it as .xlsx or .csv",
        ),
    )


def _heads(path: Path, sheet: str | None, count: int) -> Iterator[Sequence[Sequence[str]]]:
    """Yield the first rows of a file, of a text once with each separator."""
    if is_workbook(path):
        yield sheet_cells(path, workbook_bytes(path), sheet).rows[:count]
    elif is_text(path):
        text, _ = decoded(path, file_bytes(path))
        yield from (head_of(text, separator, count) for separator in SEPARATORS)


def _of_sheet(path: Path, cells: SheetCells, header_row: int) -> Table:
    empty = Table(str(path), (), (), sheet=cells.name)
    width = max((_filled(row) for row in cells.rows[header_row:]), default=0)
    table = _with_rows(empty, enumerate(cells.rows, start=1), header_row, cells.faults, least=width)
    hidden = set(cells.hidden_rows)
    return replace(
        table,
        merged=tuple(area for area in cells.merged if area.bottom > header_row),
        hidden_rows=tuple(row.number for row in table.rows if row.number in hidden),
        hidden_columns=tuple(n for place, n in enumerate(table.columns, start=1) if place in cells.hidden_places),
    )


def _with_rows(
    table: Table,
    rows: Iterable[tuple[int, Sequence[str]]],
    header_row: int,
    faults: Mapping[Cell, Fault],
    *,
    least: int = 0,
) -> Table:
    """Return the table with its header and the rows below; at least so many columns, those beyond the last name without one."""
    names: tuple[str, ...] | None = None
    found = []
    for number, cells in rows:
        if number < header_row:
            continue
        if names is None:
            names = _names(table.place, cells, number) if header_row else _places(len(cells))
            names = (*names, *_places(least)[len(names) :])
            if header_row:
                continue
        if any(cell.strip() for cell in cells):
            found.append(_row(names, number, cells, faults))
    if names is None:
        got = Text(ko=f"{header_row}행 없음", en=f"no row {header_row}")
        raise refused(table.place, got, Text(ko="그 자리에 머리글 행", en="a header row there"))
    too_long = [row for row in found if WHOLE_ROW in row.faults]
    if len(too_long) * 2 > len(found):
        # A title was taken for the header, or a wrong separator.
        raise _too_long(table.place, too_long[0])
    return replace(table, columns=names, rows=tuple(found))


def _row(names: Sequence[str], number: int, cells: Sequence[str], faults: Mapping[Cell, Fault]) -> Row:
    filled = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
    found = {}
    if any(cell.strip() for cell in cells[len(names) :]):
        expected = Text(ko=f"머리글처럼 {len(names)}칸", en=f"{len(names)} cells, as in the header")
        found[WHOLE_ROW] = Fault("row_length", str(len(cells)), expected)
    if faults:
        places = ((name, (number, place)) for place, name in enumerate(names, start=1))
        found |= {name: faults[cell] for name, cell in places if cell in faults}
    return Row(number, filled, found)


def _too_long(where: Text, row: Row) -> SpreadsheetError:
    fault = row.faults[WHOLE_ROW]
    return refused(
        where,
        Text(ko=f"{row.number}행에 {fault.got}칸", en=f"{fault.got} cells in row {row.number}"),
        Text(
            ko=f"{fault.expected.ko}. 구분 문자가 든 칸은 따옴표로 묶은 것",
            en=f"{fault.expected.en}; put cells that hold the separator in quotation marks",
        ),
    )


def _names(where: Text, cells: Sequence[str], number: int) -> tuple[str, ...]:
    """Return the column names; one without a name gets its place as name, and none beyond the last that has one."""
    named = [unicodedata.normalize("NFC", cell).strip() for cell in cells]
    while named and not named[-1]:
        named.pop()
    if not named:
        got = Text(ko=f"빈 {number}행", en=f"an empty row {number}")
        raise refused(where, got, Text(ko="그 자리에 열 이름", en="the names of the columns there"))
    names = [name or f"(column {place})" for place, name in enumerate(named, start=1)]
    twice = ", ".join(name for name, count in Counter(names).items() if count > 1)
    if twice:
        got = Text(ko=f"{number}행에 두 번 나오는 열 {twice}", en=f"the column {twice} twice in row {number}")
        raise refused(where, got, Text(ko="한 번씩만 나오는 열 이름", en="each name once"))
    return tuple(names)


def _places(count: int) -> tuple[str, ...]:
    """Return the names of so many columns that have none, by their places."""
    return tuple(f"(column {place})" for place in range(1, count + 1))


def _filled(cells: Sequence[str]) -> int:
    """Return the place of the last cell that holds something, from 1."""
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)
