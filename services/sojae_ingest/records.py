"""Typed records: accepted events in columns, each event_id once, following `events`."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sojae.adapters.delta import ChangesGone
from sojae.adapters.derived_table import DerivedTable
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.adapters.template_files import TemplateBook
from sojae.domain.order import ORDER_COLUMNS, PLACE_COLUMNS
from sojae.domain.template import RecordsKey
from sojae.ports import Decoder, EventsTable
from sojae_ingest.following import feed
from sojae_ingest.record_rows import RecordSources, TemplateGone, record_table

log = logging.getLogger(__name__)

COLUMNS = (
    "topic_id", "partition", "offset", "ingest_time", "status", "issues", "grade", "project", "stage", "template_version",
    "schema_sha256", "raw", *PLACE_COLUMNS,
)  # fmt: skip
NEAR_UNIQUE = ("event_id", "record_id", "offset", "sample_id", "content", "event_time")
Row = Mapping[str, object]
Identity = tuple[str, str]
"""Institute and event_id."""
CAME = ("known_at", *ORDER_COLUMNS[1:])
"""Columns by which the first of several events with one event_id is found: as they came, repaired ones too."""
Placed = tuple[object, ...]
"""When and where an event came, as the columns hold it."""


@dataclass(frozen=True, slots=True)
class SecondStatement:
    """An event whose event_id another event of the institute has taken: kept in `events`, not in records."""

    header: Mapping[str, object]
    topic_id: str
    partition: int
    offset: int


Tell = Callable[[list[SecondStatement]], None]


class RecordsFollower:
    """Keeps `records/<project>/<stage>/<major>` up with `events`."""

    def __init__(self, events: EventsTable, store_uri: str, book: Callable[[], TemplateBook], decoder: Decoder) -> None:
        self._events = events
        self._store_uri = store_uri
        self._book = book
        self._sources = RecordSources(StoredSchemas(store_uri), decoder)
        self._tables: dict[RecordsKey, DerivedTable] = {}
        self._complete: dict[RecordsKey, int] = {}

    @property
    def progress(self) -> int:
        """The version of `events` up to which every records table is complete; −1 before the first step."""
        return min(self._complete.values(), default=-1)

    def complete_to(self, project: str) -> int:
        """Return the version of `events` up to which every records table of a project is complete."""
        return min((upto for key, upto in self._complete.items() if key.project == project), default=-1)

    def step(self, tell: Tell) -> int:
        """Follow to the newest version and return the rows written.

        `tell` hears of statements that repeat an event_id before the commit that leaves them out, so that they are told
        at least once. Each table goes on from its own position: a new one holds up no other. Raises CommitRefused when
        another process is doing the same, StoreError when a table waits for a template that is gone.
        """
        self._open_tables()
        head = self._events.refresh()
        together: dict[int, list[RecordsKey]] = {}
        for key, table in self._tables.items():
            self._complete[key] = table.included()
            together.setdefault(self._complete[key], []).append(key)
        written, waiting = 0, None
        for after, keys in sorted(together.items()):
            try:
                written += self._follow(after, head, keys, tell)
            except TemplateGone as error:
                waiting = error
        if waiting is not None:
            raise waiting
        return written

    def _follow(self, after: int, head: int, keys: Sequence[RecordsKey], tell: Tell) -> int:
        going, waiting, written = list(keys), None, 0
        try:
            for upto, rows in feed(self._events, after, head, COLUMNS):
                accepted = rows.filter(pc.equal(rows["status"], "accepted"))
                for key in list(going):
                    try:
                        written += self._add(key, rows_of(accepted, key), upto, tell)
                    except TemplateGone as error:
                        going.remove(key)
                        waiting = error
                    else:
                        self._complete[key] = upto
        except ChangesGone as gone:
            log.warning(
                "%s are built anew at version %d: %s", ", ".join(k.uri("").strip("/") for k in going), head, gone
            )
            for key in going:
                try:
                    written += self._anew(key, head, tell)
                except TemplateGone as error:
                    waiting = error
                else:
                    self._complete[key] = head
        if waiting is not None:
            raise waiting
        return written

    def _add(self, key: RecordsKey, rows: Sequence[Row], upto: int, tell: Tell) -> int:
        table = self._tables[key]
        fresh = self._sources.decoded(self._book(), key, rows)
        keep, replaced, seconds = _first_statements(fresh, _existing(table, fresh))
        if seconds:
            tell(seconds)
        incoming = record_table(self._sources.fields(self._book(), key), keep)
        if not replaced:
            return table.add(incoming, upto)
        table.replace(incoming, upto, _identities_sql(keep))
        return len(keep)

    def _anew(self, key: RecordsKey, head: int, tell: Tell) -> int:
        """Put all records of a key in the place of its table's rows, in one commit and never all in memory.

        They are laid down in a temporary file first: a table cannot be read by the thread that writes another.
        """
        self._sources.remember_all()
        fields, taken = self._sources.fields(self._book(), key), dict[Identity, Placed]()
        where = {"status": "accepted", "project": key.project, "stage": key.stage}
        with TemporaryFile() as file:
            with pa.ipc.new_stream(file, record_table(fields, []).schema) as batches:
                for rows in self._events.snapshot(COLUMNS, where):
                    fresh = self._sources.decoded(self._book(), key, rows_of(rows, key))
                    keep, _, seconds = _first_statements(fresh, taken)
                    taken.update({_identity(row): _placed(row) for row in keep})
                    if seconds:
                        tell(seconds)
                    batches.write_table(record_table(fields, keep))
            file.seek(0)
            self._tables[key].replace(pa.ipc.open_stream(file), head, None)
        return len(taken)

    def _open_tables(self) -> None:
        book = self._book()
        for template in book:
            key = template.key.records
            if key not in self._tables:
                schema = record_table(self._sources.fields(book, key), []).schema
                self._tables[key] = DerivedTable(key.uri(self._store_uri), schema, plain_columns=NEAR_UNIQUE)


def rows_of(accepted: pa.Table, key: RecordsKey) -> list[dict[str, object]]:
    """Return the rows of one records table; the others are never made into Python objects."""
    mine = pc.and_(pc.equal(accepted["project"], key.project), pc.equal(accepted["stage"], key.stage))
    mine = pc.and_(mine, pc.starts_with(accepted["template_version"], f"{key.major}."))
    rows: list[dict[str, object]] = accepted.filter(mine).to_pylist()
    return rows


def _existing(table: DerivedTable, fresh: Sequence[Row]) -> dict[Identity, Placed]:
    """Return the places of records whose event_id comes again, by (institute, event_id)."""
    if not fresh:
        return {}
    ids = [str(r["event_id"]) for r in fresh]
    # Rows of a table that was begun without the column hold null there: they are known since they came.
    known_at = [pl.col("known_at")] if "known_at" in table.table.schema().names else []
    found = (
        pl.scan_delta(table.table.handle)
        .filter(pl.col("event_id").is_in(ids))
        .select("institute", "event_id", pl.coalesce(*known_at, "ingest_time").alias("known_at"), *CAME[1:])
        .collect()
    )
    return {(r[0], r[1]): tuple(r[2:]) for r in found.iter_rows()}


def _first_statements(
    fresh: Sequence[dict[str, object]], existing: Mapping[Identity, Placed]
) -> tuple[list[dict[str, object]], bool, list[SecondStatement]]:
    """Return the rows to keep (the first of each event_id in the one order), whether one replaces a stored row, and the rest."""
    first: dict[Identity, Placed] = {}
    chosen: dict[Identity, dict[str, object]] = {}
    replaced, seconds = False, []
    for row in fresh:
        identity, place = _identity(row), _placed(row)
        before = first.get(identity, existing.get(identity))
        if before is None or place < before:
            replaced |= identity in existing
            if identity in chosen:
                seconds.append(_second(chosen[identity]))
            first[identity], chosen[identity] = place, row
        else:
            seconds.append(_second(row))
    return list(chosen.values()), replaced, seconds


def _identity(row: Row) -> Identity:
    return str(row["institute"]), str(row["event_id"])


def _placed(row: Row) -> Placed:
    return tuple(row[c] for c in CAME)


def _identities_sql(rows: Sequence[Row]) -> str:
    """Return the predicate that selects what the rows replace; identifiers hold no quotation mark (domain/header.py)."""
    by_institute: dict[str, list[str]] = {}
    for row in rows:
        by_institute.setdefault(str(row["institute"]), []).append(str(row["event_id"]))
    quoted = {i: ", ".join(f"'{e}'" for e in sorted(ids)) for i, ids in by_institute.items()}
    return " OR ".join(f"(institute = '{i}' AND event_id IN ({ids}))" for i, ids in sorted(quoted.items()))


def _second(row: Row) -> SecondStatement:
    return SecondStatement(row, str(row["topic_id"]), cast("int", row["partition"]), cast("int", row["offset"]))
