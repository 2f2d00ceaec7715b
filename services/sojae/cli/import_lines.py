"""The report of an import as lines for people: equal causes in one line, each list bounded, the counts last."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from sojae.cli.import_report import FoundCell, ImportReport
from sojae.domain.mapping_findings import EqualRows
from sojae.domain.template import STAGES, Stage
from sojae.domain.text import Language, Text

LINES_SHOWN = 20
RANGES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Words:
    """The lines of a report in one language."""

    refused: str
    unread: str
    warned: str
    equal: str
    row: str
    rows: str
    sheet: str
    same: str
    more: str


WORDS: Mapping[Language, Words] = {
    "ko": Words(
        refused="격리된 기록 (고쳐서 다시 가져오십시오):",
        unread="읽지 못해 보내지 않은 기록 (칸을 고쳐서 다시 가져오십시오):",
        warned="접수했지만 확인할 값:",
        equal="모든 칸이 같은 행 (각각 별개의 기록으로 보냈습니다. 잘못 붙여 넣은 행이면 철회하십시오):",
        row="{rows}행",
        rows="{rows}행(모두 {count}행)",
        sheet="{sheet} 시트",
        same="{first}행과 같음",
        more="  … 이 밖에 {lines}줄, 지적 {count}개 (--all이 모두 보여 줍니다)",
    ),
    "en": Words(
        refused="Quarantined records (correct them and import again):",
        unread="Records not sent, since a cell cannot be read (correct it and import again):",
        warned="Accepted, but have a look:",
        equal="Rows that equal another in every cell (each was sent as a record of its own; retract what was pasted twice):",
        row="row {rows}",
        rows="rows {rows} ({count} rows)",
        sheet="sheet {sheet}",
        same="equal to row {first}",
        more="  … and {lines} more lines about {count} findings (--all shows them)",
    ),
}
NOT_ENOUGH = Text(
    ko="{unknown}건의 결과가 오지 않았고 저장소에도 없습니다. sojae_ingest가 실행 중인지 확인하십시오. 다시 가져와도 중복되지 않습니다",
    en="no outcome has come of {unknown} events, and the store does not hold them; see whether sojae_ingest runs; "
    "importing again adds nothing twice",
)
NOBODY_KNOWS = Text(
    ko="{unknown}건의 결과가 오지 않았고, 저장되었는지도 확인하지 못했습니다({why}). sojae_ingest가 실행 중인지 확인하십시오. 다시 가져와도 "
    "중복되지 않습니다",
    en="no outcome has come of {unknown} events, and whether they are stored could not be seen ({why}); see whether "
    "sojae_ingest runs; importing again adds nothing twice",
)
LEARNING = Text(
    ko="모델은 스스로 배웁니다. 물성 기록이 40개가 되면, 그 뒤로는 20 % 늘 때마다 학습합니다. 지금 학습하려면: "
    "`sojae train --once --project {project}`",
    en="Models learn this by themselves: training begins at 40 property records, and again when 20 % more came; "
    "`sojae train --once --project {project}` trains now.",
)


def lines(report: ImportReport, language: Language, *, everything: bool = False) -> Iterator[str]:
    """Yield what was refused, unread, flagged and equal, in the order of the rows, and the counts as the last line.

    What has one cause (column, rule, value) is one line with its rows; at most 20 lines of each list, unless `everything`.
    """
    words = WORDS[language]
    for heading, found in (
        (words.refused, _cells(report.refused, report.file, language)),
        (words.unread, _cells(report.unread, report.file, language)),
        (words.warned, _cells(report.warned, report.file, language)),
        (words.equal, _equal(report.equal, report.file, language)),
    ):
        yield from _listed(heading, found, words, everything=everything)
    if report.grades:
        yield grades_line(report)[language]
    yield counts_line(report)[language]


def unknown_text(report: ImportReport) -> Text:
    """Return what is said of the events of which nothing is known: the store does not hold them, or cannot be read."""
    count, unread = len(report.waiting), report.store_unread
    if unread is None:
        return NOT_ENOUGH.format(unknown=count)
    return Text(
        ko=NOBODY_KNOWS.ko.format(unknown=count, why=unread.ko), en=NOBODY_KNOWS.en.format(unknown=count, why=unread.en)
    )


def counts_line(report: ImportReport) -> Text:
    """Return the counts as one line: `rows 95 · sent 295 · accepted 293 (flagged 6) · quarantined 2 · …`."""
    return Text(
        ko="행 {rows} · 보냄 {sent} · 접수 {accepted} (주의 {flagged}) · 격리 {quarantined} · 중복 {duplicates} "
        "· 읽지 못함 {unread} · 모름 {unknown}",
        en="rows {rows} · sent {sent} · accepted {accepted} (flagged {flagged}) · quarantined {quarantined} "
        "· duplicates {duplicates} · unread {unread} · unknown {unknown}",
    ).format(**report.counts())


def grades_line(report: ImportReport) -> Text:
    """Return the quality grades of what was accepted: `grades: composition D 95 · property B 90, D 3`."""
    found = " · ".join(
        f"{stage} {', '.join(f'{name} {n}' for name, n in sorted(report.grades[stage].items()))}"
        for stage in STAGES
        if stage in report.grades
    )
    return Text(ko=f"등급: {found}", en=f"grades: {found}")


class Line(NamedTuple):
    """What stands before the rows of a line and behind them, and the rows it is about."""

    before: str
    behind: str
    rows: Sequence[int]


def _listed(heading: str, found: Sequence[Line], words: Words, *, everything: bool) -> Iterator[str]:
    if not found:
        return
    yield heading
    shown = len(found) if everything else LINES_SHOWN
    for line in found[:shown]:
        yield f"  {line.before}{_rows_text(line.rows, words, everything=everything)}{line.behind}"
    rest = found[shown:]
    if rest:
        yield words.more.format(lines=len(rest), count=sum(len(line.rows) for line in rest))


def _cells(cells: Iterable[FoundCell], file: str, language: Language) -> list[Line]:
    found = sorted(cells, key=lambda c: (_sheet_place(c), c.row, c.record))
    return _by_cause((_place(file, c.sheet, language), _what(c, language), c.row) for c in found)


def _sheet_place(cell: FoundCell) -> int:
    """Return the place of the sheet where each stage has its own: sheet by sheet, then row by row."""
    return [*STAGES].index(cast("Stage", cell.record)) if cell.sheet == cell.record else 0


def _place(file: str, sheet: str | None, language: Language) -> str:
    """Return the file, and the sheet of a workbook, as they stand before a row."""
    named = [file] if file else []
    if sheet is not None:
        named.append(WORDS[language].sheet.format(sheet=sheet))
    return "".join(f"{name}, " for name in named)


def _what(cell: FoundCell, language: Language) -> str:
    about = f", {cell.column}" if cell.column else ""
    rule = f"{cell.record}, {cell.rule}" if cell.record else cell.rule
    return f"{about} [{rule}]: {cell.why[language]}"


def _equal(equal: Iterable[EqualRows], file: str, language: Language) -> list[Line]:
    same = WORDS[language].same
    return _by_cause((_place(file, e.sheet, language), f": {same.format(first=e.first)}", e.row) for e in equal)


def _by_cause(found: Iterable[tuple[str, str, int]]) -> list[Line]:
    """Return each line once with its rows, in the order in which they first came."""
    causes: dict[tuple[str, str], list[int]] = {}
    for before, behind, row in found:
        causes.setdefault((before, behind), []).append(row)
    return [Line(before, behind, rows) for (before, behind), rows in causes.items()]


def _rows_text(rows: Sequence[int], words: Words, *, everything: bool) -> str:
    """Return `row 6`, or `rows 2–9, 12 (9 rows)`; of many ranges the first eight."""
    apart = list(_ranges(sorted(set(rows))))
    shown = apart if everything else apart[:RANGES_SHOWN]
    text = ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in shown)
    if len(shown) < len(apart):
        text += ", …"
    many = len(set(rows))
    return words.row.format(rows=text) if many == 1 else words.rows.format(rows=text, count=many)


def _ranges(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of consecutive numbers of an ascending sequence."""
    begin = previous = rows[0]
    for row in rows[1:]:
        if row != previous + 1:
            yield begin, previous
            begin = row
        previous = row
    yield begin, previous
