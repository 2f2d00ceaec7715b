"""The task that scores forecasts: what the topic holds at the start, then laboratory values as they come."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping

from sojae.adapters.kafka_connection import Connection
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import StoreError
from sojae.domain.plant import Plant
from sojae.topics import forecasts_topic
from sojae_monitor.lab_values import LabValues
from sojae_monitor.log_reading import read_to_end
from sojae_monitor.metrics import MonitorMetrics
from sojae_monitor.outbox import Outbox
from sojae_monitor.scores import MAX_BATCHES, TAIL, LabValue, Scores, read_forecast

log = logging.getLogger(__name__)


async def restore_scores(connection: Connection, scores: Scores, plants: Mapping[str, Plant]) -> None:
    """Take what the forecasts topics hold at their ends, so that batches from before a restart are scored; BrokerError."""
    for plant in plants.values():
        if plant.forecast is not None:
            async for message in read_to_end(connection, forecasts_topic(plant.plant), last=TAIL):
                record = read_forecast(message.value)
                if record is not None and record["plant"] == plant.plant:
                    scores.restore(record)


class Scoring:
    """Follows the laboratory values of every plant that forecasts, and sends scores."""

    def __init__(
        self, scores: Scores, plants: Mapping[str, Plant], store_uri: str, book: Callable[[], TemplateBook]
    ) -> None:
        self._scores = scores
        self._values = {
            name: LabValues(store_uri, plant, book) for name, plant in plants.items() if plant.forecast is not None
        }

    async def run(self, outbox: Outbox, metrics: MonitorMetrics, every_seconds: float) -> None:
        """Score for ever; a store that cannot be read is logged, and read again. Raises BrokerError."""
        while True:
            await asyncio.sleep(every_seconds)
            for name, values in self._values.items():
                try:
                    found = await asyncio.to_thread(_newest, values)
                except StoreError as error:
                    log.warning("laboratory values cannot be read: %s", error)
                else:
                    self._scores.measured(name, found)
            for message in self._scores.due():
                await outbox.put(message)
                metrics.score()


def _newest(values: LabValues) -> deque[LabValue]:
    return deque(values.step(), maxlen=MAX_BATCHES)
