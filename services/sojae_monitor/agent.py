"""The loop between Faust's stream and the engines: feed, send, acknowledge; and the timer that keeps checkpoints."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from sojae.adapters.kafka_raw import possible_time
from sojae.adapters.template_files import TemplateBook
from sojae.domain.plant import Plant
from sojae.ports import Partition
from sojae_monitor.checkpoints import checkpoint_message
from sojae_monitor.emitted import Emitted, Sample, Window
from sojae_monitor.messages import Outgoing, alarm_message, feature_message
from sojae_monitor.metrics import MonitorMetrics
from sojae_monitor.outbox import Outbox, acknowledged
from sojae_monitor.placement import Followed, Placement

log = logging.getLogger(__name__)


class Forecaster(Protocol):
    """Forecasts the property of a running batch."""

    def forecast(self, plant: Plant, window: Window) -> Outgoing | None:
        """Return the forecast after a window of a running batch, or None when there is none."""
        ...

    def ended(self, plant: Plant, batch: str) -> None:
        """Note that a batch has ended."""
        ...


class MonitorAgent:
    """Feeds what Faust delivers to the engines of its partitions, and sends what they give."""

    def __init__(
        self,
        placement: Placement,
        outbox: Outbox,
        forecaster: Forecaster,
        book: Callable[[], TemplateBook],
        metrics: MonitorMetrics,
    ) -> None:
        self._placement = placement
        self._outbox = outbox
        self._forecaster = forecaster
        self._book = book
        self._metrics = metrics
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def place(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Return from which offset each partition must be read."""
        return await self._placement.place(partitions)

    def fail(self, error: BaseException) -> None:
        """End the worker with this error; the first one counts."""
        if not self._failure.done():
            self._failure.set_exception(error)

    async def failed(self) -> None:
        """Return never; raises what the worker must end with."""
        await asyncio.shield(self._failure)

    async def follow(self, stream: Any, take: int, within_seconds: float) -> None:
        """Work on a stream for ever, in batches; an error ends the worker, with nothing of the batch acknowledged."""
        async for events in stream.noack_take(take, within=within_seconds):
            try:
                await self.work([event.message for event in events])
            except Exception as error:
                self.fail(error)
                raise
            for event in events:
                await stream.ack(event)

    async def work(self, messages: Sequence[Any]) -> None:
        """Feed messages to their partitions' engines and send what comes of it; raises BrokerError."""
        samples: dict[Partition, list[Sample]] = {}
        for message in messages:
            sample = Sample(message.offset, _milliseconds(message.timestamp), message.value)
            samples.setdefault(message.tp, []).append(sample)
        async with self._placement.lock:
            for partition, batch in samples.items():
                followed = self._placement.followed.get(partition)
                if followed is None:
                    self._metrics.set_aside(len(batch), "not_ours")
                    continue
                try:
                    await self._send(followed, self._fed(followed, batch))
                except BaseException:
                    # What was fed and not sent must be in no checkpoint: its replay sends it. A cancellation cuts it too.
                    self._placement.followed.pop(partition, None)
                    raise

    def _fed(self, followed: Followed, samples: Sequence[Sample]) -> Emitted:
        replaying, before = followed.engine.replaying, followed.engine.next_offset
        emitted = followed.engine.feed(samples)
        self._metrics.followed(followed.engine.next_offset - before, emitted.counts, replaying=replaying)
        return emitted

    async def _send(self, followed: Followed, emitted: Emitted) -> None:
        plant = followed.plant
        for window in emitted.windows:
            await self._outbox.put(feature_message(plant, window))
            self._metrics.window(sum(channel.count for channel in window.channels))
            if window.batch is not None and plant.forecast is not None:
                forecast = self._forecaster.forecast(plant, window)
                if forecast is not None:
                    await self._outbox.put(forecast)
        for alarm in emitted.alarms:
            await self._outbox.put(alarm_message(plant, alarm))
            self._metrics.alarm(alarm.state)
        for batch in emitted.batches:
            self._metrics.batch(complete=batch.complete)
            self._forecaster.ended(plant, batch.batch)
            if batch.complete:
                await self._outbox.put(followed.events.message(batch, self._book().get(plant.project, "process")))
            else:
                log.warning(
                    "%s/%s: batch %s was under way when data began: no event", plant.plant, batch.asset, batch.batch
                )

    async def keep(self) -> None:
        """Keep a checkpoint of every partition, once all that was sent before it is acknowledged; raises BrokerError.

        NOTE: it is taken between two batches, and none while a partition's replay has not passed what it was restored
        from: a checkpoint of half a replay would hold panes without the samples before them.
        """
        async with self._placement.lock:
            waiting = self._outbox.take()
            states = [(f, f.engine.checkpoint()) for f in self._placement.followed.values() if self._moved(f)]
        await acknowledged(waiting)
        for followed, checkpoint in states:
            if checkpoint is not None:
                await self._outbox.put(checkpoint_message(checkpoint))
                followed.kept = checkpoint.position
        lags = [f.engine.next_offset - f.kept for f in self._placement.followed.values()]
        self._metrics.kept(sum(max(0, lag) for lag in lags))

    @staticmethod
    def _moved(followed: Followed) -> bool:
        return not followed.engine.replaying and followed.engine.next_offset != followed.kept

    async def keep_on(self, every_seconds: float, over: asyncio.Event) -> None:
        """Keep checkpoints until it is over, and the last one after that; raises BrokerError."""
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), every_seconds)
            await self.keep()
        await acknowledged(self._outbox.take())


def _milliseconds(timestamp_seconds: float | None) -> int:
    """Return Kafka's time of a message; 0 where there is none that can be, before which no plant has measured."""
    return possible_time(round((timestamp_seconds or 0.0) * 1_000)) or 0
