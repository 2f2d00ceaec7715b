"""What becomes of each message of a flush: accepted, quarantined or duplicate, and why."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from sojae.domain.checks import check_values
from sojae.domain.header import STRICT_ORIGINS, identifier_issues, identity_issues, value_issues
from sojae.domain.issue import Issue, Status, worst
from sojae.domain.template import Template
from sojae.ports import Decoded, Message
from sojae.topics import institute_of

CHECKS_VERSION = "1"
"""Goes up when a built-in check changes what it finds; stored with every row."""

LATE = dt.timedelta(hours=24)
CLOCK_SKEW = dt.timedelta(minutes=5)
EARLIEST = dt.datetime(1800, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
IDENTITY_RULES = frozenset(
    {"institute_mismatch", "producer_foreign", "key_mismatch", "identifier", "template_institute"}
)

SequenceKey = tuple[str, int, int]
RecordKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """The current statement about a record."""

    event_id: str
    content: str | None
    retracted: bool


class Seen(Protocol):
    """What the store holds already, at exactly the version that the flush is pinned to."""

    def event_ids(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, str | None]:
        """Return the event_id stored first under each (producer, epoch, seq) that is known."""
        ...

    def heads(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Head]:
        """Return the current head of each (institute, record_id) that has one."""
        ...


@dataclass(slots=True)
class Judged:
    """One message with its verdict; `identified` = header and identities are sound, so it counts in the ledger."""

    message: Message
    topic_id: str
    decoded: Decoded
    issues: list[Issue] = field(default_factory=list)
    status: Status = "accepted"
    identified: bool = False

    @property
    def header(self) -> Mapping[str, object]:
        """The decoded header; empty when there is none."""
        return self.decoded.header


def judge(messages: Sequence[tuple[Message, str]], decoded: Sequence[Decoded], seen: Seen) -> list[Judged]:
    """Return the verdict on each (message, topic id), in the one order: topic id, partition, offset.

    Earlier messages of the flush count for later ones just as stored ones do.
    """
    judged = [Judged(m, t, d, list(d.issues)) for (m, t), d in zip(messages, decoded, strict=True)]
    judged.sort(key=lambda j: (j.topic_id, j.message.partition, j.message.offset))
    for one in judged:
        if one.header:
            one.issues += _header_issues(one)
            one.identified = not any(i.rule in IDENTITY_RULES for i in one.issues)
    _check_values(judged)
    for one in judged:
        one.status = worst(one.issues)
    _mark_repeats(judged, seen)
    _mark_corrections(judged, seen)
    return judged


def _header_issues(one: Judged) -> list[Issue]:
    header, template = one.header, one.decoded.template
    institute = institute_of(one.message.topic)
    issues = [*identifier_issues(header), *identity_issues(header, topic_institute=institute, key=one.message.key)]
    if template is not None:
        issues += value_issues(header, template.header_fields)
        if template.institute not in (None, institute):
            issues.append(Issue("template_institute", "hard", None, str(template.institute), institute))
    event_time = header.get("event_time")
    if isinstance(event_time, dt.datetime):
        issues += _time_issues(event_time, one.message.timestamp_ms, header)
    return issues


def _time_issues(event_time: dt.datetime, broker_ms: int, header: Mapping[str, object]) -> Iterable[Issue]:
    if not EARLIEST <= event_time <= LATEST:
        yield Issue("time_range", "hard", "header.event_time", event_time.isoformat(), "1800 to 2200")
        return
    arrived = dt.datetime.fromtimestamp(broker_ms / 1000, tz=dt.UTC)
    if event_time > arrived + CLOCK_SKEW:
        yield Issue(
            "event_time_future", "warn", "header.event_time", event_time.isoformat(), f"≤ {arrived.isoformat()}"
        )
    elif event_time < arrived - LATE and header.get("origin") in STRICT_ORIGINS and not header.get("historical"):
        yield Issue(
            "event_time_late", "warn", "header.event_time", event_time.isoformat(), f"≥ {(arrived - LATE).isoformat()}"
        )


def _check_values(judged: Sequence[Judged]) -> None:
    """Check the values of all messages of a template together: the cost is per batch."""
    by_template: dict[str, tuple[Template, list[Judged]]] = {}
    for one in judged:
        template = one.decoded.template
        if template is not None and one.header and not any(i.rule == "template_version" for i in one.issues):
            by_template.setdefault(template.sha256, (template, []))[1].append(one)
    for template, members in by_template.values():
        values = [m.decoded.values for m in members]
        found = check_values(template, values, [str(m.header.get("origin")) for m in members])
        for one, issues in zip(members, found, strict=True):
            one.issues += issues


def _mark_repeats(judged: Sequence[Judged], seen: Seen) -> None:
    """Mark messages whose (producer, epoch, seq) is stored, or came earlier in the flush."""
    keys = {id(one): sequence_key(one.header) for one in judged if one.identified}
    known = dict(seen.event_ids(list(set(keys.values()))))
    for one in judged:
        key = keys.get(id(one))
        if key is None:
            continue
        event_id = str(one.header["event_id"])
        if key not in known:
            known[key] = event_id
        elif known[key] == event_id:
            one.status = "duplicate"
            one.issues.append(Issue("repeated_message", "info", "header.seq", f"{key[1]}/{key[2]}", "each seq once"))
        else:
            one.status = "quarantined"
            one.issues.append(Issue("sequence_conflict", "hard", "header.seq", event_id, str(known[key])))


def _mark_corrections(judged: Sequence[Judged], seen: Seen) -> None:
    """Mark accepted events that say what is current already, and flag those that supersede what is not."""
    accepted = [one for one in judged if one.status == "accepted"]
    heads = dict(seen.heads({record_key(one.header) for one in accepted}))
    for one in accepted:
        header, key = one.header, record_key(one.header)
        head, content = heads.get(key), cast("str | None", header.get("content"))
        if content is not None and head is not None and head.content == content and not head.retracted:
            one.status = "duplicate"
            one.issues.append(Issue("same_content", "info", "header.content", content, f"event {head.event_id}"))
            continue
        supersedes = header.get("supersedes")
        if supersedes is not None and (head is None or head.event_id != supersedes):
            current = "nothing is current" if head is None else head.event_id
            one.issues.append(Issue("supersedes_not_head", "warn", "header.supersedes", str(supersedes), current))
        heads[key] = Head(str(header["event_id"]), content, bool(header.get("retracted")))


def sequence_key(header: Mapping[str, object]) -> SequenceKey:
    """Return (producer, epoch, seq) of a sound header."""
    return str(header["producer"]), cast("int", header["epoch"]), cast("int", header["seq"])


def record_key(header: Mapping[str, object]) -> RecordKey:
    """Return (institute, record_id) of a sound header: corrections reach only the same institute's records."""
    return str(header["institute"]), str(header["record_id"])
