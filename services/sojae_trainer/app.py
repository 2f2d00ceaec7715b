"""The composition root of the trainer: builds the parts, runs the loop, stops it."""

import asyncio
import datetime as dt
import signal

from prometheus_client import CollectorRegistry

from sojae.adapters.shelf import ModelShelf, open_store
from sojae.settings import read
from sojae.surroundings import Surroundings
from sojae.telemetry import HealthServer
from sojae_trainer.agent import TrainerAgent
from sojae_trainer.job import Workshop
from sojae_trainer.materials import DeltaMaterials
from sojae_trainer.metrics import TrainerMetrics
from sojae_trainer.schedule import Pace, Schedule
from sojae_trainer.settings import TrainerSettings


def workshop(around: Surroundings, settings: TrainerSettings) -> Workshop:
    """Return what a training needs, from the process's surroundings; raises StoreError."""
    return Workshop(
        materials=DeltaMaterials(around.store_uri),
        shelf=ModelShelf(open_store(around.store_uri)),
        book=around.templates,
        now=lambda: dt.datetime.now(dt.UTC),
        designs=settings.designs,
        seed=settings.seed,
    )


async def serve(around: Surroundings, stop: asyncio.Event | None = None) -> None:
    """Train what becomes due until SIGTERM, SIGINT or `stop`; raises SojaeError when it cannot go on."""
    settings = read(TrainerSettings)
    stop = stop or asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    registry = CollectorRegistry()
    agent = TrainerAgent(
        workshop(around, settings),
        Schedule(Pace(settings.quiet_seconds, settings.patience_seconds, settings.growth)),
        TrainerMetrics(registry),
        poll_seconds=settings.poll_seconds,
    )
    with HealthServer(registry, lambda: agent.ready, around.telemetry.port, around.telemetry.host):
        await agent.run(stop)
