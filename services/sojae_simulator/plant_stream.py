"""The telemetry of one kiln without end: one message after another, with the marks of its batches."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from sojae.domain.plant import Plant
from sojae_simulator.furnace_law import Floats
from sojae_simulator.plant_draws import US, Batch, BatchDraws, read

Marks = tuple[tuple[int, str, str], ...]
"""(Unix µs, start or end, batch) of each mark."""


class KilnState(msgspec.Struct, frozen=True):
    """Where a kiln is in its own time: `time_us` is the first sample that has not been sent, `batch` runs or is next."""

    time_us: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message says: samples from `t0_us` on, `step_us` apart; `quality` has (start, count, code) by channel.

    `batch` runs or is next; `started`, `ended` and `drawn` are what happens to batches within the message.
    """

    asset: str
    t0_us: int
    step_us: int
    channels: Mapping[str, Floats]
    batch: Batch
    marks: Marks = ()
    quality: Mapping[str, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)
    started: Batch | None = None
    ended: Batch | None = None
    drawn: Batch | None = None

    @property
    def samples(self) -> int:
        """How many samples each channel has."""
        return len(next(iter(self.channels.values()), ()))

    @property
    def end_us(self) -> int:
        """Until when it tells: it cannot be sent before."""
        return self.t0_us + self.samples * self.step_us


class Kiln:
    """One kiln; equal plants, seeds and states give equal readings."""

    def __init__(
        self, plant: Plant, state: KilnState, draws: BatchDraws, rng: np.random.Generator, *, step_us: int, samples: int
    ) -> None:
        self._plant, self._draws, self._rng = plant, draws, rng
        self._step_us, self._samples = step_us, samples
        self._last: Batch | None = None
        self.state = state

    @property
    def due_us(self) -> int:
        """When the next message is complete."""
        return self.state.time_us + self._step_us * self._samples

    def next(self) -> Reading:
        """Return the next message, and move on."""
        begin, end, batch = self.state.time_us, self.due_us, self.state.batch
        times = begin + self._step_us * np.arange(self._samples)
        shown = read(self._channels(times, batch), self._rng)
        channels = {name: shown[name] for name in self._plant.channels if name in shown}
        starts, ends = begin <= batch.start_us < end, begin <= batch.end_us < end
        marks = [(batch.start_us, "start", batch.name)] if starts else []
        marks += [(batch.end_us, "end", batch.name)] if ends else []
        drawn = self._draws.next(batch.number + 1, batch.end_us) if ends else None
        if drawn is not None:
            self._last = batch
        self.state = KilnState(end, batch if drawn is None else drawn)
        return Reading(
            asset=batch.asset,
            t0_us=begin,
            step_us=self._step_us,
            channels=channels,
            batch=batch,
            marks=tuple(marks),
            started=batch if starts else None,
            ended=batch if ends else None,
            drawn=drawn,
        )

    def _channels(self, times: "np.ndarray[tuple[int], np.dtype[np.int64]]", batch: Batch) -> dict[str, Floats]:
        """Return what there is to measure: before a batch starts, the kiln cools from the one before."""
        running = batch.channels(np.maximum(times - batch.start_us, 0) / US)
        if self._last is None or times[0] >= batch.start_us:
            return running
        before = self._last.channels((times - self._last.start_us) / US)
        return {name: np.where(times < batch.start_us, before[name], running[name]) for name in running}
