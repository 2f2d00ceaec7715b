"""Sends packed outcomes to their institutes: what ails one topic holds up no other."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiokafka.errors import (
    InvalidTopicError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from sojae.adapters.kafka import AiokafkaProducer
from sojae.domain.errors import BrokerError
from sojae_ingest.metrics import IngestMetrics
from sojae_ingest.outcomes import OutcomeMessage, OutcomePacker, Row

log = logging.getLogger(__name__)

OF_THE_TOPIC = (
    InvalidTopicError, MessageSizeTooLargeError, RecordListTooLargeError, TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)  # fmt: skip
"""Errors that say something of one topic, not of the broker."""

REST_SECONDS = 60.0
"""How long a topic that failed is left alone: to find out that it is gone takes the client most of a minute."""


class EnsureTopics(Protocol):
    """Makes topics that are missing, where that is allowed."""

    async def __call__(self, topics: set[str]) -> set[str]:
        """Return the topics that are there now."""
        ...


class OutcomeSender:
    """Packs rows of `events` and sends them to their institutes."""

    def __init__(
        self,
        producer: AiokafkaProducer,
        packer: OutcomePacker,
        ensure: EnsureTopics,
        metrics: IngestMetrics,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._producer, self._packer, self._ensure, self._metrics, self._now = producer, packer, ensure, metrics, now
        self._resting: dict[str, float] = {}  # topics that failed, and when they are tried again

    async def send(self, rows: Sequence[Row], store_version: int) -> None:
        """Return when all outcomes of the rows are acknowledged, or their topics are known to take none.

        What a missing, forbidden or deleted topic does not take is logged and counted: it can be read from the store.
        Raises BrokerError when the broker itself is away.
        """
        messages = self._packer.pack(rows, store_version)
        there = await self._ensure({m.topic for m in messages}) if messages else set()
        sent, waiting = 0, []
        late: list[tuple[OutcomeMessage, BrokerError]] = []
        for message in messages:
            if message.topic not in there or self._resting.get(message.topic, 0.0) > self._now():
                self._untold(message, "the topic is missing or refused outcomes a moment ago")
                continue
            try:
                waiting.append((message, await self._enqueue(message)))
            except BrokerError as refused:
                self._failed(message, refused, late)
        for message, acknowledged in waiting:
            try:
                await acknowledged
                sent += 1
            except BrokerError as refused:
                self._failed(message, refused, late)
        self._metrics.outcomes(sent)
        for message, error in late:
            if not (sent and isinstance(error.__cause__, KafkaTimeoutError)):
                raise error
            self._untold(message, str(error), rest=True)

    async def _enqueue(self, message: OutcomeMessage) -> Awaitable[tuple[int, int]]:
        return await self._producer.enqueue(message.topic, message.key, message.value, {})

    def _failed(
        self, message: OutcomeMessage, error: BrokerError, late: list[tuple[OutcomeMessage, BrokerError]]
    ) -> None:
        """Give a message up when its topic is the cause; else keep the error until all others have been heard."""
        if isinstance(error.__cause__, OF_THE_TOPIC):
            self._untold(message, str(error.__cause__), rest=not isinstance(error.__cause__, MessageSizeTooLargeError))
        else:
            late.append((message, error))

    def _untold(self, message: OutcomeMessage, why: str, *, rest: bool = False) -> None:
        log.error(
            "%s: %d outcomes are to be read from the store: %s; see that ingest may write to the topic",
            message.topic,
            message.events,
            why,
        )
        self._metrics.outcomes_failed(message.events)
        if rest:
            self._resting[message.topic] = self._now() + REST_SECONDS
