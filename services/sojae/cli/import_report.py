"""What became of an import: outcomes matched with the rows that they are about, and how it is shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from sojae.domain.mapping_rows import Finding, ImportEvent
from sojae.domain.text import Language, Text


@dataclass(frozen=True, slots=True)
class Words:
    """The lines of a report in one language."""

    refused: str
    unread: str
    cell: str
    finding: str


WORDS: Mapping[Language, Words] = {
    "ko": Words(
        refused="격리된 기록 (고쳐서 다시 가져오십시오):",
        unread="읽지 못해 보내지 않은 기록 (칸을 고쳐서 다시 가져오십시오):",
        cell="  {row}행, {column} [{record}, {rule}]: ",
        finding="  {row}행, {column} [{record}]: {got} 대신 {expected}",
    ),
    "en": Words(
        refused="Quarantined records (correct them and import again):",
        unread="Records not sent, since a cell cannot be read (correct it and import again):",
        cell="  row {row}, {column} [{record}, {rule}]: ",
        finding="  row {row}, {column} [{record}]: got {got}, expected {expected}",
    ),
}
NOT_ENOUGH = Text(
    ko="{unknown}건의 결과가 오지 않습니다. sojae_ingest가 실행 중인지 확인하십시오. 다시 가져와도 중복되지 않습니다",
    en="no outcome has come of {unknown} events; see whether sojae_ingest runs; importing again adds nothing twice",
)


class Sent(NamedTuple):
    """Where the broker put an event."""

    partition: int
    offset: int


class RefusedCell(NamedTuple):
    """One hard finding, as the person who keeps the file needs it."""

    row: int
    column: str
    record: str
    rule: str
    why: Text


@dataclass(slots=True)
class ImportReport:
    """Counts of one import; `waiting` are the events whose outcome is not known yet."""

    waiting: dict[Sent, ImportEvent] = field(default_factory=dict)
    sent: int = 0
    accepted: int = 0
    flagged: int = 0
    quarantined: int = 0
    duplicates: int = 0
    refused: list[RefusedCell] = field(default_factory=list)
    findings: Sequence[Finding] = ()

    def add(self, event: ImportEvent, position: Sent) -> None:
        """Take note of an event that the broker has acknowledged."""
        self.waiting[position] = event
        self.sent += 1

    def hear(self, outcome_message: Mapping[str, object], topic: str) -> int:
        """Return how many of the waiting events a packed outcome message tells about; each is counted once."""
        heard = 0
        for outcome in cast("Sequence[Mapping[str, object]]", outcome_message["outcomes"]):
            position = Sent(cast("int", outcome["partition"]), cast("int", outcome["offset"]))
            if outcome["topic"] != topic or position not in self.waiting:
                continue
            self._count(self.waiting.pop(position), outcome)
            heard += 1
        return heard

    def _count(self, event: ImportEvent, outcome: Mapping[str, object]) -> None:
        issues = cast("Sequence[Mapping[str, object]]", outcome["issues"])
        status = outcome["status"]
        if status == "accepted":
            self.accepted += 1
            self.flagged += any(issue["severity"] == "warn" for issue in issues)
        elif status == "duplicate":
            self.duplicates += 1
        else:
            self.quarantined += 1
            self.refused += [_refused(event, issue) for issue in issues if issue["severity"] == "hard"]

    def counts(self) -> dict[str, int]:
        """Return the numbers of the import, by the words of the last line."""
        return {
            "sent": self.sent,
            "accepted": self.accepted,
            "flagged": self.flagged,
            "quarantined": self.quarantined,
            "duplicates": self.duplicates,
            "unread": len(self.findings),
            "unknown": len(self.waiting),
        }


def lines(report: ImportReport, language: Language) -> Iterator[str]:
    """Yield one line for each refused or unread cell, in the order of the rows, and the counts as the last line."""
    words = WORDS[language]
    if report.refused:
        yield words.refused
    for cell in sorted(report.refused, key=lambda c: (c.row, c.record)):
        yield (
            words.cell.format(row=cell.row, column=cell.column, record=cell.record, rule=cell.rule) + cell.why[language]
        )
    if report.findings:
        yield words.unread
    for finding in report.findings:
        yield words.finding.format(
            row=finding.row, column=finding.column, record=finding.record, got=finding.got or "–",
            expected=finding.expected[language],
        )  # fmt: skip
    yield counts_line(report)[language]


def counts_line(report: ImportReport) -> Text:
    """Return the counts as one line: `sent 295 · accepted 293 (flagged 6) · quarantined 2 · …`."""
    return Text(
        ko="보냄 {sent} · 접수 {accepted} (주의 {flagged}) · 격리 {quarantined} · 중복 {duplicates} · 읽지 못함 {unread} · 모름 {unknown}",
        en="sent {sent} · accepted {accepted} (flagged {flagged}) · quarantined {quarantined} · duplicates {duplicates} "
        "· unread {unread} · unknown {unknown}",
    ).format(**report.counts())


def _refused(event: ImportEvent, issue: Mapping[str, object]) -> RefusedCell:
    names = str(issue["field"] or "").split(", ")
    columns = dict.fromkeys(event.columns.get(n, event.columns.get(n.split(".")[0], n)) for n in names)
    rule, got = str(issue["rule"]), str(issue["got"] or "–")
    why = Text(
        ko=f"{got} 대신 {issue['expected']}. {issue['message_ko']}",
        en=f"got {got}, expected {issue['expected']}; {issue['message_en']}",
    )
    if any(own.id == rule for own in event.template.rules):
        # What such a rule expects is SQL: its own sentence says it better.
        why = Text(ko=f"{got}: {issue['message_ko']}", en=f"got {got}: {issue['message_en']}")
    return RefusedCell(event.row, ", ".join(columns), event.template.key.stage, rule, why)
