"""Which messages of one asset were taken before: by epoch and sequence number, in constant memory."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from sojae_monitor.layout import Ints

FRESH: Final = 0
REPEATED: Final = 1
ZOMBIE: Final = 2

WIDTH: Final = 1024
"""Sequence numbers behind the last that may still come out of order; what is older counts as repeated."""

_ALL = (1 << WIDTH) - 1


class Seen(NamedTuple):
    """The last epoch and number; bit i of `mask` tells that `last` − i was taken. No epoch: nothing was."""

    epoch: int | None = None
    last: int = 0
    mask: int = 0


@dataclass(slots=True)
class SequenceGuard:
    """Remembers what was seen of one asset."""

    seen: Seen = field(default_factory=Seen)

    def admit(self, epoch: Ints, seq: Ints) -> Ints:
        """Return FRESH, REPEATED or ZOMBIE (an epoch lower than one that was seen) for each message, in order."""
        if self._simple(epoch, seq):
            self._advance(seq)
            return np.zeros(len(seq), dtype=np.int64)
        pairs = zip(epoch.tolist(), seq.tolist(), strict=True)
        return np.array([self._admit(e, s) for e, s in pairs], dtype=np.int64)

    def _simple(self, epoch: Ints, seq: Ints) -> bool:
        """Whether all is of the epoch that runs, and only goes up: the common case, decided at once."""
        running, last, _ = self.seen
        return (
            running is not None
            and int(seq[0]) > last
            and bool((epoch == running).all())
            and bool((seq[1:] > seq[:-1]).all())
        )

    def _advance(self, seq: Ints) -> None:
        epoch, last, mask = self.seen
        newest = int(seq[-1])
        near = seq[seq > newest - WIDTH] if newest - int(seq[0]) >= WIDTH else seq
        mask = mask << (newest - last) if newest - last < WIDTH else 0
        if newest - int(near[0]) == len(near) - 1:
            mask |= (1 << len(near)) - 1
        else:
            for number in near.tolist():
                mask |= 1 << (newest - number)
        self.seen = Seen(epoch, newest, mask & _ALL)

    def _admit(self, epoch: int, seq: int) -> int:
        running, last, mask = self.seen
        if running is None or epoch > running:
            self.seen = Seen(epoch, seq, 1)
            return FRESH
        if epoch < running:
            return ZOMBIE
        if seq > last:
            shift = seq - last
            self.seen = Seen(epoch, seq, ((mask << shift) & _ALL if shift < WIDTH else 0) | 1)
            return FRESH
        back = last - seq
        if back >= WIDTH or mask >> back & 1:
            return REPEATED
        self.seen = Seen(epoch, last, mask | 1 << back)
        return FRESH
