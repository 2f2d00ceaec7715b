"""Sends a sound event between hostile ones: `python -m tests.integration.hostile_sender SERVERS`.

With a topic and a count it sends so many messages with a header name that is no text into partition 0 of the topic.
"""

import asyncio
import sys

from aiokafka import AIOKafkaProducer

from tests.builders import framed, header, template

TOPIC, KEY = "sojae.events.kims", b"kims/furnace-1"


class NoText(str):
    """A header name whose bytes are no UTF-8, as a client in another language may write it."""

    __slots__ = ()

    def encode(self, *_encoding: str) -> bytes:  # type: ignore[override]
        return b"\xff\xfe"


async def send(servers: str) -> None:
    """Send a sound event between hostile ones."""
    composition = template("high_entropy_alloy", "composition")
    infinite = {"composition": {"Fe": 1e308, "Ni": 1e308}}
    many = {f"f{n}": float("nan") for n in range(20_000)}
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", max_request_size=1_048_576)
    await producer.start()
    try:
        for seq, (message, options) in enumerate(
            [
                (framed(template(), head=header(0, event_id="first")), {}),
                (framed(template(), head=header(1, event_id="early")), {"timestamp_ms": -62_135_596_900_000}),
                (b"\x05nonsense", {"timestamp_ms": -9_300_000_000_000_000}),
                (framed(composition, infinite, header(3, event_id="infinite")), {}),
                (framed(template(), head=header(4, event_id="named")), {"headers": [(NoText("a"), b"v")]}),
                (framed(template(), head=header(5, event_id="many", uncertainty=many)), {}),
                (framed(template(), head=header(6, event_id="last")), {}),
            ]
        ):
            sent = await producer.send_and_wait(TOPIC, message, key=KEY, partition=0, **options)
            assert sent.offset == seq
    finally:
        await producer.stop()


async def send_names(servers: str, topic: str, count: int) -> None:
    """Send messages whose header names are no text."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all")
    await producer.start()
    try:
        for number in range(count):
            await producer.send(topic, b"%d" % number, partition=0, headers=[(NoText("a"), b"v")])
    finally:
        await producer.stop()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        asyncio.run(send_names(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    else:
        asyncio.run(send(sys.argv[1]))
