"""The series of messages that are taken: which channel each is, in the channel's unit, and which samples are good."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from sojae_monitor.decode import Messages
from sojae_monitor.layout import Flags, Floats, Ints, PlantLayout
from sojae_monitor.units import UnitLines

LARGEST: Final = 1e100
"""What is larger is no reading; smaller ones cannot overflow in any sum that is built of them."""

BAD: Final = 2


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """Series in offset order, their values one behind the other."""

    message: Ints
    channel: Ints
    length: Ints
    begin: Ints
    """Where the values of each begin."""
    values: Floats
    """NaN where a sample is left out."""
    left_out: Flags | None
    """Which samples are NaN; None when none is."""


class SeriesReader:
    """Reads the series of one plant."""

    def __init__(self, layout: PlantLayout) -> None:
        self._channels = {name.encode(): i for i, name in enumerate(layout.channels)}
        self._units = [unit.encode() for unit in layout.units]
        self._lines = UnitLines(layout.units)

    def read(self, messages: Messages, taken: Flags, counts: Counter[str]) -> SeriesTable:
        """Return the series of the messages `taken`; unknown channels and units are counted in series, the rest in samples."""
        owner = np.repeat(np.arange(len(messages)), np.diff(messages.series_at))
        length = np.diff(messages.values_at)
        channel = messages.channel.among(self._channels)
        use = taken[owner] & (length > 0)
        _add(counts, "unknown_channel", int((use & (channel < 0)).sum()))
        use &= channel >= 0
        use &= ~self._repeated(owner, channel, use, counts)
        odd = np.flatnonzero(use & (messages.unit.codes != self._expected(messages)[channel]))
        factor, offset = self._convert(messages, channel, odd)
        odd_lost = odd[np.isnan(factor)]
        _add(counts, "unit", len(odd_lost))
        use[odd_lost] = False
        values, begin = messages.values, messages.values_at[:-1]
        poor = self._poor(messages, use, counts)
        if not use.all():
            keep = np.repeat(use, length)
            values = values[keep]
            poor = None if poor is None else poor[keep]
        begin = np.cumsum(length * use) - length * use
        if len(odd) > len(odd_lost):
            values = values.copy()
            for at, a, b in zip(odd.tolist(), factor.tolist(), offset.tolist(), strict=True):
                part = slice(int(begin[at]), int(begin[at] + length[at]))
                if use[at]:
                    values[part] = values[part] * a + b
        values, left_out = _cleaned(values, poor, counts)
        return SeriesTable(owner[use], channel[use], length[use], begin[use], values, left_out)

    def _repeated(self, owner: Ints, channel: Ints, use: Flags, counts: Counter[str]) -> Flags:
        """Return the series of a channel that the same message has told already: which of them holds, nobody knows."""
        key = np.where(use, owner * len(self._channels) + channel, -1)
        again = np.zeros(len(owner), dtype=np.bool_)
        told = np.bincount(key[use]) if use.any() else np.empty(0, dtype=np.int64)
        if len(told) and told.max() > 1:
            again[use] = told[key[use]] > 1
            _add(counts, "repeated_channel", int(again.sum()))
        return again

    def _expected(self, messages: Messages) -> Ints:
        """Return for each channel the code under which this batch holds its unit; −2 when no series says it."""
        places = {word: code for code, word in enumerate(messages.unit.words)}
        return np.array([places.get(unit, -2) for unit in self._units], dtype=np.int64)

    def _convert(self, messages: Messages, channel: Ints, odd: Ints) -> tuple[Floats, Floats]:
        """Return factor and offset of the series whose unit is not the channel's, NaN where there are none."""
        lines = [
            self._lines.line(c, messages.unit.words[code]) or (np.nan, np.nan)
            for c, code in zip(channel[odd].tolist(), messages.unit.codes[odd].tolist(), strict=True)
        ]
        table = np.array(lines, dtype=np.float64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    @staticmethod
    def _poor(messages: Messages, use: Flags, counts: Counter[str]) -> Flags | None:
        """Return which samples of the whole batch are bad by their quality; None when none is said to be."""
        start, count, code = messages.quality
        series = np.repeat(np.arange(len(use)), np.diff(messages.quality_at))
        held = use[series]
        if not held.any():
            return None
        series, start, count, code = series[held], start[held], count[held], code[held]
        _add(counts, "uncertain", int(count[code != BAD].sum()))
        first = messages.values_at[series] + start
        change = np.zeros(len(messages.values) + 1, dtype=np.int64)
        bad = code == BAD
        np.add.at(change, first[bad], 1)
        np.add.at(change, (first + count)[bad], -1)
        poor = np.cumsum(change[:-1]) > 0
        _add(counts, "bad_quality", int(poor.sum()))
        return poor


def _cleaned(values: Floats, poor: Flags | None, counts: Counter[str]) -> tuple[Floats, Flags | None]:
    left_out = ~(np.abs(values) <= LARGEST)
    if poor is not None:
        _add(counts, "no_reading", int((left_out & ~poor).sum()))
        left_out |= poor
    else:
        _add(counts, "no_reading", int(left_out.sum()))
    if not left_out.any():
        return values, None
    return np.where(left_out, np.nan, values), left_out


def _add(counts: Counter[str], reason: str, number: int) -> None:
    if number:
        counts[reason] += number
