"""Where reading began and what has been read: no message is taken twice, and none from a place that we did not choose."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.ports import Message, Partition
from sojae_ingest.positions import Positions
from tests.builders import message

P, Q = Partition("sojae.events.kims", 0), Partition("sojae.events.pnu", 0)


def messages(*offsets: int) -> list[Message]:
    return [message(b"12345", offset) for offset in offsets]


def held(positions: Positions) -> dict[Partition, tuple[int, list[int]]]:
    """Hand over, and return start and offsets by partition."""
    return {c.partition: (c.start, [m.offset for m in c.messages]) for c in positions.hand_over()}


def test_nothing_is_taken_without_a_place() -> None:
    """After a reassignment the client may hand over records from the broker's committed offset."""
    positions = Positions()
    assert positions.take({P: messages(5, 6)}) == 2
    assert (positions.rows, positions.bytes, held(positions)) == (0, 0, {})


def test_what_lies_before_the_chain_is_dropped() -> None:
    """A fetch that was under way when we sought elsewhere."""
    positions = Positions()
    positions.place(P, "id", 5)
    assert positions.take({P: messages(3, 4, 5, 6)}) == 2
    assert held(positions) == {P: (5, [5, 6])}


def test_what_came_already_is_dropped() -> None:
    """The same fetch handed over twice."""
    positions = Positions()
    positions.place(P, "id", 5)
    assert positions.take({P: messages(5, 6)}) == 0
    assert positions.take({P: messages(5, 6, 7)}) == 2
    assert held(positions) == {P: (5, [5, 6, 7])}


def test_a_legal_hole_in_offsets_is_no_affair_of_ours() -> None:
    """Transaction markers and compaction leave gaps in a log."""
    positions = Positions()
    positions.place(P, "id", 0)
    assert positions.take({P: messages(0, 3)}) == 0
    assert positions.expected(P) == 4


def test_the_next_offset_is_known_of_what_has_a_place() -> None:
    """The start, until something has come."""
    positions = Positions()
    assert positions.expected(P) is None
    positions.place(P, "id", 7)
    assert positions.expected(P) == 7
    positions.take({P: messages(7)})
    assert positions.expected(P) == 8
    assert positions.placed() == [P]


def test_rows_and_bytes_are_counted() -> None:
    """A message without a value has none."""
    positions = Positions()
    positions.place(P, "id", 0)
    positions.take({P: [*messages(0, 1), message(None, 2)]})
    assert (positions.rows, positions.bytes) == (3, 10)


def test_handing_over_goes_on_where_it_ended() -> None:
    """The next chain begins behind the last message; counts begin anew, and empty chains stay as they are."""
    positions = Positions()
    positions.place(P, "id", 0)
    positions.place(Q, "other", 9)
    positions.take({P: messages(0, 1)})
    (chain,) = positions.hand_over()
    assert (chain.topic_id, chain.next_offset) == ("id", 2)
    assert (positions.rows, positions.bytes) == (0, 0)
    positions.take({P: messages(1, 2), Q: messages(9)})
    assert held(positions) == {P: (2, [2]), Q: (9, [9])}


def test_forgetting_drops_place_and_messages() -> None:
    """Whoever owns the partition next reads them again; the others stay."""
    positions = Positions()
    positions.place(P, "id", 0)
    positions.place(Q, "id", 0)
    positions.take({P: messages(0, 1), Q: messages(0)})
    positions.forget([P, Partition("unknown", 1)])
    assert (positions.rows, positions.bytes, positions.placed()) == (1, 5, [Q])
    assert positions.take({P: messages(2)}) == 1
    assert held(positions) == {Q: (0, [0])}


def test_a_new_place_drops_what_was_read_from_the_old_one() -> None:
    """It is read again from there."""
    positions = Positions()
    positions.place(P, "id", 0)
    positions.take({P: messages(0, 1)})
    positions.place(P, "new id", 1)
    assert (positions.rows, positions.bytes) == (0, 0)
    positions.take({P: messages(1)})
    (chain,) = positions.hand_over()
    assert (chain.start, chain.topic_id, len(chain.messages)) == (1, "new id", 1)


class Model:
    """What Positions should do, with a list of offsets and nothing clever."""

    def __init__(self) -> None:
        self.start: dict[Partition, int] = {}
        self.taken: dict[Partition, list[int]] = {}

    def place(self, partition: Partition, offset: int) -> None:
        self.start[partition], self.taken[partition] = offset, []

    def forget(self, partition: Partition) -> None:
        self.start.pop(partition, None)
        self.taken.pop(partition, None)

    def next(self, partition: Partition) -> int:
        taken = self.taken[partition]
        return taken[-1] + 1 if taken else self.start[partition]

    def take(self, partition: Partition, offsets: Sequence[int]) -> int:
        if partition not in self.start:
            return len(offsets)
        expected, before = self.next(partition), len(self.taken[partition])
        self.taken[partition] += [o for o in offsets if o >= expected]
        return len(offsets) - (len(self.taken[partition]) - before)

    def hand_over(self) -> dict[Partition, tuple[int, list[int]]]:
        full = {p: (self.start[p], self.taken[p]) for p in self.start if self.taken[p]}
        for p in full:
            self.place(p, self.next(p))
        return full


OFFSETS = st.integers(0, 12)
STEPS = st.one_of(
    st.tuples(st.just("place"), OFFSETS),
    st.tuples(st.just("forget"), st.just(0)),
    st.tuples(st.just("take"), st.lists(OFFSETS, max_size=5).map(sorted)),
    st.tuples(st.just("hand over"), st.just(0)),
)


@examples(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([P, Q]), STEPS), max_size=20))
def test_positions_agree_with_a_list(steps: list[tuple[Partition, tuple[str, object]]]) -> None:
    """Whatever comes in whatever order, chains, counts and drops are those of the model."""
    positions, model = Positions(), Model()
    for partition, (step, given_value) in steps:
        if step == "place":
            positions.place(partition, "id", int(str(given_value)))
            model.place(partition, int(str(given_value)))
        elif step == "forget":
            positions.forget([partition])
            model.forget(partition)
        elif step == "take":
            offsets = list(given_value)  # type: ignore[call-overload]  # a list for this step
            assert positions.take({partition: messages(*offsets)}) == model.take(partition, offsets)
        else:
            assert held(positions) == model.hand_over()
        assert positions.rows == sum(map(len, model.taken.values()))
        assert positions.bytes == 5 * positions.rows
        assert {p: positions.expected(p) for p in (P, Q)} == {
            p: model.next(p) if p in model.start else None for p in (P, Q)
        }
