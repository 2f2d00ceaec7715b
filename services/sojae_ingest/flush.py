"""The exactly-once flush: one commit carries every row of every partition, and the positions."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sojae.domain.issue import Status
from sojae.ports import Clock, Decoder, EventsTable, Partition, Position
from sojae_ingest.judgement import Judged, Seen, judge
from sojae_ingest.positions import Chain
from sojae_ingest.rows import storable_rows

log = logging.getLogger(__name__)


class SeenIndex(Seen, Protocol):
    """What is stored already, kept up with the table by version."""

    def catch_up(self, table: EventsTable) -> None:
        """Bring the index to exactly the table's pinned version."""
        ...

    @property
    def newest_ingest_time_us(self) -> int:
        """The largest ingest time stored, in Unix microseconds; 0 when there is none."""
        ...


@dataclass(slots=True)
class Flushed:
    """What a flush did: the version it made, the next offset of each stored partition, and chains refused as holes."""

    version: int
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    holes: list[Partition] = field(default_factory=list)
    counts: dict[Status, int] = field(default_factory=dict)
    already_stored: int = 0


class Flusher:
    """Judges and stores chains of messages through one pinned table handle; synchronous, for a thread."""

    def __init__(self, table: EventsTable, seen: SeenIndex, decoder: Decoder, clock: Clock) -> None:
        self._table = table
        self._seen = seen
        self._decoder = decoder
        self._clock = clock

    def flush(self, chains: Sequence[Chain]) -> Flushed:
        """Store the chains and return what was done; raises CommitRefused when another writer was first.

        A chain that begins beyond what the pinned version holds is left out and named as a hole; messages that the
        version holds already are left out too.
        """
        flushed = Flushed(version=self._table.version)
        messages, positions = [], []
        for chain in chains:
            stored = self._table.stored(chain.topic_id, chain.partition.number)
            expected = 0 if stored is None else stored + 1
            if chain.start > expected:
                log.error(
                    "%s-%d: fetched from %d, stored to %s: dropped, to be read again",
                    *chain.partition,
                    chain.start,
                    stored,
                )
                flushed.holes.append(chain.partition)
                continue
            fresh = [m for m in chain.messages if m.offset >= expected]
            flushed.already_stored += len(chain.messages) - len(fresh)
            flushed.next_offsets[chain.partition] = max(expected, chain.next_offset)
            if fresh:
                messages += [(m, chain.topic_id) for m in fresh]
                positions.append(Position(chain.topic_id, chain.partition.number, fresh[-1].offset))
        if messages:
            self._seen.catch_up(self._table)
            judged = judge(messages, self._decoder.decode([m.value for m, _ in messages]), self._seen)
            flushed.version = self._table.append(storable_rows(judged, self._ingest_time_us()), positions)
            flushed.counts = _counts(judged)
        return flushed

    def _ingest_time_us(self) -> int:
        """Return the one ingest time of the flush: never before one that is stored, whatever the clock does."""
        now = int(self._clock.now().timestamp() * 1_000_000)
        return max(now, self._seen.newest_ingest_time_us + 1)


def _counts(judged: Sequence[Judged]) -> dict[Status, int]:
    counts: dict[Status, int] = {}
    for one in judged:
        counts[one.status] = counts.get(one.status, 0) + 1
    return counts
