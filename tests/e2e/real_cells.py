"""A copy of a CSV or Excel file in which one cell says something else, and nothing else is touched."""

import csv
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from sojae.adapters.spreadsheet import read_table

FIRST_SHEET = "xl/worksheets/sheet1.xml"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell by the row that a spreadsheet shows and the column's name, and the number that it is to hold."""

    row: int
    column: str
    value: str


def changed_copy(source: Path, cell: Cell, folder: Path) -> Path:
    """Return a copy of a file in a folder, under the same name, with one cell changed."""
    target = folder / f"changed-{source.name}"
    columns = list(read_table(source, sheet=None, header_row=1).columns)
    place = columns.index(cell.column)
    if source.suffix == ".csv":
        _write_csv(source, target, cell, place)
    else:
        _write_workbook(source, target, cell, place)
    return target


def _write_csv(source: Path, target: Path, cell: Cell, place: int) -> None:
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[cell.row - 1][place] != cell.value
    rows[cell.row - 1][place] = cell.value
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _write_workbook(source: Path, target: Path, cell: Cell, place: int) -> None:
    """Change the number in the first sheet's XML, so that every other cell stays as Excel wrote it."""
    reference = f"{_letters(place)}{cell.row}"
    pattern = re.compile(rf'(<c r="{reference}"(?: s="\d+")?><v>)[^<]*(?=</v>)')
    with zipfile.ZipFile(source) as book, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in book.namelist():
            content = book.read(name)
            if name == FIRST_SHEET:
                text, count = pattern.subn(rf"\g<1>{cell.value}", content.decode())
                assert count == 1, f"{source} has no number in {reference}"
                content = text.encode()
            copy.writestr(name, content)


def _letters(place: int) -> str:
    """Return a column's letters: A for 0, AA for 26."""
    left, last = divmod(place, 26)
    return (_letters(left - 1) if left else "") + chr(ord("A") + last)
