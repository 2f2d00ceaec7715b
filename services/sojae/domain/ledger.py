"""Completeness of one producer's epoch: which sequence numbers have been seen, and where holes are."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

SPARSE_MARK = "/monitor/"
"""Producers whose sequence numbers have holes by design."""

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

    def holes(self) -> list[Range]:
        """Return the ranges that are missing below the largest number seen."""
        filled = [(-1, -1), *self.ranges()]
        return [(end + 1, start - 1) for (_, end), (start, _) in pairwise(filled) if start > end + 1]


def is_sparse(producer: str) -> bool:
    """Return whether holes in a producer's sequence are normal."""
    return SPARSE_MARK in producer
