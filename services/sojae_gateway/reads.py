"""Row reads: every one goes through the index at one version, and through access."""

import base64
import binascii
import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from sojae.adapters.row_reads import EventRow, Home, QuarantineFilter, RecordFilter, RowReader, RowSnapshot
from sojae.adapters.row_tables import place_bytes, place_of
from sojae.domain.order import Place
from sojae.domain.text import Text
from sojae.ports import Decoder
from sojae_gateway.access import Principal, Subject, visible
from sojae_gateway.refusal import Refused, shorten
from sojae_gateway.rows import StoredEvent, show_events

MAX_SCANS = 10
"""Index pages that one answer may look through for rows that the principal may see; then it says where to go on."""

MAX_CANDIDATES = 20


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of stored events; `next` is the cursor of the next one, None at the end."""

    rows: list[StoredEvent]
    next: str | None
    store_version: int | None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is stated about a record: the current event (None when it is retracted), and all of them in the one order."""

    record_id: str
    institute: str
    project: str | None
    stage: str | None
    retracted: bool
    current: StoredEvent | None
    history: list[StoredEvent]
    store_version: int | None


class EventFound(msgspec.Struct, frozen=True, kw_only=True):
    """The event of an id, and every stored message that carries it, in the one order (repeats, refused ones)."""

    event: StoredEvent
    messages: list[StoredEvent]
    store_version: int | None


class CountRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many stored messages have one status; project and stage are None where a message cannot be decoded."""

    institute: str
    project: str | None
    stage: str | None
    status: str
    n: int


@dataclass(frozen=True, slots=True)
class Reads:
    """All row reads of one principal on one day (UTC)."""

    reader: RowReader
    decoder: Decoder
    principal: Principal
    today: dt.date

    def records(self, wanted: RecordFilter, cursor: str | None, limit: int) -> EventPage:
        """Return a page of current records, in the one order."""
        with self.reader.snapshot() as rows:
            return self._page(rows, lambda after, n: rows.current(wanted, after, n), _place(cursor), limit)

    def quarantine(self, wanted: QuarantineFilter, cursor: str | None, limit: int) -> EventPage:
        """Return a page of quarantined events, newest first."""
        with self.reader.snapshot() as rows:
            return self._page(rows, lambda before, n: rows.quarantined(wanted, before, n), _place(cursor), limit)

    def record(self, record_id: str, within: RecordFilter) -> Record:
        """Return a record with its history; raises Refused when there is none, or several institutes, projects or stages have one of this id."""
        with self.reader.snapshot() as rows:
            found = [self._record(rows, home, record_id) for home in rows.homes(record_id, within)]
        records = [record for record in found if record is not None]
        if len(records) > 1:
            raise _ambiguous("ambiguous_record", record_id, records)
        if not records:
            raise _unknown("unknown_record", record_id, within.owner)
        return records[0]

    def event(self, event_id: str, institute: str, within: RecordFilter) -> EventFound:
        """Return the event of an id: the first accepted one, else the first.

        Raises Refused when there is none, or several projects or stages have accepted one of this id.
        """
        with self.reader.snapshot() as rows:
            found = self._visible(rows.events(institute, event_id))
            version = rows.version
        messages = [m for m in found if within.project in (None, m.project) and within.stage in (None, m.stage)]
        if not messages:
            raise _unknown("unknown_event", event_id, institute)
        accepted = {(m.project, m.stage): m for m in reversed(messages) if m.status == "accepted"}
        if len(accepted) > 1:
            raise _ambiguous("ambiguous_event", event_id, list(accepted.values())[::-1])
        event = next(iter(accepted.values()), messages[0])
        return EventFound(event=event, messages=messages, store_version=version)

    def counts(self) -> tuple[dict[str, int], list[CountRow], int | None]:
        """Return counts by status, the same by institute, project and stage, and their version.

        Only those are counted whose institute the principal speaks for: a count tells of events that may not be seen.
        """
        with self.reader.snapshot() as rows:
            counts, version = rows.counts(), rows.version
        seen = [
            c
            for c in counts
            if visible(self.principal, Subject(c.owner, c.status, c.project or None), self.today) == "everything"
        ]
        total: Counter[str] = Counter({"accepted": 0, "quarantined": 0, "duplicate": 0})
        for count in seen:
            total[count.status] += count.n
        table = [
            CountRow(institute=c.owner, project=c.project or None, stage=c.stage or None, status=c.status, n=c.n)
            for c in seen
        ]
        return dict(total), table, version

    def grades(self, project: str) -> tuple[dict[str, dict[str, int]], int | None]:
        """Return counts of a project's current records by stage and grade (`none` = stored without one), and their version.

        Only those are counted whose institute the principal speaks for.
        """
        with self.reader.snapshot() as rows:
            counts, version = rows.grades(project), rows.version
        by_stage: dict[str, Counter[str]] = {}
        for one in counts:
            if visible(self.principal, Subject(one.owner, "accepted", project), self.today) == "everything":
                by_stage.setdefault(one.stage, Counter())[one.grade or "none"] += one.n
        return {stage: dict(sorted(found.items())) for stage, found in sorted(by_stage.items())}, version

    def _record(self, rows: RowSnapshot, home: Home, record_id: str) -> Record | None:
        """Return a record of one institute, project and stage, None when there is none or nothing of it may be seen."""
        stated = rows.statements(home, record_id)
        shown = show_events(stated, self.decoder, self.principal, self.today)
        history = [event for event in shown if event is not None]
        if not history:
            return None
        return Record(
            record_id=record_id,
            institute=home.owner,
            project=home.project or None,
            stage=home.stage or None,
            retracted=stated[-1].retracted,
            current=None if stated[-1].retracted else shown[-1],
            history=history,
            store_version=rows.version,
        )

    def _visible(self, rows: Sequence[EventRow]) -> list[StoredEvent]:
        return [e for e in show_events(rows, self.decoder, self.principal, self.today) if e is not None]

    def _page(
        self,
        rows: RowSnapshot,
        read: Callable[[Place | None, int], list[EventRow]],
        place: Place | None,
        limit: int,
    ) -> EventPage:
        shown: list[StoredEvent] = []
        for _ in range(MAX_SCANS):
            found = read(place, limit + 1)
            for row, event in zip(found, show_events(found, self.decoder, self.principal, self.today), strict=True):
                if len(shown) == limit:
                    return EventPage(rows=shown, next=_cursor(place), store_version=rows.version)
                place = row.place
                if event is not None:
                    shown.append(event)
            if len(found) <= limit:
                return EventPage(rows=shown, next=None, store_version=rows.version)
        return EventPage(rows=shown, next=_cursor(place), store_version=rows.version)


def _cursor(place: Place | None) -> str | None:
    return None if place is None else base64.urlsafe_b64encode(place_bytes(place)).decode().rstrip("=")


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        return place_of(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        text = Text(
            ko="cursor: 이 값은 커서가 아닙니다. 앞 쪽의 next를 그대로 쓰십시오",
            en="cursor: this is no cursor; take `next` of the page before as it is",
        )
        raise Refused("cursor", text, field="cursor", got=shorten(cursor), expected="`next` of a page") from error


def _ambiguous(rule: str, identity: str, found: Sequence[Record | StoredEvent]) -> Refused:
    """Return the refusal that lists the candidates, and names what tells them apart."""
    candidates = [{"institute": f.institute, "project": f.project, "stage": f.stage} for f in found]
    differing = [name for name in candidates[0] if len({c[name] for c in candidates}) > 1]
    choice = "; ".join(", ".join(f"{name}={value}" for name, value in c.items()) for c in candidates[:MAX_CANDIDATES])
    choice += "; …" if len(candidates) > MAX_CANDIDATES else ""
    shown, names = shorten(identity), ", ".join(differing)
    text = Text(
        ko=f"{shown}: 이 이름을 가진 것이 여럿입니다. {names}을(를) 함께 쓰십시오: {choice}",
        en=f"{shown}: there are several of this id; add {names} of one of them: {choice}",
    )
    return Refused(rule, text, field=differing[0], expected=choice)


def _unknown(rule: str, identity: str, institute: str | None) -> Refused:
    shown, where = shorten(identity), f" ({institute})" if institute else ""
    text = Text(
        ko=f"{shown}{where}: 없는 기록이거나 볼 수 없습니다",
        en=f"{shown}{where}: there is none, or you may not see it",
    )
    return Refused(rule, text, got=shown)
