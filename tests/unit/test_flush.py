"""The exactly-once flush: rows and positions in one commit, holes refused, repeats left out."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.adapters.avro import FastavroDecoder
from sojae.domain.errors import CommitRefused, StoreError
from sojae.ports import Message, Partition, Position
from sojae_ingest.flush import Flushed, Flusher
from tests.builders import NOW, NOW_US, TOPIC_ID, book, events, framed, header, message, template
from tests.fakes import EventsLog, FakeClock, FakeEventsTable, FakeSchemas, FakeSeen, chain

P, Q = Partition("sojae.events.kims", 0), Partition("sojae.events.kims", 1)


class Ingest:
    """A flusher on a table in memory, with its own view of what is stored."""

    def __init__(self, log: EventsLog | None = None) -> None:
        self.table = FakeEventsTable(log)
        self.clock = FakeClock(NOW)
        self.seen = FakeSeen()
        self.schemas = FakeSchemas(self.table.log)
        self.flusher = Flusher(self.table, self.seen, FastavroDecoder(book), self.clock, schemas=self.schemas)

    def flush(self, start: int, *offsets: int, partition: Partition = P, topic_id: str = TOPIC_ID) -> Flushed:
        """Flush one chain whose events are numbered by partition and offset."""
        return self.flusher.flush([chain(partition, start, [event(o, partition) for o in offsets], topic_id=topic_id)])

    def stored(self) -> list[int]:
        return [int(str(r["offset"])) for r in self.table.rows()]


def event(offset: int, partition: Partition = P) -> Message:
    producer = f"kims/furnace-{partition.number}"
    head = header(offset, event_id=f"e{partition.number}-{offset}", producer=producer)
    return message(framed(template(), head=head), offset, partition=partition.number, key=producer.encode())


def test_a_flush_stores_rows_and_position_as_one() -> None:
    """And says where to go on."""
    ingest = Ingest()
    flushed = ingest.flush(0, 0, 1, 2)
    assert (flushed.version, flushed.next_offsets, flushed.counts) == (1, {P: 3}, {"accepted": 3})
    assert (flushed.holes, flushed.already_stored) == ([], 0)
    assert ingest.stored() == [0, 1, 2]
    assert ingest.table.log.commits[-1].positions == {(TOPIC_ID, 0): 2}


def test_the_schema_is_kept_before_the_rows_that_need_it() -> None:
    """Raw bytes without their schema are not the truth; what names no schema keeps none."""
    ingest = Ingest()
    ingest.flusher.flush([chain(P, 0, [message(b"nonsense", 0)], topic_id=TOPIC_ID)])
    assert ingest.schemas.at == {}
    before = len(ingest.table.log.commits)
    ingest.flush(1, 1, 2)
    assert ingest.schemas.at == {template().sha256: before}


def test_without_its_schema_nothing_is_stored() -> None:
    """The same messages come again when the store can be written."""
    ingest = Ingest()

    def full(_template: object) -> None:
        raise StoreError(en="no space", ko="공간이 없습니다")

    ingest.schemas.keep = full  # type: ignore[method-assign]  # a store that is full
    with pytest.raises(StoreError):
        ingest.flush(0, 0)
    assert ingest.stored() == []


def test_several_partitions_make_one_commit() -> None:
    """One version, however many."""
    ingest = Ingest()
    ingest.flusher.flush(
        [chain(P, 0, [event(0)], topic_id=TOPIC_ID), chain(Q, 0, [event(0, Q), event(1, Q)], topic_id=TOPIC_ID)]
    )
    assert len(ingest.table.log.commits) == 2
    assert ingest.table.log.commits[-1].positions == {(TOPIC_ID, 0): 0, (TOPIC_ID, 1): 1}
    assert len(ingest.stored()) == 3


def test_the_next_flush_begins_behind_the_stored_offset() -> None:
    """Stored + 1, no earlier and no later."""
    ingest = Ingest()
    ingest.flush(0, 0, 1)
    assert ingest.flush(2, 2).holes == []
    assert ingest.stored() == [0, 1, 2]


@pytest.mark.parametrize("start", [1, 5])
def test_a_chain_that_begins_beyond_the_store_is_a_hole(start: int) -> None:
    """On an empty store everything behind 0 is."""
    ingest = Ingest()
    flushed = ingest.flush(start, start)
    assert (flushed.holes, flushed.next_offsets, flushed.version) == ([P], {}, 0)
    assert ingest.stored() == []


def test_a_hole_behind_what_is_stored_is_refused_too() -> None:
    """Messages that nobody has stored would be skipped for ever."""
    ingest = Ingest()
    ingest.flush(0, 0, 1)
    assert ingest.flush(3, 3).holes == [P]
    assert ingest.stored() == [0, 1]


def test_a_hole_does_not_hold_up_the_others() -> None:
    """Each partition stands for itself."""
    ingest = Ingest()
    flushed = ingest.flusher.flush(
        [chain(P, 4, [event(4)], topic_id=TOPIC_ID), chain(Q, 0, [event(0, Q)], topic_id=TOPIC_ID)]
    )
    assert (flushed.holes, flushed.next_offsets) == ([P], {Q: 1})
    assert ingest.table.log.commits[-1].positions == {(TOPIC_ID, 1): 0}


def test_a_gap_inside_a_chain_is_no_hole() -> None:
    """Compaction and transaction markers leave gaps: the chain says that nothing was there."""
    ingest = Ingest()
    assert ingest.flush(0, 0, 7).holes == []
    assert ingest.flush(8, 9).next_offsets == {P: 10}
    assert ingest.stored() == [0, 7, 9]


def test_what_is_stored_already_is_left_out() -> None:
    """Read again after a rebalance, for instance."""
    ingest = Ingest()
    ingest.flush(0, 0, 1, 2)
    flushed = ingest.flush(1, 1, 2, 3)
    assert (flushed.already_stored, flushed.next_offsets, flushed.counts) == (2, {P: 4}, {"accepted": 1})
    assert ingest.stored() == [0, 1, 2, 3]


def test_a_chain_of_repeats_commits_nothing() -> None:
    """And goes on behind what is stored."""
    ingest = Ingest()
    ingest.flush(0, 0, 1, 2)
    flushed = ingest.flush(0, 0, 1)
    assert (flushed.version, flushed.next_offsets, flushed.already_stored, flushed.counts) == (1, {P: 3}, 2, {})


def test_a_topic_that_was_made_anew_begins_at_its_first_offset() -> None:
    """Its id is another, and so are its positions."""
    ingest = Ingest()
    ingest.flush(0, 0, 1)
    flushed = ingest.flusher.flush([chain(P, 0, [event(0, Q)], topic_id="new id")])
    assert (flushed.holes, flushed.already_stored) == ([], 0)
    assert ingest.table.stored("new id", 0) == 0


def test_bad_messages_are_stored_beside_good_ones() -> None:
    """In the same commit: quarantine cannot disagree with the main data."""
    ingest = Ingest()
    chains = [chain(P, 0, [event(0), message(b"junk", 1), message(None, 2, key=None), event(0)], topic_id=TOPIC_ID)]
    chains[0].messages[3] = message(event(0).value, 3, key=b"kims/furnace-0")
    flushed = ingest.flusher.flush(chains)
    assert flushed.counts == {"accepted": 1, "quarantined": 2, "duplicate": 1}
    assert [r["status"] for r in ingest.table.rows()] == ["accepted", "quarantined", "quarantined", "duplicate"]


def test_a_repeat_of_an_earlier_flush_is_a_duplicate() -> None:
    """What is stored is looked up at exactly the version that the flush is pinned to."""
    ingest = Ingest()
    ingest.flush(0, 0)
    ingest.flusher.flush([chain(P, 1, [message(event(0).value, 1, key=b"kims/furnace-0")], topic_id=TOPIC_ID)])
    assert [r["status"] for r in ingest.table.rows()] == ["accepted", "duplicate"]


def times(ingest: Ingest) -> list[Any]:
    return [r["ingest_time"] for r in ingest.table.rows()]


def test_the_ingest_time_is_the_clock_s() -> None:
    """One for the whole flush."""
    ingest = Ingest()
    ingest.flush(0, 0, 1)
    assert times(ingest) == [NOW, NOW]


@pytest.mark.parametrize("step", [dt.timedelta(0), dt.timedelta(seconds=-5), dt.timedelta(days=-400)])
def test_the_ingest_time_never_goes_back(step: dt.timedelta) -> None:
    """A clock that was set back would turn the order of statements."""
    ingest = Ingest()
    ingest.flush(0, 0)
    ingest.clock.time = NOW + step
    ingest.flush(1, 1)
    assert times(ingest) == [NOW, NOW + dt.timedelta(microseconds=1)]


def test_a_fenced_writer_stores_nothing() -> None:
    """Another process has moved the partition on: the commit is refused, and the position read again."""
    log = EventsLog()
    zombie, owner = Ingest(log), Ingest(log)
    owner.flush(0, 0, 1)
    with pytest.raises(CommitRefused):
        zombie.flush(0, 0, 1, 2)
    assert owner.stored() == [0, 1]
    zombie.table.refresh()
    assert zombie.flush(0, 0, 1, 2).already_stored == 2
    assert owner.stored() == [0, 1, 2]


def test_a_writer_of_another_partition_is_not_fenced() -> None:
    """Processes share the table."""
    log = EventsLog()
    one, other = Ingest(log), Ingest(log)
    one.flush(0, 0, partition=P)
    assert other.flush(0, 0, partition=Q).next_offsets == {Q: 1}
    assert len(one.stored()) == 2


def test_a_store_that_cannot_be_written_is_an_error() -> None:
    """Nothing is told as stored."""

    def full_disk() -> None:
        raise StoreError(en="no space", ko="공간이 없습니다")

    ingest = Ingest()
    ingest.table.before_append = full_disk
    with pytest.raises(StoreError, match="no space"):
        ingest.flush(0, 0)
    assert ingest.stored() == []


def test_chains_without_messages_do_nothing() -> None:
    """No commit, no verdict."""
    ingest = Ingest()
    assert ingest.flush(0) == Flushed(version=0, next_offsets={P: 0})
    assert ingest.flusher.flush([]) == Flushed(version=0)


def test_the_flush_sees_what_others_stored_meanwhile() -> None:
    """The ingest time is above that of every stored row."""
    ingest = Ingest()
    late = NOW + dt.timedelta(hours=1)
    ingest.table.append(events([{"ingest_time": late, "partition": 9}]), [Position(TOPIC_ID, 9, 0)])
    ingest.flush(0, 0)
    assert ingest.seen.newest_ingest_time_us == NOW_US + 3_600_000_000
    assert max(times(ingest)) == late + dt.timedelta(microseconds=1)


@examples(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 4)), max_size=8))
def test_whatever_is_handed_over_is_stored_once_and_without_holes(chains: list[tuple[int, int]]) -> None:
    """Chains of any start and length, as after rebalances: the store holds 0 to n, each once."""
    ingest = Ingest()
    for start, length in chains:
        ingest.flush(start, *range(start, start + length))
        assert ingest.stored() == list(range(len(ingest.stored())))
