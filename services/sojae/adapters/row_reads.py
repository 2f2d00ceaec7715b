"""Reads of single rows from the local index: events, records with their history, pages, the quarantine, counts."""

import queue
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from sojae.adapters.row_counts import Count, GradeCount, count_current, count_events, count_grades
from sojae.adapters.row_heads import COUNTS
from sojae.adapters.row_tables import hash_key, open_reader, place_bytes, place_of, record_key, transaction, unusable
from sojae.domain.errors import StateError
from sojae.domain.grade import Grade
from sojae.domain.issue import Issue, Status
from sojae.domain.order import Place

CONNECTIONS = 4
WAIT_SECONDS = 10.0
MAX_HISTORY = 1_000
MAX_SAME_ID = 100


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of `events` as the index holds it; times are Unix microseconds, `owner` is the topic's institute."""

    place: Place
    owner: str
    topic: str
    broker_us: int | None
    event_us: int | None
    status: Status
    issues: tuple[Issue, ...]
    grade: Grade | None
    project: str | None
    stage: str | None
    schema_sha256: str | None
    rule_version: str | None
    event_id: str | None
    record_id: str | None
    template_version: str | None
    institute: str | None
    producer: str | None
    epoch: int | None
    seq: int | None
    sample_id: str | None
    origin: str | None
    content: str | None
    supersedes: str | None
    repairs: str | None
    retracted: bool
    disclosure: str | None
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which current records a page shows; None = any."""

    project: str | None = None
    stage: str | None = None
    owner: str | None = None
    sample_id: str | None = None


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which quarantined events a page shows; None = any. `rule` is one that refused the event."""

    owner: str | None = None
    project: str | None = None
    rule: str | None = None


class Home(NamedTuple):
    """What a record_id belongs to: an institute, and a project and stage ('' where a message has none)."""

    owner: str
    project: str
    stage: str


class Mark(NamedTuple):
    """How far a reader of moved heads is: which building of the index, and the turn and row it has seen."""

    built: int = 0
    turn: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """Heads that moved, (institute, record_id) of records that are gone, and the mark behind them.

    `whole` means that they are all there is: what a reader had before is of no use any more.
    """

    heads: list[EventRow]
    gone: list[tuple[str, str]]
    mark: Mark
    whole: bool
    done: bool


_STORED = [f.name for f in fields(EventRow)]
_IN_HOME = (
    "e.record_key = ? AND e.owner = ? AND coalesce(e.project, '') = ? AND coalesce(e.stage, '') = ? AND e.record_id = ? "
    "AND e.status = 'accepted'"
)
_SELECT = ", ".join(f'e."{name}"' for name in _STORED)


class RowSnapshot:
    """Reads at one version of `events`: all answers of a snapshot agree with each other."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        row = connection.execute("SELECT version FROM state").fetchone()
        self.version: int | None = None if row is None else int(row[0])

    def events(self, owner: str, event_id: str) -> list[EventRow]:
        """Return every stored message of an institute that carries an event_id, in the one order (at most 100)."""
        return self._read(
            f"SELECT {_SELECT} FROM events e WHERE event_key = ? AND owner = ? AND event_id = ? ORDER BY place LIMIT ?",  # noqa: S608 - constants only
            (hash_key(owner, event_id), owner, event_id, MAX_SAME_ID),
        )

    def homes(self, record_id: str, within: RecordFilter) -> list[Home]:
        """Return where there is a record of this id, sorted; `within` says what is asked for of institute, project, stage."""
        where, values = _where(("owner", within.owner), ("project", within.project), ("stage", within.stage))
        condition = " AND ".join(["status = 'accepted'", *where])
        known = self._connection.execute(
            f"SELECT DISTINCT owner, project, stage FROM counts WHERE {condition} "  # noqa: S608 - constants only
            "ORDER BY owner, project, stage",
            values,
        ).fetchall()
        return [home for home in map(Home._make, known) if self._has_record(home, record_id)]

    def statements(self, home: Home, record_id: str) -> list[EventRow]:
        """Return what has been stated about a record, in the one order (the last 1,000); the last is the head.

        An event_id counts once: its first accepted event.
        """
        found = self._read(
            f"SELECT {_SELECT} FROM events e WHERE {_IN_HOME} AND {COUNTS} ORDER BY e.place DESC LIMIT ?",  # noqa: S608 - constants only
            (*_identity(home, record_id), MAX_HISTORY),
        )
        return found[::-1]

    def moved(self, project: str, stage: str, since: Mark, limit: int) -> Moved:
        """Return heads of a project and stage that have moved since a mark, and records that have none any more.

        A mark of another building of the index is as good as none: everything there is has moved then.
        """
        built, last = self._connection.execute(
            "SELECT coalesce((SELECT built FROM state), 0), coalesce((SELECT max(id) FROM events), 0)"
        ).fetchone()
        start = since if since.built == built else Mark(built)
        identity = (project, stage, start.turn, start.id)
        heads = self._connection.execute(
            "SELECT turn, id FROM heads WHERE project = ? AND stage = ? AND (turn, id) > (?, ?) ORDER BY turn, id LIMIT ?",
            (*identity, limit),
        ).fetchall()
        rows = [self._read(f"SELECT {_SELECT} FROM events e WHERE e.id = ?", (number,))[0] for _, number in heads]  # noqa: S608 - constants only
        gone = self._connection.execute(
            "SELECT owner, record_id FROM gone WHERE project = ? AND stage = ? AND turn > ?", identity[:3]
        ).fetchall()
        done = len(heads) < limit
        return Moved(
            rows, gone, Mark(built, last, last) if done else Mark(built, *heads[-1]), whole=start != since, done=done
        )

    def current(self, wanted: RecordFilter, after: Place | None, limit: int) -> list[EventRow]:
        """Return the heads of current records behind a place, in the one order; retracted records are gone."""
        where, values = _where(("h.project", wanted.project), ("h.stage", wanted.stage), ("h.owner", wanted.owner))
        if wanted.sample_id is not None:
            where += ["h.sample_key = ?", "e.sample_id = ?"]
            values += [hash_key(wanted.sample_id), wanted.sample_id]
        if after is not None:
            where.append("h.place > ?")
            values.append(place_bytes(after))
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        return self._read(
            f"SELECT {_SELECT} FROM heads h JOIN events e ON e.id = h.id {condition} ORDER BY h.place LIMIT ?",  # noqa: S608 - constants only
            (*values, limit),
        )

    def quarantined(self, wanted: QuarantineFilter, before: Place | None, limit: int) -> list[EventRow]:
        """Return quarantined events before a place, newest first."""
        where, values = _where(("e.owner", wanted.owner), ("e.project", wanted.project), ("r.rule", wanted.rule))
        source, place = (
            ("events e", "e.place") if wanted.rule is None else ("refusals r JOIN events e ON e.id = r.id", "r.place")
        )
        if before is not None:
            where.append(f"{place} < ?")
            values.append(place_bytes(before))
        condition = " AND ".join(["e.status = 'quarantined'", *where])
        return self._read(
            f"SELECT {_SELECT} FROM {source} WHERE {condition} ORDER BY {place} DESC LIMIT ?",  # noqa: S608 - constants only
            (*values, limit),
        )

    def counts(self) -> list[Count]:
        """Return how many events there are by institute, project, stage and status, sorted."""
        return count_events(self._connection)

    def grades(self, project: str) -> list[GradeCount]:
        """Return how many current records of a project there are by institute, stage and grade, sorted."""
        return count_grades(self._connection, project)

    def count_current(self, project: str, stage: str, at_most: int) -> int:
        """Return how many current records a stage of a project has; counting stops at `at_most`."""
        return count_current(self._connection, project, stage, at_most)

    def _has_record(self, home: Home, record_id: str) -> bool:
        sql = f"SELECT 1 FROM events e WHERE {_IN_HOME} LIMIT 1"  # noqa: S608 - constants only
        return self._connection.execute(sql, _identity(home, record_id)).fetchone() is not None

    def _read(self, sql: str, values: Sequence[object]) -> list[EventRow]:
        return [_row(found) for found in self._connection.execute(sql, tuple(values))]


class RowReader:
    """Hands out snapshots of one index file; a few connections serve all threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        for _ in range(CONNECTIONS):
            self._idle.put(open_reader(path))

    @contextmanager
    def snapshot(self) -> Iterator[RowSnapshot]:
        """Hold one snapshot for the time of the block; raises StateError when the file cannot be read."""
        try:
            connection = self._idle.get(timeout=WAIT_SECONDS)
        except queue.Empty as error:
            raise StateError(
                en=f"all {CONNECTIONS} readers of the index were busy for {WAIT_SECONDS:.0f} s; try again",
                ko=f"색인을 읽는 연결 {CONNECTIONS}개가 {WAIT_SECONDS:.0f}초 동안 모두 바빴습니다. 다시 시도하십시오",
            ) from error
        try:
            with transaction(connection):
                yield RowSnapshot(connection)
        except sqlite3.Error as error:
            raise unusable(self._path, error) from error
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Close every connection; those in use are waited for."""
        for _ in range(CONNECTIONS):
            self._idle.get(timeout=WAIT_SECONDS).close()


def _identity(home: Home, record_id: str) -> tuple[object, ...]:
    """Return the values of _IN_HOME."""
    return (record_key(*home, record_id), *home, record_id)


def _where(*equal: tuple[str, str | None]) -> tuple[list[str], list[object]]:
    given = [(name, value) for name, value in equal if value is not None]
    return [f"{name} = ?" for name, _ in given], [value for _, value in given]


def _row(found: Sequence[object]) -> EventRow:
    values = dict(zip(_STORED, found, strict=True))
    values["place"] = place_of(cast("bytes", values["place"]))
    values["issues"] = tuple(msgspec.json.decode(cast("str", values["issues"]), type=list[Issue]))
    values["retracted"] = bool(values["retracted"])
    return EventRow(**values)  # type: ignore[arg-type]  # the columns are the fields, in name and type
