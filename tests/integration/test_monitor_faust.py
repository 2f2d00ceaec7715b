"""What in Faust loses data, on a real broker: why the monitor takes unacknowledged batches and seeks in `perform_seek`.

A test that fails here says that Faust has changed: then look whether the monitor can be made simpler.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faust.types import TP
from mode import CrashingSupervisor

from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae_local.endpoint import Endpoint

MESSAGES = 20

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(90)]


async def prepared(broker: Endpoint, topic: str) -> None:
    """Make a topic of one partition that holds the numbers 0 to 19."""
    connection = Connection(broker.bootstrap_servers)
    await asyncio.to_thread(create_topics, connection, [topic], 1)
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    await producer.start()
    try:
        for number in range(MESSAGES):
            await producer.send_and_wait(topic, str(number).encode(), partition=0)
    finally:
        await producer.stop()


def app_of(broker: Endpoint, group: str, folder: Path) -> faust.App:
    app = faust.App(
        group,
        broker=f"kafka://{broker.bootstrap_servers}",
        value_serializer="raw",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        table_standby_replicas=0,
        broker_commit_interval=0.2,
        consumer_auto_offset_reset="earliest",
        datadir=str(folder),
    )
    app.finalize()
    return app


async def run_until(app: faust.App, done: Callable[[], Awaitable[bool]]) -> None:
    await app.start()
    try:
        for _ in range(300):
            if await done():
                return
            await asyncio.sleep(0.1)
        raise AssertionError("waited in vain")
    finally:
        await asyncio.wait_for(app.stop(), 10)


async def committed(broker: Endpoint, group: str, topic: str) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        return int(await consumer.committed(TopicPartition(topic, 0)) or 0)
    finally:
        await consumer.stop()


async def test_take_acknowledges_a_batch_that_failed(broker: Endpoint, tmp_path: Path) -> None:
    """Messages whose work raised are committed, and so are lost: the monitor never takes this way."""
    group = topic = "guard-take"
    await prepared(broker, topic)
    app, worked = app_of(broker, group, tmp_path), []

    @app.agent(app.topic(topic, value_type=bytes, value_serializer="raw"), concurrency=1)
    async def follow(stream: Any) -> None:
        async for values in stream.take(5, within=0.2):
            if b"7" in values:
                raise OSError("away")
            worked.extend(int(value) for value in values)

    async def done() -> bool:
        return await committed(broker, group, topic) >= MESSAGES

    await run_until(app, done)
    assert 7 not in worked


async def test_an_unacknowledged_batch_that_failed_is_not_committed(broker: Endpoint, tmp_path: Path) -> None:
    """With a supervisor that crashes, what comes after it is not worked on either."""
    group = topic = "guard-noack"
    await prepared(broker, topic)
    app, worked = app_of(broker, group, tmp_path), []

    async def follow(stream: Any) -> None:
        async for events in stream.noack_take(5, within=0.2):
            if any(event.value == b"7" for event in events):
                raise OSError("away")
            for event in events:
                worked.append(int(event.value))
                await stream.ack(event)

    app.agent(
        app.topic(topic, value_type=bytes, value_serializer="raw"),
        name="follow",
        concurrency=1,
        supervisor_strategy=CrashingSupervisor,
    )(follow)

    async def done() -> bool:
        return app.crashed

    await run_until(app, done)
    assert max(worked) < 7
    assert await committed(broker, group, topic) <= 7


async def test_a_seek_at_assignment_does_not_survive(broker: Endpoint, tmp_path: Path) -> None:
    """Faust goes to the committed offset afterwards, so positions are placed in `perform_seek`."""
    group = topic = "guard-seek"
    await prepared(broker, topic)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker.bootstrap_servers, group_id=group)
    await consumer.start()
    await consumer.commit({TopicPartition(topic, 0): 15})
    await consumer.stop()
    app, seen = app_of(broker, group, tmp_path), []

    @app.on_partitions_assigned.connect
    async def seek(sender: faust.App, assigned: Collection[TP], **_: Any) -> None:
        await sender.consumer.seek_wait({TP(topic, 0): 3})

    @app.agent(app.topic(topic, value_type=bytes, value_serializer="raw"), concurrency=1)
    async def follow(stream: Any) -> None:
        async for value in stream:
            seen.append(int(value))  # noqa: PERF401 - the stream never ends

    async def done() -> bool:
        return bool(seen) and seen[-1] == MESSAGES - 1

    await run_until(app, done)
    assert seen[0] == 15
