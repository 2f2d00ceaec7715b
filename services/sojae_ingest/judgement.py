"""What becomes of each message of a flush: accepted, quarantined or duplicate, and why."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from sojae.adapters.kafka_raw import UNREADABLE_HEADERS
from sojae.domain.checks import check_values
from sojae.domain.header import identifier_issues, identity_issues, key_issues, value_issues
from sojae.domain.header_time import time_issues
from sojae.domain.issue import Issue, Status, worst
from sojae.domain.order import Place
from sojae.domain.template import Template
from sojae.ports import Decoded, Message, Stored
from sojae.topics import institute_of

log = logging.getLogger(__name__)

MAX_ISSUES = 100
"""Findings kept of one event: a message of a megabyte can hold a hundred thousand faults."""

CHECKS_VERSION = "1"
"""Goes up when a built-in check changes what it finds; stored with every row."""

IDENTITY_RULES = frozenset(
    {"institute_mismatch", "producer_foreign", "key_mismatch", "identifier", "template_institute"}
)

SequenceKey = tuple[str, int, int]
RecordKey = tuple[str, str, str, str]
"""Institute, project, stage and record_id: a record is of one stage."""


@dataclass(frozen=True, slots=True)
class Head:
    """The current statement about a record."""

    event_id: str
    content: str | None
    retracted: bool
    place: Place | None = field(default=None, compare=False)
    """None: it came in this flush, behind everything that is stored."""


class Seen(Protocol):
    """What the store holds already, at exactly the version that the flush is pinned to."""

    def sequences(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, Stored]:
        """Return what is stored under each (producer, epoch, seq) that is known."""
        ...

    def heads(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Head]:
        """Return the current head of each record that has one."""
        ...

    def repairable(self, references: Sequence[str]) -> Mapping[str, Place]:
        """Return the places of those messages, given as topic/partition/offset, that are in quarantine and not yet repaired."""
        ...


@dataclass(slots=True)
class Judged:
    """One message with its verdict; `identified` = header and identities are sound, so it counts in the ledger.

    `place`: its original's place in the one order, when it repairs one.
    """

    message: Message
    topic_id: str
    decoded: Decoded
    issues: list[Issue] = field(default_factory=list)
    status: Status = "accepted"
    identified: bool = False
    place: Place | None = None

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
            one.issues += _caught(lambda one=one: _header_issues(one))  # type: ignore[misc]  # bound at once
            one.identified = not any(i.rule in IDENTITY_RULES for i in one.issues)
        if UNREADABLE_HEADERS in one.message.headers:
            one.issues.append(Issue("bad_headers", "warn", None, None, "names of Kafka headers in UTF-8"))
    _mark_repairs(judged, seen)
    _check_values(judged)
    for one in judged:
        one.issues = bounded(one.issues)
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
        issues += key_issues(header, template.fields)
        if template.institute not in (None, institute):
            issues.append(Issue("template_institute", "hard", None, str(template.institute), institute))
    event_time = header.get("event_time")
    if one.message.timestamp_ms is None:
        issues.append(Issue("broker_time", "warn", None, None, "a Kafka timestamp that is a time"))
    elif isinstance(event_time, dt.datetime):
        arrived = dt.datetime.fromtimestamp(one.message.timestamp_ms / 1000, tz=dt.UTC)
        issues += time_issues(event_time, arrived, header)
    return issues


def _caught(check: Callable[[], Iterable[Issue]]) -> list[Issue]:
    """Return what a check finds; what it stumbles over is a finding too, so that no message can stop the others."""
    try:
        return list(check())
    except Exception as error:
        log.exception("a check failed on one message")
        return [
            Issue("check_failed", "hard", None, f"{type(error).__name__}: {error}"[:256], "values that can be checked")
        ]


def bounded(issues: list[Issue]) -> list[Issue]:
    """Return at most 100 findings, hard ones first, and how many there were beyond."""
    if len(issues) <= MAX_ISSUES:
        return issues
    kept = sorted(issues, key=lambda i: i.severity != "hard")[:MAX_ISSUES]
    return [*kept, Issue("more_findings", "info", None, f"{len(issues)} findings", f"{MAX_ISSUES} are kept")]


def _check_values(judged: Sequence[Judged]) -> None:
    """Check the values of all messages of a template together: the cost is per batch."""
    by_template: dict[str, tuple[Template, list[Judged]]] = {}
    for one in judged:
        template = one.decoded.template
        if template is not None and one.header and not any(i.rule == "template_version" for i in one.issues):
            by_template.setdefault(template.sha256, (template, []))[1].append(one)
    for template, members in by_template.values():
        _check_members(template, members)


def _check_members(template: Template, members: Sequence[Judged]) -> None:
    """Add each member's findings; where the batch cannot be checked, halves are, until the culprit is alone."""

    def check() -> list[list[Issue]]:
        origins = [str(m.header.get("origin")) for m in members]
        return check_values(template, [m.decoded.values for m in members], origins)

    if len(members) == 1:
        members[0].issues += _caught(lambda: check()[0])
        return
    try:
        found = check()
    except Exception:
        log.exception("a batch of %s cannot be checked as one", template.key)
        half = len(members) // 2
        _check_members(template, members[:half])
        _check_members(template, members[half:])
        return
    for one, issues in zip(members, found, strict=True):
        one.issues += issues


def _mark_repairs(judged: Sequence[Judged], seen: Seen) -> None:
    """Give events that repair a quarantined message its place; whoever names another's, none, or one twice, is refused."""
    repairing = [one for one in judged if one.header.get("repairs") is not None]
    if not repairing:
        return
    known = dict(seen.repairable([str(one.header["repairs"]) for one in repairing]))
    for one in repairing:
        reference = str(one.header["repairs"])
        # Of two repairs of one message the first counts: later statements about the record are corrections.
        one.place = known.pop(reference, None) if reference.startswith(f"{one.message.topic}/") else None
        if one.place is None:
            expected = f"{one.message.topic}/<partition>/<offset> of a message in quarantine"
            one.issues.append(Issue("repairs_unknown", "hard", "header.repairs", reference[:128], expected))


def _mark_repeats(judged: Sequence[Judged], seen: Seen) -> None:
    """Mark messages whose (producer, epoch, seq) is stored, or came earlier in the flush.

    What is in quarantine takes nothing: the same event, mended and sent again under its number, is taken in.
    """
    keys = {id(one): sequence_key(one.header) for one in judged if one.identified}
    known = dict(seen.sequences(list(set(keys.values()))))
    for one in judged:
        key = keys.get(id(one))
        if key is None:
            continue
        event_id = str(one.header["event_id"])
        stored = known.get(key)
        if stored is None or (stored.event_id == event_id and stored.quarantined and one.status == "accepted"):
            known[key] = Stored(event_id, quarantined=one.status == "quarantined")
        elif stored.event_id == event_id:
            one.status = "duplicate"
            one.issues.append(Issue("repeated_message", "info", "header.seq", f"{key[1]}/{key[2]}", "each seq once"))
        else:
            one.status = "quarantined"
            one.issues.append(Issue("sequence_conflict", "hard", "header.seq", event_id, stored.event_id))


def _mark_corrections(judged: Sequence[Judged], seen: Seen) -> None:
    """Mark accepted events that say what is current already, and flag those that supersede what is not."""
    accepted = [one for one in judged if one.status == "accepted"]
    heads = dict(seen.heads({record_key(one) for one in accepted}))
    for one in accepted:
        header, key = one.header, record_key(one)
        head, content = heads.get(key), cast("str | None", header.get("content"))
        if content is not None and head is not None and head.content == content and not head.retracted:
            one.status = "duplicate"
            one.issues.append(Issue("same_content", "info", "header.content", content, f"event {head.event_id}"))
            continue
        supersedes = header.get("supersedes")
        if supersedes is not None and (head is None or head.event_id != supersedes):
            current = "nothing is current" if head is None else head.event_id
            one.issues.append(Issue("supersedes_not_head", "warn", "header.supersedes", str(supersedes), current))
        if one.place is None or head is None or (head.place is not None and one.place > head.place):
            heads[key] = Head(str(header["event_id"]), content, bool(header.get("retracted")), one.place)


def sequence_key(header: Mapping[str, object]) -> SequenceKey:
    """Return (producer, epoch, seq) of a sound header."""
    return str(header["producer"]), cast("int", header["epoch"]), cast("int", header["seq"])


def record_key(one: Judged) -> RecordKey:
    """Return what a sound event is about: corrections reach only the same institute's records of the same stage."""
    assert one.decoded.template is not None, "what is accepted has a template"
    key = one.decoded.template.key
    return str(one.header["institute"]), key.project, key.stage, str(one.header["record_id"])
