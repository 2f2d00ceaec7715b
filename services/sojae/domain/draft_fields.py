"""Columns of a file → fields of templates: stage, role, unit, ranges; what is guessed is said with each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sojae.domain.dopant_notation import parse_notation
from sojae.domain.draft_columns import Column
from sojae.domain.draft_mixtures import Mixture
from sojae.domain.draft_words import AMOUNT, COMPOSITION, CONDITION, CURING, PROCESS, PROPERTY, RAW, says
from sojae.domain.errors import FormulaError
from sojae.domain.quantity import basis_of, unit_of
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Kind, Role, Stage

Doubt = Literal["unit", "basis", "stage", "target", "measured", "interval", "unread", "celsius", "balance", "nulls"]

MAX_REQUIRED = 15
MARGIN = 0.1
"""How far beyond what was seen a value is still usual, as a part of the range that was seen."""

_ZERO: Mapping[str, float] = {"K": 0.0, "Cel": -273.15, "[degF]": -459.67}
_FRACTIONS: Mapping[str, float] = {"%": 100.0, "1": 1.0, "[ppm]": 1e6}


@dataclass(frozen=True, slots=True)
class DraftField:
    """One field to be: the columns that fill it (several where it is a composition, with its components), and what it is."""

    columns: tuple[Column, ...]
    stage: Stage
    role: Role
    kind: Kind
    unit: str | None = None
    quantity: str | None = None
    basis: str | None = None
    components: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    warn: Bounds | None = None
    hard: Bounds | None = None
    total: float | None = None
    off: tuple[float, float] = (0.0, 0.0)
    required: bool = False
    name: str = ""
    doubts: tuple[Doubt, ...] = ()

    @property
    def column(self) -> Column:
        """The column that fills it, the first of several."""
        return self.columns[0]


def number_field(column: Column, stage: Stage, role: Role, doubts: Sequence[Doubt] = ()) -> DraftField:
    """Return a field of numbers with its usual range from what was seen, and what is impossible by its unit alone."""
    unit = column.unit or "1"
    seen = [n for n in column.numbers if n is not None]
    hard = possible(unit, min(seen), max(seen))
    found: list[Doubt] = [*doubts]
    if column.unit is None and column.kind == "number":
        found.append("unit")
    if column.unit == "%" and stage == "composition":
        found.append("basis")
    if column.header.guessed and column.header.unit == "Cel":
        found.append("celsius")
    for flag, doubt in ((column.has_intervals, "interval"), (column.unread, "unread"), (column.nulls, "nulls")):
        if flag:
            found.append(doubt)  # type: ignore[arg-type]  # each is one of Doubt
    return DraftField(
        (column,), stage, role, "long" if column.kind == "whole" else "double",
        unit=None if column.kind == "whole" else unit, warn=usual(min(seen), max(seen), hard), hard=hard,
        basis=_basis(unit), required=column.is_full, doubts=tuple(found),
    )  # fmt: skip


def text_field(column: Column, stage: Stage, role: Role) -> DraftField:
    """Return a field of texts, of a few words, of yes and no, or of dates; formulas are checked as such."""
    kinds: dict[str, Kind] = {"boolean": "boolean", "date": "date"}
    return DraftField(
        (column,), stage, role, kinds.get(column.kind, "string"), one_of=column.words,
        quantity="formula" if column.kind == "formula" else None, required=column.is_full and role in ("input", "condition"),
    )  # fmt: skip


def composition_field(column: Column) -> DraftField:
    """Return the composition, in at%, that a column of formulas becomes."""
    return DraftField(
        (column,), "composition", "input", "map_double", unit="%{at}", quantity="composition", basis="at", total=100.0,
        required=column.is_full, name="composition",
    )  # fmt: skip


def element_field(mixture: Mixture) -> DraftField:
    """Return the composition that columns of elements become; without a unit, 100 is wt% and 1 the share of atoms."""
    told = mixture.columns[0].unit
    doubts: list[Doubt] = []
    basis = {"mass": "mass", "at": "at", "mol": "at"}.get(_basis(told or "") or "")
    if basis is None:
        basis = "at" if mixture.total == 1.0 else "mass"
        doubts.append("basis")
    if mixture.total is None:
        doubts.append("balance")
    whole = mixture.total == 1.0 or (mixture.total is None and told in (None, "1"))
    return DraftField(
        mixture.columns, "composition", "input", "map_double", unit=f"1{{{basis}}}" if whole else f"%{{{basis}}}",
        quantity="composition", basis=basis, components=mixture.elements, total=mixture.total,
        off=(mixture.usually_off, mixture.off), required=True, name="composition", doubts=tuple(doubts),
    )  # fmt: skip


def place_of(column: Column) -> tuple[Stage, Role] | None:
    """Return the stage and role that a header's words and its unit speak for, None where nothing does."""
    words = list(column.header.words)
    share = column.is_number and _basis(column.unit or "") in ("mass", "at", "mol", "vol", "phr")
    places: tuple[tuple[bool, Stage, Role], ...] = (
        (says(words, CONDITION), "property", "condition"),
        (says(words, CURING), "process", "condition"),
        (says(words, RAW) and "feed" not in words, "raw", "input"),
        (says(words, PROPERTY), "property", "intermediate"),
        (share or column.unit in ("kg/m3", "mol/L") or says(words, AMOUNT), "composition", "input"),
        # What a header is called by stands last: blast furnace slag is no furnace.
        (says(words[-1:], COMPOSITION), "composition", "input"),
        (says(words, PROCESS), "process", "input"),
        (says(words, COMPOSITION) or _is_compound(column.header.bare), "composition", "input"),
    )
    return next(((stage, role) for spoken, stage, role in places if spoken), None)


def possible(unit: str, low: float, high: float) -> Bounds | None:
    """Return what the unit alone makes impossible: below absolute zero, a share below nothing or above all, negative density.

    What was seen is possible: an end that it breaks is left out.
    """
    ends: tuple[float | None, float | None] = (None, None)
    basis = _basis(unit)
    plain = unit.partition("{")[0]
    if unit in _ZERO:
        ends = (_ZERO[unit], None)
    elif basis in ("mass", "at", "mol", "vol", "RH") and plain in _FRACTIONS:
        ends = (0.0, _FRACTIONS[plain])
    elif unit == "mol/L" or unit_of(unit).check("[mass] / [length] ** 3"):
        ends = (0.0, None)
    kept = (
        None if ends[0] is None or low < ends[0] else ends[0],
        None if ends[1] is None or high > ends[1] else ends[1],
    )
    return None if kept == (None, None) else Bounds(*kept)


def usual(low: float, high: float, hard: Bounds | None) -> Bounds:
    """Return the range that was seen with a margin, in round numbers; not below zero where nothing was."""
    span = high - low or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span) - 1)
    ends = [math.floor((low - MARGIN * span) / step) * step, math.ceil((high + MARGIN * span) / step) * step]
    if low >= 0:
        ends[0] = max(ends[0], 0.0)
    if hard is not None:
        ends = [
            max(ends[0], hard.low if hard.low is not None else ends[0]),
            min(ends[1], hard.high if hard.high is not None else ends[1]),
        ]
    return Bounds(*(float(format(end + 0.0, ".6g")) for end in ends))


def with_few_required(fields: Sequence[DraftField]) -> list[DraftField]:
    """Return the fields with at most 15 required ones in each stage, the first of them."""
    counts: dict[Stage, int] = {}
    found = []
    for field in fields:
        required = (
            field.required
            and field.role in ("input", "condition", "target")
            and counts.get(field.stage, 0) < MAX_REQUIRED
        )
        counts[field.stage] = counts.get(field.stage, 0) + required
        found.append(replace(field, required=required))
    return found


def _basis(unit: str) -> str | None:
    return basis_of(unit) if unit else None


def _is_compound(text: str) -> bool:
    try:
        return len(parse_notation(text).amounts) > 1
    except FormulaError:
        return False
