"""Outcomes: what became of each producer's events, packed into few messages."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import TemplateBook
from sojae.domain.issue import rule_text
from sojae.domain.template import Template
from sojae.topics import TopicName, events_topic, institute_of, outcomes_topic
from sojae_ingest.records import SecondStatement

COLUMNS = (
    "topic", "topic_id", "partition", "offset", "ingest_time", "institute", "producer", "epoch", "seq", "event_id", "record_id",
    "sample_id", "status", "issues", "schema_sha256", "message_key",
)  # fmt: skip
MAX_EVENTS = 5_000
MAX_BYTES = 524_288
MAX_ITEM_BYTES = MAX_BYTES // 2
KEPT_ISSUES = 20
"""So many findings are told of an event that has too many for one message; all of them are in the store."""

CUT_TEXT = 1_024

NO_KEY = "-"
"""Message key of outcomes for messages that had none."""

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OutcomeMessage:
    """One packed message, ready to be sent."""

    topic: TopicName
    key: str
    value: bytes
    events: int


class OutcomePacker:
    """Packs rows of `events` by institute and producer, at most 5,000 events or 512 KiB a message."""

    def __init__(self, codec: RecordCodec, book: Callable[[], TemplateBook], now: Callable[[], dt.datetime]) -> None:
        self._codec = codec
        self._book = book
        self._now = now

    def pack(self, rows: Sequence[Row], store_version: int) -> list[OutcomeMessage]:
        """Return the messages for rows of `events`, in the rows' order within each producer."""
        templates = {t.sha256: t for t in self._book()}
        groups: dict[tuple[TopicName, str | None], list[Row]] = {}
        for row in rows:
            topic = outcomes_topic(institute_of(str(row["topic"])))
            groups.setdefault((topic, _sender(row)), []).append(row)
        return [
            m
            for (topic, sender), members in groups.items()
            for m in self._messages(topic, sender, members, templates, store_version)
        ]

    def _messages(
        self, topic: TopicName, sender: str | None, rows: Sequence[Row], templates: Mapping[str, Template], version: int
    ) -> Iterator[OutcomeMessage]:
        for part in _parts([_item(row, templates.get(str(row["schema_sha256"]))) for row in rows]):
            record = {
                "institute": institute_of(topic),
                "producer": sender,
                "store_version": version,
                "sent_at": self._now(),
                "outcomes": part,
            }
            yield OutcomeMessage(topic, sender or NO_KEY, self._codec.encode(record), len(part))


def second_outcome(second: SecondStatement) -> Row:
    """Return the row that tells a producer that its event's id was taken already: a second outcome, `duplicate`."""
    header = second.header
    issue = {
        "rule": "same_event_id",
        "severity": "info",
        "field": "header.event_id",
        "got": header["event_id"],
        "expected": "an id of its own",
    }
    named = {
        name: header[name] for name in ("institute", "producer", "epoch", "seq", "event_id", "record_id", "sample_id")
    }
    place = {"topic": events_topic(str(header["institute"])), "partition": second.partition, "offset": second.offset}
    return {**named, **place, "status": "duplicate", "issues": [issue], "schema_sha256": None, "message_key": None}


def _item(row: Row, template: Template | None) -> dict[str, object]:
    item = {
        name: row[name]
        for name in ("topic", "partition", "offset", "event_id", "record_id", "sample_id", "epoch", "seq", "status")
    }
    issues: list[Row] = []
    for issue in cast("Sequence[Mapping[str, object]]", row["issues"] or ()):
        text = rule_text(str(issue["rule"]), template)
        issues.append({**issue, "message_ko": text.ko, "message_en": text.en})
    whole = {**item, "issues": issues}
    return whole if _weight(whole) <= MAX_ITEM_BYTES else {**item, "issues": _cut(issues)}


def _cut(issues: Sequence[Row]) -> list[Row]:
    """Return the first findings with their texts cut, and one that says how many there are beside them."""
    kept = [{name: v[:CUT_TEXT] if isinstance(v, str) else v for name, v in i.items()} for i in issues[:KEPT_ISSUES]]
    count = max(len(issues) - KEPT_ISSUES, 0)
    more = {
        "rule": "more_findings",
        "severity": "info",
        "field": None,
        "got": str(count),
        "expected": None,
        "message_ko": f"소견이 {count}개 더 있습니다. 저장소에서 읽으십시오",
        "message_en": f"{count} more findings; read them from the store",
    }
    return [*kept, *([more] if count else [])]


def _sender(row: Row) -> str | None:
    if row["producer"] is not None:
        return str(row["producer"])
    key = cast("bytes | None", row["message_key"])
    return None if key is None else key[:96].decode("utf-8", "replace")


def _parts(items: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield runs of items that fit one message; an item's size is estimated from above by its texts."""
    part: list[Row] = []
    size = 0
    for item in items:
        weight = _weight(item)
        if part and (len(part) >= MAX_EVENTS or size + weight > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += weight
    if part:
        yield part


def _weight(item: Row) -> int:
    return sum(_most_bytes(values) for values in (item, *cast("Sequence[Row]", item["issues"])))


def _most_bytes(values: Row) -> int:
    """Return how long the texts and numbers of one record can become in Avro."""
    return sum(4 + (len(v.encode()) if isinstance(v, str) else 10) for v in values.values())
