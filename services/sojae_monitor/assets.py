"""What is remembered of one asset between two calls, and from where a replay must begin to rebuild it."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sojae_monitor.alarms import AlarmWatch
from sojae_monitor.batches import BatchWatch
from sojae_monitor.layout import Ints, PlantLayout
from sojae_monitor.sequence import Seen, SequenceGuard

NEVER: Final = -(1 << 62)
"""A watermark before any time."""


@dataclass(slots=True)
class Restart:
    """A place in the log from which a replay can begin: what the asset was just before that offset.

    `last_pane` is the latest pane that messages from there until the next such place have fed.
    """

    offset: int
    watermark: int
    seen: Seen
    last_pane: int


@dataclass(slots=True)
class AssetState:
    """All of one asset but its panes. Panes before `closed` are done; those from `base` on lie in the ring."""

    name: str
    slot: int
    closed: int
    base: int
    batches: BatchWatch
    alarms: AlarmWatch
    guard: SequenceGuard = field(default_factory=SequenceGuard)
    watermark: int = NEVER
    skip_before: int = 0
    """Messages before this offset are not its concern: a replay begins there."""
    restarts: deque[Restart] = field(default_factory=deque)

    def note_restart(self, offset: int, watermark: int, seen: Seen, last_pane: int, layout: PlantLayout) -> None:
        """Remember that a replay can begin at this offset; at most once in a pane of event time."""
        newest = self.restarts[-1] if self.restarts else None
        if newest is not None and newest.watermark // layout.pane_us == watermark // layout.pane_us:
            newest.last_pane = max(newest.last_pane, last_pane)
        else:
            self.restarts.append(Restart(offset, watermark, seen, last_pane))

    def forget_restarts(self) -> None:
        """Drop the places before which no pane was fed that is still needed."""
        while self.restarts and self.restarts[0].last_pane < self.base:
            self.restarts.popleft()

    def restart(self, next_offset: int) -> Restart:
        """Return from where a replay must begin."""
        return self.restarts[0] if self.restarts else Restart(next_offset, self.watermark, self.guard.seen, NEVER)


@dataclass(frozen=True, slots=True)
class Advance:
    """How the messages of one asset move its time: what is late before each, and after each with its place in the log."""

    late_after: Ints
    """Panes before this are closed once the message is taken; never falls."""
    offsets: Ints
    timestamps_ms: Ints

    def closer(self, pane: int) -> tuple[int, int]:
        """Return offset and Kafka timestamp of the message that closes a pane."""
        place = int(np.searchsorted(self.late_after, pane, side="right"))
        return int(self.offsets[place]), int(self.timestamps_ms[place])
