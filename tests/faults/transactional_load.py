"""Load in transactions of 200, every fifth aborted and sent again: offsets with legal holes, as transaction markers leave.

Run as `python tests/faults/transactional_load.py --count N --rate N --seed N --record FILE`; our own producers have no
transactions, but others that write into the topics may.
"""

import asyncio
import itertools
import json
import time
from pathlib import Path
from typing import IO

import click
from aiokafka import AIOKafkaProducer

from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.template_files import load_templates
from sojae.settings import KafkaSettings, read
from sojae.topics import PARTITIONS, events_topic
from sojae_simulator.load import Load, LoadMessage, load_messages

BATCH = 200
ABORT_EVERY = 5


@click.command()
@click.option("--institute", required=True)
@click.option("--count", type=int, required=True)
@click.option("--rate", type=float, required=True)
@click.option("--seed", type=int, required=True)
@click.option("--record", type=click.Path(path_type=Path), required=True)
def main(institute: str, count: int, rate: float, seed: int, record: Path) -> None:
    """Send the load and write down where each event of a committed transaction lies."""
    servers = read(KafkaSettings).bootstrap_servers
    assert servers is not None
    load = Load(institute=institute, producers=8, count=count, rate=rate, seed=seed)
    create_topics(Connection(servers), [events_topic(institute)], PARTITIONS)
    with record.open("a", encoding="utf-8") as file:
        asyncio.run(_send(servers, load, file))


async def _send(servers: str, load: Load, record: IO[str]) -> None:
    topic, began, sent = events_topic(load.institute), time.monotonic(), 0
    messages = load_messages(load, load_templates(), int(time.time() * 1000))
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"load-{load.seed}") as producer:
        for number in itertools.count():
            batch = list(itertools.islice(messages, BATCH))
            if not batch:
                return
            if number % ABORT_EVERY == 0:
                await _transaction(producer, topic, batch, commit=False)
            for line in await _transaction(producer, topic, batch, commit=True):
                record.write(json.dumps(line) + "\n")
            record.flush()
            sent += len(batch)
            await asyncio.sleep(max(0.0, began + sent / load.rate - time.monotonic()))


async def _transaction(
    producer: AIOKafkaProducer, topic: str, batch: list[LoadMessage], *, commit: bool
) -> list[dict[str, object]]:
    """Send a batch as one transaction and return where its events lie; an aborted one leaves them in the log, unread."""
    await producer.begin_transaction()
    waiting = [await producer.send(topic, message.value, key=message.key.encode()) for message in batch]
    places = await asyncio.gather(*waiting)
    await (producer.commit_transaction() if commit else producer.abort_transaction())
    return [
        {
            "topic": topic,
            "partition": place.partition,
            "offset": place.offset,
            "producer": message.key,
            "epoch": message.epoch,
            "seq": message.seq,
        }
        for message, place in zip(batch, places, strict=True)
    ]


if __name__ == "__main__":
    main()
