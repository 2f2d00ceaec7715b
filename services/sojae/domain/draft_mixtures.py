"""Columns that make up one composition: element symbols, or ingredients whose amounts add up to the same in every row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from sojae.domain.composition_check import ELEMENTS
from sojae.domain.draft_columns import Column

TOTALS = (100.0, 1.0)
NEAR = 0.02
"""How far from 100 or 1, as a part of it, the sum of most rows may be."""

MOST = 0.9
STEADY = 1e-3
"""How far sums may lie apart, as a part of them, where they are neither near 100 nor 1."""

MAX_GROUPED = 200
LOOKED_AT = 12
_SAID_BESIDE = frozenset(
    {"content", "fraction", "composition", "wt", "at", "mol", "mass", "atomic", "weight", "percent", "amount"}
)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Columns that are one composition; `total` is what they add up to, `off` how far the worst row is from it.

    `elements`: the columns' symbols where all are elements, else empty. `total` is None where rows add up to anything.
    """

    columns: tuple[Column, ...]
    total: float | None
    off: float
    usually_off: float
    elements: tuple[str, ...] = ()


def element_of(column: Column) -> str | None:
    """Return the symbol that a header is, beside words such as `content` or `wt`; None where it is none."""
    rest = [w for w in column.header.bare.replace("_", " ").split() if w.lower().strip(".") not in _SAID_BESIDE]
    return rest[0] if len(rest) == 1 and rest[0] in ELEMENTS else None


def element_mixture(columns: Sequence[Column]) -> Mixture | None:
    """Return the columns of elements, None where there are not enough: `V`, `I` and `P` alone may be something else."""
    found = {symbol: c for c in columns if _is_amount(c) and (symbol := element_of(c)) is not None}
    if len(found) < 2:
        return None
    mixture = _mixture(tuple(found.values()), tuple(found))
    sure = mixture.total in TOTALS or (len(found) > 2 and any(len(symbol) == 2 for symbol in found))
    units = {c.unit for c in found.values()}
    return mixture if sure and len(units) == 1 else None


def ingredient_mixture(columns: Sequence[Column]) -> Mixture | None:
    """Return the longest run of neighbouring columns that add up to 100, to 1, or to another steady sum; None without one."""
    amounts = [c for c in columns if _is_amount(c)][:MAX_GROUPED]
    varying = [0, *accumulate(_varies(c) for c in amounts)]
    rows = list(zip(*(c.numbers for c in amounts), strict=True))
    # Sums of the first k columns of each row: those of any run are differences.
    running = [[0.0, *accumulate(n or 0.0 for n in row)] for row in rows]
    few = running[:: max(1, len(running) // LOOKED_AT)]
    for length in range(len(amounts), 1, -1):
        for first in range(len(amounts) - length + 1):
            last = first + length
            if varying[last] - varying[first] < 2 or not _could_be(few, first, last):
                continue
            run = amounts[first:last]
            sums = [line[last] - line[first] for line in running]
            if len({c.unit for c in run}) == 1 and (_total_of(sums) is not None or (length > 2 and _is_steady(sums))):
                return _mixture(tuple(run), ())
    return None


def _could_be(few: Sequence[Sequence[float]], first: int, last: int) -> bool:
    """Return whether some rows agree, so that all are worth looking at: half of them near a total, or all alike."""
    sums = [line[last] - line[first] for line in few]
    near = sum(any(abs(s - total) <= NEAR * total for total in TOTALS) for s in sums)
    return 2 * near >= len(sums) or max(sums) - min(sums) <= STEADY * max(sums)


def _mixture(columns: tuple[Column, ...], elements: tuple[str, ...]) -> Mixture:
    sums = [math.fsum(n or 0.0 for n in row) for row in zip(*(c.numbers for c in columns), strict=True)]
    sums = [s for s in sums if s > 0]
    total = _total_of(sums)
    if total is None and _is_steady(sums):
        total = float(format(sums[0], ".6g"))
    off = sorted(abs(s - total) for s in sums) if total is not None else [0.0]
    return Mixture(columns, total, off[-1], off[int(0.95 * (len(off) - 1))], elements)


def _total_of(sums: Sequence[float]) -> float | None:
    filled = [s for s in sums if s > 0]
    for total in TOTALS:
        if filled and sum(abs(s - total) <= NEAR * total for s in filled) >= MOST * len(filled):
            return total
    return None


def _is_steady(sums: Sequence[float]) -> bool:
    return len(sums) > 2 and min(sums) > 0 and max(sums) - min(sums) <= STEADY * max(sums)


def _is_amount(column: Column) -> bool:
    numbers = [n for n in column.numbers if n is not None]
    return column.is_number and bool(numbers) and min(numbers) >= 0


def _varies(column: Column) -> bool:
    return any(a != b for a, b in pairwise(column.numbers))
