"""The composition root of ingest: builds the parts, runs the tasks, stops them in order."""

import asyncio
import datetime as dt
import fcntl
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from prometheus_client import CollectorRegistry

from sojae.adapters.avro import FastavroDecoder, RecordCodec
from sojae.adapters.damage import refuse_damaged_events
from sojae.adapters.events_table import DeltaEventsTable, events_uri
from sojae.adapters.kafka import AiokafkaProducer, AiokafkaSource
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.adapters.telemetry_codec import TelemetryDecoder
from sojae.adapters.template_files import read_common
from sojae.domain.errors import BrokerError, StateError
from sojae.ports import EventSource
from sojae.settings import read
from sojae.surroundings import Surroundings
from sojae.telemetry import HealthServer
from sojae.topics import EVENTS_PATTERN, PARTITIONS, TELEMETRY_PATTERN
from sojae_ingest.agent import IngestAgent, Pace
from sojae_ingest.flush import Flushed, Flusher
from sojae_ingest.followers import OutcomesFollower, RecordsAndMaterials, Watch, follow
from sojae_ingest.ledger_table import LedgerTable
from sojae_ingest.maintenance import Maintenance
from sojae_ingest.materials_table import MaterialsViews
from sojae_ingest.mending import Mending
from sojae_ingest.metrics import IngestMetrics, TelemetryMetrics
from sojae_ingest.outcome_sender import OutcomeSender
from sojae_ingest.outcomes import OutcomePacker
from sojae_ingest.records import RecordsFollower
from sojae_ingest.seen import SQLiteSeen
from sojae_ingest.sequence_alarm import SequenceAlarm
from sojae_ingest.settings import IngestSettings
from sojae_ingest.telemetry_flush import TelemetryFlusher, TelemetryTables
from sojae_ingest.telemetry_intake import TelemetryIntake

log = logging.getLogger(__name__)

MAX_PROCESSES = 64


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the present moment in UTC."""
        return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the fault tests replace: how the table and the source are made."""

    table: Callable[[str], DeltaEventsTable] = DeltaEventsTable
    source: Callable[[Connection, IngestSettings], EventSource] = lambda connection, settings: AiokafkaSource(
        connection,
        pattern=EVENTS_PATTERN,
        group_id=settings.group_id,
        session_timeout_ms=int(settings.session_timeout_seconds * 1000),
    )
    agent: type[IngestAgent] = IngestAgent


async def serve(around: Surroundings, parts: Parts = Parts(), stop: asyncio.Event | None = None) -> None:
    """Take events in until SIGTERM, SIGINT or `stop`; raises SojaeError when it cannot go on."""
    settings, connection = read(IngestSettings), around.connection()
    stop = stop or asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    watch = Watch(metrics, mend=Mending(around.store_uri, around.templates).mend)
    await asyncio.to_thread(refuse_damaged_events, events_uri(around.store_uri))
    await asyncio.to_thread(watch.mend)
    telemetry = _telemetry(around, settings, connection, registry)
    with index_slot(around.home.index) as path:
        seen = SQLiteSeen(path)
        table = await asyncio.to_thread(parts.table, around.store_uri)
        wake = asyncio.Event()
        agent = parts.agent(
            parts.source(connection, settings),
            table,
            Flusher(
                table,
                seen,
                FastavroDecoder(around.templates),
                SystemClock(),
                schemas=StoredSchemas(around.store_uri),
            ),
            pace_of(settings),
            metrics,
            stored=_waker(wake),
        )
        with HealthServer(
            registry,
            lambda: agent.started and telemetry.ready() and watch.ready(),
            around.telemetry.port,
            around.telemetry.host,
        ):
            async with AiokafkaProducer(connection) as producer, asyncio.TaskGroup() as tasks:
                done = asyncio.Event()
                tasks.create_task(_followers(around, settings, watch, producer, wake, done))
                tasks.create_task(telemetry.run(stop))
                try:
                    await agent.run(stop)
                finally:
                    done.set()
        seen.close()


def _telemetry(
    around: Surroundings, settings: IngestSettings, connection: Connection, registry: CollectorRegistry
) -> TelemetryIntake:
    metrics = TelemetryMetrics(registry)

    def agent() -> IngestAgent:
        source = AiokafkaSource(
            connection,
            pattern=TELEMETRY_PATTERN,
            group_id=f"{settings.group_id}-telemetry",
            session_timeout_ms=int(settings.session_timeout_seconds * 1000),
        )
        tables = TelemetryTables(around.store_uri)
        flusher = TelemetryFlusher(tables, TelemetryDecoder(), SystemClock())
        return IngestAgent(source, tables, flusher, pace_of(settings), metrics)

    return TelemetryIntake(agent, metrics)


def pace_of(settings: IngestSettings) -> Pace:
    """Return when flushes are due, from the settings."""
    return Pace(
        rows=settings.flush_rows,
        bytes=settings.flush_bytes,
        seconds=settings.flush_seconds,
        trickle_seconds=settings.trickle_seconds,
        stall_seconds=settings.stall_seconds,
    )


@contextmanager
def index_slot(folder: Path) -> Iterator[Path]:
    """Hold a local index file that no other process uses, and return its path; the system frees it when we die."""
    for number in range(MAX_PROCESSES):
        with _open_lock(folder / f"ingest-{number}.lock") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield folder / f"ingest-{number}.sqlite"
            return
    raise StateError(
        en=f"{folder}: {MAX_PROCESSES} ingest processes run in this home already; stop some, or use another home",
        ko=f"{folder}: 이 폴더에서 이미 ingest 프로세스 {MAX_PROCESSES}개가 실행 중입니다. 일부를 멈추거나 다른 폴더를 쓰십시오",
    )


def _open_lock(path: Path) -> IO[str]:
    try:
        return path.open("w")
    except OSError as error:
        raise StateError(
            en=f"{path}: cannot be written: {error.strerror}; remove it, or use another home",
            ko=f"{path}: 쓸 수 없습니다({error.strerror}). 지우거나 다른 폴더를 쓰십시오",
        ) from error


async def _followers(
    around: Surroundings,
    settings: IngestSettings,
    watch: Watch,
    producer: AiokafkaProducer,
    wake: asyncio.Event,
    done: asyncio.Event,
) -> None:
    clock, decoder, metrics = SystemClock(), FastavroDecoder(around.templates), watch.metrics
    packer = OutcomePacker(RecordCodec(read_common("outcome", "1.0")), around.templates, clock.now)
    sender = OutcomeSender(producer, packer, OutcomeTopics(around.connection()), metrics)
    outcomes = OutcomesFollower(
        DeltaEventsTable(around.store_uri),
        LedgerTable(around.store_uri),
        sender,
        metrics,
        SequenceAlarm(metrics, clock),
    )
    records = RecordsFollower(DeltaEventsTable(around.store_uri), around.store_uri, around.templates, decoder)
    views = MaterialsViews(around.store_uri, around.templates)
    derived = RecordsAndMaterials(records, views, sender, metrics, settings.refresh_seconds)
    maintenance = Maintenance(around.store_uri, around.templates)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follow("outcomes", outcomes.step, wake, done, watch))
        tasks.create_task(follow("records", derived.step, asyncio.Event(), done, watch))
        tasks.create_task(maintenance.run(done))


def _waker(wake: asyncio.Event) -> Callable[[Flushed], None]:
    return lambda _flushed: wake.set()


class OutcomeTopics:
    """Makes outcome topics that are missing, where the broker lets us."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._there: set[str] = set()

    async def __call__(self, topics: set[str]) -> set[str]:
        """Return the topics that are there now."""
        if not topics <= self._there:
            try:
                await asyncio.to_thread(create_topics, self._connection, sorted(topics - self._there), PARTITIONS)
                self._there |= topics
            except BrokerError as error:
                log.warning("outcome topics cannot be made: %s", error)
        return self._there
