"""The task that reads what plants are told of; without a broker it waits, and says why nothing comes."""

import asyncio
import logging
from collections.abc import Callable

from sojae.domain.errors import BrokerError
from sojae.domain.text import Text
from sojae.ports import PlantFeed
from sojae_gateway.metrics import GatewayMetrics
from sojae_gateway.plants import Plants

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""Seconds between two looks for topics and partitions that have come."""
FETCH_SECONDS = 0.5
FETCH_MESSAGES = 250
"""Few enough that requests are answered in between while much is read."""

OpenFeed = Callable[[], PlantFeed]


class PlantFollower:
    """Reads one feed for as long as the gateway runs; opens it as soon as there is a broker."""

    def __init__(
        self, plants: Plants, open_feed: OpenFeed, metrics: GatewayMetrics, look: float = LOOK_SECONDS
    ) -> None:
        self._plants = plants
        self._open = open_feed
        self._metrics = metrics
        self._look_seconds = look

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`; without plants there is nothing to read."""
        feed: PlantFeed | None = None
        while self._plants.plants and not stop.is_set():
            try:
                feed = self._open() if feed is None else feed
                await self._read(feed, stop)
            except BrokerError as error:
                self._failed(error)
            except Exception:
                self._metrics.failed("plants")
                log.exception("plants: a step failed")
            await _pause(stop, self._look_seconds)
        if feed is not None:
            await feed.stop()

    async def _read(self, feed: PlantFeed, stop: asyncio.Event) -> None:
        """Look for partitions, read until the next look is due, and so on; raises BrokerError when a look fails."""
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            self._plants.begin(await feed.look())
            self._plants.trouble = None
            self._plants.wake()
            due = loop.time() + self._look_seconds
            while loop.time() < due and not stop.is_set():
                await self._fetch(feed, min(FETCH_SECONDS, self._look_seconds))

    async def _fetch(self, feed: PlantFeed, seconds: float) -> None:
        messages = await feed.fetch(timeout_seconds=seconds, max_messages=FETCH_MESSAGES)
        for message in messages:
            self._metrics.plant_message(self._plants.take(message) or "unread")
        if messages:
            self._plants.wake()

    def _failed(self, error: BrokerError) -> None:
        self._metrics.failed("plants")
        trouble = Text(
            ko=f"브로커에서 새 소식을 받지 못하고 있습니다: {error.text.ko}",
            en=f"nothing new comes from the broker: {error.text.en}",
        )
        if self._plants.trouble is None:
            log.warning("plants: %s", error)
        self._plants.trouble = trouble


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
