"""What the cells of one column hold: numbers, dates, words of a few kinds, formulas, identifiers, free text."""

import datetime as dt
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sojae.domain.doi import bare_doi
from sojae.domain.dopant_notation import parse_notation
from sojae.domain.draft_headers import Header
from sojae.domain.draft_words import CHARGE, COUNT, DATE, IDENTIFIER, NOTE, REFERENCE, says
from sojae.domain.errors import FormulaError, QuantityError
from sojae.domain.mapping import EMPTY_WORDS
from sojae.domain.mapping_cells import FALSE_WORDS, TRUE_WORDS
from sojae.domain.measured import parse_measured
from sojae.domain.quantity import convert, parse_number, ucum_code

Kind = Literal["number", "whole", "boolean", "date", "formula", "category", "text", "identifier", "reference", "empty"]

MOSTLY = 0.9
"""Share of the filled cells that must be numbers for a column to be one of numbers; the others cannot be read then."""

MAX_CATEGORIES = 12
MAX_WORDS_FOR_NOTHING = 3
MAX_LABEL_CHARACTERS = 60
DATE_FORMATS = (
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y. %m. %d.",
    "%d.%m.%Y",
    "%Y년 %m월 %d일",
    "%Y/%m/%d %H:%M",
    "%Y%m%d",
    "%y%m%d",
)
"""Tried after ISO 8601; day and month in figures with a stroke between are never told apart by guessing."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the file, its header, and what its cells hold.

    `numbers` has one number a row, None where the cell is empty or no number. `nulls` are words that mean nothing was
    filled in, `unread` counts cells that are no number in a column of numbers.
    """

    name: str
    header: Header
    kind: Kind
    filled: int
    rows: int
    unit: str | None = None
    numbers: tuple[float | None, ...] = ()
    words: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    unread: int = 0
    has_intervals: bool = False
    is_unique: bool = False
    format: str | None = None
    doubts: tuple[str, ...] = field(default=())

    @property
    def is_number(self) -> bool:
        """Whether the cells are numbers."""
        return self.kind in ("number", "whole")

    @property
    def is_full(self) -> bool:
        """Whether every row has a value."""
        return self.filled == self.rows and not self.unread


def read_cells(name: str, header: Header, cells: Sequence[str | None], unit_row: str | None = None) -> Column:
    """Return what a column holds, one cell a row; `unit_row` is what a row of units beneath the header says."""
    typed = [unicodedata.normalize("NFC", cell or "").strip() for cell in cells]
    told = ["" if cell in EMPTY_WORDS else cell for cell in typed]
    filled = [cell for cell in told if cell]
    words = list(header.words)
    unique = len(filled) == len(told) and len(set(filled)) == len(filled)
    if not filled:
        return Column(name, header, "empty", 0, len(cells))
    if says(words, DATE):
        form = _date_format(filled)
        if form is not None:
            return Column(name, header, "date", len(filled), len(cells), format=form or None)
        if all(cell.isdigit() for cell in filled):
            # Figures that are no date of ours are no number either.
            return Column(name, header, "text", len(filled), len(cells))
    if sum(bare_doi(cell) is not None for cell in filled) > len(filled) / 2:
        return Column(name, header, "reference", len(filled), len(cells))
    numbers = _numbers(name, header, told, unit_row)
    if numbers is not None:
        return numbers
    kind, form = _kind_of_text(words, filled, unique=unique)
    return Column(
        name, header, kind, len(filled), len(cells), words=tuple(sorted(set(filled))) if kind == "category" else (),
        is_unique=unique, format=form,
    )  # fmt: skip


def _numbers(name: str, header: Header, told: Sequence[str], unit_row: str | None) -> Column | None:
    """Return the column of numbers that the cells make, None where they do not."""
    found = [_measured(cell) if cell else None for cell in told]
    odd = Counter(cell for cell, one in zip(told, found, strict=True) if cell and one is None)
    good = sum(one is not None for one in found)
    filled = good + odd.total()
    few_words = len(odd) <= MAX_WORDS_FOR_NOTHING and all(cell.isalpha() or " " in cell or "." in cell for cell in odd)
    if not good or good < MOSTLY * filled:
        return None
    in_cells = Counter(unit for one in found if one is not None and (unit := one[1]) is not None)
    if unit_row == "C" and not says(list(header.words), CHARGE):
        unit_row = "Cel"
    unit = header.unit or unit_row or (in_cells.most_common(1)[0][0] if in_cells else None)
    values = tuple(None if one is None else _in_unit(one, unit) for one in found)
    nulls, unread = (tuple(sorted(odd)), 0) if few_words else ((), odd.total())
    whole_numbers = all(v is None or v.is_integer() for v in values) and not any("." in cell for cell in told)
    whole = whole_numbers and unit in (None, "1") and says(list(header.words), COUNT)
    unique = good == len(told) and len(set(values)) == len(values)
    consecutive = unique and whole_numbers and all(v is not None and v == values[0] + n for n, v in enumerate(values))  # type: ignore[operator]  # none is None
    is_id = (consecutive and not header.words) or _names_things(header.words, values, unique=unique)
    return Column(
        name, header, "whole" if whole else "identifier" if is_id else "number", good, len(told), unit=unit, numbers=values,
        nulls=nulls, unread=unread, has_intervals=any(one is not None and one[2] for one in found), is_unique=unique,
    )  # fmt: skip


def _names_things(words: Sequence[str], values: Sequence[float | None], *, unique: bool) -> bool:
    """Return whether whole numbers are the names of samples: `Sample no` 7, 7, 8, not `batch size`."""
    if not words or any(v is not None and not v.is_integer() for v in values):
        return False
    return words[-1] in (*IDENTIFIER, *REFERENCE) or (unique and says(list(words), IDENTIFIER))


def _measured(cell: str) -> tuple[float, str | None, bool] | None:
    """Return the number of a cell, the code of a unit in it, and whether it is an interval; None where it is none."""
    try:
        return parse_number(cell), None, False
    except QuantityError:
        return _more_than_a_number(cell)


def _more_than_a_number(cell: str) -> tuple[float, str | None, bool] | None:
    try:
        found = parse_measured(cell)
        return (found.low + found.high) / 2, None if found.unit is None else ucum_code(found.unit), found.is_interval
    except QuantityError:
        return None


def _in_unit(one: tuple[float, str | None, bool], unit: str | None) -> float | None:
    value, own, _ = one
    if own is None or unit is None or own == unit or (own == "%" and unit.startswith("%")):
        return value
    try:
        return convert(value, own, unit)
    except QuantityError:
        return None


def _kind_of_text(words: list[str], filled: Sequence[str], *, unique: bool) -> tuple[Kind, str | None]:
    """Return what texts are, and the format of dates that are not ISO 8601."""
    lower = {cell.lower() for cell in filled}
    if says(words, REFERENCE):
        return "reference", None
    form = _date_format(filled)
    if form is not None:
        return "date", form or None
    if len(lower) == 2 and lower & TRUE_WORDS and lower & FALSE_WORDS and not lower & {"0", "1"}:
        return "boolean", None
    if says(words, NOTE):
        return "text", None
    if _are_formulas(filled, words):
        return "formula", None
    if says(words, IDENTIFIER) or (unique and max(map(len, filled)) <= MAX_LABEL_CHARACTERS):
        return "identifier", None
    distinct = len(set(filled))
    return ("category" if distinct <= MAX_CATEGORIES and 2 * distinct <= len(filled) else "text"), None


def _are_formulas(filled: Sequence[str], words: list[str]) -> bool:
    """Return whether every text is a formula, and most of two elements or more; a column of that name may have fewer."""
    found = []
    for text in set(filled):
        try:
            found.append(len(parse_notation(text).amounts))
        except FormulaError:
            return False
    several = sum(count > 1 for count in found)
    return several > len(found) / 2 or (several > 0 and says(words, ("formula", "alloy", "composition", "compound")))


def _date_format(filled: Sequence[str]) -> str | None:
    """Return the format of dates, empty for ISO 8601; None where the texts are no dates of one format."""
    if all(_is_iso(cell) for cell in filled):
        return ""
    return next((form for form in DATE_FORMATS if all(_is_of(form, cell) for cell in filled)), None)


def _is_iso(cell: str) -> bool:
    try:
        dt.datetime.fromisoformat(cell)
    except ValueError:
        return False
    return "-" in cell


def _is_of(form: str, cell: str) -> bool:
    if cell.isdigit() and len(cell) != (8 if "%Y" in form else 6):
        return False  # Figures without anything between would be cut anyhow.
    try:
        dt.datetime.strptime(cell, form)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True
