"""Completeness of one producer's epoch: which sequence numbers have been seen, and where holes are."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

SPARSE_MARK = "/monitor/"
"""Producers whose sequence numbers have holes by design."""

MAX_HOLES = 1_000
"""Holes kept of one epoch: whoever leaves more does not count by one, and one alarm says so as well as many."""

Range = tuple[int, int]


class SequenceRanges:
    """A set of whole numbers ≥ 0, held as sorted, disjoint, inclusive ranges that do not touch."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in ranges:
            self.add_range(start, end)

    def __contains__(self, seq: int) -> bool:
        at = bisect_right(self._starts, seq) - 1
        return at >= 0 and seq <= self._ends[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SequenceRanges) and self.ranges() == other.ranges()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __len__(self) -> int:
        return sum(end - start + 1 for start, end in self.ranges())

    def add(self, seq: int) -> None:
        """Take one number in."""
        self.add_range(seq, seq)

    def add_range(self, start: int, end: int) -> None:
        """Take all numbers from start to end in, joining the ranges that they touch."""
        first = bisect_right(self._ends, start - 2)
        last = bisect_right(self._starts, end + 1)
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def ranges(self) -> list[Range]:
        """Return the ranges, smallest first."""
        return list(zip(self._starts, self._ends, strict=True))

    @property
    def low_water(self) -> int:
        """The largest n for which 0 to n have all been seen; −1 when 0 has not."""
        return self._ends[0] if self._starts and self._starts[0] == 0 else -1

    def above(self) -> list[Range]:
        """Return the ranges above the low-water mark."""
        return [r for r in self.ranges() if r[0] > self.low_water]

    @property
    def highest(self) -> int:
        """The largest number seen; −1 before the first."""
        return self._ends[-1] if self._ends else -1


@dataclass(frozen=True, slots=True)
class Hole:
    """Numbers from `start` to `end` that were passed over at `since`; of them `missing` are still to come.

    Messages that came in their place but could not be read count as come: nobody knows which of the numbers they bore.
    """

    start: int
    end: int
    missing: int
    since: dt.datetime


def holes_after(
    holes: Sequence[Hole], seen: SequenceRanges, seq: int, *, unread: int, at: dt.datetime
) -> Sequence[Hole]:
    """Return the holes of an epoch after a number has come; `seen` is what came before it.

    `unread` messages of the producer came since its last number and could not be read. Numbers of one producer come in
    order, so a number beyond the next one leaves a hole, and one from inside a hole fills it by one.
    """
    if seq > seen.highest:
        missing = seq - seen.highest - 1 - unread
        room = missing > 0 and len(holes) < MAX_HOLES
        return [*holes, Hole(seen.highest + 1, seq - 1, missing, at)] if room else holes
    place = bisect_right(holes, seq, key=lambda hole: hole.start) - 1
    if seq in seen or place < 0 or seq > holes[place].end:
        return holes
    filled = replace(holes[place], missing=holes[place].missing - 1)
    return [*holes[:place], *([filled] if filled.missing else []), *holes[place + 1 :]]


def is_sparse(producer: str) -> bool:
    """Return whether holes in a producer's sequence are normal."""
    return SPARSE_MARK in producer
