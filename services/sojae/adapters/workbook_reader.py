"""A workbook that was made from templates, read back: which templates it follows, and its sheets as tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import fastexcel

from sojae.adapters.spreadsheet import EXCEL_FILES, read_table
from sojae.domain.errors import SpreadsheetError
from sojae.domain.table import Table
from sojae.domain.template import STAGES, Stage
from sojae.domain.workbook_layout import INFO_SHEET, KEY_ROW


@dataclass(frozen=True, slots=True)
class TemplateWorkbook:
    """What the sheet `sojae` says (key → value), and the stages' sheets that hold anything."""

    info: Mapping[str, str]
    sheets: Mapping[Stage, Table]


def read_workbook(path: Path) -> TemplateWorkbook | None:
    """Return a workbook that follows templates, None for any other file; raises SpreadsheetError."""
    if path.suffix.lower() not in EXCEL_FILES:
        return None
    try:
        names = fastexcel.read_excel(path).sheet_names
    except (fastexcel.FastExcelError, OSError):
        return None  # What it is, the reader of plain tables says.
    if INFO_SHEET not in names:
        return None
    info = {row.cells.get("(column 1)", ""): row.cells.get("(column 2)", "").strip() for row in _info(path).rows}
    sheets: dict[Stage, Table] = {}
    for stage in STAGES:
        if stage in names:
            table = _filled(path, stage)
            if table is not None:
                sheets[stage] = table
    return TemplateWorkbook(info, sheets)


def _info(path: Path) -> Table:
    return read_table(path, sheet=INFO_SHEET, header_row=0)


def _filled(path: Path, stage: str) -> Table | None:
    """Return a stage's sheet with its rows, None when nothing stands below its keys."""
    try:
        table = read_table(path, sheet=stage, header_row=KEY_ROW)
    except SpreadsheetError as error:
        if "a header without rows" in error.text.en:
            return None
        raise
    where = f"{path}, sheet {stage}"
    return Table(where, table.columns, table.rows, table.note)
