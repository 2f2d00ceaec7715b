"""The table of a file that an import reads: the sheet that is seen, the header beneath titles, merged and hidden cells."""

from pathlib import Path

from sojae.adapters.spreadsheet import find_header, read_table
from sojae.adapters.workbook_cells import is_workbook
from sojae.adapters.workbook_traits import sheet_places
from sojae.domain.errors import SpreadsheetError
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.table import Table
from sojae.domain.text import Text

LOWER = Text(ko="{where}: 머리글을 {row}행에서 찾았습니다", en="{where}: the header was found in row {row}")
HIDDEN_SHEETS = Text(
    ko="{where}: 숨긴 시트 {sheets}은(는) 읽지 않았습니다. 읽으려면 숨김을 풀거나 매핑의 sheet에 쓰십시오",
    en="{where}: hidden sheets {sheets} are not read; unhide one, or name it as `sheet` in the mapping, to read it",
)
HIDDEN_ROWS = Text(
    ko="{where}: 숨긴 행 {count}개도 읽었습니다",
    en="{where}: {count} hidden rows are read too",
)
HIDDEN_COLUMNS = Text(
    ko="{where}: 숨긴 열 {columns}도 읽었습니다",
    en="{where}: the hidden columns {columns} are read too",
)
HEADER_ROWS = 20
"""How far down a header is looked for."""


def visible_sheet(file: Path, named: str | None) -> tuple[str | None, list[Text]]:
    """Return the sheet that is read: the one named, else the first that is not hidden; and what is said of the others."""
    if not is_workbook(file):
        return None, []
    places = sheet_places(file)
    visible = [place.name for place in places if not place.hidden]
    if named is not None or not visible:
        return named, []
    return visible[0], hidden_sheets(file, [place.name for place in places if place.hidden])


def hidden_sheets(file: Path, sheets: list[str]) -> list[Text]:
    """Return what is said of sheets that are hidden, and so are not read."""
    return [HIDDEN_SHEETS.format(where=str(file), sheets=", ".join(sheets))] if sheets else []


def table_beneath_titles(file: Path, sheet: str | None, mapping: FileMapping) -> tuple[Table, int, list[Text]]:
    """Return the table, the row of its header, and what is said of it.

    A header that stands lower than the mapping says, beneath titles, is found when it holds every column that is named.
    Raises SpreadsheetError.
    """
    row, names = mapping.header_row, set(mapping.columns())
    try:
        table = read_table(file, sheet=sheet, header_row=row)
    except SpreadsheetError:
        found = find_header(file, names, sheet=sheet, within=HEADER_ROWS) if row else None
        if found is None or found == row:
            raise
    else:
        if not row or names <= set(table.columns):
            return table, row, []
        found = find_header(file, names, sheet=sheet, within=HEADER_ROWS)
        if found is None or found == row:
            return table, row, []
    return (
        read_table(file, sheet=sheet, header_row=found),
        found,
        [LOWER.format(where=str(file), row=str(found))],
    )


def hidden_notes(table: Table, used: frozenset[str]) -> list[Text]:
    """Return what is said of rows, and of columns that are used, which nobody sees."""
    said = []
    columns = [name for name in table.hidden_columns if name in used]
    if table.hidden_rows:
        count = str(len(table.hidden_rows))
        said.append(HIDDEN_ROWS.format(where=table.place, count=count))
    if columns:
        said.append(HIDDEN_COLUMNS.format(where=table.place, columns=", ".join(columns)))
    return said
