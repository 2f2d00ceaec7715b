"""The composition root of the monitor: builds the parts, runs them, stops them in order."""

import asyncio
import gc
import logging
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry

from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_admin import create_topics, topic_ids
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.plant_files import load_plants
from sojae.adapters.shelf import ModelShelf, open_store
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import BrokerError, SettingsError
from sojae.domain.plant import Plant
from sojae.settings import PlantsSettings, read
from sojae.surroundings import Surroundings
from sojae.telemetry import HealthServer
from sojae.topics import (
    CHECKPOINTS,
    PARTITIONS,
    alarms_topic,
    events_topic,
    features_topic,
    forecasts_topic,
    telemetry_topic,
)
from sojae_monitor.agent import MonitorAgent
from sojae_monitor.checkpoints import CheckpointTopic
from sojae_monitor.engine import Engine
from sojae_monitor.faust_app import build_app, instance_of, set_agent
from sojae_monitor.forecast import Forecasts
from sojae_monitor.log_reading import log_bounds
from sojae_monitor.metrics import MonitorMetrics
from sojae_monitor.outbox import Outbox
from sojae_monitor.placement import EngineClass, Placement, Sources
from sojae_monitor.running import run
from sojae_monitor.scores import Scores
from sojae_monitor.scoring import Scoring, restore_scores
from sojae_monitor.settings import MonitorSettings
from sojae_monitor.shelf_models import ShelfModels
from sojae_monitor.stall import StallWatch
from sojae_monitor.transport import PlacedTransport

log = logging.getLogger(__name__)

WITHIN_SECONDS = 0.02
"""How long messages are gathered: a small part of what a window's message may take."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What tests replace: how engines and the transport are made."""

    engine: EngineClass = Engine
    transport: type[PlacedTransport] = PlacedTransport


async def serve(around: Surroundings, parts: Parts = Parts(), stop: asyncio.Event | None = None) -> None:
    """Follow plants until SIGTERM, SIGINT or `stop`; raises SojaeError when it cannot go on."""
    settings, connection = read(MonitorSettings), around.connection()
    stop = stop or asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    plants = chosen_plants(settings.plants, read(PlantsSettings), around.templates())
    await make_topics(connection, list(plants.values()))
    registry = CollectorRegistry()
    metrics = MonitorMetrics(registry)
    placement = placement_of(connection, plants, parts.engine, metrics)
    with HealthServer(registry, lambda: placement.ready, around.telemetry.port, around.telemetry.host):
        async with AiokafkaProducer(connection) as producer:
            outbox = Outbox(producer)
            try:
                await _follow(Worker(around, settings, plants, placement, metrics), outbox, parts.transport, stop)
            finally:
                outbox.abandon()


@dataclass(frozen=True, slots=True)
class Worker:
    """What one worker is told, and what it follows."""

    around: Surroundings
    settings: MonitorSettings
    plants: Mapping[str, Plant]
    placement: Placement
    metrics: MonitorMetrics


async def _follow(worker: Worker, outbox: Outbox, transport: type[PlacedTransport], stop: asyncio.Event) -> None:
    around, settings, metrics = worker.around, worker.settings, worker.metrics
    scores = Scores(worker.plants)
    await restore_scores(around.connection(), scores, worker.plants)
    wanted = {(p.project, p.forecast.target) for p in worker.plants.values() if p.forecast is not None}
    models = ShelfModels(ModelShelf(open_store(around.store_uri)), wanted)
    agent = MonitorAgent(worker.placement, outbox, Forecasts(models, scores, metrics), around.templates, metrics)
    instance = instance_of(settings, worker.plants)
    app = build_app(around.connection(), settings, instance, around.home.index / "faust", transport)
    work = partial(agent.follow, take=settings.take, within_seconds=WITHIN_SECONDS)
    set_agent(app, [telemetry_topic(name) for name in worker.plants], agent, work)
    beside = [
        StallWatch(worker.placement, partial(log_bounds, around.connection()), settings.stall_seconds).run(),
        Scoring(scores, worker.plants, around.store_uri, around.templates).run(outbox, metrics, settings.poll_seconds),
        models.watch(settings.poll_seconds),
    ]
    gc.collect()
    gc.freeze()  # what is loaded now stays: the collector need not look at it again
    await run(app, agent, beside, settings.checkpoint_seconds, stop)


def placement_of(
    connection: Connection, plants: Mapping[str, Plant], engine: EngineClass, metrics: MonitorMetrics
) -> Placement:
    """Return a placement of nothing yet, for the telemetry of these plants."""

    async def ids(topics: Sequence[str]) -> Mapping[str, str]:
        return await asyncio.to_thread(topic_ids, connection, topics)

    topics = {str(telemetry_topic(name)): plant for name, plant in plants.items()}
    return Placement(
        topics, Sources(CheckpointTopic(connection), ids, partial(log_bounds, connection), engine), metrics
    )


def chosen_plants(names: str | None, settings: PlantsSettings, book: TemplateBook) -> dict[str, Plant]:
    """Return the plants to follow by id: those named, separated by commas, else all; raises SettingsError, PlantError."""
    if settings.path is None:
        raise SettingsError(
            en="no plants: set SOJAE_PLANTS__PATH to the folder of plant files",
            ko="설비가 없습니다. SOJAE_PLANTS__PATH에 설비 파일 폴더를 지정하십시오",
        )
    known = dict(load_plants(settings.path, book))
    wanted = list(known) if names is None else [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise SettingsError(
                en=f"SOJAE_MONITOR__PLANTS: no plant {name!r} in {settings.path}; there are {', '.join(known) or 'none'}",
                ko=f"SOJAE_MONITOR__PLANTS: {settings.path}에 설비 {name!r}이(가) 없습니다. 있는 것: {', '.join(known) or '없음'}",
            )
    if not wanted:
        raise SettingsError(
            en=f"no plants: {settings.path} holds no plant file",
            ko=f"설비가 없습니다. {settings.path}에 설비 파일이 없습니다",
        )
    return {name: known[name] for name in wanted}


async def make_topics(connection: Connection, plants: Sequence[Plant]) -> None:
    """Make the topics that are missing, where the broker lets us; elsewhere whoever runs the broker makes them."""
    names = {
        make(plant.plant)
        for plant in plants
        for make in (telemetry_topic, features_topic, forecasts_topic, alarms_topic)
    }
    names |= {events_topic(plant.institute) for plant in plants} | {CHECKPOINTS}
    try:
        await asyncio.to_thread(create_topics, connection, sorted(names), PARTITIONS)
    except BrokerError as error:
        log.warning("topics cannot be made: %s", error)
