"""A stretch of one partition read without decoding header names, for what aiokafka cannot read."""

import operator
import time
import uuid

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as RawMessage

from sojae.ports import Message, Partition

UNREADABLE_HEADERS = "sojae-unreadable-headers"
"""Header that stands in for those whose names are no text; the finding `bad_headers` comes from it."""

READ_SECONDS = 3.0


def read_raw(
    configuration: dict[str, str | int | float | bool], partition: Partition, offset: int, limit: int
) -> list[Message]:
    """Return up to `limit` messages from `offset` on, with their headers left out where a name is not UTF-8.

    Raises KafkaException when the broker cannot be reached.
    """
    own = {"group.id": f"sojae-raw-{uuid.uuid4()}", "enable.auto.commit": False, "isolation.level": "read_committed"}
    consumer = Consumer(configuration | own)
    try:
        _, end = consumer.get_watermark_offsets(TopicPartition(partition.topic, partition.number), timeout=READ_SECONDS)
        if offset >= end:
            return []
        consumer.assign([TopicPartition(partition.topic, partition.number, offset)])
        found: list[Message] = []
        deadline = time.monotonic() + READ_SECONDS
        while len(found) < limit and time.monotonic() < deadline and (not found or found[-1].offset + 1 < end):
            for raw in consumer.consume(limit - len(found), timeout=0.2):
                if raw.error() is not None:
                    raise KafkaException(raw.error())
                found.append(message_of(raw, partition))
        return found
    finally:
        consumer.close()


def log_bounds(configuration: dict[str, str | int | float | bool], partition: Partition) -> tuple[int, int]:
    """Return the first offset that the log still holds, and the one after its last; raises KafkaException."""
    consumer = Consumer(configuration | {"group.id": f"sojae-raw-{uuid.uuid4()}"})
    try:
        first, last = consumer.get_watermark_offsets(
            TopicPartition(partition.topic, partition.number), timeout=READ_SECONDS
        )
        return int(first), int(last)
    finally:
        consumer.close()


def message_of(raw: RawMessage, partition: Partition) -> Message:
    """Return a message as our port has it; headers are left out where a name is not UTF-8."""
    offset = raw.offset()
    assert offset is not None
    assert offset != OFFSET_INVALID
    try:
        headers = {str(name): value if isinstance(value, bytes) else b"" for name, value in _pairs(raw)}
    except (UnicodeDecodeError, SystemError, ValueError):
        headers = {UNREADABLE_HEADERS: b""}
    kind, milliseconds = raw.timestamp()
    return Message(
        topic=partition.topic,
        partition=partition.number,
        offset=offset,
        timestamp_ms=possible_time(milliseconds) if kind else None,
        key=raw.key(),
        value=raw.value(),
        headers=headers,
    )


_headers = operator.methodcaller("headers")
"""Asks a message for its headers.

NOTE: for a name that is no UTF-8 the library returns a list with a hole and an error beside it. A plain call raises that
error at first, but once the interpreter has specialised the call it takes the list, and the process dies of the hole.
Asked through another function the error is always seen.
"""


def _pairs(raw: RawMessage) -> list[tuple[str, bytes | str | None]]:
    return list(_headers(raw) or ())


def possible_time(milliseconds: int) -> int | None:
    """Return a message's timestamp where it is a time between the years 1 and 9999; a sender may write any number."""
    return milliseconds if MIN_MS <= milliseconds <= MAX_MS and milliseconds != NO_TIME else None


NO_TIME = -1
MIN_MS, MAX_MS = -62_135_596_800_000, 253_402_300_799_000
