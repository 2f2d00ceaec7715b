"""Where the table of a file stands that nobody has described yet: its header, a row of units, totals; and its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sojae.adapters.record_files import read_records
from sojae.adapters.spreadsheet import read_table
from sojae.cli.import_sheets import HEADER_ROWS, visible_sheet
from sojae.domain.draft_columns import Column, read_cells
from sojae.domain.draft_headers import read_header, unit_of_text
from sojae.domain.draft_mapping import Layout
from sojae.domain.errors import SpreadsheetError
from sojae.domain.quantity import is_number
from sojae.domain.table import Row, Table
from sojae.domain.table_hygiene import TOTAL_ROWS, is_total
from sojae.domain.text import Text

MAX_ROWS = 50_000
"""So many rows are looked at; of a longer file, as many at even distances."""


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A file's table with its layout, the header of each column as typed, and what a row of units says."""

    table: Table
    layout: Layout
    headers: Mapping[str, str]
    units: Mapping[str, str]
    said: tuple[Text, ...] = ()

    def columns(self) -> list[Column]:
        """Return what each column holds; of a long file nothing is said that one row more could gainsay."""
        rows = self.table.rows
        looked_at = rows[:: -(-len(rows) // MAX_ROWS)]
        found = []
        for name in self.table.columns:
            cells = [row.cells.get(name) for row in looked_at]
            column = read_cells(name, read_header(self.headers[name]), cells, self.units.get(name))
            partly = len(looked_at) < len(rows)
            found.append(replace(column, rows=len(rows), words=(), is_unique=False) if partly else column)
        return found


def find_table(file: Path, sheet: str | None) -> FoundTable:
    """Return the table of a file, its header in one of the first 20 rows or none at all.

    Names that stand twice are told apart by their places. Raises SpreadsheetError for a file that holds no table.
    """
    records = read_records(file)
    if records is not None:
        return _cleaned(records, Layout(), {name: name for name in records.columns})
    named, said = visible_sheet(file, sheet)
    first_error: SpreadsheetError | None = None
    for row in range(1, HEADER_ROWS + 1):
        try:
            table = read_table(file, sheet=named, header_row=row)
        except SpreadsheetError as error:
            first_error = first_error or error
            by_place = _by_place(file, named) if row == 1 else None
            if by_place is not None:
                return replace(by_place, said=tuple(said))
            continue
        if _is_data(table.columns):
            by_place = _by_place(file, named) if row == 1 else None
            if by_place is None:
                break
            return replace(by_place, said=tuple(said))
        headers = {name: "" if name == f"(column {n})" else name for n, name in enumerate(table.columns, start=1)}
        if sum(map(bool, headers.values())) * 2 >= len(headers):
            return replace(_cleaned(table, Layout(row, sheet), headers), said=tuple(said))
    raise first_error or SpreadsheetError(
        en=f"{file}: no row of column names in the first {HEADER_ROWS} rows; begin the table higher",
        ko=f"{file}: 처음 {HEADER_ROWS}행 안에 열 이름 행이 없습니다. 표를 위로 옮기십시오",
    )


def _by_place(file: Path, sheet: str | None) -> FoundTable | None:
    """Return the table with its columns named by their places: it has no header, or one with names that stand twice."""
    try:
        table = read_table(file, sheet=sheet, header_row=0)
    except SpreadsheetError:
        return None
    first = table.rows[0].cells
    names = [cell.strip() for cell in first.values()]
    if _is_data(names):
        return _cleaned(table, Layout(0, sheet), dict.fromkeys(table.columns, ""))
    if len(set(names)) == len(names) or 2 * len(names) < len(table.columns) or len(table.rows) < 2:
        return None
    headers = {name: first.get(name, "") for name in table.columns}
    whole = replace(table, rows=table.rows[1:])
    return _cleaned(whole, Layout(0, sheet, _skip(whole, table.rows[0])), headers)


def _cleaned(table: Table, layout: Layout, headers: Mapping[str, str]) -> FoundTable:
    """Return the table without a row of units beneath its header, and without totals at its end."""
    rows = list(table.rows)
    units = _units(rows[0]) if layout.header_row or layout.skip else {}
    if units and len(rows) > 1:
        unit_row = rows.pop(0)
        skip = {**(layout.skip or {})}
        for name, words in (_skip(replace(table, rows=tuple(rows)), unit_row) or {}).items():
            skip[name] = [*skip.get(name, ()), *words]
        layout = replace(layout, skip=skip)
    last = max(1, len(rows) - TOTAL_ROWS)
    rows = rows[:last] + [row for row in rows[last:] if not is_total(next(iter(row.cells.values()), ""))]
    return FoundTable(replace(table, rows=tuple(rows)), layout, headers, units if len(rows) else {})


def _units(row: Row) -> dict[str, str]:
    """Return column → unit where a row holds units and no number, else nothing."""
    found = {name: unit_of_text(cell) for name, cell in row.cells.items()}
    said = {name: unit for name, unit in found.items() if unit is not None}
    if any(is_number(cell) for cell in row.cells.values()) or not any(unit != "1" for unit in said.values()):
        return {}
    return said if 2 * len(said) >= len(found) else {}


def _skip(rest: Table, row: Row) -> dict[str, list[str]] | None:
    """Return a column and its word by which a row is told from all others, None where there is none."""
    for name, cell in row.cells.items():
        word = cell.strip()
        if all(other.cells.get(name, "").strip() != word for other in rest.rows):
            return {name: [word]}
    return None


def _is_data(names: Sequence[str]) -> bool:
    """Return whether a row of names is one of data: at least half of its cells are numbers."""
    return 2 * sum(is_number(name) for name in names) >= max(1, len(names))
