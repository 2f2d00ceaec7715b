"""Typed records: accepted events in columns, each event_id once, following `events`."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import polars as pl
import pyarrow as pa

from sojae.adapters.delta import COMMIT_VERSION
from sojae.adapters.derived_table import DerivedTable
from sojae.adapters.template_files import TemplateBook
from sojae.domain.frames import ISSUES, arrow_fields, column
from sojae.domain.grade import grade
from sojae.domain.order import ORDER_COLUMNS
from sojae.domain.template import Field, Template
from sojae.ports import Decoder, EventsTable
from sojae_ingest.following import steps

log = logging.getLogger(__name__)

COLUMNS = (
    "topic_id", "partition", "offset", "ingest_time", "status", "issues", "project", "stage", "template_version", "raw",
    COMMIT_VERSION,
)  # fmt: skip
OWN = (
    pa.field("topic_id", pa.string()),
    pa.field("partition", pa.int32()),
    pa.field("offset", pa.int64()),
    pa.field("ingest_time", pa.timestamp("us", tz="UTC")),
    pa.field("issues", ISSUES),
    pa.field("grade", pa.string()),
)
NEAR_UNIQUE = ("event_id", "record_id", "offset", "sample_id", "content", "event_time")
Row = Mapping[str, object]


class RecordsKey(NamedTuple):
    """What one records table holds."""

    project: str
    stage: str
    major: int

    def uri(self, store_uri: str) -> str:
        """Return the URI of the table in a store."""
        return f"{store_uri.rstrip('/')}/records/{self.project}/{self.stage}/{self.major}"


@dataclass(frozen=True, slots=True)
class SecondStatement:
    """An event whose event_id another event of the institute has taken: kept in `events`, not in records."""

    header: Mapping[str, object]
    topic_id: str
    partition: int
    offset: int


class RecordsFollower:
    """Keeps `records/<project>/<stage>/<major>` up with `events`."""

    def __init__(self, events: EventsTable, store_uri: str, book: Callable[[], TemplateBook], decoder: Decoder) -> None:
        self._events = events
        self._store_uri = store_uri
        self._book = book
        self._decoder = decoder
        self._tables: dict[RecordsKey, DerivedTable] = {}
        self._looked: dict[
            RecordsKey, int
        ] = {}  # a quiet table commits its position rarely, but is not read again for it
        self.progress = -1
        """The version of `events` up to which every records table is complete."""

    def step(self, tell: Callable[[list[SecondStatement]], None]) -> int:
        """Follow to the newest version and return the rows written.

        `tell` hears of statements that repeat an event_id before the commit that leaves them out, so that they are told
        at least once. Raises CommitRefused when another process is doing the same.
        """
        self._open_tables()
        if not self._tables:
            return 0
        done = {key: max(table.included(), self._looked.get(key, -1)) for key, table in self._tables.items()}
        written = 0
        for upto, rows in steps(self._events, min(done.values()), COLUMNS):
            accepted = rows.filter(pa.compute.equal(rows["status"], "accepted")).to_pylist()
            for key, table in self._tables.items():
                if upto > done[key]:
                    mine = [r for r in accepted if r[COMMIT_VERSION] > done[key] and _key_of(r) == key]
                    written += self._add(key, table, mine, upto, tell)
                    self._looked[key] = upto
            self.progress = upto
        return written

    def _add(
        self,
        key: RecordsKey,
        table: DerivedTable,
        rows: Sequence[Row],
        upto: int,
        tell: Callable[[list[SecondStatement]], None],
    ) -> int:
        fields = _fields(self._book(), key)
        fresh = record_rows(rows, fields, self._decoder)
        keep, replaced, seconds = _first_statements(fresh, _existing(table, fresh))
        if seconds:
            tell(seconds)
        incoming = record_table(fields, keep)
        if not replaced:
            return table.add(incoming, upto)
        table.replace(incoming, upto, _identities_sql(keep))
        return len(keep)

    def _open_tables(self) -> None:
        book = self._book()
        for template in book:
            key = RecordsKey(template.key.project, template.key.stage, template.key.major)
            if key not in self._tables:
                schema = record_table(_fields(book, key), []).schema
                self._tables[key] = DerivedTable(key.uri(self._store_uri), schema, plain_columns=NEAR_UNIQUE)


def record_rows(rows: Sequence[Row], fields: Sequence[Field], decoder: Decoder) -> list[dict[str, object]]:
    """Return header, position and values of accepted `events` rows, decoded from their raw bytes."""
    decoded = decoder.decode([cast("bytes", r["raw"]) for r in rows])
    names = {f.name for f in fields}
    result = []
    for row, one in zip(rows, decoded, strict=True):
        if not one.header:
            log.error(
                "accepted at %s-%s but no longer decodable: its template is gone; put it back",
                row["topic_id"],
                row["offset"],
            )
            continue
        issues = cast("Sequence[Mapping[str, object]]", row["issues"])
        own = {f.name: row[f.name] for f in OWN if f.name in row}
        found = [str(i["rule"]) for i in issues]
        values = {k: v for k, v in one.values.items() if k in names}
        result.append({**one.header, **own, "grade": grade(one.header, found), **values})
    return result


def record_table(fields: Sequence[Field], rows: Sequence[Row]) -> pa.Table:
    """Return rows as a table: header fields, position, issues, grade, then the template's fields."""
    names = {f.name for f in OWN}
    header_and_values = [f for f in fields if f.name not in names]
    arrays = [column(f.kind, [r.get(f.name) for r in rows]) for f in header_and_values]
    own = [pa.array([r.get(f.name) for r in rows], type=f.type) for f in OWN]
    schema = pa.schema([*arrow_fields(header_and_values), *OWN])
    return pa.Table.from_arrays([*arrays, *own], schema=schema)


def _fields(book: TemplateBook, key: RecordsKey) -> list[Field]:
    """Return the header fields and the fields of every minor version of a major, newest version first."""
    templates: list[Template] = sorted(
        (t for t in book if (t.key.project, t.key.stage, t.key.major) == key),
        key=lambda t: int(t.key.version.split(".")[1]),
        reverse=True,
    )
    fields = {f.name: f for t in templates for f in (*t.header_fields, *t.fields)}
    return list(fields.values())


def _key_of(row: Row) -> RecordsKey:
    return RecordsKey(str(row["project"]), str(row["stage"]), int(str(row["template_version"]).split(".")[0]))


def _existing(table: DerivedTable, fresh: Sequence[Row]) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return the places of records whose event_id comes again, by (institute, event_id)."""
    if not fresh:
        return {}
    ids = [str(r["event_id"]) for r in fresh]
    found = (
        pl.scan_delta(table.table.handle)
        .filter(pl.col("event_id").is_in(ids))
        .select("institute", "event_id", *ORDER_COLUMNS)
        .collect()
    )
    return {(r[0], r[1]): tuple(r[2:]) for r in found.iter_rows()}


def _first_statements(
    fresh: Sequence[dict[str, object]], existing: Mapping[tuple[str, str], tuple[object, ...]]
) -> tuple[list[dict[str, object]], bool, list[SecondStatement]]:
    """Return the rows to keep (the first of each event_id in the one order), whether one replaces a stored row, and the rest."""
    first: dict[tuple[str, str], tuple[object, ...]] = dict(existing)
    chosen: dict[tuple[str, str], dict[str, object]] = {}
    replaced, seconds = False, []
    for row in fresh:
        identity = (str(row["institute"]), str(row["event_id"]))
        place = tuple(row[c] for c in ORDER_COLUMNS)
        if identity not in first or place < first[identity]:
            replaced |= identity in existing
            if identity in chosen:
                seconds.append(_second(chosen[identity]))
            first[identity], chosen[identity] = place, row
        else:
            seconds.append(_second(row))
    return list(chosen.values()), replaced, seconds


def _identities_sql(rows: Sequence[Row]) -> str:
    """Return the predicate that selects what the rows replace; identifiers hold no quotation mark (domain/header.py)."""
    by_institute: dict[str, list[str]] = {}
    for row in rows:
        by_institute.setdefault(str(row["institute"]), []).append(str(row["event_id"]))
    quoted = {i: ", ".join(f"'{e}'" for e in sorted(ids)) for i, ids in by_institute.items()}
    return " OR ".join(f"(institute = '{i}' AND event_id IN ({ids}))" for i, ids in sorted(quoted.items()))


def _second(row: Row) -> SecondStatement:
    return SecondStatement(row, str(row["topic_id"]), cast("int", row["partition"]), cast("int", row["offset"]))
