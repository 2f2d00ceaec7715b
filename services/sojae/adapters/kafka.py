"""Kafka through aiokafka: a group consumer placed by us, and an idempotent producer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord
from confluent_kafka import KafkaException

from sojae.adapters.kafka_admin import topic_ids
from sojae.adapters.kafka_connection import Connection, broker_error
from sojae.adapters.kafka_raw import possible_time, read_raw
from sojae.ports import Assignment, Message, Partition

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
FETCH_MAX_WAIT_MS = 200
"""How long the broker holds an empty fetch; other requests on the connection wait behind it."""
REFETCH_SECONDS = 0.1
"""How long partitions that went back have to come again before they are asked one by one."""


class AiokafkaSource:
    """A consumer of all topics that match a pattern; see `sojae.ports.EventSource`."""

    def __init__(
        self, connection: Connection, *, pattern: str, group_id: str, session_timeout_ms: int = 30_000
    ) -> None:
        self._connection = connection
        self._pattern = pattern
        self._group_id = group_id
        self._session_timeout_ms = session_timeout_ms
        self._consumer: AIOKafkaConsumer | None = None
        self._changes = 0
        self._next: dict[TopicPartition, int] = {}
        """The offset behind what was handed over, or that was sought."""

    async def start(self, assignment: Assignment) -> None:
        """Join the group; raises BrokerError when the broker cannot be reached or does not accept us."""
        self._consumer = AIOKafkaConsumer(
            **self._connection.for_aiokafka(),
            group_id=self._group_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=max(500, self._session_timeout_ms // 10),
            max_poll_interval_ms=300_000,
            max_partition_fetch_bytes=4_194_304,
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
        )
        try:
            await self._consumer.start()
        except KafkaError as error:
            await self._consumer.stop()
            raise broker_error(self._connection, error) from error
        self._consumer.subscribe(pattern=self._pattern, listener=_Listener(assignment, self.assignment_changed))

    @property
    def _live(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "start() comes first"
        return self._consumer

    async def fetch(self, *, timeout_seconds: float, max_messages: int) -> Mapping[Partition, Sequence[Message]]:
        """Return what has arrived, per partition in offset order; empty after the timeout.

        NOTE: nothing is awaited between aiokafka's hand-over and our return, so no rebalance can slip in between.
        """
        try:
            batches = await self._live.getmany(timeout_ms=int(timeout_seconds * 1000), max_records=max_messages)
        except KafkaError as error:
            raise broker_error(self._connection, error) from error
        except UnicodeDecodeError:
            return await self._read_around(max_messages)
        return self._handed_over(batches)

    def _handed_over(
        self, batches: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    ) -> dict[Partition, list[Message]]:
        for tp, records in batches.items():
            self._next[tp] = records[-1].offset + 1
        return {Partition(*tp): [_message(tp, record) for record in records] for tp, records in batches.items()}

    async def _read_around(self, max_messages: int) -> Mapping[Partition, Sequence[Message]]:
        """Return what comes next where aiokafka stumbles over a header whose name is not UTF-8, and go on behind it.

        NOTE: what it had taken out of other partitions in the same call is lost with the error, and it does not say which
        partition it was. So all go back to what was handed over, and are asked one by one; the one that stumbles is read
        by another client. A rebalance meanwhile makes it void.
        """
        assigned, began = [tp for tp in self._live.assignment() if tp in self._next], self._changes
        for tp in assigned:
            self.seek(Partition(*tp), self._next[tp])
        await asyncio.sleep(REFETCH_SECONDS)
        found: dict[Partition, list[Message]] = {}
        for tp in assigned:
            if began != self._changes:
                return {}
            try:
                batches = await self._live.getmany(tp, timeout_ms=0, max_records=max_messages)
                found |= self._handed_over(batches) if began == self._changes else {}
            except UnicodeDecodeError:
                found[Partition(*tp)] = await self._read_raw(tp, max_messages)
            except KafkaError as error:
                raise broker_error(self._connection, error) from error
        if began != self._changes:
            return {}
        return {partition: messages for partition, messages in found.items() if messages}

    async def _read_raw(self, tp: TopicPartition, max_messages: int) -> list[Message]:
        log.warning("%s-%d: a header name is not UTF-8: read on without it", *tp)
        settings, began = self._connection.for_librdkafka(), self._changes
        try:
            found = await asyncio.to_thread(read_raw, settings, Partition(*tp), self._next[tp], max_messages)
        except KafkaException as error:
            raise broker_error(self._connection, error) from error
        if found and began == self._changes:
            self.seek(Partition(*tp), found[-1].offset + 1)
        return found

    def assignment_changed(self) -> None:
        """Count a change of assignment; where partitions are read is told anew."""
        self._changes += 1
        self._next.clear()

    def seek(self, partition: Partition, offset: int) -> bool:
        """Read the partition from that offset next; False when it is no longer ours."""
        try:
            self._live.seek(TopicPartition(*partition), offset)
            self._next[TopicPartition(*partition)] = offset
        except IllegalStateError:
            log.info("%s-%d left us before it could be placed", *partition)
            return False
        return True

    async def bounds(self, partitions: Sequence[Partition]) -> Mapping[Partition, tuple[int, int]]:
        """Return for each partition the first offset that the log still holds, and the one after its last."""
        wanted = {TopicPartition(*p): p for p in partitions}
        if not wanted:
            return {}
        try:
            first = await self._live.beginning_offsets(list(wanted))
            last = await self._live.end_offsets(list(wanted))
        except KafkaError as error:
            raise broker_error(self._connection, error) from error
        return {p: (int(first[tp]), int(last[tp])) for tp, p in wanted.items()}

    async def topic_ids(self, topics: Sequence[str]) -> Mapping[str, str]:
        """Return the topics' ids; asked again at each call, since a topic may be deleted and made anew."""
        return await asyncio.to_thread(topic_ids, self._connection, topics)

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell the broker how far the store is; it is for lag tools, so a refusal is only logged."""
        owned = self._live.assignment()
        wanted = {TopicPartition(*p): offset for p, offset in offsets.items() if TopicPartition(*p) in owned}
        if not wanted:
            return
        try:
            await self._live.commit(wanted)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            log.info("the broker did not take our offsets: %s", error)

    async def stop(self) -> None:
        """Leave the group and close the connection."""
        if self._consumer is not None:
            await self._consumer.stop()
            self._consumer = None


def _message(tp: TopicPartition, record: ConsumerRecord) -> Message:
    return Message(
        topic=tp.topic,
        partition=tp.partition,
        offset=record.offset,
        timestamp_ms=possible_time(record.timestamp),
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Hands aiokafka's rebalance calls to our port."""

    def __init__(self, assignment: Assignment, changed: Callable[[], None]) -> None:
        self._assignment = assignment
        self._changed = changed

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self._changed()
        await self._assignment.revoked([Partition(tp.topic, tp.partition) for tp in revoked])

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self._changed()
        await self._assignment.assigned([Partition(tp.topic, tp.partition) for tp in assigned])


class AiokafkaProducer:
    """An idempotent producer, acknowledged by all replicas, zstd; never transactional."""

    def __init__(self, connection: Connection, *, linger_ms: int = 5) -> None:
        self._connection = connection
        self._linger_ms = linger_ms
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            **self._connection.for_aiokafka(),
            enable_idempotence=True,
            acks="all",
            compression_type="zstd",
            linger_ms=self._linger_ms,
            max_batch_size=262_144,
        )
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._producer.stop()
            raise broker_error(self._connection, error) from error
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._producer is None:
            return
        try:
            await asyncio.wait_for(self._producer.stop(), STOP_SECONDS)
        except TimeoutError:
            log.warning("the broker does not answer: what it has not acknowledged may be lost")

    async def enqueue(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]
    ) -> Awaitable[tuple[int, int]]:
        """Return, once the message is in the send buffer, what awaits its acknowledgement as (partition, offset)."""
        assert self._producer is not None, "use it as a context manager"
        try:
            future = await self._producer.send(topic, value, key=key.encode(), headers=list(headers.items()))
        except KafkaError as error:
            raise broker_error(self._connection, error) from error
        return self._acknowledged(future)

    async def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]) -> tuple[int, int]:
        """Return (partition, offset) of the broker's acknowledgement; raises BrokerError."""
        return await (await self.enqueue(topic, key, value, headers))

    async def _acknowledged(self, future: "asyncio.Future[object]") -> tuple[int, int]:
        try:
            metadata = await future
        except KafkaError as error:
            raise broker_error(self._connection, error) from error
        return metadata.partition, metadata.offset  # type: ignore[attr-defined]  # aiokafka ships no types
