"""The loop of ingest: whatever happens to its partitions, every message is stored once, and none is skipped in silence."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from sojae.adapters.avro import FastavroDecoder
from sojae.domain.errors import BrokerError, CommitRefused, ServiceError, StateError, StoreError
from sojae.ports import Partition, Position
from sojae_ingest import agent as module
from sojae_ingest.agent import IngestAgent, Pace
from sojae_ingest.flush import Flushed, Flusher
from sojae_ingest.metrics import IngestMetrics
from tests.builders import NOW, book, events, framed, header, template
from tests.fakes import Broker, FakeClock, FakeEventSource, FakeEventsTable, FakeSchemas, FakeSeen

TOPIC = "sojae.events.kims"
P, Q = Partition(TOPIC, 0), Partition(TOPIC, 1)
AT_ONCE = Pace(rows=100, bytes=1_000_000, seconds=0.0, trickle_seconds=0.0)
NEVER = Pace(rows=100, bytes=1_000_000, seconds=1e9, trickle_seconds=1e9)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a refusal the agent waits a little; here nobody does."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)


class Ingest:
    """An agent on a broker and a table in memory."""

    def __init__(self, pace: Pace = AT_ONCE, partitions: int = 1) -> None:
        self.broker = Broker()
        self.broker.create(TOPIC, partitions)
        self.source = FakeEventSource(self.broker)
        self.table = FakeEventsTable()
        self.registry = CollectorRegistry()
        self.told: list[Flushed] = []
        schemas = FakeSchemas(self.table.log)
        flusher = Flusher(self.table, FakeSeen(), FastavroDecoder(book), FakeClock(NOW), schemas=schemas)
        self.agent = IngestAgent(
            self.source, self.table, flusher, pace, IngestMetrics(self.registry), stored=self.told.append
        )

    def send(self, count: int, partition: Partition = P) -> "Ingest":
        producer = f"kims/furnace-{partition.number}"
        for _ in range(count):
            seq = len(self.broker.logs[partition])
            head = header(seq, event_id=f"e{partition.number}-{seq}", producer=producer)
            self.broker.send(TOPIC, framed(template(), head=head), key=producer, partition=partition.number)
        return self

    async def run(self) -> None:
        """Run until there is nothing more to read."""
        stop = asyncio.Event()
        self.source.idle = stop.set
        await self.agent.run(stop)

    async def start(self) -> "Ingest":
        """Join the group only; the test turns the loop by hand."""
        await self.source.start(self.agent)
        return self

    def offsets(self, partition: Partition = P) -> list[int]:
        return [int(str(r["offset"])) for r in self.table.rows() if r["partition"] == partition.number]

    def metric(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)


async def test_everything_is_stored_and_told() -> None:
    """In order, once; Kafka hears the offset behind the last, and followers of each flush."""
    ingest = Ingest(partitions=2).send(3).send(2, Q)
    await ingest.run()
    assert (ingest.offsets(P), ingest.offsets(Q)) == ([0, 1, 2], [0, 1])
    assert ingest.source.committed == {P: 3, Q: 2}
    assert [f.counts for f in ingest.told] == [{"accepted": 5}]
    assert (ingest.source.stopped, ingest.agent.started) == (True, True)
    assert ingest.metric("sojae_messages_unplaced_total") == 0


async def test_a_restart_goes_on_behind_what_is_stored() -> None:
    """The position comes from the store, whatever Kafka says."""
    ingest = Ingest().send(3)
    await ingest.run()
    ingest.source.committed[P] = 0
    ingest.send(2)
    await ingest.run()
    ingest.source.committed[P] = 5
    ingest.send(1)
    await ingest.run()
    assert ingest.offsets() == [0, 1, 2, 3, 4, 5]


async def test_a_partition_is_placed_right_behind_what_is_stored() -> None:
    """At 0 when nothing is."""
    ingest = await Ingest(partitions=2).send(3).start()
    assert [ingest.agent._positions.expected(p) for p in (P, Q)] == [0, 0]
    await ingest.agent._turn()
    await ingest.agent.assigned([P, Q])
    assert [ingest.agent._positions.expected(p) for p in (P, Q)] == [3, 0]


async def test_a_committed_offset_beyond_the_store_is_not_believed() -> None:
    """A broker's word for what the store holds would skip the difference."""
    ingest = Ingest().send(5)
    ingest.source.committed[P] = 4
    await ingest.run()
    assert ingest.offsets() == [0, 1, 2, 3, 4]


async def test_what_is_collected_at_the_stop_is_stored() -> None:
    """And the log is read to its end first."""
    ingest = Ingest(NEVER).send(3)
    stop = asyncio.Event()
    stop.set()
    await ingest.agent.run(stop)
    assert ingest.offsets() == [0, 1, 2]
    assert ingest.source.stopped


async def test_a_partition_that_was_taken_away_is_forgotten() -> None:
    """What was collected of it is not stored: its new owner reads it again."""
    ingest = await Ingest(NEVER, partitions=2).send(3).send(2, Q).start()
    await ingest.agent._turn()
    await ingest.source.revoke([P])
    await ingest.agent._flush()
    assert (ingest.offsets(P), ingest.offsets(Q)) == ([], [0, 1])
    assert ingest.source.committed == {Q: 2}


async def test_records_of_a_partition_without_a_place_are_dropped() -> None:
    """The client may hand them over before our seek."""
    ingest = await Ingest().send(3).start()
    await ingest.agent.revoked([P])
    await ingest.agent._turn()
    assert (ingest.offsets(), ingest.metric("sojae_messages_unplaced_total")) == ([], 3)


async def test_a_partition_that_comes_back_is_without_a_place_until_it_is_sought() -> None:
    """Records fetched from the broker's offset in between look like a legal gap, and would be stored beyond a hole."""
    ingest = await Ingest(NEVER).send(10).start()
    ingest.source.seek(P, 0)
    ingest.source.gate = asyncio.Event()
    placing = asyncio.create_task(ingest.source.assign([P], at=7))
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await ingest.agent._turn()
        await ingest.agent._flush()
    assert (ingest.offsets(), ingest.metric("sojae_messages_unplaced_total")) == ([], 3)
    ingest.source.gate.set()
    await placing
    await ingest.agent._turn()
    await ingest.agent._flush()
    assert ingest.offsets() == list(range(10))


async def test_a_slow_placing_is_given_up_when_the_assignment_changes() -> None:
    """Whoever has the partition now is told anew; a late seek would read it for nobody."""
    ingest = await Ingest().send(2).start()
    ingest.source.gate = asyncio.Event()
    placing = asyncio.create_task(ingest.source.assign([P]))
    await asyncio.sleep(0)
    await ingest.agent.revoked([P])
    ingest.source.gate.set()
    await placing
    assert ingest.agent._positions.placed() == []


async def test_a_partition_that_left_before_it_was_placed_stays_without_a_place() -> None:
    """Seeking says so."""
    ingest = await Ingest().start()
    ingest.source.next.clear()
    await ingest.agent.assigned([P])
    assert ingest.agent._positions.placed() == []


async def test_a_hole_is_read_again() -> None:
    """A chain that began beyond the store is dropped, and the partition placed where the store ends."""
    ingest = await Ingest().send(6).start()
    ingest.agent._positions.place(P, (await ingest.source.topic_ids([TOPIC]))[TOPIC], 4)
    ingest.source.seek(P, 4)
    await ingest.agent._turn()
    assert (ingest.offsets(), ingest.metric("sojae_chains_dropped_total"), ingest.source.committed) == ([], 1, {})
    await ingest.agent._turn()
    assert ingest.offsets() == [0, 1, 2, 3, 4, 5]


async def test_a_refused_flush_is_read_again() -> None:
    """Another process stored two of the five; the rest follows, none twice."""
    ingest = await Ingest().send(5).start()
    identity = (await ingest.source.topic_ids([TOPIC]))[TOPIC]
    other = FakeEventsTable(ingest.table.log)
    ingest.table.before_append = lambda: None if ingest.offsets() else _store(other, identity, 2)
    await ingest.agent._turn()
    assert (ingest.offsets(), ingest.source.committed) == ([0, 1], {})
    assert ingest.metric("sojae_flushes_refused_total") == 1
    await ingest.agent._turn()
    assert (ingest.offsets(), ingest.source.committed) == ([0, 1, 2, 3, 4], {P: 5})


def _store(table: FakeEventsTable, topic_id: str, count: int) -> None:
    table.append(events([{"topic_id": topic_id} for _ in range(count)]), [Position(topic_id, 0, count - 1)])


async def test_a_store_that_cannot_be_written_ends_the_process() -> None:
    """Nothing is told as stored; the next start reads it again."""

    def full() -> None:
        raise StoreError(en="no space", ko="공간이 없습니다")

    ingest = Ingest().send(2)
    ingest.table.before_append = full
    with pytest.raises(StoreError):
        await ingest.run()
    assert (ingest.source.committed, ingest.told, ingest.source.stopped) == ({}, [], True)


async def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    """Its id is another; the old one's position says nothing."""
    ingest = Ingest().send(3)
    await ingest.run()
    ingest.broker.create(TOPIC)
    ingest.source.committed.clear()
    ingest.send(2)
    await ingest.run()
    assert sorted(ingest.offsets()) == [0, 0, 1, 1, 2]


@pytest.mark.parametrize(("first", "lost"), [(6, "3 to 5"), (4, "3 to 3")])
async def test_log_that_is_gone_before_it_was_stored_is_an_alarm(first: int, lost: str) -> None:
    """Retention passed the stored position: not even one message is skipped in silence."""
    ingest = Ingest().send(3)
    await ingest.run()
    ingest.send(5)
    ingest.broker.delete_before(P, first)
    with pytest.raises(StateError, match=rf"offsets {lost} are gone .*sojae ingest-accept-gap") as alarm:
        await ingest.run()
    assert lost.replace(" to ", "~") in alarm.value.text.ko
    assert ingest.offsets() == [0, 1, 2]


async def test_a_log_that_begins_where_the_store_ends_is_no_alarm() -> None:
    """Everything deleted had been stored."""
    ingest = Ingest().send(3)
    await ingest.run()
    ingest.send(2)
    ingest.broker.delete_before(P, 3)
    await ingest.run()
    assert ingest.offsets() == [0, 1, 2, 3, 4]


async def test_log_that_goes_while_we_read_is_an_alarm_too() -> None:
    """A jump in offsets is looked into."""
    ingest = await Ingest().send(2).start()
    await ingest.agent._turn()
    ingest.send(5)
    ingest.broker.delete_before(P, 4)
    with pytest.raises(StateError, match="offsets 2 to 3 are gone"):
        await ingest.agent._turn()
    assert ingest.offsets() == [0, 1]


async def test_a_jump_over_what_the_log_never_showed_is_legal() -> None:
    """Transaction markers and compaction."""
    ingest = await Ingest().send(2).start()
    await ingest.agent._turn()
    ingest.send(3)
    ingest.source.seek(P, 4)
    await ingest.agent._turn()
    assert ingest.offsets() == [0, 1, 4]


async def test_a_log_that_was_set_back_is_an_alarm() -> None:
    """The store is ahead of the log under the same topic id: it belongs to another broker."""
    ingest = Ingest().send(3)
    await ingest.run()
    del ingest.broker.logs[P][1:]
    with pytest.raises(StateError, match="the store is at 3, but the log ends at 1"):
        await ingest.run()


async def test_an_empty_log_is_no_alarm() -> None:
    """The store ends where the log does."""
    ingest = Ingest()
    await ingest.run()
    assert ingest.offsets() == []


async def test_an_error_while_placing_ends_the_loop() -> None:
    """The client would only log it, and the partition stand still for ever."""

    async def unknown(topics: Sequence[str]) -> Mapping[str, str]:
        raise BrokerError(en=f"no id of {topics}", ko="id가 없습니다")

    ingest = Ingest().send(1)
    ingest.source.topic_ids = unknown  # type: ignore[method-assign]  # a broker that fails
    with pytest.raises(BrokerError, match="no id of"):
        await ingest.run()
    assert ingest.source.stopped


async def test_silence_while_there_is_lag_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consumers are known to stop without a word; a supervisor starts us again."""
    ingest = await Ingest(replace(AT_ONCE, stall_seconds=60.0)).send(2).start()
    monkeypatch.setattr(ingest.source, "fetch", _nothing)
    ingest.agent._heard = time.monotonic() - 50.0
    await ingest.agent._turn()
    ingest.agent._heard = time.monotonic() - 61.0
    with pytest.raises(ServiceError, match=r"sojae\.events\.kims-0: 2 messages wait"):
        await ingest.agent._turn()


async def test_silence_at_the_end_of_the_log_is_peace() -> None:
    """Nothing was sent; the patience begins anew."""
    ingest = await Ingest().start()
    ingest.agent._heard = long_ago = time.monotonic() - 1_000.0
    await ingest.agent._turn()
    assert ingest.agent._heard > long_ago + 900.0


async def _nothing(**_: object) -> dict[Partition, list[object]]:
    return {}


async def test_no_more_is_fetched_than_a_flush_takes() -> None:
    """What is collected counts."""
    ingest = await Ingest(Pace(rows=4, bytes=1_000_000, seconds=1e9, trickle_seconds=1e9)).send(9).start()
    await ingest.agent._turn()
    assert ingest.offsets() == [0, 1, 2, 3]
    await ingest.agent._turn()
    await ingest.agent._turn()
    assert (ingest.offsets(), ingest.agent._positions.rows) == (list(range(8)), 1)


async def test_room_is_what_a_flush_takes_less_what_is_collected() -> None:
    """Three are there, one more fits."""
    ingest = await Ingest(Pace(rows=4, bytes=1_000_000, seconds=1e9, trickle_seconds=1e9)).send(3).start()
    await ingest.agent._turn()
    ingest.send(5)
    await ingest.agent._turn()
    assert (ingest.offsets(), ingest.agent._positions.rows) == ([0, 1, 2, 3], 0)


async def test_the_age_is_that_of_the_first_message_collected() -> None:
    """Later ones do not make it younger, and the next flush begins to age with its own first."""
    ingest = await Ingest(Pace(rows=100, bytes=1_000_000, seconds=60.0, trickle_seconds=60.0)).send(1).start()
    ingest.agent._began = time.monotonic() - 1_000.0
    await ingest.agent._turn()
    assert ingest.offsets() == []
    ingest.agent._began -= 61.0
    ingest.send(1)
    await ingest.agent._turn()
    assert ingest.offsets() == [0, 1]
    ingest.send(1)
    await ingest.agent._turn()
    assert ingest.offsets() == [0, 1]


async def test_a_flush_falls_due_without_a_new_message() -> None:
    """Time passes while nothing comes."""
    ingest = await Ingest(Pace(rows=100, bytes=1_000_000, seconds=60.0, trickle_seconds=60.0)).send(1).start()
    await ingest.agent._turn()
    ingest.agent._began -= 61.0
    await ingest.agent._turn()
    assert ingest.offsets() == [0]


async def test_nothing_collected_is_nothing_to_flush() -> None:
    """Nobody is told, and no version is made."""
    ingest = await Ingest().start()
    await ingest.agent._flush()
    assert (ingest.told, ingest.table.version, ingest.metric("sojae_flush_seconds_count")) == ([], 0, 0)


PACE = Pace(rows=50_000, bytes=16_777_216, seconds=0.5, trickle_seconds=2.0)


@pytest.mark.parametrize(
    ("rows", "size", "age", "due"),
    [
        (0, 0, 99.0, False),
        (50_000, 0, 0.0, True),
        (49_999, 0, 0.4, False),
        (1, 16_777_216, 0.0, True),
        (1, 16_777_215, 0.0, False),
        (1, 0, 2.0, True),
        (1, 0, 1.99, False),
        (500, 0, 0.5, True),
        (499, 0, 0.5, False),
        (500, 0, 0.49, False),
        (1_000, 0, 1.0, True),
        (999, 0, 1.0, False),
    ],
)
def test_a_flush_is_due_by_rows_bytes_or_age(rows: int, size: int, age: float, due: bool) -> None:
    """Half a second at a thousand a second, two seconds below: a trickle does not make 80,000 files a day."""
    assert PACE.reached(rows=rows, size=size, age_seconds=age) is due


async def test_a_refusal_is_logged_as_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """It is part of ordinary life with several processes."""

    def refuse() -> None:
        raise CommitRefused(en="another writer", ko="다른 작성자")

    ingest = await Ingest().send(1).start()
    ingest.table.before_append = refuse
    with caplog.at_level(logging.WARNING):
        await ingest.agent._turn()
    warned = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert warned == ["fenced: another writer"]


async def test_a_rebalance_while_bounds_are_asked_loses_nothing() -> None:
    """A legal hole makes us ask for bounds; what was fetched before a rebalance must not join the chain after it."""
    ingest = Ingest(NEVER)
    ingest.send(5)
    await ingest.start()
    await ingest.agent._turn()  # 0 to 4 are collected, nothing is due
    marker = ingest.broker.logs[P]
    ingest.send(1)  # offset 5 plays a transaction marker: it is never handed out
    ingest.send(4)

    async def rebalance() -> None:
        await ingest.source.revoke([P])
        await ingest.source.assign([P])

    fetched = {P: marker[6:10]}
    jumps = ingest.agent._jumps(fetched)
    assert jumps == {P: 5}
    ingest.source.while_asked = rebalance
    ingest.agent._positions.take(fetched)
    await ingest.agent._refuse_gaps(jumps)
    assert ingest.agent._positions.expected(P) == 0
    for _ in range(3):
        await ingest.agent._turn()
    await ingest.agent._flush()
    assert [r["offset"] for r in ingest.table.rows()] == list(range(10))


async def test_messages_are_taken_before_anything_is_awaited() -> None:
    """The turn itself: a rebalance during the question leaves no message of before it in hand."""
    ingest = Ingest()
    ingest.send(3)
    await ingest.start()
    ingest.source.next[P] = 2  # as after a hole: offsets 0 and 1 do not come

    async def rebalance() -> None:
        await ingest.source.revoke([P])
        await ingest.source.assign([P])

    ingest.source.while_asked = rebalance
    await ingest.agent._turn()
    await ingest.agent._turn()
    await ingest.agent._flush()
    assert [r["offset"] for r in ingest.table.rows()] == [0, 1, 2]


async def test_a_topic_made_anew_while_reading_is_stored_under_its_own_id() -> None:
    """What is flushed after that is read again, from the start, under the new id."""
    ingest = Ingest()
    ingest.send(2)
    await ingest.start()
    await ingest.agent._turn()
    await ingest.agent._flush()
    old = ingest.broker.ids[TOPIC]
    ingest.broker.create(TOPIC)
    ingest.send(3)
    for _ in range(4):
        await ingest.agent._turn()
        await ingest.agent._flush()
    rows = [(r["topic_id"] == old, r["offset"]) for r in ingest.table.rows()]
    assert sorted(rows) == [(False, 0), (False, 1), (False, 2), (True, 0), (True, 1)]


async def test_a_log_that_is_set_back_while_reading_is_an_alarm() -> None:
    """Under the same id, the store is ahead of the log: never skipped in silence."""
    ingest = Ingest()
    ingest.send(4)
    await ingest.start()
    await ingest.agent._turn()
    await ingest.agent._flush()
    del ingest.broker.logs[P][1:]
    ingest.source.next[P] = 0  # the client starts again at the beginning, as `earliest` says
    with pytest.raises(StateError, match="set back"):
        await ingest.agent._turn()


async def test_a_broker_that_hangs_does_not_keep_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the end of the log nor the leave is waited for without bound."""
    monkeypatch.setattr("sojae_ingest.agent.DRAIN_SECONDS", 0.05)
    monkeypatch.setattr("sojae_ingest.agent.LEAVE_SECONDS", 0.05)
    ingest = Ingest()
    await ingest.start()

    async def hang(*_anything: object) -> None:
        await asyncio.sleep(3_600)

    monkeypatch.setattr(ingest.source, "bounds", hang)
    monkeypatch.setattr(ingest.source, "stop", hang)
    stop = asyncio.Event()
    stop.set()
    monkeypatch.setattr(ingest.source, "start", lambda _assignment: asyncio.sleep(0))
    began = time.monotonic()
    await asyncio.wait_for(ingest.agent.run(stop), 2)
    assert time.monotonic() - began < 2
