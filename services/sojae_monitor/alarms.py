"""Limits with hysteresis on the means of closed panes."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sojae_monitor.layout import Floats, LimitRule, PlantLayout
from sojae_monitor.panes import PaneRows
from sojae_monitor.segments import COUNT, TOTAL

FEW: Final = 64
"""Means that are sooner looked at one by one than all at once."""


class Change(NamedTuple):
    """A limit raised or cleared by a pane: `place` counts panes from the first given, `began` is the pane that raised it."""

    place: int
    limit: LimitRule
    state: str
    began: int
    mean: float


@dataclass(slots=True)
class Watch:
    """The state of one limit: panes beyond it in a row, and the pane that raised it while it is raised."""

    run: int = 0
    began: int | None = None


class AlarmWatch:
    """The limits of one asset. A pane without a good sample changes nothing."""

    def __init__(self, layout: PlantLayout) -> None:
        self._limits = layout.limits
        self._channels = np.array([limit.channel for limit in layout.limits], dtype=np.int64)
        self._signs = np.array([limit.sign for limit in layout.limits])
        self._at = self._signs * np.array([limit.at for limit in layout.limits])
        self._clear = self._signs * np.array([limit.clear for limit in layout.limits])
        self.states = [Watch() for _ in layout.limits]

    def step(self, rows: PaneRows, first: int) -> list[Change]:
        """Return what these closed panes changed, in order of pane, channel and rule; `first` is the first one's number."""
        if not self._limits or not len(rows):
            return []
        with np.errstate(invalid="ignore", divide="ignore"):
            means: Floats = rows.sums[:, TOTAL, self._channels] / rows.sums[:, COUNT, self._channels]
        if means.size <= FEW:
            walked = [c for number in range(len(self.states)) for c in self._walk(number, first, means[:, number])]
            return _in_order(walked)
        told = ~np.isnan(means)
        signed: Floats = self._signs * means
        beyond = signed > self._at
        back = signed <= self._clear
        any_beyond, any_back, any_told = (np.any(flags, axis=0) for flags in (beyond, back, told))
        changes: list[Change] = []
        for number, state in enumerate(self.states):
            if state.began is None and not any_beyond[number]:
                state.run = 0 if any_told[number] else state.run
            elif state.began is None or any_back[number]:
                changes += self._walk(number, first, means[:, number])
        return _in_order(changes)

    def _walk(self, number: int, first: int, means: Floats) -> list[Change]:
        limit, state = self._limits[number], self.states[number]
        changes = []
        for place, mean in enumerate(means.tolist()):
            if math.isnan(mean):
                continue
            if state.began is not None:
                if limit.sign * mean <= limit.sign * limit.clear:
                    changes.append(Change(place, limit, "cleared", state.began, mean))
                    state.began, state.run = None, 0
                continue
            state.run = state.run + 1 if limit.sign * mean > limit.sign * limit.at else 0
            if state.run >= limit.panes:
                state.began = first + place
                changes.append(Change(place, limit, "raised", state.began, mean))
        return changes


def _in_order(changes: list[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: (change.place, change.limit.channel, change.limit.rule))
