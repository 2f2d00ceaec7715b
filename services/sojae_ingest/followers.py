"""The tasks that follow `events`: outcomes and ledger right after a flush, records and materials behind it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from sojae.adapters.kafka import AiokafkaProducer
from sojae.domain.errors import BrokerError, CommitRefused, StoreError
from sojae.ports import EventsTable
from sojae_ingest.following import steps
from sojae_ingest.ledger_table import LedgerTable
from sojae_ingest.materials_table import MaterialsViews
from sojae_ingest.metrics import IngestMetrics
from sojae_ingest.outcomes import COLUMNS, OutcomePacker, Row, second_outcome
from sojae_ingest.records import RecordsFollower, SecondStatement

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
TELL_SECONDS = 30.0
STAND_BACK_SECONDS = 30.0
"""How long the loser of a race between two processes leaves the work to the winner."""


class EnsureTopics(Protocol):
    """Makes topics that are missing, where that is allowed."""

    async def __call__(self, topics: set[str]) -> set[str]:
        """Return the topics that are there now."""
        ...


class OutcomeSender:
    """Packs rows of `events` and sends them to their institutes."""

    def __init__(
        self, producer: AiokafkaProducer, packer: OutcomePacker, ensure: EnsureTopics, metrics: IngestMetrics
    ) -> None:
        self._producer, self._packer, self._ensure, self._metrics = producer, packer, ensure, metrics

    async def send(self, rows: Sequence[Row], store_version: int) -> None:
        """Return when all outcomes of the rows are acknowledged; raises BrokerError. A missing topic is reported."""
        messages = self._packer.pack(rows, store_version)
        there = await self._ensure({m.topic for m in messages}) if messages else set()
        waiting = []
        for message in messages:
            if message.topic not in there:
                log.warning(
                    "%s is missing: %d outcomes are to be read from the store; create the topic",
                    message.topic,
                    message.events,
                )
                continue
            waiting.append(await self._producer.enqueue(message.topic, message.key, message.value, {}))
        for acknowledged in waiting:
            await acknowledged
        self._metrics.outcomes(len(waiting))


class OutcomesFollower:
    """Sends what became of events, then accounts for them in the ledger: its position is the outcomes' position."""

    def __init__(self, events: EventsTable, ledger: LedgerTable, sender: OutcomeSender, metrics: IngestMetrics) -> None:
        self._events, self._ledger, self._sender, self._metrics = events, ledger, sender, metrics

    async def step(self) -> None:
        """Follow to the newest version; outcomes are sent at least once, before the commit that says so.

        Raises CommitRefused when another process was first, BrokerError when the broker is away.
        """
        after = await asyncio.to_thread(self._ledger.included)
        pending = steps(self._events, after, COLUMNS)
        while (step := await asyncio.to_thread(next, pending, None)) is not None:
            upto, table = step
            rows = table.to_pylist()
            await self._sender.send(rows, upto)
            changed = await asyncio.to_thread(self._ledger.add, rows, upto)
            self._metrics.followed("ledger", changed)


class RecordsAndMaterials:
    """Brings records up to date, and the materials views at most every few seconds."""

    def __init__(
        self,
        records: RecordsFollower,
        materials: MaterialsViews,
        sender: OutcomeSender,
        metrics: IngestMetrics,
        refresh_seconds: float,
    ) -> None:
        self._records, self._materials, self._sender, self._metrics = records, materials, sender, metrics
        self._refresh_seconds = refresh_seconds
        self._refreshed = 0.0

    async def step(self) -> None:
        """Follow to the newest version; raises CommitRefused when another process was first."""
        written = await asyncio.to_thread(self._records.step, self._teller())
        self._metrics.followed("records", written)
        if time.monotonic() - self._refreshed >= self._refresh_seconds and self._records.progress >= 0:
            self._metrics.followed(
                "materials", await asyncio.to_thread(self._materials.refresh, self._records.progress)
            )
            self._refreshed = time.monotonic()

    def _teller(self) -> Callable[[list[SecondStatement]], None]:
        """Return what the records' thread calls to have second outcomes sent before it commits."""
        loop = asyncio.get_running_loop()

        def tell(seconds: list[SecondStatement]) -> None:
            rows = [second_outcome(second) for second in seconds]
            told = self._sender.send(rows, self._records.progress)
            asyncio.run_coroutine_threadsafe(told, loop).result(TELL_SECONDS)

        return tell


async def follow(name: str, step: Callable[[], Awaitable[None]], wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Run a follower's steps when woken, at least every 0.5 s, until `stop`; then once more.

    A refused commit means that another process does the same work: stand back, then look again.
    """
    while True:
        last = stop.is_set()
        try:
            await step()
            pause = POLL_SECONDS
        except CommitRefused:
            log.info("%s: another process was first; standing back", name)
            pause = STAND_BACK_SECONDS
        except (StoreError, BrokerError) as error:
            log.error("%s: %s", name, error)
            pause = POLL_SECONDS * 4
        if last:
            return
        wake.clear()
        await _either(wake, stop, pause)


async def _either(wake: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.ensure_future(e.wait()) for e in ((wake, stop) if seconds <= POLL_SECONDS else (stop,))]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
