"""The file of an import given back: the same workbook, or CSV file, with a column that says what is wrong in each row."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sojae.adapters.spreadsheet import EXCEL_FILES, decoded_text, separator_of
from sojae.domain.errors import SpreadsheetError
from sojae.domain.workbook_layout import ERRORS

REFUSED, FLAGGED = PatternFill("solid", fgColor="F8C9C4"), PatternFill("solid", fgColor="FCEBB6")
MAX_CELL_CHARACTERS = 32_000
"""What a cell of Excel may hold, with some room."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One finding: the sheet (None: the only one, or a CSV file), its row, the columns it is about, and what is said."""

    sheet: str | None
    row: int
    columns: Sequence[str]
    text: str
    refused: bool


def write_marked(source: Path, target: Path, header_rows: Mapping[str | None, int], marks: Iterable[Mark]) -> None:
    """Write the source file to `target` with a column `errors`; formats, formulas and choices stay as they are.

    `header_rows` tells for each sheet in which row the names of the columns stand. A column `errors` that is there is
    written anew. Raises SpreadsheetError when the target is of another kind than the source, or cannot be written.
    """
    kinds = [path.suffix.lower() in EXCEL_FILES for path in (source, target)]
    if kinds[0] != kinds[1]:
        raise SpreadsheetError(
            en=f"{target}: another kind of file than {source.name}; give a name that ends in {source.suffix}",
            ko=f"{target}: {source.name}과(와) 다른 종류의 파일입니다. {source.suffix}로 끝나는 이름을 주십시오",
        )
    try:
        if kinds[0]:
            _mark_workbook(source, target, header_rows, list(marks))
        else:
            _mark_text(source, target, header_rows[None], list(marks))
    except OSError as error:
        raise SpreadsheetError(
            en=f"{target}: cannot be written: {error.strerror}", ko=f"{target}: 쓸 수 없습니다: {error.strerror}"
        ) from error


def _mark_workbook(source: Path, target: Path, header_rows: Mapping[str | None, int], marks: Sequence[Mark]) -> None:
    book = openpyxl.load_workbook(source, keep_vba=source.suffix.lower() == ".xlsm")
    for name, header_row in header_rows.items():
        sheet = book[name] if name is not None else book.worksheets[0]
        _mark_sheet(sheet, header_row, [m for m in marks if m.sheet == name])
    book.save(target)


def _mark_sheet(sheet: Worksheet, header_row: int, marks: Sequence[Mark]) -> None:
    names = {str(sheet.cell(header_row, n).value or "").strip(): n for n in range(1, sheet.max_column + 1)}
    place = names.get(ERRORS, sheet.max_column + 1)
    for row in range(header_row + 1, sheet.max_row + 1):
        if sheet.cell(row, place).value is not None:
            sheet.cell(row, place).value = None
    head = sheet.cell(header_row, place, ERRORS)
    head.font = Font(bold=True)
    sheet.column_dimensions[get_column_letter(place)].width = 70
    said: dict[int, list[str]] = {}
    for mark in marks:
        letters = [get_column_letter(names[c]) for c in mark.columns if c in names]
        said.setdefault(mark.row, []).append(f"{', '.join(letters) or '–'}: {mark.text}")
        for column in mark.columns:
            if column in names:
                cell = sheet.cell(mark.row, names[column])
                cell.fill = REFUSED if mark.refused else FLAGGED
                cell.comment = Comment(mark.text[:1000], "sojae")
    for row, texts in said.items():
        cell = sheet.cell(row, place, "\n".join(texts)[:MAX_CELL_CHARACTERS])
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _mark_text(source: Path, target: Path, header_row: int, marks: Sequence[Mark]) -> None:
    text, _ = decoded_text(source, source.read_bytes())
    separator = separator_of(text, header_row)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    names = [name.strip() for name in rows[header_row - 1]] if header_row else []
    place = names.index(ERRORS) if ERRORS in names else max(len(row) for row in rows)
    said: dict[int, list[str]] = {}
    for mark in marks:
        said.setdefault(mark.row, []).append(f"{', '.join(mark.columns)}: {mark.text}")
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    for number, row in enumerate(rows, start=1):
        full = [*row, *[""] * (place + 1 - len(row))]
        full[place] = ERRORS if number == header_row else "\n".join(said.get(number, ()))
        writer.writerow(full)
    target.write_text("\ufeff" + stream.getvalue(), encoding="utf-8", newline="")
