"""The local index of single rows: a SQLite file that follows the table `events` by version."""

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa
from deltalake.exceptions import DeltaError

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_schema import HEADER, POSITION
from sojae.adapters.row_heads import move_heads
from sojae.adapters.row_tables import (
    COLUMNS,
    create_tables,
    hash_key,
    open_writer,
    place_bytes,
    record_key,
    transaction,
    unusable,
)
from sojae.adapters.snapshot import dataset_of
from sojae.domain.errors import StoreError
from sojae.domain.order import PLACE_COLUMNS, Place
from sojae.topics import EVENTS

log = logging.getLogger(__name__)

FED = (
    *POSITION,
    "broker_time",
    "ingest_time",
    *(name for name, _ in HEADER),
    "status",
    "issues",
    "grade",
    "project",
    "stage",
    "schema_sha256",
    "rule_version",
    "raw",
    *PLACE_COLUMNS,
)
"""Columns of `events` that the index takes over."""

TIMES = ("ingest_time", "broker_time", "event_time", "place_time")

MAX_STEP_VERSIONS = 512
STEP_ROWS = 20_000
REOPEN_AFTER = 120
"""Follows through one handle; a table put in the place of another is noticed by the next handle."""

_INSERT = f"""INSERT INTO events ({", ".join(f'"{c}"' for c in COLUMNS)}) VALUES ({", ".join("?" * len(COLUMNS))})"""  # noqa: S608

_COUNT = "INSERT INTO counts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n"


class State(NamedTuple):
    """Which table the index follows, and the version that it has included."""

    table_id: str
    table_uri: str
    version: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What one follow did: version before and after (None without a table or before the first), rows added."""

    before: int | None
    version: int | None
    head: int | None
    rows: int = 0
    rebuilt: bool = False


class RowIndex:
    """Feeds the index, one step at a time whoever asks. Reading is the work of `row_reads.RowReader`."""

    def __init__(self, path: Path, events_uri: str) -> None:
        self._path = path
        self._uri = events_uri
        self._connection = open_writer(path)
        self._connection.create_function("sample_key", 1, _sample_key, deterministic=True)
        self._table: PinnedTable | None = None
        self._follows = 0
        self._step = 1
        self._stopping = threading.Event()
        self._one_at_a_time = threading.Lock()

    @property
    def version(self) -> int | None:
        """The version of `events` that the index has included; None before the first."""
        state = self._state()
        return None if state is None else state.version

    def follow(self) -> Followed:
        """Bring the index to the newest version of `events` and return what was done.

        An index of another table, one beyond its table's head, and one behind files that are gone are built again;
        readers see the old content until then. Raises StoreError or StateError; what was included stays.
        """
        return self._step_with(self._follow)

    def rebuild(self) -> Followed:
        """Build the index again from the table's newest version and return what was done."""
        return self._step_with(self._rebuild)

    def stop(self) -> None:
        """Let a running follow end soon, from another thread; what it has not finished has not happened."""
        self._stopping.set()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _step_with(self, step: Callable[[PinnedTable, int], Followed]) -> Followed:
        with self._one_at_a_time:
            table = self._open()
            if table is None:
                return Followed(None, None, None)
            try:
                return step(table, table.refresh())
            except sqlite3.Error as error:
                raise unusable(self._path, error) from error

    def _open(self) -> PinnedTable | None:
        self._follows += 1
        if self._table is None or self._follows % REOPEN_AFTER == 0:
            self._table = PinnedTable.open(self._uri)
        return self._table

    def _state(self) -> State | None:
        row = self._connection.execute("SELECT table_id, table_uri, version FROM state").fetchone()
        return None if row is None else State(*row)

    def _follow(self, table: PinnedTable, head: int) -> Followed:
        state = self._state()
        if state is None or state[:2] != _identity(table, self._uri) or state.version > head:
            return self._rebuild(table, head)
        rows, version = 0, state.version
        while version < head and not self._stopping.is_set():
            upto = min(head, version + self._step)
            try:
                added = self._advance(table, version, upto)
            except StoreError as error:
                log.warning("cannot follow from version %d (%s): the index is built again", version, error)
                return self._rebuild(table, head)
            # Few rows a version: take more versions at a time, so that catching up costs rows, not commits.
            self._step = min(self._step * 2, MAX_STEP_VERSIONS) if added < STEP_ROWS else max(self._step // 2, 1)
            rows, version = rows + added, upto
        return Followed(state.version, version, head, rows)

    def _advance(self, table: PinnedTable, after: int, upto: int) -> int:
        with transaction(self._connection, write=True) as connection:
            state = self._state()
            if state is None or state.version != after:
                # Another process follows in the same home and was first.
                return 0
            changes = table.changes(after, upto, FED)
            self._include(changes)
            connection.execute("UPDATE state SET version = ?", (upto,))
        return int(changes.num_rows)

    def _rebuild(self, table: PinnedTable, head: int) -> Followed:
        state, rows = self._state(), 0
        before = None if state is None else state.version
        try:
            with transaction(self._connection, write=True) as connection:
                create_tables(connection)
                for batch in _batches(table):
                    self._check_not_stopped()
                    self._include(pa.Table.from_batches([batch]))
                    rows += batch.num_rows
                connection.execute(
                    "INSERT INTO state (table_id, table_uri, version, built) VALUES (?, ?, ?, random())",
                    (*_identity(table, self._uri), head),
                )
        except _Stopped:
            return Followed(before, before, head)
        if state is not None:
            log.warning("the index was built again at version %d of %s", head, self._uri)
        return Followed(before, head, head, rows, rebuilt=True)

    def _check_not_stopped(self) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _include(self, rows: pa.Table) -> None:
        """Insert rows and bring heads, refusals and counts up to date; the result never depends on the batches."""
        connection = self._connection
        before = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
        values = list(_rows(rows))
        connection.executemany(_INSERT, values)
        connection.executemany("INSERT INTO refusals VALUES (?, ?, ?)", _refusals(rows, values, before))
        move_heads(connection, before)
        connection.executemany(_COUNT, _counts(values))


class _Stopped(Exception):  # noqa: N818 - it undoes a transaction, and nobody else sees it
    """The process ends while the index is being built."""


def _identity(table: PinnedTable, uri: str) -> tuple[str, str]:
    return table.table_id, uri


def _batches(table: PinnedTable) -> Iterator[pa.RecordBatch]:
    try:
        dataset = dataset_of(table.handle)
        there = [name for name in FED if name in dataset.schema.names]
        yield from dataset.to_batches(columns=there, batch_size=STEP_ROWS, batch_readahead=2, fragment_readahead=1)
    except (DeltaError, OSError, pa.ArrowException) as error:
        where = table.handle.table_uri
        raise StoreError(
            en=f"the store at {where} cannot be read: {error}", ko=f"저장소 {where}을(를) 읽을 수 없습니다: {error}"
        ) from error


def _rows(table: pa.Table) -> Iterator[tuple[object, ...]]:
    """Yield each row as the values of COLUMNS."""
    # A table that was begun before its events could be repaired has no places of originals.
    empty = pa.nulls(table.num_rows)
    columns = {name: table.column(name) if name in table.column_names else empty for name in FED}
    times = {n: columns[n].cast(pa.int64()).to_pylist() for n in TIMES}
    plain = {n: c.to_pylist() for n, c in columns.items() if n not in times and n != "issues"}
    issues = [msgspec.json.encode(found or []).decode() for found in columns["issues"].to_pylist()]
    owners = [topic.removeprefix(EVENTS) for topic in plain["topic"]]
    ingest = [time or 0 for time in times["ingest_time"]]
    made: dict[str, Sequence[object]] = {
        "place": [
            place_bytes(Place(*(own if original[0] is None else original)))
            for own, original in zip(
                zip(ingest, plain["topic_id"], plain["partition"], plain["offset"], strict=True),
                zip(times["place_time"], *(plain[name] for name in PLACE_COLUMNS[1:]), strict=True),
                strict=True,
            )
        ],
        "event_key": [_key(o, e) for o, e in zip(owners, plain["event_id"], strict=True)],
        "record_key": [
            None if record is None else record_key(owner, project or "", stage or "", record)
            for owner, project, stage, record in zip(
                owners, plain["project"], plain["stage"], plain["record_id"], strict=True
            )
        ],
        "owner": owners,
        "ingest_us": ingest,
        "broker_us": times["broker_time"],
        "event_us": times["event_time"],
        "issues": issues,
    }
    yield from zip(*(made[name] if name in made else plain[name] for name in COLUMNS), strict=True)


def _key(owner: str, identity: str | None) -> int | None:
    return None if identity is None else hash_key(owner, identity)


def _sample_key(sample_id: str | None) -> int:
    return hash_key(sample_id or "")


_STATUS, _OWNER, _PROJECT, _STAGE = (COLUMNS.index(name) for name in ("status", "owner", "project", "stage"))


def _refusals(table: pa.Table, values: Sequence[tuple[object, ...]], before: int) -> Iterator[tuple[str, object, int]]:
    """Yield (rule, place, id) for each rule that refused a row; ids go on from `before` in the order of the rows."""
    for number, (row, found) in enumerate(zip(values, table.column("issues").to_pylist(), strict=True), start=1):
        if row[_STATUS] == "quarantined":
            for rule in sorted({issue["rule"] for issue in found or [] if issue["severity"] == "hard"}):
                yield rule, row[0], before + number


def _counts(values: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    counted = Counter((row[_OWNER], row[_PROJECT] or "", row[_STAGE] or "", row[_STATUS]) for row in values)
    return [(*key, n) for key, n in counted.items()]
