"""Which partitions are followed, by which engine, and where each is read on: checkpoint, else the log's beginning."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sojae.domain.plant import Plant
from sojae.ports import Partition
from sojae_monitor.checkpoints import CheckpointSource, checkpoint_key
from sojae_monitor.emitted import Checkpoint, Emitted, Sample
from sojae_monitor.metrics import MonitorMetrics
from sojae_monitor.process_event import ProcessEvents

log = logging.getLogger(__name__)

Bounds = tuple[int, int]
"""First offset that a log holds, and the one after its last."""

TopicIds = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
LogBounds = Callable[[Collection[Partition]], Awaitable[Mapping[Partition, Bounds]]]


class PartitionEngine(Protocol):
    """What follows one telemetry partition; see `sojae_monitor.engine.Engine`."""

    next_offset: int

    @property
    def replaying(self) -> bool:
        """Whether the replay has not yet passed the restored position."""
        ...

    def feed(self, samples: Sequence[Sample]) -> Emitted:
        """Take messages in order, and return what they gave."""
        ...

    def checkpoint(self) -> Checkpoint | None:
        """Return the present state, or None while replaying."""
        ...


class EngineClass(Protocol):
    """How engines are made."""

    def __call__(self, plant: Plant, topic_id: str, partition: int) -> PartitionEngine:
        """Return an engine that has seen nothing."""
        ...

    def restore(self, plant: Plant, checkpoint: Checkpoint) -> PartitionEngine:
        """Return the engine of a checkpoint; raises ValueError when it is not one of this plant's layout."""
        ...


@dataclass(slots=True)
class Followed:
    """One partition: its plant and engine, what makes its batches' events, and the position of its last checkpoint."""

    plant: Plant
    engine: PartitionEngine
    events: ProcessEvents
    kept: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where checkpoints, topic ids and the logs' bounds come from, and how engines are made."""

    checkpoints: CheckpointSource
    topic_ids: TopicIds
    bounds: LogBounds
    engine: EngineClass


class Placement:
    """The partitions that this worker follows; rebuilt whole at every seek, so state and position always agree."""

    def __init__(self, plants: Mapping[str, Plant], sources: Sources, metrics: MonitorMetrics) -> None:
        self._plants = plants
        self._sources = sources
        self._metrics = metrics
        self.followed: dict[Partition, Followed] = {}
        self.lock = asyncio.Lock()
        """Held while a batch is worked on and while partitions are placed."""
        self.ready = False

    async def place(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Return from which offset each partition must be read, with an engine in its place; raises BrokerError."""
        async with self.lock:
            self.followed.clear()
            starts = await self._placed(partitions) if partitions else {}
        self.ready = True
        self._metrics.placed(len(self.followed))
        log.info("%d telemetry partitions are placed", len(self.followed))
        return starts

    async def _placed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        ids = await self._sources.topic_ids(sorted({p.topic for p in partitions}))
        bounds = await self._sources.bounds(partitions)
        keys = {p: checkpoint_key(ids[p.topic], p.number) for p in partitions}
        found = await self._sources.checkpoints.read(set(keys.values()))
        return {p: self._start(p, ids[p.topic], found.get(keys[p]), bounds[p]) for p in partitions}

    def _start(self, partition: Partition, topic_id: str, checkpoint: Checkpoint | None, bounds: Bounds) -> int:
        plant = self._plants[partition.topic]
        engine = None if checkpoint is None else self._restored(partition, plant, checkpoint, bounds)
        if engine is None:
            engine = self._sources.engine(plant, topic_id, partition.number)
            engine.next_offset = bounds[0]
        events = ProcessEvents(plant, topic_id, partition.number)
        self.followed[partition] = Followed(plant, engine, events, engine.next_offset)
        return engine.next_offset

    def _restored(
        self, partition: Partition, plant: Plant, checkpoint: Checkpoint, bounds: Bounds
    ) -> PartitionEngine | None:
        first, end = bounds
        if checkpoint.resume < first or checkpoint.position > end:
            log.warning(
                "%s-%d: the log holds %d to %d, and the checkpoint wants %d to %d: it is followed from %d, "
                "and a batch that was running is incomplete",
                *(partition.topic, partition.number, first, end, checkpoint.resume, checkpoint.position, first),
            )
            return None
        try:
            return self._sources.engine.restore(plant, checkpoint)
        except (ValueError, KeyError, TypeError) as error:  # damaged, or of another layout of the plant
            log.warning("%s-%d: its checkpoint cannot be used (%s): it is followed from %d", *partition, error, first)
            return None
