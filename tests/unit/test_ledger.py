"""Ranges of sequence numbers: a set of whole numbers in little space."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.ledger import MAX_HOLES, Hole, SequenceRanges, holes_after, is_sparse
from tests.builders import NOW

NUMBERS = st.integers(0, 30)


def test_neighbours_become_one_range() -> None:
    """What touches is joined, from below, from above and between."""
    ranges = SequenceRanges()
    for seq in (5, 7, 6, 4, 9):
        ranges.add(seq)
    assert ranges.ranges() == [(4, 7), (9, 9)]


def test_a_range_swallows_what_lies_in_it() -> None:
    """Overlapping ranges are joined over their whole length."""
    ranges = SequenceRanges([(2, 3), (5, 6), (8, 20), (30, 31)])
    ranges.add_range(4, 10)
    assert ranges.ranges() == [(2, 20), (30, 31)]


def test_low_water_is_the_end_of_what_has_come_from_zero() -> None:
    """The ledger's mark: everything up to it is there."""
    assert SequenceRanges().low_water == -1
    assert SequenceRanges([(1, 5)]).low_water == -1
    assert SequenceRanges([(0, 0)]).low_water == 0
    assert SequenceRanges([(0, 5), (7, 8)]).low_water == 5


def test_above_are_the_ranges_beyond_the_mark() -> None:
    """Low-water mark and ranges above it say the same as the whole set."""
    ranges = SequenceRanges([(0, 5), (7, 8), (10, 10)])
    assert ranges.above() == [(7, 8), (10, 10)]
    assert SequenceRanges([(1, 2)]).above() == [(1, 2)]


def test_the_highest_is_the_largest_seen() -> None:
    """Whatever is missing below it."""
    assert SequenceRanges().highest == -1
    assert SequenceRanges([(2, 3), (6, 6)]).highest == 6


@given(st.lists(NUMBERS))
def test_holes_count_what_is_missing(numbers: list[int]) -> None:
    """However numbers come, the holes miss just what is missing below the largest."""
    seen, holes = SequenceRanges(), list[Hole]()
    for seq in numbers:
        holes = list(holes_after(holes, seen, seq, unread=0, at=NOW))
        seen.add(seq)
    missing = set(range(max(numbers, default=-1) + 1)) - set(numbers)
    assert sum(h.missing for h in holes) == len(missing)
    assert missing <= {n for h in holes for n in range(h.start, h.end + 1)}


def test_a_producer_that_does_not_count_by_one_has_many_holes_but_not_without_end() -> None:
    """A thousand are kept."""
    seen, holes = SequenceRanges(), list[Hole]()
    for seq in range(0, 2 * MAX_HOLES + 10, 2):
        holes = list(holes_after(holes, seen, seq, unread=0, at=NOW))
        seen.add(seq)
    assert len(holes) == MAX_HOLES


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 6))))
def test_ranges_are_a_set(steps: list[tuple[int, int]]) -> None:
    """Whatever the order, ranges hold what a set would, as few as can be."""
    ranges, model = SequenceRanges(), set[int]()
    for start, length in steps:
        ranges.add_range(start, start + length)
        model |= set(range(start, start + length + 1))
    assert [n for n in range(-2, 45) if n in ranges] == sorted(model)
    assert len(ranges) == len(model)
    borders = ranges.ranges()
    assert all(start <= end for start, end in borders)
    assert all(after[0] > before[1] + 1 for before, after in pairwise(borders))
    assert ranges.highest == max(model, default=-1)
    low = ranges.low_water
    assert all(n in model for n in range(low + 1))
    assert low + 1 not in model


@given(st.lists(NUMBERS))
def test_ranges_survive_being_written(numbers: list[int]) -> None:
    """The ranges, as JSON or as ledger columns hold them, make an equal set."""
    ranges = SequenceRanges()
    for n in numbers:
        ranges.add(n)
    assert SequenceRanges(ranges.ranges()) == ranges
    again = SequenceRanges(ranges.above())
    if ranges.low_water >= 0:
        again.add_range(0, ranges.low_water)
    assert again == ranges


def test_unequal_sets_are_unequal() -> None:
    """Equality looks at the numbers."""
    assert SequenceRanges([(0, 1)]) != SequenceRanges([(0, 2)])


def test_the_monitor_s_producers_are_sparse() -> None:
    """Their numbers come from telemetry offsets, with holes by design."""
    assert is_sparse("kims/monitor/plant-1/00ff00ff")
    assert not is_sparse("kims/furnace-1")
