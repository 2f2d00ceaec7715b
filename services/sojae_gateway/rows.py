"""Stored events as answers show them, to the extent that a principal may see them."""

import base64
import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from sojae.adapters.row_reads import EventRow
from sojae.domain.grade import Grade
from sojae.domain.issue import Issue, Status, rule_text
from sojae.domain.template import Template
from sojae.ports import Decoded, Decoder
from sojae_gateway.access import Principal, visible
from sojae_gateway.measured import subject_of

MAX_RAW_BYTES = 4_096
"""Bytes of a message shown; `raw_bytes` tells how many there are."""

METADATA = (
    "template_version", "institute", "event_time", "event_time_precision", "sample_id", "origin", "generated_by", "contract",
    "licence", "disclosure", "embargo_until", "standard", "edition", "references",
)  # fmt: skip
"""Header fields that are metadata: what a record is, not what it says."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where in Kafka a message stood."""

    topic: str
    topic_id: str
    partition: int
    offset: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found, in words."""

    rule: str
    severity: str
    field: str | None
    got: str | None
    expected: str | None
    ko: str
    en: str


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One stored message; `header` and `values` are decoded from its bytes, None where they cannot be, or may not be seen.

    `raw` (Base64, the first 4,096 bytes) is shown of quarantined messages, whose bytes may be all there is.
    """

    event_id: str | None
    record_id: str | None
    institute: str
    sample_id: str | None
    project: str | None
    stage: str | None
    status: Status
    grade: Grade | None
    position: Position
    ingest_time: dt.datetime
    sight: str
    issues: list[Finding]
    header: dict[str, object] | None
    values: dict[str, object] | None
    raw: str | None
    raw_bytes: int


def show_events(
    rows: Sequence[EventRow], decoder: Decoder, principal: Principal, today: dt.date
) -> list[StoredEvent | None]:
    """Return every row as the principal may see it, None where that is not at all; in the order of the rows."""
    decoded = decoder.decode([row.raw for row in rows])
    return [_show(row, told, principal, today) for row, told in zip(rows, decoded, strict=True)]


def _show(row: EventRow, told: Decoded, principal: Principal, today: dt.date) -> StoredEvent | None:
    sight = visible(principal, subject_of(row, told.header), today)
    if sight == "nothing":
        return None
    whole = sight == "everything"
    header = dict(told.header) if whole else {n: told.header[n] for n in METADATA if n in told.header}
    return StoredEvent(
        event_id=row.event_id,
        record_id=row.record_id,
        institute=row.owner,
        sample_id=row.sample_id,
        project=row.project,
        stage=row.stage,
        status=row.status,
        grade=row.grade,
        position=Position(
            topic=row.topic, topic_id=row.place.topic_id, partition=row.place.partition, offset=row.place.offset
        ),
        ingest_time=_time(row.place.ingest_time_us),
        sight=sight,
        issues=[_finding(issue, told.template, whole=whole) for issue in row.issues],
        header=_plain(header) if told.header else None,
        values=_plain(told.values) if told.header and whole else None,
        raw=_raw(row) if row.status == "quarantined" else None,
        raw_bytes=len(row.raw or b""),
    )


def _finding(issue: Issue, template: Template | None, *, whole: bool) -> Finding:
    said = rule_text(issue.rule, template)
    return Finding(
        rule=issue.rule,
        severity=issue.severity,
        field=issue.field,
        got=issue.got if whole else None,
        expected=issue.expected,
        ko=said.ko,
        en=said.en,
    )


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Return values without those that say nothing."""
    return {name: value for name, value in values.items() if value is not None}


def _raw(row: EventRow) -> str:
    return base64.b64encode((row.raw or b"")[:MAX_RAW_BYTES]).decode()


def _time(time_us: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(0, tz=dt.UTC) + dt.timedelta(microseconds=time_us)
