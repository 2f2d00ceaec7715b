"""What became of an import: outcomes matched with the rows of the file that they are about, and counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from sojae.domain.finding_words import shown_expected, shown_got
from sojae.domain.grade import Grade, grade
from sojae.domain.issue import rule_text
from sojae.domain.mapping_findings import EqualRows, Finding, ImportEvent
from sojae.domain.mapping_rows import RowsRead
from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit


class Sent(NamedTuple):
    """Where the broker put an event."""

    partition: int
    offset: int


class FoundCell(NamedTuple):
    """One finding, as the person who keeps the file needs it: where, which rule, what was got, expected and is to be done.

    `column` and `record` are empty where a whole row cannot be read; `sheet` is that of a workbook.
    """

    row: int
    column: str
    record: str
    rule: str
    why: Text
    sheet: str | None = None


@dataclass(slots=True)
class ImportReport:
    """Counts of one import; `waiting` are the events whose outcome is not known yet, `grades` those of accepted ones by stage.

    `file` is what was imported. `store_unread` says why the store could not be read when it was last asked, None when it could.
    """

    waiting: dict[Sent, ImportEvent] = field(default_factory=dict)
    file: str = ""
    rows: int = 0
    sent: int = 0
    accepted: int = 0
    flagged: int = 0
    quarantined: int = 0
    duplicates: int = 0
    grades: dict[str, Counter[Grade]] = field(default_factory=dict)
    refused: list[FoundCell] = field(default_factory=list)
    warned: list[FoundCell] = field(default_factory=list)
    findings: Sequence[Finding] = ()
    equal: Sequence[EqualRows] = ()
    store_unread: Text | None = None

    @classmethod
    def of(cls, read: RowsRead) -> "ImportReport":
        """Return the report of a file that was read, and of which nothing has been sent."""
        return cls(file=read.file, rows=read.rows, findings=read.findings, equal=read.equal)

    @property
    def unread(self) -> list[FoundCell]:
        """What could not be read, and was not sent."""
        return [FoundCell(f.row, f.column, f.record, f.rule, _why_unread(f), f.sheet) for f in self.findings]

    @property
    def is_whole(self) -> bool:
        """Whether everything that the file says is in the store: nothing quarantined, unread or unknown."""
        return not (self.quarantined or self.findings or self.waiting)

    def add(self, event: ImportEvent, position: Sent) -> None:
        """Take note of an event that the broker has acknowledged."""
        self.waiting[position] = event
        self.sent += 1

    def hear(self, outcomes: Sequence[Mapping[str, object]], topic: str) -> int:
        """Return how many of the waiting events these outcomes tell about; each is counted once.

        An outcome has topic, partition, offset, status and issues, as an outcome message holds it or a row of `events`.
        """
        heard = 0
        for outcome in outcomes:
            position = Sent(cast("int", outcome["partition"]), cast("int", outcome["offset"]))
            if outcome["topic"] != topic or position not in self.waiting:
                continue
            self._count(self.waiting.pop(position), outcome)
            heard += 1
        return heard

    def _count(self, event: ImportEvent, outcome: Mapping[str, object]) -> None:
        issues = cast("Sequence[Mapping[str, object]]", outcome["issues"] or ())
        status = outcome["status"]
        if status == "accepted":
            warned = [_cell(event, issue) for issue in issues if issue["severity"] == "warn"]
            self.accepted += 1
            self._grade(event, issues)
            self.flagged += bool(warned)
            self.warned += warned
        elif status == "duplicate":
            self.duplicates += 1
        else:
            self.quarantined += 1
            self.refused += [_cell(event, issue) for issue in issues if issue["severity"] == "hard"]

    def _grade(self, event: ImportEvent, issues: Sequence[Mapping[str, object]]) -> None:
        """Count the quality grade with which an event was accepted."""
        found = grade(event.header, [str(issue["rule"]) for issue in issues])
        self.grades.setdefault(event.template.key.stage, Counter())[found] += 1

    def counts(self) -> dict[str, int]:
        """Return the numbers of the import, by the words of the last line."""
        return {
            "rows": self.rows,
            "sent": self.sent,
            "accepted": self.accepted,
            "flagged": self.flagged,
            "quarantined": self.quarantined,
            "duplicates": self.duplicates,
            "unread": len(self.findings),
            "unknown": len(self.waiting),
        }


def _cell(event: ImportEvent, issue: Mapping[str, object]) -> FoundCell:
    names = str(issue["field"] or "").split(", ")
    columns = dict.fromkeys(event.columns.get(n, event.columns.get(n.split(".")[0], n)) for n in names)
    stage = event.template.key.stage
    return FoundCell(event.row, ", ".join(columns), stage, str(issue["rule"]), _why(event, names, issue), event.sheet)


def _why_unread(finding: Finding) -> Text:
    got, expected, remedy = finding.got or "–", finding.expected, finding.remedy
    return Text(
        ko=f"{got} 대신 {expected.ko}. {remedy.ko}",
        en=f"got {got}, expected {expected.en}; {remedy.en}",
    )


def _why(event: ImportEvent, names: Sequence[str], issue: Mapping[str, object]) -> Text:
    """Return what was got and expected, and what the rule says; a range needs no more, nor does a template's own rule."""
    rule = str(issue["rule"])
    got = _with_typed(shown_got(cast("str | None", issue["got"])), event, names)
    expected = shown_expected(rule, cast("str | None", issue["expected"]))
    said = _said(event, rule, issue)
    if any(own.id == rule for own in event.template.rules):
        # What such a rule expects is SQL: its own sentence says it better.
        return Text(ko=f"{got.ko}: {said.ko}", en=f"got {got.en}: {said.en}")
    if rule == "warn_range":
        return Text(ko=f"{got.ko}, 보통은 {expected.ko}", en=f"got {got.en}, usual {expected.en}")
    why = Text(
        ko=f"{got.ko} 대신 {expected.ko}. {said.ko}",
        en=f"got {got.en}, expected {expected.en}; {said.en}",
    )
    if rule == "category" and any(name in event.columns for name in names):
        why = Text(
            ko=f"{why.ko}. 또는 매핑에서 이 열의 values에 추가하십시오",
            en=f"{why.en}; or add it to values of this column in the mapping",
        )
    return why


def _said(event: ImportEvent, rule: str, issue: Mapping[str, object]) -> Text:
    """Return the sentence of a rule: that of the outcome, else, as a row of the store has none, our own."""
    own = rule_text(rule, event.template)
    return Text(ko=str(issue.get("message_ko") or own.ko), en=str(issue.get("message_en") or own.en))


def _with_typed(got: Text, event: ImportEvent, names: Sequence[str]) -> Text:
    """Return what was got and, where the cell says it in other words or another unit, what was typed."""
    reported = cast("Mapping[str, str] | None", event.header.get("as_reported")) or {}
    typed = reported.get(names[0]) if len(names) == 1 else None
    if typed is None:
        return got
    number, _, unit = typed.rpartition(" ")
    shown = f"{number} {shown_unit(unit)}".strip() if number else typed
    return Text(ko=f"{got.ko} (입력: {shown})", en=f"{got.en} (typed {shown})")
