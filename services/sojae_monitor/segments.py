"""Series cut at the borders of panes, and the sums of each piece: no loop over messages, series or samples.

The sums of a piece depend on nothing but the message it is of, so they are the same in whatever batch it comes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sojae_monitor.admission import Admitted
from sojae_monitor.decode import Messages
from sojae_monitor.emitted import MICROSECONDS
from sojae_monitor.layout import KELVIN_OFFSET, Flags, Floats, Ints, PlantLayout
from sojae_monitor.series import SeriesTable

COUNT, TOTAL, ABOVE, ABOVE_TOTAL, DWELL, DOSE, TIME, TIME_SQUARED, TIME_TOTAL = range(9)
"""Rows of sums: good samples n, Σv, n above the limit, Σv above it, seconds above it, dose in seconds, Σt, Σt², Σtv;
t in seconds from the pane's begin."""

SUMS: Final = 9

MAX_EXPONENT: Final = 230.0
"""e^230 is 1e100: no dose overflows."""


@dataclass(frozen=True, slots=True)
class Grids:
    """Time grids of messages, one behind the other, cut into pieces of one pane each.

    `times` has seconds from the begin of a sample's pane; `weights` is None when all grids are regular: a sample then
    counts 1 and the piece is multiplied by the message's step; otherwise irregular ones have seconds, and step 1.
    """

    begin: Ints
    times: Floats
    weights: Floats | None
    steps: Floats
    piece_at: Ints
    """Where each message's pieces begin; one more at the end."""
    piece_begin: Ints
    piece_length: Ints
    pane: Ints


@dataclass(frozen=True, slots=True)
class Segments:
    """Pieces of series in offset order: message, channel and pane of each, `sums` (9, n), smallest and largest value."""

    message: Ints
    channel: Ints
    pane: Ints
    sums: Floats
    low: Floats
    high: Floats
    told: tuple[int, ...]
    """Rows of `sums` that are not all zero."""

    def __len__(self) -> int:
        return len(self.message)

    def where(self, keep: Flags) -> "Segments":
        """Return the segments that are flagged."""
        message, channel, pane = self.message[keep], self.channel[keep], self.pane[keep]
        return Segments(message, channel, pane, self.sums[:, keep], self.low[keep], self.high[keep], self.told)


def cut(messages: Messages, admitted: Admitted, series: SeriesTable, layout: PlantLayout) -> Segments:
    """Return the pieces of all series."""
    used, row = np.unique(series.message, return_inverse=True)
    grids = _grids(messages, admitted, used, layout)
    pieces = np.diff(grids.piece_at)[row]
    of = np.repeat(np.arange(len(row)), pieces)
    first = np.cumsum(pieces) - pieces
    piece = np.arange(len(of)) - np.repeat(first - grids.piece_at[row], pieces)
    shift = series.begin - grids.begin[row]
    begin = grids.piece_begin[piece] + shift[of]
    sums = np.zeros((SUMS, len(of)))
    samples = np.arange(len(series.values)) - np.repeat(shift, series.length)
    times = grids.times[samples]
    weights = None if grids.weights is None else grids.weights[samples]
    part = _Part(series.values, begin, grids.piece_length[piece], grids.steps[row][of])
    if len(of) and series.left_out is None:
        # All series of a message share its times: added once, they are the sums that each would give.
        sums[TIME] = np.add.reduceat(grids.times, grids.piece_begin)[piece]
        sums[TIME_SQUARED] = np.add.reduceat(grids.times * grids.times, grids.piece_begin)[piece]
    low, high = _fill(sums, part, times, series.left_out)
    channel = series.channel[of]
    told = (
        *(COUNT, TOTAL, TIME, TIME_SQUARED, TIME_TOTAL),
        *_fill_above(sums, part, weights, layout.limit_above[channel]),
        *_fill_dose(sums, part, weights, layout, channel),
    )
    return Segments(series.message[of], channel, grids.pane[piece], sums, low, high, told)


@dataclass(frozen=True, slots=True)
class _Part:
    """Values with the begins, lengths and steps of their pieces."""

    values: Floats
    begin: Ints
    length: Ints
    steps: Floats

    def of(self, keep: Flags) -> tuple["_Part", "Flags | slice"]:
        """Return the pieces that are flagged, and which samples are theirs."""
        if keep.all():
            return self, slice(None)
        samples = np.repeat(keep, self.length)
        length = self.length[keep]
        return _Part(self.values[samples], np.cumsum(length) - length, length, self.steps[keep]), samples


def _grids(messages: Messages, admitted: Admitted, used: Ints, layout: PlantLayout) -> Grids:
    length = admitted.samples[used]
    begin = np.cumsum(length) - length
    index = np.arange(int(length.sum())) - np.repeat(begin, length)
    t0, irregular = messages.t0[used], admitted.irregular[used]
    dt = np.where(irregular, 0.0, messages.dt[used])  # not used with times, and then it may be anything
    since = index * np.repeat(dt, length)
    steps = dt / MICROSECONDS
    weights = None
    if irregular.any():
        steps = np.where(irregular, 1.0, steps)
        weights = np.ones(len(index))
        for row in np.flatnonzero(irregular).tolist():
            times = messages.times[messages.times_at[used[row]] : messages.times_at[used[row] + 1]].astype(np.float64)
            place = slice(int(begin[row]), int(begin[row]) + len(times))
            since[place] = times
            weights[place] = _held(times) / MICROSECONDS
    pane_us = layout.pane_us
    within = since + np.repeat(t0 % pane_us, length)
    passed = np.floor(within / pane_us)
    times = (within - passed * pane_us) / MICROSECONDS
    border = np.empty(len(index), dtype=np.bool_)
    border[1:] = passed[1:] != passed[:-1]
    border[begin] = True
    piece_begin = np.flatnonzero(border)
    piece_length = np.diff(piece_begin, append=len(index))
    piece_at = np.searchsorted(piece_begin, np.append(begin, len(index)))
    pane = passed[piece_begin].astype(np.int64) + np.repeat(t0 // pane_us, np.diff(piece_at))
    return Grids(begin, times, weights, steps, piece_at, piece_begin, piece_length, pane)


def _held(times: Floats) -> Floats:
    """Return how long each sample stands: until the next one of its message, the last as long as the one before."""
    if len(times) == 1:
        return np.zeros(1)
    steps = np.diff(times)
    return np.append(steps, steps[-1])


def _fill(sums: Floats, part: _Part, times: Floats, left_out: Flags | None) -> tuple[Floats, Floats]:
    """Fill in what every channel has (times only where samples are left out), and return the smallest and largest value."""
    values, begin = part.values, part.begin
    if not len(begin):
        return np.empty(0), np.empty(0)
    low_values = high_values = values
    if left_out is None:
        sums[COUNT] = part.length
    else:
        low_values = np.where(left_out, np.inf, values)
        high_values = np.where(left_out, -np.inf, values)
        values = np.where(left_out, 0.0, values)
        times = np.where(left_out, 0.0, times)
        sums[COUNT] = np.add.reduceat((~left_out).astype(np.float64), begin)
        sums[TIME] = np.add.reduceat(times, begin)
        sums[TIME_SQUARED] = np.add.reduceat(times * times, begin)
    sums[TOTAL] = np.add.reduceat(values, begin)
    sums[TIME_TOTAL] = np.add.reduceat(times * values, begin)
    return np.minimum.reduceat(low_values, begin), np.maximum.reduceat(high_values, begin)


def _fill_above(sums: Floats, part: _Part, weights: Floats | None, limit: Floats) -> tuple[int, ...]:
    """Fill in what lies above the limits, and return the rows that this filled."""
    keep = ~np.isnan(limit)
    if not keep.any():
        return ()
    part, samples = part.of(keep)
    above = part.values > _spread(limit[keep], part.length)
    number = np.add.reduceat(above.astype(np.float64), part.begin)
    held = number if weights is None else np.add.reduceat(np.where(above, weights[samples], 0.0), part.begin)
    sums[ABOVE, keep] = number
    sums[ABOVE_TOTAL, keep] = np.add.reduceat(np.where(above, part.values, 0.0), part.begin)
    sums[DWELL, keep] = held * part.steps
    return ABOVE, ABOVE_TOTAL, DWELL


def _fill_dose(
    sums: Floats, part: _Part, weights: Floats | None, layout: PlantLayout, channel: Ints
) -> tuple[int, ...]:
    """Fill in the Arrhenius dose, seconds at the reference that count as much: Σ exp(−Q/R (1/T − 1/T₀)) Δt."""
    keep = layout.has_dose[channel]
    if not keep.any():
        return ()
    part, samples = part.of(keep)
    kelvin = part.values + KELVIN_OFFSET
    activation = _spread(layout.activation[channel[keep]], part.length)
    reference = _spread(layout.reference[channel[keep]], part.length)
    warm = kelvin > 0  # NaN and what is colder than nothing have no dose
    kelvin = np.where(warm, kelvin, 1.0)
    rate = np.exp(np.minimum(activation * (reference - 1 / kelvin), MAX_EXPONENT))
    rate[~warm] = 0.0
    if weights is not None:
        rate = rate * weights[samples]
    sums[DOSE, keep] = np.add.reduceat(rate, part.begin) * part.steps
    return (DOSE,)


def _spread(values: Floats, length: Ints) -> "Floats | np.float64":
    """Return a value for each sample of the pieces, or the one that all pieces share."""
    first: np.float64 = values[0]
    return first if (values == first).all() else np.repeat(values, length)
