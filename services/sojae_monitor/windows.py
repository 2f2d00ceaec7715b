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
    """Makes windows of one plant."""

    def __init__(self, layout: PlantLayout) -> None:
        self._names = (layout.channels, layout.units)
        self._size, self._every = layout.window_panes, layout.emit_panes
        self._at_once = max(1, AT_ONCE // (layout.window_panes * len(layout.channels)))
        middle = np.arange(layout.window_panes) - layout.window_panes / 2
        self._shift = (middle * (layout.pane_us / MICROSECONDS))[:, np.newaxis]

    def fold(self, rows: PaneRows, number: int) -> Iterator[Channels | None]:
        """Yield the channels of `number` windows, one every `emit_panes`, the first from the first pane on.

        Panes behind the last count as empty; None stands for a window in which the asset has told nothing.
        """
        rows = rows.padded(self._size + (number - 1) * self._every)
        for first in range(0, number, self._at_once):
            begin, end = first * self._every, (min(number, first + self._at_once) - 1) * self._every + self._size
            yield from self._folded(rows.part(begin, end))

    def _folded(self, rows: PaneRows) -> Iterator[Channels | None]:
        # NOTE: along an axis that is not the innermost, numpy adds one pane after the other; tests hold it to that.
        panes = np.moveaxis(sliding_window_view(rows.sums, self._size, axis=0)[:: self._every], -1, 1)
        folded = np.add.reduce(panes, axis=1)
        folded[:, TIME:] = np.add.reduce(self._times(panes), axis=1)
        low = sliding_window_view(rows.low, self._size, axis=0)[:: self._every].min(axis=-1)
        high = sliding_window_view(rows.high, self._size, axis=0)[:: self._every].max(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, slope = folded[:, TOTAL] / folded[:, COUNT], _slope(folded)
        count = folded[:, COUNT].astype(np.int64)
        columns = (count, mean, low, high, slope, folded[:, DWELL], folded[:, DOSE])
        for window in zip(*(column.tolist() for column in columns), strict=True):
            yield self._channels(window) if any(window[0]) else None

    def _times(self, panes: Floats) -> Floats:
        """Return Σt, Σt² and Σtv of panes with t from the middle of their window: small numbers keep the slope exact."""
        count, total, time = panes[:, :, COUNT], panes[:, :, TOTAL], panes[:, :, TIME]
        moved = np.empty((*panes.shape[:2], 3, panes.shape[-1]))
        moved[:, :, 0] = time + self._shift * count
        moved[:, :, 1] = panes[:, :, TIME_SQUARED] + self._shift * (2 * time + self._shift * count)
        moved[:, :, 2] = panes[:, :, TIME_TOTAL] + self._shift * total
        return moved

    def _channels(self, window: tuple[list[Any], ...]) -> Channels:
        if all(window[0]):
            return tuple(map(ChannelWindow, *self._names, *window))
        return tuple(
            ChannelWindow(name, unit, *rest) if rest[0] else ChannelWindow(name, unit, 0, *(math.nan,) * 6)
            for name, unit, *rest in zip(*self._names, *window, strict=True)
        )


def _slope(folded: Floats) -> Floats:
    """Return the least-squares slope per second, NaN where the times do not carry one."""
    mean_time = folded[:, TIME] / folded[:, COUNT]
    spread = folded[:, TIME_SQUARED] - mean_time * folded[:, TIME]
    together = folded[:, TIME_TOTAL] - mean_time * folded[:, TOTAL]
    return np.where(spread > LEAST_SPREAD * folded[:, TIME_SQUARED], together / spread, math.nan)
