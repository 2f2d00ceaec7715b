"""The tasks that run beside requests: the index follows the store, the models the shelf, plants their topics."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sojae.domain.errors import SojaeError
from sojae_gateway.parts import Parts
from sojae_gateway.plant_follower import OpenFeed, PlantFollower

log = logging.getLogger(__name__)

FIRST_STEPS_SECONDS = 5.0
"""How long the first steps are waited for before requests are taken; a large index is built while others are answered."""


@asynccontextmanager
async def running(parts: Parts, open_feed: OpenFeed) -> AsyncIterator[None]:
    """Hold the tasks for the time of the block; it begins when index and models have made a first step, or after 5 s.

    Plants are not waited for: without a broker everything else answers.
    """
    stop = asyncio.Event()
    index = _Task("index", parts.follow_index, parts.following.index_seconds, parts)
    models = _Task("models", parts.follow_shelf, parts.following.shelf_seconds, parts)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(index.run(stop))
        # A model's records are looked up in the index, so the shelf comes second.
        tasks.create_task(models.run(stop, after=index))
        tasks.create_task(PlantFollower(parts.plants, open_feed, parts.metrics).run(stop))
        try:
            await asyncio.wait([tasks.create_task(models.stepped.wait())], timeout=FIRST_STEPS_SECONDS)
            yield
        finally:
            stop.set()
            parts.streams.close()
            parts.index.stop()


class _Task:
    """Makes one step after another, in a thread; whatever goes wrong is told once, counted, and tried again."""

    def __init__(self, name: str, step: Callable[[], None], seconds: float, parts: Parts) -> None:
        self.stepped = asyncio.Event()
        self._name = name
        self._step = step
        self._seconds = seconds
        self._parts = parts
        self._told: str | None = None

    async def run(self, stop: asyncio.Event, after: "_Task | None" = None) -> None:
        """Make steps until `stop`; the first one after the first step of another task."""
        if after is not None:
            await after.stepped.wait()
        while not stop.is_set():
            await asyncio.to_thread(self._try)
            self.stepped.set()
            try:
                await asyncio.wait_for(stop.wait(), timeout=self._seconds)
            except TimeoutError:
                continue
        self.stepped.set()

    def _try(self) -> None:
        try:
            self._step()
        except SojaeError as error:
            self._failed(str(error))
        except Exception:
            self._parts.metrics.failed(self._name)
            log.exception("%s: a step failed", self._name)
        else:
            self._told = None

    def _failed(self, why: str) -> None:
        self._parts.metrics.failed(self._name)
        if why != self._told:
            log.warning("%s: %s", self._name, why)
            self._told = why
