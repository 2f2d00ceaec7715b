"""Load for fault tests: small valid events as fast as can be, and a file of what the broker acknowledged.

`python -m sojae_simulator.load --help` tells its arguments. The file has one JSON line for each acknowledged message:
topic, partition, offset, producer, epoch, seq, event_id. It is the oracle: all of these, once each, must be stored.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click
import numpy as np

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.errors import SojaeError
from sojae.home import find_home
from sojae.settings import GeneralSettings, TemplatesSettings, check_environment, read
from sojae.topics import PARTITIONS, events_topic
from sojae.trace import Trace
from sojae_simulator.agent import AcknowledgingProducer
from sojae_simulator.app import SystemClock, connect
from sojae_simulator.identifiers import uuid7

IN_FLIGHT = 2_000
"""Messages sent before the first of them must be acknowledged."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much load: `count` events of one institute from so many producers, at `rate` per second (0 = unlimited)."""

    institute: str
    producers: int
    count: int
    rate: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class LoadMessage:
    """One event of the load, encoded, and who it is."""

    key: str
    epoch: int
    seq: int
    event_id: str
    value: bytes


def load_messages(load: Load, book: TemplateBook, epoch: int) -> Iterator[LoadMessage]:
    """Yield `count` tension tests at room temperature, producers in turn; values come from the seed, ids do not."""
    template = book.get("high_entropy_alloy", "property")
    encoder, clock, rng = FastavroEncoder(), SystemClock(), np.random.default_rng(load.seed)
    now = clock.now()
    header: dict[str, object] = {
        "template_version": template.key.version,
        "institute": load.institute,
        "epoch": epoch,
        "origin": "experiment",
        "retracted": False,
        "historical": False,
    }
    for index in range(load.count):
        if index % 500 == 0:
            now = clock.now()
            strengths = rng.uniform(200.0, 600.0, 500).round(1)
        seq, number = divmod(index, load.producers)
        strength, event_id = float(strengths[index % 500]), uuid7(int(now.timestamp() * 1000))
        header |= {
            "event_id": event_id,
            "record_id": event_id,
            "producer": f"{load.institute}/load-{number}",
            "seq": seq,
            "event_time": now,
            "sample_id": f"load-{epoch}-{index}",
        }
        values = {"test_temperature": 25.0, "test_type": "tension", "yield_strength": strength}
        values["ultimate_tensile_strength"] = strength + 200.0
        yield LoadMessage(str(header["producer"]), epoch, seq, event_id, encoder.encode(template, header, values))


async def send_load(
    producer: AcknowledgingProducer, load: Load, book: TemplateBook, record: IO[str], stop: asyncio.Event
) -> int:
    """Return how many messages were acknowledged, each written to `record`; ends early when `stop` is set.

    Raises BrokerError; what was acknowledged before is written.
    """
    epoch = int(SystemClock().now().timestamp() * 1000)
    topic, began, acknowledged = events_topic(load.institute), time.monotonic(), 0
    template, trace = book.get("high_entropy_alloy", "property").key, Trace()
    pending: list[tuple[LoadMessage, Awaitable[tuple[int, int]]]] = []
    for sent, message in enumerate(load_messages(load, book, epoch), start=1):
        pending.append((message, await producer.enqueue(topic, message.key, message.value, trace.headers(template))))
        ahead = began + sent / load.rate - time.monotonic() if load.rate else 0.0
        if ahead > 0:
            acknowledged += await _record(pending, topic, record)
            pending = []
            await asyncio.sleep(ahead)
        elif len(pending) >= IN_FLIGHT:
            # Half stays in flight, so that the broker always has something to do.
            acknowledged += await _record(pending[: IN_FLIGHT // 2], topic, record)
            pending = pending[IN_FLIGHT // 2 :]
        if stop.is_set():
            break
    return acknowledged + await _record(pending, topic, record)


async def _record(pending: list[tuple[LoadMessage, Awaitable[tuple[int, int]]]], topic: str, record: IO[str]) -> int:
    for message, awaited in pending:
        partition, offset = await awaited
        line = {
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "producer": message.key,
            "epoch": message.epoch,
            "seq": message.seq,
            "event_id": message.event_id,
        }
        record.write(json.dumps(line) + "\n")
    record.flush()
    return len(pending)


async def _run(connection: Connection, load: Load, book: TemplateBook, record: Path) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await asyncio.to_thread(create_topics, connection, [events_topic(load.institute)], PARTITIONS)
    with record.open("a", encoding="utf-8") as file:
        async with AiokafkaProducer(connection) as producer:
            return await send_load(producer, load, book, file, stop)


@click.command()
@click.option("--institute", default="sim-load", show_default=True, help="Institute that the events are of.")
@click.option("--producers", type=click.IntRange(1, 1000), default=8, show_default=True, help="Number of producers.")
@click.option("--count", type=click.IntRange(1), default=100_000, show_default=True, help="Number of events.")
@click.option(
    "--rate", type=click.FloatRange(0), default=0.0, show_default=True, help="Events per second; 0 = unlimited."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the values.")
@click.option(
    "--record", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File of what was acknowledged."
)
def load_command(**options: object) -> None:
    """Send valid events to Kafka and write down what was acknowledged."""
    record = options.pop("record")
    assert isinstance(record, Path)
    try:
        check_environment()
        load = Load(**options)  # type: ignore[arg-type]  # click has checked the types
        book = load_templates(read(TemplatesSettings).path)
        began = time.monotonic()
        acknowledged = asyncio.run(_run(connect(find_home()), load, book, record))
    except SojaeError as error:
        click.echo(error.message(read(GeneralSettings).language), err=True)
        sys.exit(error.exit_code)
    click.echo(json.dumps({"acknowledged": acknowledged, "seconds": round(time.monotonic() - began, 3)}))


if __name__ == "__main__":
    load_command()
