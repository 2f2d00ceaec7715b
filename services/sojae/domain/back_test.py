"""A proposed template asked of every record that is stored: which rules would quarantine or flag it, before it is published."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

from sojae.domain.checks import check_values
from sojae.domain.issue import Issue
from sojae.domain.majors import Majors
from sojae.domain.template import Field, Template

EXAMPLES = 3
"""Examples that are kept of each rule and institute."""

State = Literal["clean", "flagged", "quarantined"]


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
    """How many records of one institute a rule would quarantine or flag; `before` is how many the current version finds.

    The new ones are those that the current version leaves alone, or finds less or more grave; the newly passing ones it
    finds and the proposed one does not. Examples are of new findings, as far as there are any.
    """

    quarantined: int = 0
    flagged: int = 0
    before: int = 0
    newly_quarantined: int = 0
    newly_flagged: int = 0
    newly_passing: int = 0
    examples: list[Example] = field(default_factory=list)
    _new_examples: int = 0

    def show(self, example: Example, *, new: bool) -> None:
        """Keep an example while there are few; new findings come first, and take the places of known ones."""
        if new and self._new_examples < EXAMPLES:
            self.examples.insert(self._new_examples, example)
            self._new_examples += 1
            del self.examples[EXAMPLES:]
        elif len(self.examples) < EXAMPLES:
            self.examples.append(example)


@dataclass(slots=True)
class Verdict:
    """What would become of all records: by state under the current and the proposed version, and by rule and institute.

    `joined` says whether rules of scope lineage and collection were asked too.
    """

    records: int = 0
    undecodable: int = 0
    joined: bool = False
    states: Counter[tuple[State, State]] = field(default_factory=Counter)
    rules: dict[tuple[str, str], RuleCount] = field(default_factory=dict)

    @property
    def newly_quarantined(self) -> int:
        """Records that the current version accepts and the proposed one would not."""
        return self.states["clean", "quarantined"] + self.states["flagged", "quarantined"]

    @property
    def newly_accepted(self) -> int:
        """Records that the current version refuses and the proposed one would take."""
        return self.states["quarantined", "clean"] + self.states["quarantined", "flagged"]

    @property
    def newly_flagged(self) -> int:
        """Records of which the current version says nothing, and the proposed one would say something."""
        return self.states["clean", "flagged"]

    @property
    def newly_clean(self) -> int:
        """Records that the current version flags, and of which the proposed one would say nothing."""
        return self.states["flagged", "clean"]

    def of(self, rule: str, institute: str) -> RuleCount:
        """Return the count of a rule for an institute, to be counted on."""
        return self.rules.setdefault((rule, institute), RuleCount())


class BackTest:
    """Asks a proposed version, and the current one beside it, of batch after batch of stored records.

    Without a current version every finding is new.
    """

    def __init__(self, proposed: Template, current: Template | None) -> None:
        self.proposed = proposed
        self.current = current
        self.verdict = Verdict()
        self._as_proposed = _AsOf(proposed)
        self._as_current = None if current is None else _AsOf(current)

    def take(self, records: Sequence[StoredRecord]) -> None:
        """Judge a batch. Values of another major are converted to the judging version's units where they can be."""
        found = self._as_proposed.judged(records)
        before = self._as_current.judged(records) if self._as_current is not None else [[] for _ in records]
        self.verdict.records += len(records)
        for record, now, was in zip(records, found, before, strict=True):
            self.verdict.states[_state(was), _state(now)] += 1
            self._count(record, _worst_by_rule(now), _worst_by_rule(was))

    def take_joined(self, before: Iterable[tuple[str, Example]], now: Iterable[tuple[str, Example]]) -> None:
        """Count what rules over the materials view find, each as rule and example; they only flag."""
        known = {(rule, found.institute, found.record_id) for rule, found in before}
        for rule, institute, _ in known:
            self.verdict.of(rule, institute).before += 1
        for rule, found in now:
            one = (rule, found.institute, found.record_id)
            count = self.verdict.of(rule, found.institute)
            count.flagged += 1
            count.newly_flagged += one not in known
            count.show(found, new=one not in known)
            known.discard(one)
        for rule, institute, _ in known:
            self.verdict.of(rule, institute).newly_passing += 1
        self.verdict.joined = True

    def _count(self, record: StoredRecord, now: Mapping[str, Issue], was: Mapping[str, Issue]) -> None:
        for rule, issue in now.items():
            count, hard = self.verdict.of(rule, record.institute), issue.severity == "hard"
            new = rule not in was or (was[rule].severity == "hard") != hard
            count.quarantined += hard
            count.flagged += not hard
            count.newly_quarantined += new and hard
            count.newly_flagged += new and not hard
            example = Example(record.institute, record.record_id, issue.field, issue.got, issue.expected)
            count.show(example, new=new)
        for rule in was:
            count = self.verdict.of(rule, record.institute)
            count.before += 1
            count.newly_passing += rule not in now


class _AsOf:
    """Records under one version: in its units, without what it does not have."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._maps = {f.name for f in template.fields if f.kind in ("map_double", "map_string")}
        self._majors: dict[str, Majors] = {}
        self._kept: dict[str, frozenset[str]] = {}

    def judged(self, records: Sequence[StoredRecord]) -> list[list[Issue]]:
        """Return what the version finds in each record."""
        return check_values(self._template, [self._of(r) for r in records], [r.origin for r in records])

    def _of(self, record: StoredRecord) -> dict[str, object]:
        """Return the template's fields; null where the record has none, or one that does not mean the same."""
        values = record.values
        if record.template.key.major != self._template.key.major:
            values = self._of_another_major(record)
        kept = self._kept_of(record.template)
        return {f.name: values.get(f.name) if f.name in kept else None for f in self._template.fields}

    def _kept_of(self, writer: Template) -> frozenset[str]:
        """Return the fields that both have; inside a major, only those that mean the same in both."""
        kept = self._kept.get(writer.sha256)
        if kept is None:
            there = {f.name: f for f in writer.fields}
            other_major = writer.key.major != self._template.key.major
            shared = (f for f in self._template.fields if f.name in there)
            kept = frozenset(f.name for f in shared if other_major or _meaning(f) == _meaning(there[f.name]))
            self._kept[writer.sha256] = kept
        return kept

    def _of_another_major(self, record: StoredRecord) -> Mapping[str, object]:
        majors = self._majors.get(record.template.sha256)
        if majors is None:
            majors = Majors([record.template, self._template], self._template)
            self._majors[record.template.sha256] = majors
        row = {name: list(v.items()) if isinstance(v, Mapping) else v for name, v in record.values.items()}
        changed, _ = majors.conform({**row, "template_version": record.template.key.version})
        return {
            name: dict(cast("Sequence[tuple[str, object]]", v)) if name in self._maps and v is not None else v
            for name, v in changed.items()
        }


def _meaning(of: Field) -> tuple[object, ...]:
    return of.kind, of.unit, of.quantity, of.basis


def _worst_by_rule(issues: Iterable[Issue]) -> dict[str, Issue]:
    """Return the gravest finding of each rule: a record counts once, in however many fields a rule finds it."""
    found: dict[str, Issue] = {}
    for issue in issues:
        if issue.rule not in found or (issue.severity == "hard" and found[issue.rule].severity != "hard"):
            found[issue.rule] = issue
    return found


def _state(issues: Sequence[Issue]) -> State:
    if any(issue.severity == "hard" for issue in issues):
        return "quarantined"
    return "flagged" if issues else "clean"
