"""A workbook given back with a column that says what is wrong in each row, and the cells coloured, with a note."""

import io
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from sojae.adapters.workbook_traits import CachedValue, cached_values, is_left_to_excel, sheet_places
from sojae.domain.marks import Mark, MarkedTable, by_row
from sojae.domain.table import letters
from sojae.domain.text import Text
from sojae.domain.workbook_layout import ERRORS, INFO_SHEET

REFUSED, FLAGGED = "FFF8C9C4", "FFFCEBB6"
FILLS = {rgb: PatternFill("solid", fgColor=rgb) for rgb in (REFUSED, FLAGGED)}
AUTHOR = "sojae"
BEHIND = "\n— sojae: "
"""Before our words in a note that somebody else has written."""

MAX_CELL_CHARACTERS = 32_000
"""What a cell of Excel may hold, with some room."""

MAX_NOTE_CHARACTERS = 1_000
ERRORS_WIDTH = 70
NOTE_WIDTH, NOTE_LINE, MOST_LINES = 320, 18, 24
"""Of a note, in points: what it was is not read."""

NOT_KEPT = Text(
    ko="{where}: 다음은 그대로 옮기지 못했습니다: {what}. 원래 파일에는 그대로 있습니다",
    en="{where}: could not be kept as it is: {what}; your own file still has it",
)
_WRITTEN = re.compile(rb'<c r="([A-Z]+\d+)"([^>]*)>(<f\b[^>]*/>|<f\b.*?</f>)<v\s*(?:/>|></v>)</c>', re.DOTALL)


def marked_workbook(
    source: Path, tables: Sequence[MarkedTable], marks: Sequence[Mark], own: Mapping[str, str]
) -> tuple[bytes, list[Text], frozenset[str]]:
    """Return the workbook with its marks, what is said of what could not be kept, and what of `own` was filled in.

    Formulas keep the values that Excel has saved, so that the workbook can be read again as it is.
    """
    is_with_macros = source.suffix.lower() == ".xlsm"
    with warnings.catch_warnings(record=True) as odd:
        warnings.simplefilter("always")
        book = openpyxl.load_workbook(source, keep_vba=is_with_macros, rich_text=True)
    for table in tables:
        sheet = book[table.sheet] if table.sheet is not None else book.worksheets[0]
        _clear(sheet, table)
        _mark(sheet, table, [mark for mark in marks if mark.sheet == table.sheet])
    what = "; ".join(dict.fromkeys(str(one.message) for one in odd if "extension" in str(one.message)))
    filled = _fill_in(book[INFO_SHEET], own) if INFO_SHEET in book.sheetnames else frozenset()
    return _saved(source, book), [NOT_KEPT.format(where=str(source), what=what)] if what else [], filled


def _fill_in(sheet: Worksheet, own: Mapping[str, str]) -> frozenset[str]:
    """Fill in what a workbook does not say of itself; return which names were empty."""
    empty = {row[0].value: row[1] for row in sheet.iter_rows(max_col=2) if not str(row[1].value or "").strip()}
    filled = frozenset(name for name in own if isinstance(empty.get(name), Cell))
    for name in filled:
        empty[name].value = own[name]
    return filled


def _clear(sheet: Worksheet, table: MarkedTable) -> None:
    """Take back what was marked when the file was given back before."""
    for row in sheet.iter_rows(min_row=table.header_row + 1):
        for cell in row:
            if not isinstance(cell, Cell) or cell.comment is None:
                continue
            own, ours, _ = cell.comment.text.partition(BEHIND)
            if cell.comment.author == AUTHOR or ours:
                cell.comment = Comment(own, cell.comment.author) if ours else None
                if cell.fill.fgColor.rgb in FILLS:
                    cell.fill = PatternFill()
    if ERRORS in table.columns:
        place = table.columns.index(ERRORS) + 1
        for (cell,) in sheet.iter_rows(min_row=table.header_row + 1, min_col=place, max_col=place):
            cell.value = None


def _mark(sheet: Worksheet, table: MarkedTable, marks: Sequence[Mark]) -> None:
    columns = table.columns
    place = columns.index(ERRORS) + 1 if ERRORS in columns else len(columns) + 1
    if table.header_row:
        sheet.cell(table.header_row, place, ERRORS).font = Font(bold=True)
    sheet.column_dimensions[letters(place)].width = ERRORS_WIDTH
    for row in sheet.iter_rows(max_row=max(1, table.header_row)):
        for cell in row:
            if isinstance(cell, Cell) and cell.comment is not None:
                _size(cell.comment)
    # What is only to be looked at is marked first, so that a cell that is refused too looks refused.
    for mark in sorted(marks, key=lambda mark: mark.refused):
        for n in mark.places(columns):
            cell = sheet.cell(mark.row, n)
            # Of a map as a whole, the components that are filled in.
            if columns[n - 1] in mark.columns or cell.value is not None:
                _colour(cell, mark)
    for number, said in by_row(marks, columns).items():
        cell = sheet.cell(number, place, _plain("\n".join(said)[:MAX_CELL_CHARACTERS]))
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _colour(cell: object, mark: Mark) -> None:
    if not isinstance(cell, Cell):
        return  # The inside of a merged area has neither colour nor note of its own.
    cell.fill = FILLS[REFUSED if mark.refused else FLAGGED]
    text = _plain(f"[{mark.rule}] {mark.text}"[:MAX_NOTE_CHARACTERS])
    there = cell.comment
    if there is None:
        cell.comment = Comment(text, AUTHOR)
    else:
        joint = "\n" if there.author == AUTHOR or BEHIND in there.text else BEHIND
        cell.comment = Comment(there.text + joint + text, there.author)
    _size(cell.comment)


def _size(comment: Comment) -> None:
    lines = sum(1 + len(line) // 48 for line in comment.text.splitlines())
    comment.width, comment.height = NOTE_WIDTH, NOTE_LINE * min(MOST_LINES, lines + 1)


def _plain(text: str) -> str:
    return str(ILLEGAL_CHARACTERS_RE.sub("�", text))


def _saved(source: Path, book: Workbook) -> bytes:
    """Return the workbook as bytes, its formulas with the values that they had."""
    values = cached_values(source)
    book.calculation.fullCalcOnLoad = is_left_to_excel(source)
    stream = io.BytesIO()
    book.save(stream)
    if not any(values.values()):
        return stream.getvalue()
    parts = {place.part: values.get(place.name, {}) for place in sheet_places(stream)}
    target = io.BytesIO()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, _with_values(data, parts[name]) if parts.get(name) else data)
    return target.getvalue()


def _with_values(text: bytes, values: Mapping[bytes, CachedValue]) -> bytes:
    def filled(found: re.Match[bytes]) -> bytes:
        reference, attributes, formula = found.groups()
        value = values.get(reference)
        if value is None:
            return found[0]
        kind = b"" if value.kind is None else b' t="' + value.kind + b'"'
        plain = re.sub(rb'\s+t="[^"]*"', b"", attributes)
        return b'<c r="' + reference + b'"' + plain + kind + b">" + formula + b"<v>" + value.text + b"</v></c>"

    return _WRITTEN.sub(filled, text)
