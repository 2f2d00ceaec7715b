"""A local index of what `events` holds: sequence numbers and current heads, rebuildable, brought to an exact version."""

import hashlib
import json
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pyarrow as pa

from sojae.domain.ledger import SequenceRanges
from sojae.domain.order import ORDER_COLUMNS, PLACE_COLUMNS, Place
from sojae.ports import EventsTable, Stored
from sojae_ingest.following import steps
from sojae_ingest.judgement import Head, RecordKey, SequenceKey

log = logging.getLogger(__name__)

COLUMNS = (
    "topic_id", "partition", "offset", "ingest_time", "institute", "producer", "epoch", "seq", "event_id", "record_id",
    "content", "retracted", "status", "project", "stage", *PLACE_COLUMNS,
)  # fmt: skip
RECENT = 50_000
"""Sequence numbers whose event_id is kept in memory: most repeats come soon after the original."""

FORM = 3
"""Goes up when the tables of the file change."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (producer TEXT, epoch INTEGER, ranges TEXT NOT NULL, PRIMARY KEY (producer, epoch)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heads (
  record BLOB PRIMARY KEY, event_id TEXT NOT NULL, content TEXT, retracted INTEGER NOT NULL,
  ingest_time INTEGER NOT NULL, topic_id TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL
) WITHOUT ROWID;
"""
_UPSERT = """
INSERT INTO heads VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record) DO UPDATE SET
  event_id = excluded.event_id, content = excluded.content, retracted = excluded.retracted, ingest_time = excluded.ingest_time,
  topic_id = excluded.topic_id, partition = excluded.partition, offset = excluded.offset
WHERE (excluded.ingest_time, excluded.topic_id, excluded.partition, excluded.offset) > (ingest_time, topic_id, partition, offset)
"""


class SQLiteSeen:
    """See `sojae_ingest.judgement.Seen`; one file for one process, deleted and rebuilt with equal result.

    A file that is broken, or of an older form, is thrown away: everything in it can be read again from the table.
    """

    def __init__(self, path: Path) -> None:
        self._database = _open(path)
        self._ranges: dict[tuple[str, int], SequenceRanges] = {}
        self._recent: OrderedDict[SequenceKey, Stored] = OrderedDict()
        self._table: EventsTable | None = None
        self._load()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def version(self) -> int:
        """The version of `events` that the index holds; −1 before the first."""
        return int(self._meta("version") or -1)

    @property
    def newest_ingest_time_us(self) -> int:
        """The largest ingest time stored, in Unix microseconds; 0 when there is none."""
        return int(self._meta("newest_ingest_time_us") or 0)

    def catch_up(self, table: EventsTable) -> None:
        """Bring the index to exactly the table's pinned version; another table, or one set back, means rebuilding."""
        if self._meta("table_id") != table.table_id or self.version > table.version:
            log.info("building the index of %s anew", table.table_id)
            self._reset(table.table_id)
        self._table = table
        for step in steps(table, self.version, table.version, COLUMNS):
            if step.anew:
                self._reset(table.table_id)
            # Until a snapshot has been read to its end the index stays at −1: to take a row again changes nothing.
            self._include(step.rows, step.upto if step.complete else -1)

    def sequences(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, Stored]:
        """Return what is stored under each (producer, epoch, seq) that is known."""
        hits = [k for k in keys if k[2] in self._ranges.get((k[0], k[1]), ())]
        found: dict[SequenceKey, Stored] = {k: self._recent[k] for k in hits if k in self._recent}
        rest = [k for k in hits if k not in found]
        if rest:
            assert self._table is not None, "catch_up() comes first"
            found.update(self._table.sequences(rest))
        return found

    def heads(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Head]:
        """Return the current head of each record that has one."""
        found = {}
        for key in keys:
            row = self._database.execute(
                "SELECT event_id, content, retracted, ingest_time, topic_id, partition, offset FROM heads WHERE record = ?",
                (_digest(key),),
            ).fetchone()
            if row is not None:
                found[key] = Head(row[0], row[1], bool(row[2]), Place(*row[3:]))
        return found

    def repairable(self, references: Sequence[str]) -> Mapping[str, Place]:
        """Return the places of those messages, given as topic/partition/offset, that are in quarantine and not yet repaired."""
        assert self._table is not None, "catch_up() comes first"
        return self._table.repairable(references)

    def _include(self, rows: pa.Table, upto: int) -> None:
        newest = self.newest_ingest_time_us
        changed: set[tuple[str, int]] = set()
        columns = rows
        for name in {"ingest_time", "place_time"} & set(rows.column_names):
            columns = columns.set_column(rows.schema.get_field_index(name), name, rows[name].cast(pa.int64()))
        with self._transaction():
            for row in columns.to_pylist():
                newest = max(newest, cast("int", row["ingest_time"]))
                if row["producer"] is None:
                    continue
                self._count_sequence(row, changed)
                if row["status"] == "accepted":
                    self._update_head(row)
            for producer, epoch in changed:
                ranges = json.dumps(self._ranges[producer, epoch].ranges())
                self._database.execute("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?)", (producer, epoch, ranges))
            self._set_meta("version", str(upto))
            self._set_meta("newest_ingest_time_us", str(newest))

    def _count_sequence(self, row: Mapping[str, object], changed: set[tuple[str, int]]) -> None:
        producer, epoch, seq = str(row["producer"]), cast("int", row["epoch"]), cast("int", row["seq"])
        ranges = self._ranges.setdefault((producer, epoch), SequenceRanges())
        key, quarantined = (producer, epoch, seq), row["status"] == "quarantined"
        if seq in ranges:
            recent = self._recent.get(key)
            if recent is not None:
                self._recent[key] = recent._replace(quarantined=recent.quarantined and quarantined)
            return
        ranges.add(seq)
        changed.add((producer, epoch))
        self._recent[key] = Stored(str(row["event_id"]), quarantined)
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def _update_head(self, row: Mapping[str, object]) -> None:
        key = _digest((str(row["institute"]), str(row["project"]), str(row["stage"]), str(row["record_id"])))
        repaired = row.get("place_time") is not None
        place = [row[name] for name in (PLACE_COLUMNS if repaired else ORDER_COLUMNS)]
        values = (key, row["event_id"], row["content"], int(bool(row["retracted"])), *place)
        self._database.execute(_UPSERT, values)

    def _load(self) -> None:
        for producer, epoch, ranges in self._database.execute("SELECT producer, epoch, ranges FROM ledger"):
            self._ranges[producer, epoch] = SequenceRanges(json.loads(ranges))

    def _reset(self, table_id: str) -> None:
        with self._transaction():
            for name in ("meta", "ledger", "heads"):
                self._database.execute(f"DELETE FROM {name}")  # noqa: S608 - the names stand in the line above
            self._set_meta("table_id", table_id)
        self._ranges.clear()
        self._recent.clear()

    def _meta(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _set_meta(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _digest(key: RecordKey) -> bytes:
    return hashlib.sha256("\x00".join(key).encode()).digest()[:16]


def _open(path: Path) -> sqlite3.Connection:
    """Return a connection to the file, made anew when it is no index of this form."""
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        log.warning("%s is broken or of another form (%s): it is built anew", path, error)
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    form = int(database.execute("PRAGMA user_version").fetchone()[0])
    if form not in (0, FORM) or (form == 0 and database.execute("SELECT 1 FROM sqlite_master").fetchone()):
        database.close()
        raise sqlite3.DatabaseError(f"form {form}, expected {FORM}")
    database.executescript(_SCHEMA)
    database.execute(f"PRAGMA user_version = {FORM}")
    return database
