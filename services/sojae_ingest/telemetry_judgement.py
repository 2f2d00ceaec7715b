"""What becomes of each telemetry message of a flush: accepted, quarantined or duplicate, and why."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Protocol, cast

import numpy as np
import pyarrow as pa

from sojae.adapters.kafka_raw import UNREADABLE_HEADERS
from sojae.adapters.telemetry_codec import DecodedTelemetry
from sojae.adapters.telemetry_table import SAMPLES, TELEMETRY_TABLE, SequenceKey, date_of
from sojae.domain.issue import Issue, Status, worst
from sojae.domain.telemetry_checks import LATEST_US, MAX_NAME, offsets_of
from sojae.ports import Message
from sojae.topics import HISTORY
from sojae_ingest.judgement import bounded
from sojae_ingest.rows import message_columns

RULES_VERSION = "1"
"""Goes up when a check of telemetry changes what it finds; stored with every row."""

CLOCK_SKEW_US = int(dt.timedelta(days=1) / dt.timedelta(microseconds=1))
"""How far a sample may lie ahead of its message's Kafka timestamp: a plant's clock is seldom set."""

Sent = Sequence[tuple[Message, str]]
"""Messages with their topic ids, in the one order: topic id, partition, offset."""


class SeenTelemetry(Protocol):
    """What the store holds already, at exactly the version that the flush is pinned to."""

    def accepted(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, bytes]:
        """Return the bytes of the accepted message under each (asset, epoch, seq) that is known."""
        ...


def judge_telemetry(sent: Sent, decoded: DecodedTelemetry, seen: SeenTelemetry) -> list[Status]:
    """Return the status of each message, and add to `decoded.issues` what its envelope and its number say.

    The same bytes under an accepted (asset, epoch, seq) are a duplicate; other bytes are never dropped but quarantined:
    two senders count as one. Earlier messages of the flush count for later ones just as stored ones do.
    """
    issues, keys = decoded.issues, _keys(decoded)
    for place, (message, _) in enumerate(sent):
        issues[place] += _envelope_issues(message)
    for place, issue in _future(sent, decoded):
        issues[place].append(issue)
    for place, (asset, _, _) in keys.items():
        given = sent[place][0].key
        if given != asset.encode():
            got = None if given is None else given.decode("utf-8", "replace")[:MAX_NAME]
            issues[place].append(Issue("asset_key", "warn", "asset", got, asset[:MAX_NAME]))
    statuses = [worst(found) for found in issues]
    sound = {place: key for place, key in keys.items() if statuses[place] == "accepted"}
    for place, issue in _repeats(sent, sound, seen):
        issues[place].append(issue)
        statuses[place] = "duplicate" if issue.severity == "info" else "quarantined"
    issues[:] = [bounded(found) for found in issues]
    return statuses


def _repeats(sent: Sent, keys: Mapping[int, SequenceKey], seen: SeenTelemetry) -> Iterator[tuple[int, Issue]]:
    accepted = dict(seen.accepted(list(keys.values())))
    for place, key in keys.items():
        raw = sent[place][0].value or b""
        if key not in accepted:
            accepted[key] = raw
        elif accepted[key] == raw:
            yield place, Issue("repeated_message", "info", "seq", str(key[2]), "each message once")
        else:
            yield place, Issue("sequence_conflict", "hard", "seq", str(key[2]), "the bytes that are stored")


def telemetry_rows(
    sent: Sent, decoded: DecodedTelemetry, statuses: Sequence[Status], schema_sha256: str, ingest_time_us: int
) -> pa.Table:
    """Return one row of `telemetry/<plant>` for each message, in order; `ingest_time_us` is Unix time in microseconds."""
    row_of: list[int | None] = [None] * len(sent)
    for row, place in enumerate(decoded.places):
        row_of[place] = row
    sound = [None if status == "quarantined" else row for row, status in zip(row_of, statuses, strict=True)]
    whole, usable = pa.array(row_of, pa.int64()), pa.array(sound, pa.int64())
    count = len(sent)
    columns: dict[str, object] = {
        **message_columns(sent, ingest_time_us),
        "ingest_date": [date_of(ingest_time_us)] * count,
        "lane": ["history" if m.topic.startswith(HISTORY) else "live" for m, _ in sent],
        "status": list(statuses),
        "issues": [[asdict(i) for i in found] for found in decoded.issues],
        "schema_sha256": [None if row is None else schema_sha256 for row in row_of],
        "rule_version": [RULES_VERSION] * count,
    }
    for name in decoded.rows.schema.names:
        columns[name] = decoded.rows.column(name).take(usable if name in (*SAMPLES, "t0") else whole)
    columns["samples"] = pa.array(_samples(decoded.rows)).take(usable)
    columns["asset"] = [None if a is None else a[:MAX_NAME] for a in cast("pa.Array", columns["asset"]).to_pylist()]
    return pa.table({f.name: pa.array(columns[f.name], type=f.type) for f in TELEMETRY_TABLE}, schema=TELEMETRY_TABLE)


def _keys(decoded: DecodedTelemetry) -> dict[int, SequenceKey]:
    rows = decoded.rows
    names = zip(*(rows.column(n).to_pylist() for n in ("asset", "epoch", "seq")), strict=True)
    return {int(place): key for place, key in zip(decoded.places, names, strict=True)}


def _envelope_issues(message: Message) -> Iterator[Issue]:
    if UNREADABLE_HEADERS in message.headers:
        yield Issue("bad_headers", "warn", None, None, "names of Kafka headers in UTF-8")
    if message.timestamp_ms is None:
        yield Issue("broker_time", "warn", None, None, "a Kafka timestamp that is a time")


def _future(sent: Sent, decoded: DecodedTelemetry) -> Iterator[tuple[int, Issue]]:
    """Yield a finding for each message that begins more than a day after it was sent: its clock is wrong."""
    begins = decoded.rows.column("t0").cast(pa.int64()).to_numpy()
    for place, begin in zip(decoded.places, begins, strict=True):
        sent_ms = sent[place][0].timestamp_ms
        if sent_ms is not None and sent_ms * 1000 + CLOCK_SKEW_US < begin <= LATEST_US:
            yield int(place), Issue("event_time_future", "warn", "t0", f"{begin} us", f"≤ {sent_ms * 1000} us + 1 d")


def _samples(rows: pa.RecordBatch) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return how many samples each row has in all its series together."""
    series = rows.column("series")
    ends = offsets_of(series)
    values = offsets_of(series.flatten().field("values"))
    return cast("np.ndarray[tuple[int], np.dtype[np.int64]]", values[ends[1:]] - values[ends[:-1]])
