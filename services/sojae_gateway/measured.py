"""What has been measured: the property records of a project as they are current, kept up by what has moved in the index."""

import datetime as dt
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sojae.adapters.row_reads import EventRow, Mark, RowReader
from sojae.domain.model import Rights, TargetModel, record_name
from sojae.ports import Decoder
from sojae_gateway.access import Principal, Sight, Subject, visible

PAGE = 500


@dataclass(frozen=True, slots=True)
class Measurement:
    """One property record: whose it is, which sample, its values by field, and what access to it depends on."""

    owner: str
    record_id: str
    sample_id: str
    values: Mapping[str, object]
    subject: Subject

    def of(self, target: TargetModel) -> float | None:
        """Return what was measured of a target, in its unit; None when the record does not say."""
        if any(self.values.get(name) != value for name, value in target.split.items()):
            return None
        value = self.values.get(target.field)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


class Measured:
    """Property records of one project by name, `<institute>/<record_id>`; `catch_up` reads only what is new."""

    def __init__(self, project: str, fields: frozenset[str], reader: RowReader, decoder: Decoder) -> None:
        """`fields` are the properties that are kept; whole records would be too much for memory."""
        self._project = project
        self._fields = fields
        self._reader = reader
        self._decoder = decoder
        self._mark = Mark()
        self._by_record: dict[str, Measurement] = {}
        self._lock = threading.Lock()

    def catch_up(self) -> int:
        """Take in what has moved or gone since the last time and return how many records; raises StateError."""
        taken = 0
        with self._lock:
            kept, mark, done = self._by_record, self._mark, False
            while not done:
                with self._reader.snapshot() as rows:
                    moved = rows.moved(self._project, "property", mark, PAGE)
                if moved.whole:
                    kept = {}
                now = {
                    record_name(one.owner, one.record_id): one
                    for one in measurements(moved.heads, self._decoder, self._fields)
                }
                named = (*moved.gone, *((row.owner, row.record_id or "") for row in moved.heads))
                kept |= now
                for name in {record_name(*which) for which in named} - now.keys():
                    kept.pop(name, None)
                mark, done = moved.mark, moved.done
                taken += len(moved.heads) + len(moved.gone)
            self._by_record, self._mark = kept, mark
        return taken

    def get(self, name: str) -> Measurement | None:
        """Return the record of that name; None when the index does not have it."""
        return self._by_record.get(name)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one principal may see of measured records on one day (UTC)."""

    measured: Measured
    principal: Principal
    today: dt.date

    def get(self, name: str) -> tuple[Measurement | None, Sight]:
        """Return a record that the index has, and how much of it may be seen.

        Of a record that it does not have (yet, or any more), nothing says whose it is: only the operator hears of it.
        """
        known = self.measured.get(name)
        if known is None:
            return None, "metadata" if self.principal.operator else "nothing"
        return known, visible(self.principal, known.subject, self.today)

    def recipe(self, name: str, rights: Rights) -> bool:
        """Return whether the recipe of a measured record may be seen.

        It is joined from other records: the strictest disclosure and embargo of these hold beside the record's own.
        """
        known, sight = self.get(name)
        if known is None:
            return self.principal.operator
        joined = replace(known.subject, disclosure=rights.disclosure, embargo_until=rights.embargo_until)
        return sight == "everything" == visible(self.principal, joined, self.today)

    def name(self, name: str) -> str | None:
        """Return the name of a record whose existence may be known, else None."""
        return None if self.get(name)[1] == "nothing" else name


def measurements(rows: Sequence[EventRow], decoder: Decoder, fields: frozenset[str]) -> Iterator[Measurement]:
    """Yield each row that can be decoded, with the fields asked for and what access to it depends on."""
    for row, decoded in zip(rows, decoder.decode([row.raw for row in rows]), strict=True):
        if decoded.header:
            yield Measurement(
                row.owner,
                row.record_id or "",
                row.sample_id or "",
                {name: value for name, value in decoded.values.items() if name in fields and value is not None},
                subject_of(row, decoded.header),
            )


def subject_of(row: EventRow, header: Mapping[str, object]) -> Subject:
    """Return what access to a stored event depends on; `header` is its decoded header, empty when there is none."""
    embargo = header.get("embargo_until")
    return Subject(
        owner=row.owner,
        status=row.status,
        project=row.project,
        disclosure=row.disclosure,
        embargo_until=embargo if isinstance(embargo, dt.date) else None,
    )
