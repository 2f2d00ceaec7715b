"""A proposed template asked of every record that is stored: which rules would quarantine or flag it, before it is published."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from sojae.domain.checks import check_values
from sojae.domain.issue import Issue, worst
from sojae.domain.majors import Majors
from sojae.domain.template import Template

EXAMPLES = 3
"""Examples that are kept of each rule and institute."""


class StoredRecord(NamedTuple):
    """One stored event of the template's project and stage, in the words of the version that it was sent under."""

    institute: str
    record_id: str
    origin: str
    template: Template
    values: Mapping[str, object]


class Example(NamedTuple):
    """One record that a rule would find, as people look it up."""

    institute: str
    record_id: str
    field: str | None
    got: str | None
    expected: str | None


@dataclass(slots=True)
class RuleCount:
    """What one rule would do to the records of one institute; `before` is what the current version does."""

    quarantined: int = 0
    flagged: int = 0
    before: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """What would become of all records: by status under the current and the proposed version, and by rule and institute."""

    records: int = 0
    undecodable: int = 0
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: dict[tuple[str, str], RuleCount] = field(default_factory=dict)

    @property
    def newly_quarantined(self) -> int:
        """Records that the current version accepts and the proposed one would not."""
        return self.statuses["accepted", "quarantined"]

    @property
    def newly_accepted(self) -> int:
        """Records that the current version refuses and the proposed one would take."""
        return self.statuses["quarantined", "accepted"]


class BackTest:
    """Asks a proposed version, and the current one beside it, of batch after batch of stored records."""

    def __init__(self, proposed: Template, current: Template | None) -> None:
        self.proposed = proposed
        self.current = current
        self.verdict = Verdict()

    def take(self, records: Sequence[StoredRecord]) -> None:
        """Judge a batch. Values of another major are converted to the judging version's units where they can be."""
        found = _judged(self.proposed, records)
        before = _judged(self.current, records) if self.current is not None else found
        self.verdict.records += len(records)
        for record, now, was in zip(records, found, before, strict=True):
            self.verdict.statuses[worst(was), worst(now)] += 1
            self._count(record, now, was)

    def _count(self, record: StoredRecord, now: Iterable[Issue], was: Iterable[Issue]) -> None:
        for issue in now:
            count = self.verdict.rules.setdefault((issue.rule, record.institute), RuleCount())
            count.quarantined += issue.severity == "hard"
            count.flagged += issue.severity != "hard"
            if len(count.examples) < EXAMPLES:
                count.examples.append(
                    Example(record.institute, record.record_id, issue.field, issue.got, issue.expected)
                )
        for issue in was:
            self.verdict.rules.setdefault((issue.rule, record.institute), RuleCount()).before += 1


def _judged(template: Template, records: Sequence[StoredRecord]) -> list[list[Issue]]:
    rows = [_as_of(template, record) for record in records]
    return check_values(template, rows, [record.origin for record in records])


def _as_of(template: Template, record: StoredRecord) -> dict[str, object]:
    """Return the values of a record under another version: in its units, without what it does not have."""
    row = {name: list(v.items()) if isinstance(v, Mapping) else v for name, v in record.values.items()}
    versions = [record.template, template]
    changed, _ = Majors(versions, template).conform({**row, "template_version": record.template.key.version})
    maps = {f.name for f in template.fields if f.kind in ("map_double", "map_string")}
    values = {f.name: changed.get(f.name) for f in template.fields}
    pairs = {
        name: cast("Sequence[tuple[str, object]]", v) for name, v in values.items() if name in maps and v is not None
    }
    return {**values, **{name: dict(v) for name, v in pairs.items()}}
