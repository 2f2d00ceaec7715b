"""What would become of an import, without a broker; and the file given back with what is wrong in each row."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from sojae.adapters.marked_file import Mark, write_marked
from sojae.cli.import_outcomes import Messages
from sojae.cli.import_parts import Part
from sojae.cli.import_report import FoundCell, ImportReport, Sent
from sojae.domain.checks import check_values
from sojae.domain.issue import Issue, worst
from sojae.domain.mapping_rows import Finding, ImportEvent
from sojae.domain.text import Language, Text
from sojae.domain.workbook_layout import KEY_ROW

CHECKED = "checked"
FINDING = Text(ko="{got} 대신 {expected}", en="got {got}, expected {expected}")


def checked(messages: Messages) -> ImportReport:
    """Return what the checks of values say of every event; nothing is sent.

    What only the store knows is not looked at: whether an event is a duplicate, and what its chain of records is.
    """
    report = ImportReport.of(messages.read)
    by_template: dict[str, list[tuple[int, ImportEvent]]] = {}
    for number, event in enumerate(messages.read.events):
        report.add(event, Sent(0, number))
        by_template.setdefault(event.template.sha256, []).append((number, event))
    outcomes = []
    for group in by_template.values():
        origins = [str(e.header.get("origin")) for _, e in group]
        found = check_values(group[0][1].template, [e.values for _, e in group], origins)
        outcomes += [_outcome(number, issues) for (number, _), issues in zip(group, found, strict=True)]
    report.hear(outcomes, CHECKED)
    return report


def _outcome(number: int, issues: list[Issue]) -> dict[str, object]:
    return {
        "topic": CHECKED, "partition": 0, "offset": number, "status": worst(issues), "issues": [asdict(i) for i in issues],
    }  # fmt: skip


def give_back(file: Path, target: Path, parts: Sequence[Part], report: ImportReport, language: Language) -> None:
    """Write the file to `target` with a column of everything that was found; raises SpreadsheetError."""
    rows = {p.sheet or p.mapping.sheet: KEY_ROW if p.from_template else p.mapping.header_row for p in parts}
    write_marked(file, target, rows, _marks(parts, report, language))


def _marks(parts: Sequence[Part], report: ImportReport, language: Language) -> Iterator[Mark]:
    sheets = {r.name: p.sheet or p.mapping.sheet for p in parts for r in p.mapping.records}
    stages = {str(r.template.key.stage): p.sheet or p.mapping.sheet for p in parts for r in p.mapping.records}
    for finding in report.findings:
        columns = finding.column.split(", ")
        yield Mark(sheets[finding.record], finding.row, columns, _finding_text(finding, language), refused=True)
    for cells, refused in ((report.refused, True), (report.warned, False)):
        for cell in cells:
            yield Mark(stages[cell.record], cell.row, cell.column.split(", "), _cell_text(cell, language), refused)


def _cell_text(cell: FoundCell, language: Language) -> str:
    return f"{cell.column} [{cell.rule}]: {cell.why[language]}"


def _finding_text(finding: Finding, language: Language) -> str:
    expected = finding.expected[language]
    if finding.whole:
        return f"{finding.column}: {expected}"
    return f"{finding.column}: {FINDING.format(got=finding.got or '–', expected=expected)[language]}"
