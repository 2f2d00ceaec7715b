"""Windows: panes folded from left to right, and the features of each channel."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sojae_monitor.emitted import MICROSECONDS, ChannelWindow
from sojae_monitor.layout import Floats, PlantLayout
from sojae_monitor.panes import PaneRows
from sojae_monitor.segments import COUNT, DOSE, DWELL, TIME, TIME_SQUARED, TIME_TOTAL, TOTAL

LEAST_SPREAD: Final = 1e-10
"""Of times in a window, relative to their squares: with less, rounding would be the slope."""

AT_ONCE: Final = 200_000
"""Panes times channels folded in one step: it bounds the memory that many windows take."""

Channels = tuple[ChannelWindow, ...]


class WindowFolder:
    """Makes windows of one plant.

    Windows that overlap share blocks of panes: panes are folded into blocks, blocks into windows, both from left to
    right. Blocks begin where windows can, so which panes make one does not depend on what is folded at once.
    """

    def __init__(self, layout: PlantLayout) -> None:
        self._names = (layout.channels, layout.units)
        self._block = math.gcd(layout.window_panes, layout.emit_panes)
        self._size, self._every = layout.window_panes // self._block, layout.emit_panes // self._block
        self._at_once = max(1, AT_ONCE // (layout.window_panes * len(layout.channels)))
        pane_seconds = layout.pane_us / MICROSECONDS
        # From the begin of a pane to the middle of its block, and from there to the middle of the window.
        self._in_block = (np.arange(self._block, dtype=np.float64) - self._block / 2) * pane_seconds
        self._in_window = (np.arange(self._size, dtype=np.float64) - (self._size - 1) / 2) * (
            self._block * pane_seconds
        )

    def fold(self, rows: PaneRows, number: int) -> Iterator[Channels | None]:
        """Yield the channels of `number` windows, one every `emit_panes`, the first from the first pane on.

        Panes behind the last count as empty; None stands for a window in which the asset has told nothing.
        """
        rows = rows.padded((self._size + (number - 1) * self._every) * self._block)
        for first in range(0, number, self._at_once):
            begin, end = first * self._every, (min(number, first + self._at_once) - 1) * self._every + self._size
            yield from self._folded(rows.part(begin * self._block, end * self._block))

    def _folded(self, rows: PaneRows) -> Iterator[Channels | None]:
        sums = _added(self._blocks(rows.sums), self._in_block)
        folded = _added(self._windows(sums), self._in_window)
        low = self._windows(self._blocks(rows.low).min(axis=1)).min(axis=1)
        high = self._windows(self._blocks(rows.high).max(axis=1)).max(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, slope = folded[:, TOTAL] / folded[:, COUNT], _slope(folded)
        count = folded[:, COUNT].astype(np.int64)
        columns = (count, mean, low, high, slope, folded[:, DWELL], folded[:, DOSE])
        for window in zip(*(column.tolist() for column in columns), strict=True):
            yield self._channels(window) if any(window[0]) else None

    def _blocks(self, panes: Floats) -> Floats:
        return panes.reshape(-1, self._block, *panes.shape[1:])

    def _windows(self, blocks: Floats) -> Floats:
        """Return a view of the blocks of each window, (windows, blocks, …)."""
        if len(blocks) == self._size:
            return blocks[np.newaxis]
        return np.moveaxis(sliding_window_view(blocks, self._size, axis=0)[:: self._every], -1, 1)

    def _channels(self, window: tuple[list[Any], ...]) -> Channels:
        if all(window[0]):
            return tuple(map(ChannelWindow, *self._names, *window))
        return tuple(
            ChannelWindow(name, unit, *rest) if rest[0] else ChannelWindow(name, unit, 0, *(math.nan,) * 6)
            for name, unit, *rest in zip(*self._names, *window, strict=True)
        )


def _added(parts: Floats, shift: Floats) -> Floats:
    """Return the sums over the second axis; `shift` is by how much the times of each part grow.

    NOTE: along an axis that is not the innermost, numpy adds one part after the other; tests hold it to that.
    """
    count, total, time = parts[:, :, COUNT], parts[:, :, TOTAL], parts[:, :, TIME]
    seconds = shift[:, np.newaxis]
    moved = np.empty((*parts.shape[:2], 3, parts.shape[-1]))
    moved[:, :, 0] = time + seconds * count
    moved[:, :, 1] = parts[:, :, TIME_SQUARED] + seconds * (2 * time + seconds * count)
    moved[:, :, 2] = parts[:, :, TIME_TOTAL] + seconds * total
    return np.concatenate([np.add.reduce(parts[:, :, :TIME], axis=1), np.add.reduce(moved, axis=1)], axis=1)


def _slope(folded: Floats) -> Floats:
    """Return the least-squares slope per second, NaN where the times do not carry one."""
    mean_time = folded[:, TIME] / folded[:, COUNT]
    spread = folded[:, TIME_SQUARED] - mean_time * folded[:, TIME]
    together = folded[:, TIME_TOTAL] - mean_time * folded[:, TOTAL]
    return np.where(spread > LEAST_SPREAD * folded[:, TIME_SQUARED], together / spread, math.nan)
