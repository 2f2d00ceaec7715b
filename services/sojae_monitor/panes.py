"""Panes that are open, or that a window still to come holds: a ring of sums for each asset and channel."""

from dataclasses import dataclass

import numpy as np

from sojae_monitor.layout import Floats, Ints
from sojae_monitor.segments import SUMS, Segments


@dataclass(frozen=True, slots=True)
class PaneRows:
    """Consecutive panes of one asset: `sums` (panes, 9, channels), `low` and `high` (panes, channels)."""

    sums: Floats
    low: Floats
    high: Floats

    def __len__(self) -> int:
        return len(self.sums)

    def part(self, begin: int, end: int) -> "PaneRows":
        """Return the panes of this range."""
        return PaneRows(self.sums[begin:end], self.low[begin:end], self.high[begin:end])

    def padded(self, size: int) -> "PaneRows":
        """Return the same with empty panes behind, `size` in all."""
        more = size - len(self)
        if more <= 0:
            return self
        edge = np.full((more, *self.low.shape[1:]), np.inf)
        sums = np.concatenate([self.sums, np.zeros((more, *self.sums.shape[1:]))])
        return PaneRows(sums, np.concatenate([self.low, edge]), np.concatenate([self.high, -edge]))


class PaneRing:
    """Sums of `panes` panes for each slot and channel; pane p lies in place p mod `panes` of its asset's slot.

    Sums are added strictly in the order in which segments come, so the last bit does not depend on batches.
    """

    def __init__(self, panes: int, channels: int) -> None:
        self.panes = panes
        self._channels = channels
        self._slots = 0
        self._sums = np.zeros((0, panes, SUMS, channels))
        self._low = np.empty((0, panes, channels))
        self._high = np.empty((0, panes, channels))

    def new_slot(self) -> int:
        """Return an empty slot."""
        if self._slots == len(self._low):
            more = max(1, self._slots)
            edge = np.full((more, self.panes, self._channels), np.inf)
            self._sums = np.concatenate([self._sums, np.zeros((more, *self._sums.shape[1:]))])
            self._low, self._high = np.concatenate([self._low, edge]), np.concatenate([self._high, -edge])
        self._slots += 1
        return self._slots - 1

    def add(self, slot: Ints, segments: Segments, chosen: "Ints | slice") -> None:
        """Add the chosen segments, in order; `slot` is that of each segment's asset."""
        pane, channel = segments.pane[chosen], segments.channel[chosen]
        place = slot[chosen] * self.panes + pane % self.panes
        cell, sums = place * (SUMS * self._channels) + channel, self._sums.reshape(-1)
        for row in segments.told:
            np.add.at(sums, cell + row * self._channels, segments.sums[row, chosen])
        edge = place * self._channels + channel
        np.minimum.at(self._low.reshape(-1), edge, segments.low[chosen])
        np.maximum.at(self._high.reshape(-1), edge, segments.high[chosen])

    def rows(self, slot: int, begin: int, end: int) -> PaneRows:
        """Return the panes of this range, which is no longer than the ring; good until something is added or cleared."""
        if begin == end:
            return PaneRows(self._sums[slot, :0], self._low[slot, :0], self._high[slot, :0])
        first, last = begin % self.panes, (end - 1) % self.panes + 1
        if first < last:
            return PaneRows(self._sums[slot, first:last], self._low[slot, first:last], self._high[slot, first:last])
        places = np.arange(begin, end) % self.panes
        return PaneRows(self._sums[slot, places], self._low[slot, places], self._high[slot, places])

    def clear(self, slot: int, begin: int, end: int) -> None:
        """Empty the panes of this range: their places are those of panes to come."""
        places = np.arange(max(begin, end - self.panes), end) % self.panes
        self._sums[slot, places] = 0.0
        self._low[slot, places] = np.inf
        self._high[slot, places] = -np.inf
