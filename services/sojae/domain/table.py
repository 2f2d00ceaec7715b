"""A data file as rows of text, whatever kind of file it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sojae.domain.text import Text

OF_A_LIST = "\u2063"
"""Behind each item of a list that was a list in its file, where an item holds the usual separator."""

WHOLE_ROW = ""
"""Where `Row.faults` has what is wrong with a row as a whole."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What makes a cell, or a row, unreadable whatever is asked of it: the rule, what was got, what was expected."""

    rule: str
    got: str
    expected: Text


class Area(NamedTuple):
    """A rectangle of cells; rows and columns count from 1, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shown(self) -> str:
        """The area as a spreadsheet names it: `B4:B6`."""
        return f"{letters(self.left)}{self.top}:{letters(self.right)}{self.bottom}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank: its number as a spreadsheet shows it, and column → text; empty cells are absent.

    `faults` tells by column which cells cannot be read; the other cells of the row can.
    """

    number: int
    cells: Mapping[str, str]
    faults: Mapping[str, Fault] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns, in order, and its rows; `note` says what the reader had to assume, such as the encoding.

    Of a workbook: the sheet, its merged areas below the header, and which rows and columns nobody sees.
    """

    where: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: Text | None = None
    sheet: str | None = None
    merged: tuple[Area, ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[str, ...] = ()

    @property
    def place(self) -> Text:
        """The file and, of a workbook, the sheet."""
        if self.sheet is None:
            return Text(ko=self.where, en=self.where)
        return Text(ko=f"{self.where}, {self.sheet} 시트", en=f"{self.where}, sheet {self.sheet}")


def letters(place: int) -> str:
    """Return the letters of a column: A for 1, AA for 27."""
    text = ""
    while place:
        place, left = divmod(place - 1, 26)
        text = chr(ord("A") + left) + text
    return text


def place_of(column: str) -> int:
    """Return the place of a column by its letters, from 1."""
    place = 0
    for letter in column.upper():
        place = place * 26 + ord(letter) - ord("A") + 1
    return place
