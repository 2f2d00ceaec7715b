"""The cells of one sheet of an Excel workbook as text, and those that cannot be read whatever is asked of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import fastexcel

from sojae.adapters.data_file import file_bytes, refused
from sojae.adapters.workbook_size import refusal
from sojae.adapters.workbook_traits import Cell, Traits, traits_of
from sojae.domain.spelling import near
from sojae.domain.table import Area, Fault
from sojae.domain.text import Text

EXCEL_FILES = (".xlsx", ".xlsm")
_ERROR_CELL = re.compile(r"Error\((\w+)\)")
_ERRORS = {
    "Div0": "#DIV/0!", "NA": "#N/A", "Name": "#NAME?", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!", "Value": "#VALUE!",
}  # fmt: skip
A_VALUE = Text(ko="값", en="a value")
CALCULATED = Text(ko="계산된 값", en="the value of the formula")


@dataclass(frozen=True, slots=True)
class SheetCells:
    """A sheet's rows as texts, the first from row 1, empty cells as ""; `faults` by row and place, both from 1."""

    name: str
    rows: Sequence[Sequence[str]]
    faults: Mapping[Cell, Fault]
    merged: tuple[Area, ...]
    hidden_rows: tuple[int, ...]
    hidden_places: frozenset[int]


def is_workbook(path: Path) -> bool:
    """Return whether a file is called like a workbook."""
    return path.suffix.lower() in EXCEL_FILES


def workbook_bytes(path: Path) -> bytes:
    """Return the bytes of a workbook that unpacks to no more than is allowed; raises SpreadsheetError."""
    data = file_bytes(path)
    found = refusal(data)
    if found is not None:
        raise refused(path, found.got, found.expected)
    return data


def sheet_cells(path: Path, data: bytes, sheet: str | None) -> SheetCells:
    """Return the cells of a sheet, the first one when none is named; raises SpreadsheetError. `data` are its bytes, checked.

    A percentage comes as people see it, `45 %` for 0.45. An error such as #DIV/0!, and a formula that was never
    calculated, are faults: they would come back empty or as 0, as if somebody had filled it in.
    """
    try:
        workbook = fastexcel.read_excel(data)
        name = _sheet_name(path, workbook.sheet_names, sheet)
        loaded = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        batch, errors = loaded.to_arrow_with_errors()
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0].removeprefix("calamine error: ")
        got = Text(ko=f"열 수 없는 파일({reason})", en=f"a file that is no workbook ({reason})")
        expected = Text(ko="엑셀 통합 문서(.xlsx로 저장한 것)", en="an Excel workbook; save it as .xlsx")
        raise refused(path, got, expected) from error
    columns: list[list[str | None]] = [column.to_pylist() for column in batch.columns]
    traits = traits_of(path, name)
    faults = {} if traits is None else _overlaid(columns, traits)
    for found in errors.errors if errors is not None else ():
        row, place = found.offset_position
        match = _ERROR_CELL.search(found.detail)
        shown = _ERRORS.get(match[1], f"#{match[1]}") if match else "#error"
        columns[place][row] = shown
        faults[row + 1, place + 1] = Fault("error_cell", shown, A_VALUE)
    rows = [[cell or "" for cell in cells] for cells in zip(*columns, strict=True)]
    if traits is None:
        return SheetCells(name, rows, faults, (), (), frozenset())
    return SheetCells(name, rows, faults, traits.merged, traits.hidden_rows, traits.hidden_places)


def _overlaid(columns: Sequence[list[str | None]], traits: Traits) -> dict[Cell, Fault]:
    """Write percentages and formulas without a value over what was read; return the faults of the latter."""
    for row, place in traits.percent:
        text = columns[place - 1][row - 1] if _is_in(columns, row, place) else None
        if text:
            columns[place - 1][row - 1] = _percentage(text)
    faults = {}
    for (row, place), formula in traits.uncalculated.items():
        if _is_in(columns, row, place):
            columns[place - 1][row - 1] = formula
            faults[row, place] = Fault("not_calculated", formula, CALCULATED)
    return faults


def _is_in(columns: Sequence[list[str | None]], row: int, place: int) -> bool:
    return place <= len(columns) and row <= len(columns[place - 1])


def _percentage(text: str) -> str:
    try:
        return f"{float(text) * 100.0:.12g} %"
    except ValueError:
        return text


def _sheet_name(path: Path, sheets: Sequence[str], wanted: str | None) -> str:
    if not sheets:
        got = Text(ko="시트가 없는 통합 문서", en="a workbook without sheets")
        raise refused(path, got, Text(ko="시트 하나 이상", en="at least one sheet"))
    if wanted is None:
        return sheets[0]
    if wanted not in sheets:
        close = ", ".join(near(wanted, sheets) or sheets[:5])
        got = Text(ko=f"시트 {wanted!r} 없음", en=f"no sheet {wanted!r}")
        raise refused(
            path, got, Text(ko=f"시트 {wanted!r}(있는 것: {close})", en=f"a sheet {wanted!r}; it has {close}")
        )
    return wanted
