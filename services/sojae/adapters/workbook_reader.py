"""A workbook that was made from templates, read back: which templates it follows, and its sheets as tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sojae.adapters.spreadsheet import read_sheets
from sojae.adapters.workbook_cells import is_workbook
from sojae.adapters.workbook_traits import sheet_places
from sojae.domain.table import Table
from sojae.domain.template import STAGES, Stage
from sojae.domain.workbook_layout import INFO_SHEET, KEY_ROW

ABOUT, SAID = "(column 1)", "(column 2)"


@dataclass(frozen=True, slots=True)
class TemplateWorkbook:
    """What the sheet `sojae` says (key → value), the stages' sheets that hold anything, and those that are hidden."""

    info: Mapping[str, str]
    sheets: Mapping[Stage, Table]
    hidden: tuple[Stage, ...]


def read_workbook(path: Path) -> TemplateWorkbook | None:
    """Return a workbook that follows templates, None for any other file; raises SpreadsheetError.

    A hidden sheet is not read.
    """
    if not is_workbook(path):
        return None
    places = {place.name: place for place in sheet_places(path)}
    if INFO_SHEET not in places:
        return None
    there: list[Stage] = [stage for stage in STAGES if stage in places]
    seen = [stage for stage in there if not places[stage].hidden]
    tables = read_sheets(path, {INFO_SHEET: 0, **dict.fromkeys(seen, KEY_ROW)})
    info = {row.cells.get(ABOUT, "").strip(): row.cells.get(SAID, "").strip() for row in tables[INFO_SHEET].rows}
    return TemplateWorkbook(
        info,
        {stage: tables[stage] for stage in seen if tables[stage].rows},
        tuple(stage for stage in there if places[stage].hidden),
    )
