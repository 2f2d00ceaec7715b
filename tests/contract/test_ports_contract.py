"""What the ports promise, held by the fakes of the tests and by the real adapters alike."""

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sojae.adapters.delta import COMMIT_VERSION
from sojae.adapters.events_table import DeltaEventsTable
from sojae.adapters.kafka import AiokafkaProducer, AiokafkaSource
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.domain.errors import CommitRefused, StoreError
from sojae.ports import EventSource, EventsTable, Message, Partition, Position, Stored
from sojae_local.endpoint import Endpoint
from tests.builders import NOW, events, header
from tests.fakes import Broker, EventsLog, FakeEventsTable
from tests.fakes import FakeEventSource as InMemorySource

Open = Callable[[], EventsTable]
SECOND = dt.timedelta(seconds=1)
SENDER = "kims/furnace-13"
"""A key that murmur2 sends to partition 0 of four too: the mock broker makes as many, whatever it is asked for."""


@pytest.fixture(params=["in memory", "Delta Lake"])
def open_table(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return a function that opens the one table of the test through a handle of its own."""
    if request.param == "in memory":
        log = EventsLog()
        return lambda: FakeEventsTable(log)
    return lambda: DeltaEventsTable(str(tmp_path))


def rows(*offsets: int, **given: Any) -> pa.Table:
    return events([header(o) | {"offset": o, "ingest_time": NOW} | given for o in offsets])


def at(offset: int, topic_id: str = "id", partition: int = 0) -> list[Position]:
    return [Position(topic_id, partition, offset)]


def read(table: EventsTable, after: int, upto: int) -> list[int]:
    return [r["offset"] for r in table.changes(after, upto, ["offset"]).to_pylist()]


class TestEventsTable:
    """`sojae.ports.EventsTable`."""

    def test_a_new_table_holds_nothing(self, open_table: Open) -> None:
        """No position, no number, no row."""
        table = open_table()
        assert table.stored("id", 0) is None
        assert table.sequences([("kims/furnace-1", 1, 0)]) == {}
        assert read(table, -1, table.version) == []

    def test_an_append_moves_the_handle_and_the_position(self, open_table: Open) -> None:
        """The version goes up by one."""
        table = open_table()
        before = table.version
        assert table.append(rows(0, 1), at(1)) == table.version == before + 1
        assert (table.stored("id", 0), table.stored("id", 1), table.stored("other", 0)) == (1, None, None)

    def test_several_partitions_are_one_commit(self, open_table: Open) -> None:
        """Each with its position."""
        table = open_table()
        table.append(rows(0), [*at(3), *at(7, partition=1), *at(9, "other")])
        assert [table.stored(*p) for p in (("id", 0), ("id", 1), ("other", 0))] == [3, 7, 9]

    def test_a_handle_sees_what_it_is_pinned_to(self, open_table: Open) -> None:
        """Until it is refreshed."""
        one, other = open_table(), open_table()
        other.append(rows(0), at(0))
        assert (one.stored("id", 0), one.sequences([("kims/furnace-1", 1, 0)])) == (None, {})
        assert one.refresh() == other.version
        assert (one.stored("id", 0), one.sequences([("kims/furnace-1", 1, 0)])) == (
            0,
            {("kims/furnace-1", 1, 0): Stored("event-0", quarantined=False)},
        )

    @pytest.mark.parametrize("offset", [5, 4])
    def test_a_position_goes_forward_only(self, open_table: Open, offset: int) -> None:
        """Nothing is written otherwise."""
        table = open_table()
        table.append(rows(0), at(5))
        version = table.version
        with pytest.raises(StoreError) as refused:
            table.append(rows(1), at(offset))
        assert not isinstance(refused.value, CommitRefused)
        assert (open_table().version, read(table, -1, version)) == (version, [0])

    def test_a_writer_whose_position_was_moved_is_refused(self, open_table: Open) -> None:
        """Whole and without a trace; after a refresh it goes on."""
        zombie, owner = open_table(), open_table()
        owner.append(rows(0), at(0))
        with pytest.raises(CommitRefused):
            zombie.append(rows(0, 1), [*at(1), *at(0, partition=1)])
        assert (open_table().stored("id", 0), open_table().stored("id", 1)) == (0, None)
        zombie.refresh()
        zombie.append(rows(1), at(1))
        assert read(zombie, -1, zombie.version) == [0, 1]

    def test_a_writer_of_another_partition_is_not_refused(self, open_table: Open) -> None:
        """Nor one of another incarnation of the topic."""
        one, other, third = open_table(), open_table(), open_table()
        one.append(rows(0), at(0))
        other.append(rows(0), at(0, partition=1))
        assert third.append(rows(0), at(0, "new id")) == other.version + 1
        assert third.stored("id", 1) == 0

    def test_changes_come_in_the_one_order(self, open_table: Open) -> None:
        """Ingest time, topic id, partition, offset; not as they were written."""
        table = open_table()
        places = [(1, "a", 0, 0), (0, "b", 1, 5), (0, "b", 1, 4), (0, "b", 0, 9), (0, "a", 7, 8)]
        for number, (late, topic_id, partition, offset) in enumerate(places):
            given = {"ingest_time": NOW + late * SECOND, "topic_id": topic_id, "partition": partition}
            table.append(rows(offset, **given), at(number, "x"))
        columns = ["ingest_time", "topic_id", "partition", "offset"]
        found = [tuple(r[c] for c in columns) for r in table.changes(-1, table.version, columns).to_pylist()]
        assert found == sorted((NOW + late * SECOND, *rest) for late, *rest in places)

    def test_changes_are_those_of_the_versions_asked_for(self, open_table: Open) -> None:
        """After the first, up to the last."""
        table = open_table()
        start = table.version
        for n in range(3):
            table.append(rows(n), at(n))
        assert read(table, start, start + 3) == [0, 1, 2]
        assert read(table, start + 1, start + 2) == [1]
        assert read(table, start + 2, start + 2) == read(table, start + 3, start) == []

    def test_changes_have_the_columns_asked_for(self, open_table: Open) -> None:
        """And say with which version a row came, when that is asked for."""
        table = open_table()
        version = table.append(rows(0), at(0))
        got = table.changes(-1, version, ["event_id", "seq", COMMIT_VERSION])
        assert got.to_pylist() == [{"event_id": "event-0", "seq": 0, COMMIT_VERSION: version}]
        assert table.changes(version, version, ["event_id"]).column_names == ["event_id"]

    def test_the_first_event_of_a_number_is_found(self, open_table: Open) -> None:
        """In the one order, whenever it was written; numbers of nobody are not looked up."""
        table = open_table()
        table.append(rows(5, seq=0, event_id="later", ingest_time=NOW + SECOND), at(5))
        table.append(rows(6, seq=0, event_id="first"), at(6))
        table.append(events([{"offset": 7, "producer": None}]), at(7))
        asked = [("kims/furnace-1", 1, 0), ("kims/furnace-1", 1, 9), ("kims/furnace-1", 2, 0), ("kims/furnace-2", 1, 0)]
        assert table.sequences(asked) == {asked[0]: Stored("first", quarantined=False)}

    def test_a_number_is_in_quarantine_when_all_of_it_is(self, open_table: Open) -> None:
        """What is mended and accepted later takes it out, whatever comes before or behind."""
        table, key = open_table(), ("kims/furnace-1", 1, 0)
        table.append(rows(5, seq=0, status="quarantined"), at(5))
        assert table.sequences([key]) == {key: Stored("event-5", quarantined=True)}
        table.append(rows(6, seq=0, status="accepted"), at(6))
        table.append(rows(7, seq=0, status="quarantined"), at(7))
        assert table.sequences([key]) == {key: Stored("event-5", quarantined=False)}

    def test_a_table_has_an_id_of_its_own(self, open_table: Open, tmp_path: Path) -> None:
        """The same for every handle, another for a table made anew."""
        one = open_table()
        one.append(rows(0), at(0))
        assert open_table().table_id == one.table_id
        anew = FakeEventsTable() if isinstance(one, FakeEventsTable) else DeltaEventsTable(str(tmp_path / "anew"))
        assert anew.table_id != one.table_id


Send = Callable[..., Awaitable[None]]


class Journal:
    """An assignment that places every partition at the offsets it is told, and notes what it hears."""

    def __init__(self, source: EventSource, begin: int = 0) -> None:
        self.source, self.begin = source, begin
        self.owned: set[Partition] = set()

    async def revoked(self, partitions: Sequence[Partition]) -> None:
        self.owned -= set(partitions)

    async def assigned(self, partitions: Sequence[Partition]) -> None:
        self.owned |= set(partitions)
        for partition in partitions:
            assert self.source.seek(partition, self.begin)


class Wire:
    """A topic on a broker, sources that read it, and a hand that sends."""

    def __init__(self, topic: str, source: Callable[[], EventSource], send: Send) -> None:
        self.topic, self.source, self.send = topic, source, send
        self.partition = Partition(topic, 0)

    @asynccontextmanager
    async def reading(self, begin: int = 0) -> AsyncIterator[tuple[EventSource, Journal]]:
        """Yield a source that has been given its partition."""
        source = self.source()
        journal = Journal(source, begin)
        await source.start(journal)
        try:
            for _ in range(200):
                if journal.owned:
                    break
                await source.fetch(timeout_seconds=0.1, max_messages=1)
            assert self.partition in journal.owned
            assert source.seek(self.partition, begin)
            yield source, journal
        finally:
            await source.stop()

    async def take(self, source: EventSource, count: int) -> list[Message]:
        """Return so many messages, as they come."""
        taken: list[Message] = []
        for _ in range(200):
            found = await source.fetch(timeout_seconds=0.1, max_messages=count - len(taken))
            taken += found.get(self.partition, [])
            if len(taken) >= count:
                break
        return taken


def connection_to(endpoint: Endpoint) -> Connection:
    """Return how a service reaches the broker."""
    return Connection(endpoint.bootstrap_servers, run_id=endpoint.run_id if endpoint.kind == "mock" else None)


@pytest.fixture(params=["in memory", pytest.param("Kafka", marks=pytest.mark.kafka)])
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    """A new topic of one partition."""
    topic = f"sojae.events.t{uuid.uuid4().hex[:12]}"
    if request.param == "in memory":
        memory = Broker()
        memory.create(topic)

        async def keep(*values: bytes) -> None:
            for value in values:
                memory.send(topic, value, key=SENDER)

        yield Wire(topic, lambda: InMemorySource(memory), keep)
        return
    connection = connection_to(request.getfixturevalue("broker"))
    await asyncio.to_thread(create_topics, connection, [topic], 1)
    group = f"group-{uuid.uuid4()}"
    pattern = f"^{topic.replace('.', '[.]')}$"
    async with AiokafkaProducer(connection) as producer:

        async def send(*values: bytes) -> None:
            for value in values:
                await producer.send(topic, SENDER, value, {})

        yield Wire(
            topic, lambda: AiokafkaSource(connection, pattern=pattern, group_id=group, session_timeout_ms=6_000), send
        )


class TestEventSource:
    """`sojae.ports.EventSource`."""

    async def test_messages_come_in_order_with_key_value_and_offset(self, wire: Wire) -> None:
        """From where the assignment has sought."""
        await wire.send(b"a", b"b", b"c")
        async with wire.reading() as (source, _):
            taken = await wire.take(source, 3)
        assert [(m.offset, m.value, m.key) for m in taken] == [
            (n, v, SENDER.encode()) for n, v in enumerate((b"a", b"b", b"c"))
        ]
        assert {(m.topic, m.partition) for m in taken} == {wire.partition}
        assert all((m.timestamp_ms or 0) > 1_600_000_000_000 for m in taken)

    async def test_no_more_than_asked_for_comes_at_once(self, wire: Wire) -> None:
        """The rest comes with the next fetch."""
        await wire.send(*(bytes([n]) for n in range(5)))
        async with wire.reading() as (source, _):
            first = await wire.take(source, 2)
            assert [m.offset for m in first] == [0, 1]
            assert [m.offset for m in await wire.take(source, 3)] == [2, 3, 4]

    async def test_seeking_reads_again(self, wire: Wire) -> None:
        """Backwards and forwards."""
        await wire.send(b"a", b"b", b"c")
        async with wire.reading() as (source, _):
            await wire.take(source, 3)
            assert source.seek(wire.partition, 1)
            assert [m.offset for m in await wire.take(source, 2)] == [1, 2]

    async def test_what_is_not_ours_cannot_be_sought(self, wire: Wire) -> None:
        """It says so, rather than raise."""
        async with wire.reading() as (source, _):
            assert source.seek(Partition(wire.topic, 7), 0) is False

    async def test_bounds_are_first_and_behind_last(self, wire: Wire) -> None:
        """Equal on an empty log."""
        async with wire.reading() as (source, _):
            assert await source.bounds([wire.partition]) == {wire.partition: (0, 0)}
            await wire.send(b"a", b"b")
            assert await source.bounds([wire.partition]) == {wire.partition: (0, 2)}
            assert await source.bounds([]) == {}

    async def test_an_empty_log_gives_nothing(self, wire: Wire) -> None:
        """After the timeout."""
        async with wire.reading() as (source, _):
            assert not await source.fetch(timeout_seconds=0.05, max_messages=10)

    async def test_a_topic_s_id_is_its_own(self, wire: Wire) -> None:
        """The same at each call; two topics on one broker never share one, since positions are kept by it."""
        async with wire.reading() as (source, _):
            assert (await source.topic_ids([wire.topic])) == (await source.topic_ids([wire.topic])) != {wire.topic: ""}

    async def test_the_broker_s_offset_does_not_decide_where_we_read(self, wire: Wire) -> None:
        """It is told, for lag tools; the next reader still seeks for itself."""
        await wire.send(b"a", b"b")
        async with wire.reading() as (source, _):
            await wire.take(source, 2)
            await source.commit({wire.partition: 2, Partition("sojae.events.elsewhere", 0): 5})
        async with wire.reading() as (source, _):
            assert [m.offset for m in await wire.take(source, 2)] == [0, 1]


@pytest.mark.kafka
async def test_two_topics_of_a_broker_have_two_ids(request: pytest.FixtureRequest) -> None:
    """On a broker without topic ids too: one id for both would mix up their positions."""
    connection = connection_to(request.getfixturevalue("broker"))
    names = [f"sojae.events.t{uuid.uuid4().hex[:12]}" for _ in range(2)]
    await asyncio.to_thread(create_topics, connection, names, 1)
    source = AiokafkaSource(connection, pattern="^$", group_id="nobody")
    ids = list((await source.topic_ids(names)).values())
    assert len(set(ids)) == 2
