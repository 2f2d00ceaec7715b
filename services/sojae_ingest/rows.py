"""Judged messages as rows of the table `events`."""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import asdict

import pyarrow as pa

from sojae.adapters.events_schema import EVENTS, HEADER
from sojae.adapters.events_table import month_of
from sojae.domain.grade import grade
from sojae.domain.issue import Issue
from sojae.domain.order import PLACE_COLUMNS
from sojae.ports import Decoded, Message
from sojae.topics import institute_of
from sojae_ingest.judgement import CHECKS_VERSION, Judged

log = logging.getLogger(__name__)

MAX_TEXT = 1_024
CLAIM_FREE = frozenset({"template_version", "event_time", "sample_id", "origin"})
"""Header columns that are kept of an event with an unsound identity; what it claims to be would mislead every look-up."""

_INT64 = range(-(2**63), 2**63)


def events_rows(judged: Sequence[Judged], ingest_time_us: int) -> pa.Table:
    """Return one row for each judged message, in order; `ingest_time_us` is Unix time in microseconds."""
    month = month_of([ingest_time_us])[0]
    columns = message_columns([(j.message, j.topic_id) for j in judged], ingest_time_us) | {
        "ingest_month": [month] * len(judged),
        "status": [j.status for j in judged],
        "issues": [[asdict(i) for i in j.issues] for j in judged],
        "grade": [_grade(j) for j in judged],
        "project": [j.decoded.template.key.project if j.decoded.template else None for j in judged],
        "stage": [j.decoded.template.key.stage if j.decoded.template else None for j in judged],
        "schema_sha256": [j.decoded.template.sha256 if j.decoded.template else None for j in judged],
        "rule_version": [CHECKS_VERSION] * len(judged),
        **{name: [one.place and one.place[n] for one in judged] for n, name in enumerate(PLACE_COLUMNS)},
    }
    for name, kind in HEADER:
        columns[name] = [
            _header_value(j.header.get(name), kind) if j.identified or name in CLAIM_FREE else None for j in judged
        ]
    columns["institute"] = [institute_of(j.message.topic) for j in judged]
    return pa.table({f.name: pa.array(columns[f.name], type=f.type) for f in EVENTS}, schema=EVENTS)


def message_columns(messages: Sequence[tuple[Message, str]], ingest_time_us: int) -> dict[str, list[object]]:
    """Return the columns that say of each (message, topic id) where and when it came, and its bytes."""
    return {
        "topic": [m.topic for m, _ in messages],
        "topic_id": [topic_id for _, topic_id in messages],
        "partition": [m.partition for m, _ in messages],
        "offset": [m.offset for m, _ in messages],
        "broker_time": [None if m.timestamp_ms is None else m.timestamp_ms * 1000 for m, _ in messages],
        "ingest_time": [ingest_time_us] * len(messages),
        "message_key": [m.key for m, _ in messages],
        "message_headers": [list(m.headers.items()) for m, _ in messages],
        "raw": [m.value for m, _ in messages],
    }


def storable_rows(judged: Sequence[Judged], ingest_time_us: int) -> pa.Table:
    """Return the rows; a message whose header no column can hold is stored bare, in quarantine, with its raw bytes."""
    try:
        return events_rows(judged, ingest_time_us)
    except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
        log.exception("a flush cannot be stored as it is")
        for one in judged:
            try:
                events_rows([one], ingest_time_us)
            except (pa.ArrowException, OverflowError, ValueError, TypeError):
                one.decoded, one.identified, one.status, one.place = Decoded(), False, "quarantined", None
                one.issues = [Issue("check_failed", "hard", None, type(error).__name__, "a header that can be stored")]
        return events_rows(judged, ingest_time_us)


def _grade(one: Judged) -> str | None:
    """Return the quality grade of an accepted message; others have none."""
    return grade(one.header, [i.rule for i in one.issues]) if one.status == "accepted" else None


def _header_value(value: object, kind: pa.DataType) -> object:
    """Return a header value as its column can hold it; what a hostile header made too large is cut, the raw bytes are whole."""
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, dt.datetime):
        return value if value.year >= 1 else None
    if pa.types.is_int64(kind) and isinstance(value, int):
        return value if value in _INT64 else None
    return value
