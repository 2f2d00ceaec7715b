"""The exactly-once flush: one commit carries every row of every partition, and the positions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from sojae.domain.issue import Status
from sojae.domain.template import Template
from sojae.ports import Clock, Decoder, EventsTable, Partition
from sojae_ingest.chains import Fresh, fresh_messages
from sojae_ingest.judgement import Judged, Seen, judge
from sojae_ingest.positions import Chain
from sojae_ingest.rows import storable_rows


class Schemas(Protocol):
    """Where schemas are kept beside the rows that were decoded with them."""

    def keep(self, template: Template) -> None:
        """Put a template's schema where it is not there yet; raises StoreError."""
        ...


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

    @classmethod
    def of(cls, fresh: Fresh, version: int) -> Self:
        """Return what a flush of these chains does, before it has stored any message."""
        return cls(version, dict(fresh.next_offsets), list(fresh.holes), {}, fresh.already_stored)


class Flusher:
    """Judges and stores chains of messages through one pinned table handle; synchronous, for a thread."""

    def __init__(
        self, table: EventsTable, seen: SeenIndex, decoder: Decoder, clock: Clock, *, schemas: Schemas
    ) -> None:
        self._schemas = schemas
        self._table = table
        self._seen = seen
        self._decoder = decoder
        self._clock = clock

    def flush(self, chains: Sequence[Chain]) -> Flushed:
        """Store the chains and return what was done; raises CommitRefused when another writer was first.

        A chain that begins beyond what the pinned version holds is left out and named as a hole; messages that the
        version holds already are left out too.
        """
        fresh = fresh_messages(chains, self._table.stored)
        flushed = Flushed.of(fresh, self._table.version)
        if fresh.messages:
            self._seen.catch_up(self._table)
            judged = judge(fresh.messages, self._decoder.decode([m.value for m, _ in fresh.messages]), self._seen)
            # NOTE: before the commit: raw bytes whose schema is in no store could not be read once its template is gone.
            for template in _templates(judged):
                self._schemas.keep(template)
            now = ingest_time_us(self._clock, self._seen.newest_ingest_time_us)
            flushed.version = self._table.append(storable_rows(judged, now), fresh.positions)
            flushed.counts = dict(Counter(one.status for one in judged))
        return flushed


def ingest_time_us(clock: Clock, newest_us: int) -> int:
    """Return the one ingest time of a flush, in Unix microseconds: behind the newest stored, whatever the clock does."""
    return max(int(clock.now().timestamp() * 1_000_000), newest_us + 1)


def _templates(judged: Sequence[Judged]) -> list[Template]:
    return list({t.sha256: t for one in judged if (t := one.decoded.template) is not None}.values())
