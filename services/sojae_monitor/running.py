"""Runs the Faust app and the timers beside it, and stops them in order."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence

import faust

from sojae.domain.errors import ServiceError
from sojae_monitor.agent import MonitorAgent

log = logging.getLogger(__name__)

Loop = Coroutine[object, object, None]
"""Work beside the app, which ends by an error alone."""

STOP_SECONDS = 5.0


async def run(
    app: faust.App, agent: MonitorAgent, beside: Sequence[Loop], keep_every: float, stop: asyncio.Event
) -> None:
    """Run the app and the loops beside it until `stop`, with a checkpoint every `keep_every` seconds.

    Raises what the worker must end with.

    The last checkpoint is kept before Faust stops, which may cut a batch in two.
    """
    over = asyncio.Event()
    keeping = asyncio.create_task(agent.keep_on(keep_every, over))
    stopping = asyncio.create_task(stop.wait())
    others = [
        asyncio.create_task(agent.failed()),
        *map(asyncio.create_task, beside),
        asyncio.create_task(_started(app)),
    ]
    try:
        done, _ = await asyncio.wait([keeping, stopping, *others], return_when=asyncio.FIRST_COMPLETED)
        for task in (task for task in (keeping, *others) if task in done):
            task.result()
        if stopping not in done:
            raise ServiceError(en="a part of the monitor has ended by itself", ko="모니터의 일부가 스스로 끝났습니다")
        over.set()
        await keeping
    finally:
        stopping.cancel()
        for task in (keeping, *others):
            task.cancel()
        await asyncio.gather(keeping, stopping, *others, return_exceptions=True)
        await _stopped(app)


async def _started(app: faust.App) -> None:
    """Return never; raises what ended the app."""
    await app.start()
    await app.wait_until_stopped()
    if app.crash_reason is not None:
        raise app.crash_reason
    raise ServiceError(en="Faust has stopped by itself", ko="Faust가 스스로 멈췄습니다")


async def _stopped(app: faust.App) -> None:
    try:
        await asyncio.wait_for(app.stop(), STOP_SECONDS)
    except TimeoutError:
        log.warning("Faust does not stop within %g s: it is left behind", STOP_SECONDS)
