"""What would become of an import, without a broker; and the file given back with what is wrong in each row."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from sojae.adapters.marked_file import write_marked
from sojae.cli.import_outcomes import Messages
from sojae.cli.import_parts import Part
from sojae.cli.import_report import ImportReport, Sent
from sojae.domain.checks import check_values
from sojae.domain.header import identifier_issues, key_issues, value_issues
from sojae.domain.header_time import time_issues
from sojae.domain.issue import Issue, worst
from sojae.domain.mapping_findings import ImportEvent
from sojae.domain.mapping_identity import ImportRun
from sojae.domain.marks import Mark
from sojae.domain.text import Language, Text

CHECKED = "checked"
NAMED_SO = Text(
    ko="{where}: 고친 뒤 --source {source}로 가져오십시오. 그래야 같은 기록의 정정이 됩니다",
    en="{where}: when it is mended, import it with --source {source}, so that its rows stay the records that they are",
)


def checked(messages: Messages) -> ImportReport:
    """Return what the checks of header and values say of every event; nothing is sent.

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
        for (number, event), issues in zip(group, found, strict=True):
            outcomes.append(_outcome(number, [*_header_issues(event, messages.run), *issues]))
    report.hear(outcomes, CHECKED)
    return report


def _header_issues(event: ImportEvent, run: ImportRun) -> Iterator[Issue]:
    header, template = event.header, event.template
    yield from identifier_issues(header)
    yield from value_issues(header, template.header_fields)
    yield from key_issues(header, template.fields)
    if template.institute not in (None, run.institute):
        yield Issue("template_institute", "hard", None, str(template.institute), run.institute)
    event_time = header.get("event_time")
    if isinstance(event_time, dt.datetime):
        yield from time_issues(event_time, run.started_at, header)


def _outcome(number: int, issues: list[Issue]) -> dict[str, object]:
    return {
        "topic": CHECKED, "partition": 0, "offset": number, "status": worst(issues), "issues": [asdict(i) for i in issues],
    }  # fmt: skip


def give_back(
    file: Path, target: Path, parts: Sequence[Part], run: ImportRun, found: tuple[ImportReport, Language]
) -> list[Text]:
    """Write the file to `target` with all that was found, row by row, in a language; return what is to be known of it.

    A workbook made from templates that has no source gets the one under which it was imported: under the new file's name
    its rows would be other records. Raises SpreadsheetError.
    """
    places = [part.place for part in parts]
    known = frozenset(name for place in places for name in place.columns)
    own = {"source": run.source, "institute": run.institute}
    said, kept = write_marked(file, target, places, list(_marks(*found, known)), own)
    source = run.source if "source" in kept else parts[0].source or target.stem
    if source == run.source:
        return said
    return [*said, NAMED_SO.format(where=str(target), source=run.source)]


def _marks(report: ImportReport, language: Language, known: frozenset[str]) -> Iterator[Mark]:
    for cells, refused in ((report.unread, True), (report.refused, True), (report.warned, False)):
        for cell in cells:
            # A column's own name may hold what stands between two names.
            columns = [cell.column] if cell.column in known else cell.column.split(", ")
            yield Mark(cell.sheet, cell.row, columns, cell.rule, cell.why[language], refused)
