"""Which messages may be computed with, judged by what each says itself: identity, time grid, lengths, clock."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from sojae.domain.telemetry_checks import EARLIEST_US, LATEST_US
from sojae_monitor.decode import Messages
from sojae_monitor.layout import Flags, Floats, Ints, PlantLayout

MAX_SPAN_PANES: Final = 86_400
"""Panes that one message may span: what is longer is no live message."""

REASONS: Final = (
    "", "unknown_asset", "historical", "identifier", "series_lengths", "time_grid", "time_range", "quality_run",
    "clock_ahead", "too_long",
)  # fmt: skip
"""Why a message is set aside, the first that fits; the position of the word is its number in `Admitted.reason`."""

_NUMBER = {word: number for number, word in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Admitted:
    """The judgement of each message, and its time grid in microseconds; `reason` 0 means that it may be used."""

    reason: Ints
    asset: Ints
    """Number of the asset in the plant, −1 when it has none of that name."""
    samples: Ints
    """Samples of each series."""
    irregular: Flags
    end: Ints
    """Until when the message tells: the end of its last sample's interval, or its last time."""

    def count(self, counts: Counter[str]) -> None:
        """Add the messages that are set aside to the counts, by reason."""
        for number, found in enumerate(np.bincount(self.reason, minlength=len(REASONS)).tolist()):
            if number and found:
                counts[REASONS[number]] += found


def admit(messages: Messages, timestamps_ms: Ints, layout: PlantLayout, assets: dict[bytes, int]) -> Admitted:
    """Return the judgement of each message; `timestamps_ms` are Kafka's, against which a clock ahead shows."""
    asset = messages.asset.among(assets)
    lengths = np.diff(messages.values_at)
    per_message = np.diff(messages.series_at)
    samples = np.zeros(len(messages), dtype=np.int64)
    told = per_message > 0
    samples[told] = lengths[messages.series_at[:-1][told]]
    owner = np.repeat(np.arange(len(messages)), per_message)
    listed = np.diff(messages.times_at)
    irregular = listed > 0
    unequal = _any_of(owner, lengths != samples[owner], len(messages)) | (irregular & (listed != samples))
    span, bad_grid = _spans(messages, samples, irregular)
    usable = ~(bad_grid | unequal) & (span <= LATEST_US)
    begins = (messages.t0 >= EARLIEST_US) & (messages.t0 <= LATEST_US)
    end = np.where(begins, messages.t0, 0) + np.where(usable, span, 0).astype(np.int64)
    reason = np.zeros(len(messages), dtype=np.int64)
    # Written from the last reason to the first, so that the first that fits is what remains.
    reason[usable & (span > float(MAX_SPAN_PANES) * layout.pane_us)] = _NUMBER["too_long"]
    reason[end > timestamps_ms * 1_000 + layout.horizon_us] = _NUMBER["clock_ahead"]
    reason[_bad_runs(messages, owner, lengths)] = _NUMBER["quality_run"]
    reason[~begins | (end > LATEST_US) | (span > LATEST_US)] = _NUMBER["time_range"]
    reason[bad_grid] = _NUMBER["time_grid"]
    reason[unequal] = _NUMBER["series_lengths"]
    reason[(messages.epoch < 0) | (messages.seq < 0)] = _NUMBER["identifier"]
    reason[messages.historical] = _NUMBER["historical"]
    reason[asset < 0] = _NUMBER["unknown_asset"]
    return Admitted(reason, asset, samples, irregular, end)


def _spans(messages: Messages, samples: Ints, irregular: Flags) -> tuple[Floats, Flags]:
    """Return how long each message lasts from its t0, in microseconds, and whether its grid is none."""
    with np.errstate(invalid="ignore", over="ignore"):
        span = np.floor(samples * messages.dt)
        bad = (samples > 0) & ~irregular & ~(np.isfinite(messages.dt) & (messages.dt > 0))
    span[samples == 0] = 0.0
    if irregular.any():
        begin, end = messages.times_at[:-1][irregular], messages.times_at[1:][irregular]
        owner = np.repeat(np.arange(len(messages)), np.diff(messages.times_at))
        falls = (owner[1:] == owner[:-1]) & (messages.times[1:] <= messages.times[:-1])
        bad |= _any_of(owner[1:], falls, len(messages))
        bad[irregular] |= (messages.times[begin] < 0) | (messages.times[end - 1] > LATEST_US)
        span[irregular] = messages.times[end - 1].astype(np.float64)
    return span, bad


def _bad_runs(messages: Messages, owner: Ints, lengths: Ints) -> Flags:
    """Return which messages have a run of qualities that lies outside its series, or of an unknown code."""
    start, count, code = messages.quality
    if not len(start):
        return np.zeros(len(messages), dtype=np.bool_)
    series = np.repeat(np.arange(len(lengths)), np.diff(messages.quality_at))
    bad = (start < 0) | (count < 1) | (start + count > lengths[series]) | (code < 1) | (code > 2)
    return _any_of(owner[series], bad, len(messages))


def _any_of(owner: Ints, flags: Flags, size: int) -> Flags:
    """Return which of `size` messages own at least one of the flags."""
    found = np.zeros(size, dtype=np.bool_)
    found[owner[flags]] = True
    return found
