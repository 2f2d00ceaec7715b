"""The second intake of the process: telemetry, with a source and tables of its own, kept running beside the events."""

import asyncio
import logging
import time
from collections.abc import Callable

from sojae.domain.errors import SojaeError
from sojae_ingest.agent import IngestAgent
from sojae_ingest.metrics import TelemetryMetrics

log = logging.getLogger(__name__)

AGAIN_SECONDS = 10.0
"""How long after a failure telemetry is tried again: events are taken in meanwhile."""

STEADY_SECONDS = 30.0
"""How long it must have gone well after a failure to count as ready."""


class TelemetryIntake:
    """Runs one agent after another until told to stop: what ends one is logged, counted, and tried again.

    An alarm about one plant's log must not stop the events of every institute; not being ready says that it stands.
    """

    def __init__(
        self,
        agent: Callable[[], IngestAgent],
        metrics: TelemetryMetrics,
        *,
        now: Callable[[], float] = time.monotonic,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._make, self._metrics, self._now, self._again_seconds = agent, metrics, now, again_seconds
        self._agent: IngestAgent | None = None
        self._steady_from = 0.0

    def ready(self) -> bool:
        """Return whether the group has been joined and no failure is younger than half a minute."""
        return self._agent is not None and self._agent.started and self._now() >= self._steady_from

    async def run(self, stop: asyncio.Event) -> None:
        """Take telemetry in until `stop` is set, and store what has been collected."""
        while not stop.is_set():
            try:
                self._agent = await asyncio.to_thread(self._make)
                await self._agent.run(stop)
            except Exception as error:
                if isinstance(error, SojaeError):
                    log.error("telemetry waits %g s: %s", self._again_seconds, error)
                else:
                    log.exception("telemetry waits %g s: unexpected; events are taken in", self._again_seconds)
                self._steady_from = self._now() + self._again_seconds + STEADY_SECONDS
                self._metrics.failed()
                waiting = asyncio.ensure_future(stop.wait())
                await asyncio.wait([waiting], timeout=self._again_seconds)
                waiting.cancel()
