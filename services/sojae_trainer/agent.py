"""The loop of the trainer: look at the store, train what is due, one project at a time."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sojae.domain.card_lines import five_lines
from sojae.domain.errors import ModelError, StoreError
from sojae.domain.model import Dataset
from sojae_trainer.job import Published, Workshop
from sojae_trainer.metrics import TrainerMetrics
from sojae_trainer.schedule import Schedule

log = logging.getLogger(__name__)


class TrainerAgent:
    """Polls the version of `events`; counts and trains in threads, so that health is answered meanwhile."""

    def __init__(
        self,
        workshop: Workshop,
        schedule: Schedule,
        metrics: TrainerMetrics,
        *,
        poll_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workshop, self._schedule, self._metrics = workshop, schedule, metrics
        self._poll_seconds, self._clock = poll_seconds, clock
        self.ready = False

    async def run(self, stop: asyncio.Event) -> None:
        """Train what becomes due until `stop` is set; a training under way is then left, nothing half-made is seen."""
        await asyncio.to_thread(self._remember)
        while not stop.is_set():
            try:
                await self.step(stop)
                self.ready = True
            except StoreError as error:
                log.warning("the store is looked at again in %g s: %s", self._poll_seconds, error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._poll_seconds)

    async def step(self, stop: asyncio.Event) -> Published | None:
        """Look once, and train at most one project; return what was published. Raises StoreError."""
        if not await asyncio.to_thread(self._look):
            return None
        project = self._schedule.next(self._clock())
        if project is None:
            return None
        return await _abandonable(lambda: self._train(project), stop)

    def _remember(self) -> None:
        """Take from the shelf on how many records each project was trained before."""
        for project in self._workshop.projects():
            with suppress(StoreError, ModelError):
                latest = self._workshop.shelf.latest(project)
                if latest is not None:
                    dataset: Dataset = self._workshop.shelf.manifest(project, latest).dataset
                    self._schedule.trained(project, dataset.records)

    def _look(self) -> bool:
        """Return whether there is a store to train from; note its version, and the counts."""
        version = self._workshop.materials.events_version()
        if version is None:
            return False
        self._schedule.heard(version, self._clock())
        self._metrics.seen(version)
        for project in self._workshop.projects():
            self._schedule.counted(project, self._workshop.materials.records(project), self._clock())
        return True

    def _train(self, project: str) -> Published | None:
        began, records = time.monotonic(), self._schedule.records(project)
        published: Published | None = None
        try:
            published = self._workshop.train(project)
        except StoreError:
            raise
        except ModelError as error:
            log.warning("%s is not trained: %s", project, error)
        except Exception:  # the edge of the loop: one project's data must not keep the others from being trained
            log.exception("%s is not trained", project)
        self._schedule.trained(project, records)
        if published is None:
            self._metrics.failed()
            return None
        seconds = time.monotonic() - began
        self._metrics.published(seconds)
        log.info("%s version %s is on the shelf after %.1f s", project, published.manifest.version, seconds)
        for line in five_lines(published.card):
            log.info("  %s", line.en)
        return published


async def _abandonable(body: Callable[[], Published | None], stop: asyncio.Event) -> Published | None:
    """Return what `body` returns from a daemon thread, or None as soon as `stop` is set: an end must not wait for it."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Published | None] = loop.create_future()

    def settle(result: Published | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    def work() -> None:
        result: Published | None = None
        failure: BaseException | None = None
        try:
            result = body()
        except BaseException as error:  # noqa: BLE001 - carried over to the loop, which raises it
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name="training", daemon=True).start()
    stopping = asyncio.ensure_future(stop.wait())
    try:
        waiting: set[asyncio.Future[Any]] = {outcome, stopping}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    return outcome.result() if outcome.done() else None
