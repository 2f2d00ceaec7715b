"""Reads what became of an institute's events, from the moment on at which the reader was opened."""

import logging
from collections.abc import Mapping
from typing import Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from sojae.adapters.avro import RecordCodec
from sojae.adapters.kafka_connection import Connection, broker_error
from sojae.topics import TopicName

log = logging.getLogger(__name__)


class OutcomesReader:
    """A reader of one outcomes topic, outside of any group; open it before the events are sent."""

    def __init__(self, connection: Connection, topic: TopicName, codec: RecordCodec) -> None:
        self._connection = connection
        self._topic = topic
        self._codec = codec
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            self._topic, **self._connection.for_aiokafka(), group_id=None, auto_offset_reset="latest"
        )
        try:
            await self._consumer.start()
            # The end is looked up now and not at the first read, which comes after the events are sent.
            await self._consumer.seek_to_end()
            for partition in self._consumer.assignment():
                await self._consumer.position(partition)
        except KafkaError as error:
            await self._consumer.stop()
            raise broker_error(self._connection, error) from error
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def read(self, *, timeout_seconds: float) -> list[Mapping[str, object]]:
        """Return the outcome messages that have come; empty after the timeout. Raises BrokerError."""
        assert self._consumer is not None, "use it as a context manager"
        try:
            batches = await self._consumer.getmany(timeout_ms=int(timeout_seconds * 1000))
        except KafkaError as error:
            raise broker_error(self._connection, error) from error
        found: list[Mapping[str, object]] = []
        for messages in batches.values():
            for message in messages:
                try:
                    found.append(self._codec.decode(message.value))
                except (ValueError, EOFError) as error:
                    log.info("%s-%d@%d is no outcome: %s", message.topic, message.partition, message.offset, error)
        return found
