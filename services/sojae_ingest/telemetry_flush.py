"""The exactly-once flush of telemetry: one commit for each plant's table, which holds rows and positions."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

import pyarrow as pa

from sojae.adapters.telemetry_codec import TelemetryDecoder
from sojae.adapters.telemetry_table import DeltaTelemetryTable, SequenceKey, plants_in
from sojae.domain.errors import CommitRefused
from sojae.domain.ledger import SequenceRanges
from sojae.ports import Clock, Feed, Position
from sojae.topics import institute_of
from sojae_ingest.chains import fresh_messages
from sojae_ingest.flush import Flushed, ingest_time_us
from sojae_ingest.following import steps
from sojae_ingest.positions import Chain
from sojae_ingest.telemetry_judgement import judge_telemetry, telemetry_rows

log = logging.getLogger(__name__)

COLUMNS = ("ingest_time", "topic_id", "partition", "offset", "status", "asset", "epoch", "seq")


class TelemetryTable(Feed, Protocol):
    """The telemetry of one plant, through one pinned handle; see `sojae.ports.EventsTable` for what methods promise."""

    @property
    def version(self) -> int:
        """The version that the handle is pinned to."""
        ...

    def refresh(self) -> int:
        """Move the handle to the newest version and return it."""
        ...

    def stored(self, topic_id: str, partition: int) -> int | None:
        """Return the last offset that the pinned version holds of a partition; None when it holds none."""
        ...

    def append(self, rows: pa.Table, positions: Sequence[Position]) -> int:
        """Commit rows and positions as one, and return the new version; raises CommitRefused or StoreError."""
        ...

    def accepted(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, bytes]:
        """Return the bytes of the first accepted message under each (asset, epoch, seq)."""
        ...


class TelemetryTables:
    """The tables of all plants of a store; one is opened, or made, when it is first asked for."""

    def __init__(
        self,
        store_uri: str,
        open_table: Callable[[str, str], TelemetryTable] = DeltaTelemetryTable,
        plants: Callable[[str], Sequence[str]] = plants_in,
    ) -> None:
        self._store_uri, self._open, self._plants = store_uri, open_table, plants
        self._tables: dict[str, TelemetryTable] = {}

    def __getitem__(self, plant: str) -> TelemetryTable:
        """Return the table of a plant; raises StoreError."""
        if plant not in self._tables:
            self._tables[plant] = self._open(self._store_uri, plant)
        return self._tables[plant]

    def refresh(self) -> int:
        """Move every handle to the newest version, tables that others have made meanwhile included; return how many."""
        for plant in sorted({*self._plants(self._store_uri), *self._tables}):
            self[plant].refresh()
        return len(self._tables)

    def stored(self, topic_id: str, partition: int) -> int | None:
        """Return the last offset that any table holds of a partition: a topic's id is in one plant's table only."""
        found = (table.stored(topic_id, partition) for table in self._tables.values())
        return max((offset for offset in found if offset is not None), default=None)


class TelemetrySeen:
    """Which (asset, epoch, seq) a table has accepted, kept up with it by version; memory is one range a gap."""

    def __init__(self, table: TelemetryTable) -> None:
        self._table = table
        self._version = -1
        self._ranges: dict[tuple[str, int], SequenceRanges] = {}
        self.newest_ingest_time_us = 0
        """The largest ingest time stored, in Unix microseconds; 0 when there is none."""

    def catch_up(self) -> None:
        """Bring what is known to exactly the table's pinned version."""
        for step in steps(self._table, self._version, self._table.version, COLUMNS):
            if step.anew:
                self._ranges.clear()
            self._include(step.rows)
            # Until a snapshot has been read to its end this stays at −1: to take a row again changes nothing.
            self._version = step.upto if step.complete else -1

    def accepted(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, bytes]:
        """Return the bytes of the accepted message under each key that is known; only hits are looked up."""
        hits = [key for key in keys if key[2] in self._ranges.get(key[:2], ())]
        return self._table.accepted(hits) if hits else {}

    def _include(self, rows: pa.Table) -> None:
        times = rows["ingest_time"].cast(pa.int64()).to_pylist()
        self.newest_ingest_time_us = max(self.newest_ingest_time_us, *times, 0) if times else self.newest_ingest_time_us
        for row in rows.select(["status", "asset", "epoch", "seq"]).to_pylist():
            if row["status"] == "accepted":
                key = (str(row["asset"]), cast("int", row["epoch"]))
                self._ranges.setdefault(key, SequenceRanges()).add(cast("int", row["seq"]))


class TelemetryFlusher:
    """Judges and stores chains of telemetry, plant by plant; synchronous, for a thread."""

    def __init__(self, tables: TelemetryTables, decoder: TelemetryDecoder, clock: Clock) -> None:
        self._tables, self._decoder, self._clock = tables, decoder, clock
        self._seen: dict[str, TelemetrySeen] = {}

    def flush(self, chains: Sequence[Chain]) -> Flushed:
        """Store the chains and return what was done, as `Flusher` does; the version is that of the last table written.

        Raises CommitRefused when another writer was first at one plant, after the other plants have been stored: what
        is read again of those is known to be stored.
        """
        by_plant: dict[str, list[Chain]] = {}
        for chain in chains:
            by_plant.setdefault(institute_of(chain.partition.topic), []).append(chain)
        whole, refused = Flushed(version=0), []
        for plant in sorted(by_plant):
            try:
                self._flush(plant, by_plant[plant], whole)
            except CommitRefused as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return whole

    def _flush(self, plant: str, chains: Sequence[Chain], whole: Flushed) -> None:
        table = self._tables[plant]
        fresh = fresh_messages(chains, table.stored)
        if fresh.messages:
            seen = self._seen.setdefault(plant, TelemetrySeen(table))
            seen.catch_up()
            sent = sorted(fresh.messages, key=lambda m: (m[1], m[0].partition, m[0].offset))
            decoded = self._decoder.decode([m.value for m, _ in sent])
            statuses = judge_telemetry(sent, decoded, seen)
            now = ingest_time_us(self._clock, seen.newest_ingest_time_us)
            rows = telemetry_rows(sent, decoded, statuses, self._decoder.schema_sha256, now)
            whole.version = table.append(rows, fresh.positions)
            for status in statuses:
                whole.counts[status] = whole.counts.get(status, 0) + 1
        whole.next_offsets |= fresh.next_offsets
        whole.holes += fresh.holes
        whole.already_stored += fresh.already_stored
