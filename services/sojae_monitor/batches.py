"""Batches of one asset: a state machine over closed panes in event-time order, moved by marks."""

import bisect
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from sojae.domain.plant import BatchFeature
from sojae_monitor.layout import Floats, PlantLayout
from sojae_monitor.panes import PaneRows
from sojae_monitor.segments import ABOVE, ABOVE_TOTAL, COUNT, DOSE, DWELL, TOTAL

BATCH_SUMS: Final = DOSE + 1
"""A batch keeps the sums up to this row; times serve windows alone."""

MAX_MARKS: Final = 1_000
"""Marks of one asset that may wait: more are counted and dropped."""

SECONDS_PER_HOUR: Final = 3_600.0

BY_MARKS: Final = "marks"
WITHOUT_END: Final = "mark_without_end"

Features = Mapping[str, Mapping[BatchFeature, float]]


class Mark(NamedTuple):
    """What happened to a batch at `t` (Unix µs), and where the log says so; sorts by time, then by place."""

    t: int
    offset: int
    place: int
    kind: str
    batch: str


@dataclass(slots=True)
class Running:
    """A batch under way: `batch` is None for what was under way when data began, whose name only its end will tell."""

    batch: str | None
    start_us: int | None
    sums: Floats
    low: Floats
    high: Floats

    def fold(self, rows: PaneRows) -> None:
        """Add closed panes, from left to right."""
        self.sums = np.add.reduce(np.concatenate([self.sums[np.newaxis], rows.sums[:, :BATCH_SUMS]]), axis=0)
        self.low = np.minimum(self.low, rows.low.min(axis=0))
        self.high = np.maximum(self.high, rows.high.max(axis=0))


class Ended(NamedTuple):
    """A batch that has ended."""

    batch: str
    how: str
    start_us: int
    end_us: int
    complete: bool
    features: Features


def begun(channels: int, batch: str | None = None, start_us: int | None = None) -> Running:
    """Return a batch that has just begun."""
    empty = np.zeros((BATCH_SUMS, channels))
    return Running(batch, start_us, empty, np.full(channels, np.inf), np.full(channels, -np.inf))


@dataclass(slots=True)
class BatchWatch:
    """The batches of one asset. A mark takes effect at the border of panes that is nearest to it."""

    layout: PlantLayout
    running: Running | None
    marks: list[Mark] = field(default_factory=list)
    """Those that wait until their pane closes, in order of time."""

    @property
    def batch(self) -> str | None:
        """The sample_id of the batch that runs."""
        return None if self.running is None else self.running.batch

    def border(self, t: int) -> int:
        """Return the pane before which a mark takes effect."""
        return (2 * t + self.layout.pane_us) // (2 * self.layout.pane_us)

    def wait(self, mark: Mark, counts: Counter[str]) -> None:
        """Keep a mark until its pane closes."""
        if len(self.marks) >= MAX_MARKS:
            counts["too_many_marks"] += 1
        else:
            bisect.insort(self.marks, mark)

    def borders(self, end: int) -> list[int]:
        """Return the panes below `end` before which a mark waits, in order."""
        return sorted({b for b in (self.border(mark.t) for mark in self.marks) if b < end})

    def fold(self, rows: PaneRows, first: int) -> None:
        """Add closed panes, of which `first` is the first one's number, to the batch that runs."""
        if self.running is None or not len(rows):
            return
        if self.running.start_us is None:
            told = np.flatnonzero(rows.sums[:, COUNT].any(axis=1))
            if len(told):
                self.running.start_us = (first + int(told[0])) * self.layout.pane_us
        self.running.fold(rows)

    def pass_border(self, border: int, counts: Counter[str]) -> list[Ended]:
        """Let the marks up to this border take effect, and return the batches that end there."""
        ended = []
        while self.marks and self.border(self.marks[0].t) <= border:
            mark = self.marks.pop(0)
            done = self._start(mark, counts) if mark.kind == "start" else self._end(mark, counts)
            if done is not None:
                ended.append(done)
        return ended

    def features(self) -> Features:
        """Return what the running batch has given so far, by channel; empty when none with a name runs."""
        if self.running is None or self.running.batch is None:
            return {}
        return _features(self.running, self.layout)

    def _start(self, mark: Mark, counts: Counter[str]) -> Ended | None:
        running = self.running
        if running is not None and running.batch == mark.batch:
            counts["repeated_start"] += 1
            return None
        done = None
        if running is not None and running.batch is not None:
            counts["start_without_end"] += 1
            done = self._ended(running, running.batch, WITHOUT_END, mark.t)
        self.running = begun(len(self.layout.channels), mark.batch, mark.t)
        return done

    def _end(self, mark: Mark, counts: Counter[str]) -> Ended | None:
        running = self.running
        if running is None:
            counts["end_without_start"] += 1
            return None
        if running.batch not in (None, mark.batch):
            counts["end_of_another"] += 1
            return None
        self.running = None
        return self._ended(running, mark.batch, BY_MARKS, mark.t)

    def _ended(self, running: Running, batch: str, how: str, end_us: int) -> Ended:
        start_us = end_us if running.start_us is None else running.start_us
        return Ended(batch, how, start_us, end_us, running.batch is not None, _features(running, self.layout))


def _features(running: Running, layout: PlantLayout) -> Features:
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (running.sums[TOTAL] / running.sums[COUNT]).tolist()
        above = (running.sums[ABOVE_TOTAL] / running.sums[ABOVE]).tolist()
    told = (running.sums[COUNT] > 0).tolist()
    low, high = running.low.tolist(), running.high.tolist()
    dwell, dose = (running.sums[DWELL] / SECONDS_PER_HOUR).tolist(), (running.sums[DOSE] / SECONDS_PER_HOUR).tolist()
    has_limit, has_dose = layout.has_limit.tolist(), layout.has_dose.tolist()
    found: dict[str, dict[BatchFeature, float]] = {}
    for i, channel in enumerate(layout.channels):
        features: dict[BatchFeature, float] = {
            "mean": means[i],
            "minimum": low[i] if told[i] else math.nan,
            "maximum": high[i] if told[i] else math.nan,
        }
        if has_limit[i]:
            features |= {"mean_above": above[i], "dwell_h": dwell[i] if told[i] else math.nan}
        if has_dose[i]:
            features["dose_h"] = dose[i] if told[i] else math.nan
        found[channel] = features
    return found
