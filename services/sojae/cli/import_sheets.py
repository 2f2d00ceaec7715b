"""The sheet of a workbook that an import reads: hidden ones, merged cells, formulas without values, titles above the header."""

import re
from collections.abc import Sequence
from pathlib import Path

from sojae.adapters.spreadsheet import read_table
from sojae.adapters.workbook_traits import sheets_of, traits_of
from sojae.domain.errors import SpreadsheetError
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.text import Text

LOWER = Text(ko="{where}: 머리글을 {row}행에서 찾았습니다", en="{where}: the header was found in row {row}")
HIDDEN_SHEETS = Text(
    ko="{where}: 숨긴 시트 {sheets}은(는) 읽지 않았습니다. 읽으려면 매핑의 sheet에 쓰십시오",
    en="{where}: hidden sheets {sheets} are not read; name one as `sheet` in the mapping to read it",
)
HIDDEN_ROWS = Text(
    ko="{where}: 시트 {sheet}의 숨긴 행 {count}개도 읽었습니다",
    en="{where}: {count} hidden rows of sheet {sheet} are read too",
)
MERGED = Text(
    ko="{where}, 시트 {sheet}: 병합된 셀 {cells}. 병합을 풀고 각각 채우십시오",
    en="{where}, sheet {sheet}: merged cells {cells}; unmerge them, and fill each in",
)
UNCALCULATED = Text(
    ko="{where}, 시트 {sheet}: 값이 없는 수식 {cells}. 엑셀에서 열어 저장하십시오",
    en="{where}, sheet {sheet}: formulas without a value {cells}; open the file in Excel and save it",
)
HEADER_ROWS = 20
"""How far down a header is looked for."""

SHOWN = 5


def visible_sheet(file: Path, named: str | None) -> tuple[str | None, list[Text]]:
    """Return the sheet that is read: the one named, else the first that is not hidden; and what is said of the others."""
    sheets = sheets_of(file)
    visible = [name for name, hidden in sheets if not hidden]
    if named is not None or not visible:
        return named, []
    hidden = [name for name, is_hidden in sheets if is_hidden]
    return visible[0], [HIDDEN_SHEETS.format(where=str(file), sheets=", ".join(hidden))] if hidden else []


def has_columns(file: Path, sheet: str | None, row: int, mapping: FileMapping) -> bool:
    """Return whether every column of the mapping stands in a row."""
    try:
        return set(mapping.columns()) <= set(read_table(file, sheet=sheet, header_row=row).columns)
    except SpreadsheetError:
        return False  # A title, or a blank row: no header is there.


def lower_header(file: Path, sheet: str | None, mapping: FileMapping) -> int | None:
    """Return the row, of the first 20, that holds every column of the mapping; None when none does."""
    return next((row for row in range(1, HEADER_ROWS + 1) if has_columns(file, sheet, row, mapping)), None)


def sheet_notes(file: Path, sheet: str | None, header_row: int) -> list[Text]:
    """Return what is odd about a sheet but can be read; raises SpreadsheetError for what cannot, with the cells' addresses.

    Merged cells below the header have one value for several rows or columns, and nobody knows for which; a formula that
    Excel has never calculated has none.
    """
    traits = traits_of(file, sheet)
    if traits is None:
        return []
    merged = [area for area in traits.merged if _last_row(area) > header_row]
    for cells, text in ((merged, MERGED), (traits.uncalculated, UNCALCULATED)):
        if cells:
            said = text.format(where=str(file), sheet=traits.sheet, cells=_shown(cells))
            raise SpreadsheetError(en=said.en, ko=said.ko)
    count = str(traits.hidden_rows)
    return [HIDDEN_ROWS.format(where=str(file), sheet=traits.sheet, count=count)] if traits.hidden_rows else []


def _last_row(area: str) -> int:
    return int(re.findall(r"\d+", area)[-1])


def _shown(cells: Sequence[str]) -> str:
    return ", ".join(cells[:SHOWN]) + (" …" if len(cells) > SHOWN else "")
