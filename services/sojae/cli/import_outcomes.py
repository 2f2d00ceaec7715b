"""Sends the events of an import and waits for what becomes of them: from outcomes, else from the store."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from sojae.adapters.avro import RecordCodec
from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.outcomes_reader import OutcomesReader
from sojae.adapters.stored_outcomes import stored_outcomes
from sojae.adapters.template_files import read_common
from sojae.cli.import_report import ImportReport, Sent
from sojae.domain.errors import StoreError
from sojae.domain.mapping_findings import ImportEvent
from sojae.domain.mapping_identity import ImportRun
from sojae.domain.mapping_rows import RowsRead
from sojae.topics import PARTITIONS, TopicName, events_topic, outcomes_topic
from sojae.trace import Trace

log = logging.getLogger(__name__)

NEW_TOPIC_SECONDS = 30.0
"""Until ingest has found a topic that did not exist before: 10 s on Kafka, up to 50 s on the mock broker."""
READ_SECONDS = 1.0

Advance = Callable[[str, int], None]
Stored = Callable[[], Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Messages:
    """Everything that an import will send, encoded before the first message leaves."""

    run: ImportRun
    read: RowsRead
    encoded: Sequence[tuple[ImportEvent, bytes]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long nothing may come before the store is read, again and again, and before the rest is given up."""

    store_after_seconds: float = 10.0
    give_up_after_seconds: float = 30.0


class Outcomes(Protocol):
    """Where outcome messages come from."""

    async def read(self, *, timeout_seconds: float) -> Sequence[Mapping[str, object]]:
        """Return the outcome messages that have come; empty after the timeout. Raises BrokerError."""
        ...


async def send_and_wait(
    connection: Connection, store_uri: str, messages: Messages, advance: Advance = lambda _step, _count: None
) -> ImportReport:
    """Send everything and return what became of each event.

    Outcomes are waited for until none came for 30 s (60 s on a new topic); from 10 s on the store is looked at as well.
    Raises BrokerError.
    """
    report, run = ImportReport.of(messages.read), messages.run
    if not messages.encoded:
        return report
    events, outcomes = events_topic(run.institute), outcomes_topic(run.institute)
    made = await asyncio.to_thread(create_topics, connection, [events, outcomes], PARTITIONS)
    codec = RecordCodec(read_common("outcome", "1.0"))
    async with OutcomesReader(connection, outcomes, codec) as reader:
        await _send(connection, events, messages, report, advance)
        patience = Patience(give_up_after_seconds=30.0 + (NEW_TOPIC_SECONDS if made else 0.0))
        waiting = Waiting(reader, lambda: stored_outcomes(store_uri, run.producer, run.epoch), patience)
        await waiting.for_all(report, events, lambda heard: advance("wait", heard))
    return report


async def _send(
    connection: Connection, topic: TopicName, messages: Messages, report: ImportReport, advance: Advance
) -> None:
    async with AiokafkaProducer(connection) as producer:
        # Whoever starts an import inside a trace of theirs finds its messages there.
        acknowledged, trace = [], Trace(os.environ.get("TRACEPARENT"))
        log.info("import of %s, epoch %d: trace %s", messages.run.producer, messages.run.epoch, trace.id)
        for event, message in messages.encoded:
            headers = trace.headers(event.template.key)
            acknowledged.append(await producer.enqueue(topic, messages.run.producer, message, headers))
        for (event, _), acknowledgement in zip(messages.encoded, acknowledged, strict=True):
            report.add(event, Sent(*await acknowledgement))
            advance("send", 1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waits for outcomes; `stored` returns what the store holds of the same producer and epoch."""

    outcomes: Outcomes
    stored: Stored
    patience: Patience = Patience()
    now: Callable[[], float] = time.monotonic

    async def for_all(self, report: ImportReport, topic: str, heard: Callable[[int], None]) -> None:
        """Return when every event of the report has its outcome, or patience has ended; raises BrokerError.

        An outcome may be lost on its way, or come late: what is in the store has become of the event all the same.
        """
        quiet_since = looked = self.now()
        while report.waiting and self.now() - quiet_since < self.patience.give_up_after_seconds:
            count = 0
            for message in await self.outcomes.read(timeout_seconds=READ_SECONDS):
                count += report.hear(cast("Sequence[Mapping[str, object]]", message["outcomes"]), topic)
            if not count and self.now() - max(quiet_since, looked) >= self.patience.store_after_seconds:
                count = report.hear(await self._look(report), topic)
                looked = self.now()
            if count:
                heard(count)
                quiet_since = self.now()
        if report.waiting:
            heard(report.hear(await self._look(report), topic))

    async def _look(self, report: ImportReport) -> Sequence[Mapping[str, object]]:
        try:
            found = await asyncio.to_thread(self.stored)
        except StoreError as error:
            log.warning("%s", error)
            report.store_unread = error.text
            return []
        report.store_unread = None
        return found
