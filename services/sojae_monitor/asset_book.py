"""The assets of one partition: found or begun, moved on in time by their messages, kept and restored."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from sojae_monitor.admission import Admitted
from sojae_monitor.alarms import AlarmWatch, Watch
from sojae_monitor.assets import Advance, AssetState
from sojae_monitor.batches import BatchWatch, begun
from sojae_monitor.checkpoint_state import (
    AssetRecord,
    alarm_records,
    restart_record,
    running_of,
    running_record,
    seen_of,
)
from sojae_monitor.decode import Messages
from sojae_monitor.layout import Flags, Ints, PlantLayout
from sojae_monitor.panes import PaneRing
from sojae_monitor.sequence import FRESH, REPEATED, ZOMBIE, Seen, SequenceGuard

MAX_ASSETS: Final = 256
"""Assets of one partition that are followed: each takes a ring of panes."""


class Placed(NamedTuple):
    """Where the messages of a batch lie in the log."""

    offsets: Ints
    timestamps_ms: Ints


class Step(NamedTuple):
    """One asset's part of a batch: its messages that are taken, and what it was before the first of them."""

    asset: AssetState
    rows: Ints
    advance: Advance
    watermark: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class Progress:
    """How a batch moves its assets: which messages are taken, and the first pane that is not late for each of them."""

    taken: Flags
    late_before: Ints
    slot: Ints
    """Slot of each message's asset; −1 where the message is not taken."""
    steps: list[Step]


class AssetBook:
    """Knows the assets of one partition."""

    def __init__(self, layout: PlantLayout, ring: PaneRing) -> None:
        self._layout = layout
        self._ring = ring
        self._numbers = {name: number for number, name in enumerate(layout.assets)}
        self._assets: dict[int, AssetState] = {}

    def __iter__(self) -> Iterator[AssetState]:
        return iter(self._assets.values())

    def move(self, messages: Messages, admitted: Admitted, placed: Placed, counts: Counter[str]) -> Progress:
        """Return which messages are taken, and move each asset's watermark over its own, one after the other."""
        size = len(messages)
        progress = Progress(np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int64), np.full(size, -1), [])
        usable = np.flatnonzero(admitted.reason == 0)
        usable = usable[np.argsort(admitted.asset[usable], kind="stable")]
        borders = (np.flatnonzero(np.diff(admitted.asset[usable])) + 1).tolist()
        for begin, end in pairwise([0, *borders, len(usable)] if len(usable) else []):
            self._move_asset(usable[begin:end], messages, admitted, placed, progress, counts)
        return progress

    def _move_asset(
        self,
        rows: Ints,
        messages: Messages,
        admitted: Admitted,
        placed: Placed,
        progress: Progress,
        counts: Counter[str],
    ) -> None:
        first = int(rows[0])
        asset = self._found(int(admitted.asset[first]), int(messages.t0[first]), int(admitted.end[first]))
        if asset is None:
            counts["too_many_assets"] += len(rows)
            return
        if placed.offsets[first] < asset.skip_before:
            rows = rows[placed.offsets[rows] >= asset.skip_before]
            if not len(rows):
                return
        watermark, seen = asset.watermark, asset.guard.seen
        verdict = asset.guard.admit(messages.epoch[rows], messages.seq[rows])
        if verdict.any():
            for reason, code in (("repeated", REPEATED), ("zombie", ZOMBIE)):
                if found := int((verdict == code).sum()):
                    counts[reason] += found
            rows = rows[verdict == FRESH]
            if not len(rows):
                return
        marks = np.maximum.accumulate(np.concatenate([[watermark], admitted.end[rows]]))
        late = (marks - self._layout.lateness_us) // self._layout.pane_us
        asset.watermark = int(marks[-1])
        progress.taken[rows] = True
        progress.late_before[rows] = late[:-1]
        progress.slot[rows] = asset.slot
        advance = Advance(late[1:], placed.offsets[rows], placed.timestamps_ms[rows])
        progress.steps.append(Step(asset, rows, advance, watermark, seen))

    def _found(self, number: int, t0: int, end: int) -> AssetState | None:
        """Return the asset, begun with its first message when it is new; None when there are too many."""
        asset = self._assets.get(number)
        if asset is None and len(self._assets) < MAX_ASSETS:
            pane_us = self._layout.pane_us
            closed = min(t0 // pane_us, (end - self._layout.lateness_us) // pane_us)
            asset = self._assets[number] = self._new(number, closed)
            asset.batches.running = begun(len(self._layout.channels))
        return asset

    def _new(self, number: int, closed: int) -> AssetState:
        return AssetState(
            name=self._layout.assets[number],
            slot=self._ring.new_slot(),
            closed=closed,
            base=self._layout.needed_from(closed),
            batches=BatchWatch(self._layout, None),
            alarms=AlarmWatch(self._layout),
        )

    def records(self, next_offset: int) -> list[AssetRecord]:
        """Return all assets as a checkpoint holds them."""
        return [self._record(asset, next_offset) for asset in self]

    def _record(self, asset: AssetState, next_offset: int) -> AssetRecord:
        names = [(self._layout.channels[limit.channel], limit.rule) for limit in self._layout.limits]
        return AssetRecord(
            asset=asset.name,
            closed=asset.closed,
            restart=restart_record(asset.restart(next_offset)),
            running=running_record(asset.batches.running),
            marks=list(asset.batches.marks),
            alarms=alarm_records(names, asset.alarms.states),
        )

    def restore(self, record: AssetRecord) -> None:
        """Take an asset over from a checkpoint; one that the plant has no more is dropped."""
        number = self._numbers.get(record.asset)
        if number is None:
            return
        asset = self._assets[number] = self._new(number, record.closed)
        asset.guard = SequenceGuard(seen_of(record.restart))
        asset.watermark, asset.skip_before = record.restart.watermark, record.restart.offset
        asset.batches.running = running_of(record.running, len(self._layout.channels))
        asset.batches.marks = list(record.marks)
        kept = {(alarm.channel, alarm.rule): Watch(alarm.run, alarm.began) for alarm in record.alarms}
        for place, limit in enumerate(self._layout.limits):
            asset.alarms.states[place] = kept.get((self._layout.channels[limit.channel], limit.rule), Watch())
