"""A data file as rows of text, whatever kind of file it was."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank: its number as a spreadsheet shows it, and column → text; empty cells are absent."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns, in order, and its rows; `note` says what the reader had to assume, such as the encoding."""

    where: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str | None = None
