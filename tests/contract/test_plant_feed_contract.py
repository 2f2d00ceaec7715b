"""What `sojae.ports.PlantFeed` promises, held by the fake of the tests and by the real one alike."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from confluent_kafka.admin import AdminClient

from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.plant_feed import KafkaPlantFeed
from sojae.domain.errors import BrokerError
from sojae.ports import Message, Partition, Placed, PlantFeed
from tests.fakes import Broker
from tests.plant_lines import FakePlantFeed


@dataclass
class Wire:
    """Two topics of a plant: the first is there, the second is not yet; hands that make, send and forget."""

    topics: tuple[str, str]
    feed: Callable[[int], PlantFeed]
    create: Callable[[str], Awaitable[None]]
    delete: Callable[[str], Awaitable[None]] | None
    send: Callable[..., Awaitable[None]]

    @property
    def first(self) -> Partition:
        """The partition into which everything of the first topic is sent."""
        return Partition(self.topics[0], 0)


@pytest.fixture(params=["in memory", pytest.param("Kafka", marks=pytest.mark.kafka)])
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    name = f"t{uuid.uuid4().hex[:12]}"
    topics = (f"sojae.features.{name}", f"sojae.alarms.{name}")
    if request.param == "in memory":
        memory = Broker()
        memory.create(topics[0])

        async def create(topic: str) -> None:
            memory.create(topic)

        async def delete(topic: str) -> None:
            del memory.logs[Partition(topic, 0)]

        async def send(topic: str, *values: bytes) -> None:
            for value in values:
                memory.send(topic, value)

        yield Wire(topics, lambda last: FakePlantFeed(memory, topics, last=last), create, delete, send)
        return
    endpoint = request.getfixturevalue("broker")
    mock = endpoint.kind == "mock"
    connection = Connection(endpoint.bootstrap_servers, run_id=endpoint.run_id if mock else None)

    async def make(topic: str) -> None:
        await asyncio.to_thread(create_topics, connection, [topic], 1)

    async def forget(topic: str) -> None:
        admin = AdminClient(connection.for_librdkafka())
        await asyncio.to_thread(admin.delete_topics([topic])[topic].result)

    await make(topics[0])
    async with AiokafkaProducer(connection) as producer:

        async def hand(topic: str, *values: bytes) -> None:
            for value in values:
                # A key that murmur2 sends to partition 0 of four too: the mock makes as many, whatever is asked for.
                await producer.send(topic, "kims/furnace-13", value, {})

        yield Wire(
            topics, lambda last: KafkaPlantFeed(connection, topics, last=last), make, None if mock else forget, hand
        )


async def take(feed: PlantFeed, count: int) -> list[Message]:
    """Return so many messages, as they come."""
    taken: list[Message] = []
    for _ in range(200):
        taken += await feed.fetch(timeout_seconds=0.1, max_messages=count - len(taken))
        if len(taken) >= count:
            break
    return taken


async def placed(feed: PlantFeed, partition: Partition) -> Placed:
    """Return where a partition has been placed, looking again until it is there."""
    for _ in range(200):
        for one in await feed.look():
            if one.partition == partition:
                return one
        await feed.fetch(timeout_seconds=0.05, max_messages=1)
    raise AssertionError(f"{partition} was not placed")


async def test_reading_begins_with_the_last_messages(wire: Wire) -> None:
    """Not with all of them; the bounds are told, and the values come in order."""
    await wire.send(wire.topics[0], b"a", b"b", b"c", b"d")
    feed = wire.feed(3)
    try:
        where = await placed(feed, wire.first)
        assert (where.first, where.end) == (1, 4)
        assert where.topic_id
        taken = await take(feed, 3)
        assert [(m.offset, m.value) for m in taken] == [(1, b"b"), (2, b"c"), (3, b"d")]
        assert {(m.topic, m.partition) for m in taken} == {wire.first}
        assert all((m.timestamp_ms or 0) > 1_600_000_000_000 for m in taken)
    finally:
        await feed.stop()


async def test_a_partition_is_placed_once(wire: Wire) -> None:
    """What is being read is not told again, and a look does not lose the place."""
    await wire.send(wire.topics[0], b"a")
    feed = wire.feed(10)
    try:
        await placed(feed, wire.first)
        assert [m.value for m in await take(feed, 1)] == [b"a"]
        assert await feed.look() == []
        await wire.send(wire.topics[0], b"b")
        assert [m.value for m in await take(feed, 1)] == [b"b"]
    finally:
        await feed.stop()


async def test_a_topic_may_come_later(wire: Wire) -> None:
    """It is placed at the next look, from its first message on, while the others go on."""
    feed = wire.feed(10)
    later = Partition(wire.topics[1], 0)
    try:
        assert later not in {one.partition for one in await feed.look()}
        await wire.create(later.topic)
        await wire.send(later.topic, b"x")
        where = await placed(feed, later)
        assert where.first == 0
        await wire.send(wire.topics[0], b"a")
        assert sorted(m.value or b"" for m in await take(feed, 2)) == [b"a", b"x"]
    finally:
        await feed.stop()


async def test_no_message_is_no_wait_without_end(wire: Wire) -> None:
    """Empty after the timeout."""
    feed = wire.feed(10)
    try:
        await feed.look()
        assert list(await feed.fetch(timeout_seconds=0.05, max_messages=10)) == []
    finally:
        await feed.stop()


async def test_a_topic_made_anew_is_placed_anew(wire: Wire) -> None:
    """Under another id, from its first message on."""
    if wire.delete is None:
        pytest.skip("the mock broker deletes no topics")
    await wire.send(wire.topics[0], b"a", b"b", b"c")
    feed = wire.feed(10)
    try:
        was = await placed(feed, wire.first)
        await take(feed, 3)
        await wire.delete(wire.topics[0])
        for _ in range(100):
            try:
                await wire.create(wire.topics[0])
                await wire.send(wire.topics[0], b"new")
                break
            except BrokerError:  # the deletion is still under way
                await asyncio.sleep(0.1)
        now = await placed(feed, wire.first)
        assert now.topic_id != was.topic_id
        assert [(m.offset, m.value) for m in await take(feed, 1)] == [(0, b"new")]
    finally:
        await feed.stop()


async def test_a_broker_that_is_away_is_an_error() -> None:
    """At the first look, in words for people."""
    feed = KafkaPlantFeed(Connection("127.0.0.1:1"), ["sojae.features.x"])
    try:
        with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
            await feed.look()
    finally:
        await feed.stop()
