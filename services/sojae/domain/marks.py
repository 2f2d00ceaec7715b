"""What is written into a file that is given back: one mark for each finding, by sheet, row and column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sojae.domain.table import letters


@dataclass(frozen=True, slots=True)
class MarkedTable:
    """A table of the file: its sheet (None: the file has none), the row of its header, its columns in order."""

    sheet: str | None
    header_row: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """One finding: its sheet, row and columns (none: the whole row), its rule, and what was got, expected and is to be done."""

    sheet: str | None
    row: int
    columns: Sequence[str]
    rule: str
    text: str
    refused: bool

    def said(self, columns: Sequence[str]) -> str:
        """Return the finding in one line, with the letters of its columns: `F yield_strength [number]: got fast, …`."""
        named = [f"{letters(columns.index(c) + 1)} {c}" if c in columns else c for c in self.columns if c]
        return f"{', '.join(named)} [{self.rule}]: {self.text}".strip()

    def places(self, columns: Sequence[str]) -> list[int]:
        """Return where the columns stand, from 1; for a map as a whole, those of its components."""
        return [
            place
            for place, name in enumerate(columns, start=1)
            if any(name == c or (c not in columns and name.startswith(f"{c}.")) for c in self.columns if c)
        ]


def by_row(marks: Iterable[Mark], columns: Sequence[str]) -> dict[int, list[str]]:
    """Return row → what is said of it, one line for each finding."""
    said: dict[int, list[str]] = {}
    for mark in marks:
        said.setdefault(mark.row, []).append(mark.said(columns))
    return said
