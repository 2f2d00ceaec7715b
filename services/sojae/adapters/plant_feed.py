"""All partitions of some topics through confluent-kafka, outside of any group, from the last messages of each on."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition

from sojae.adapters.kafka_admin import topic_ids
from sojae.adapters.kafka_connection import Connection, broker_error
from sojae.adapters.kafka_raw import message_of
from sojae.ports import Message, Partition, Placed

log = logging.getLogger(__name__)

LAST_MESSAGES = 2_000
"""How many messages of a partition are read again at the start."""
ASK_SECONDS = 2.0

T = TypeVar("T")


class KafkaPlantFeed:
    """See `sojae.ports.PlantFeed`. The broker is first talked to at the first look."""

    def __init__(self, connection: Connection, topics: Sequence[str], *, last: int = LAST_MESSAGES) -> None:
        self._connection = connection
        self._topics = frozenset(topics)
        self._last = last
        self._placed: set[Partition] = set()
        self._next: dict[Partition, tuple[str, int]] = {}
        """The topic id of each partition, and the offset behind the last message that was given."""
        # One thread for all calls: the consumer may not be closed while another call is under way.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="plants")
        self._consumer = Consumer(
            connection.for_librdkafka()
            | {
                "group.id": f"sojae-plants-{uuid.uuid4()}",  # asked for by the library; nobody joins it
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "queued.max.messages.kbytes": 16_384,
            }
        )

    async def look(self) -> Sequence[Placed]:
        """Place what is new; raises BrokerError."""
        try:
            return await self._call(self._look)
        except KafkaException as error:
            raise broker_error(self._connection, error) from error

    async def fetch(self, *, timeout_seconds: float, max_messages: int) -> Sequence[Message]:
        """Return what has come."""
        return await self._call(lambda: self._fetch(timeout_seconds, max_messages))

    async def stop(self) -> None:
        """Close the consumer once the call under way has returned."""
        await self._call(self._consumer.close)
        self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _look(self) -> list[Placed]:
        known = self._consumer.list_topics(timeout=ASK_SECONDS).topics
        there = {
            Partition(name, number)
            for name, topic in known.items()
            if name in self._topics and topic.error is None
            for number in topic.partitions
        }
        self._drop(self._placed - there)
        new = sorted(there - self._placed)
        ids = topic_ids(self._connection, sorted({p.topic for p in new})) if new else {}
        placed = [self._bounds(partition, ids[partition.topic]) for partition in new]
        if placed:
            self._consumer.incremental_assign([TopicPartition(*p.partition, p.first) for p in placed])
            self._placed.update(new)
            self._next |= {p.partition: (p.topic_id, p.first) for p in placed}
        return placed

    def _bounds(self, partition: Partition, topic_id: str) -> Placed:
        first, end = self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout=ASK_SECONDS)
        was, place = self._next.get(partition, ("", 0))
        goes_on = was == topic_id and first <= place <= end
        return Placed(partition, topic_id, place if goes_on else max(first, end - self._last), end)

    def _fetch(self, timeout_seconds: float, max_messages: int) -> list[Message]:
        # The first is waited for, the rest is taken as far as it is there: `consume` alone would wait for all of them.
        first = self._consumer.poll(timeout_seconds)
        raws = [] if first is None else [first, *self._consumer.consume(max_messages - 1, timeout=0)]
        found: list[Message] = []
        for raw in raws:
            partition = Partition(str(raw.topic()), int(raw.partition() or 0))
            error = raw.error()
            if error is None:
                found.append(message_of(raw, partition))
                self._next[partition] = (self._next[partition][0], found[-1].offset + 1)
            elif partition in self._placed:
                log.info("%s-%d is placed anew: %s", *partition, error)
                self._drop({partition})
        return found

    def _drop(self, partitions: set[Partition]) -> None:
        """Read these no longer; the next look places those that are there."""
        if partitions:
            self._consumer.incremental_unassign([TopicPartition(*p) for p in partitions])
            self._placed -= partitions
