"""The tasks that run beside requests: the index follows the store, the models follow the shelf."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sojae.domain.errors import SojaeError
from sojae_gateway.parts import Parts

log = logging.getLogger(__name__)


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """Hold both tasks for the time of the block; each has made its first step when it begins."""
    stop = asyncio.Event()
    await asyncio.to_thread(_step, "index", parts.follow_index, parts)
    await asyncio.to_thread(_step, "models", parts.follow_shelf, parts)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_repeat("index", parts.follow_index, parts, parts.settings.index_seconds, stop))
        tasks.create_task(_repeat("models", parts.follow_shelf, parts, parts.settings.shelf_seconds, stop))
        try:
            yield
        finally:
            stop.set()
            parts.index.stop()


async def _repeat(name: str, step: Callable[[], None], parts: Parts, seconds: float, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await asyncio.to_thread(_step, name, step, parts)
        try:
            await asyncio.wait_for(stop.wait(), timeout=seconds)
        except TimeoutError:
            continue


def _step(name: str, step: Callable[[], None], parts: Parts) -> None:
    """Make one step; whatever goes wrong is told and counted, and the next step tries again."""
    try:
        step()
    except SojaeError as error:
        parts.metrics.failed(name)
        log.warning("%s: %s", name, error)
    except Exception:
        parts.metrics.failed(name)
        log.exception("%s: a step failed", name)
