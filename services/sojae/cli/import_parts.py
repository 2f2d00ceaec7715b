"""What a file holds for an import: one mapped table, or a sheet for each stage of a workbook made from templates."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sojae.adapters.record_files import read_records
from sojae.adapters.spreadsheet import find_header, read_table
from sojae.adapters.template_files import TemplateBook
from sojae.adapters.workbook_reader import TemplateWorkbook, read_workbook
from sojae.cli.import_sheets import HEADER_ROWS, hidden_notes, hidden_sheets, table_beneath_titles, visible_sheet
from sojae.domain.errors import MappingError, SpreadsheetError, UserInputError
from sojae.domain.mapping_findings import ImportEvent
from sojae.domain.mapping_identity import ImportRun
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.mapping_rows import RowsRead, read_rows
from sojae.domain.marks import MarkedTable
from sojae.domain.merged_cells import without_merges
from sojae.domain.table import Table
from sojae.domain.table_hygiene import without_errors, without_summaries
from sojae.domain.text import Text
from sojae.domain.workbook_layout import FIRST_ROW, KEY_ROW
from sojae.domain.workbook_mapping import data_of, keyed, sheet_template, unkeyed, workbook_mapping
from sojae.domain.workbook_words import SAMPLE
from sojae.topics import events_topic

UNKEYED = Text(
    ko="{where}: {columns}에는 키가 없어 읽지 않습니다. 2행에 필드 이름을 쓰십시오",
    en="{where}: {columns} without a key, not read; write the field's name into row 2",
)
NO_KEYS = Text(ko="어디에도 없습니다", en="nowhere")
KEYS_ELSEWHERE = Text(ko="{row}행에 있습니다", en="in row {row}")
THREE_ROWS = Text(
    ko="{where}: 키 sample_id가 {got}. {row}행에 있어야 합니다. 자료 위의 세 행은 이름, 키, 단위입니다(`sojae template csv`)",
    en="{where}: got the key sample_id {got}, expected it in row {row}; the three rows above the data are labels, keys and units, "
    "as `sojae template csv` writes them",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One table and how it is read, what was said of it on the way, and where its columns stand in the file.

    `source` is the name that the file, or its mapping, gives to its data; None where the file's own name does.
    """

    mapping: FileMapping
    table: Table
    said: tuple[Text, ...]
    place: MarkedTable
    source: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """Who speaks, and about which data; unset is what the file or its mapping says."""

    institute: str | None
    source: str | None


def mapped_part(file: Path, mapping: FileMapping) -> list[Part]:
    """Return the one table of a file that a mapping describes; raises SpreadsheetError.

    A header that stands lower than the mapping says is found; units, totals and merged cells are seen to, and told.
    """
    sheet, said = visible_sheet(file, mapping.sheet)
    table, row, lower = table_beneath_titles(file, sheet, mapping)
    place = MarkedTable(table.sheet, row, table.columns)
    return [_part(replace(mapping, header_row=row), table, [*said, *lower], place, mapping.source)]


def template_part(file: Path, what: str, templates: TemplateBook, named: Named) -> list[Part]:
    """Return the one table of a file whose columns are the keys of the template `what`, as PROJECT/STAGE.

    Raises TemplateError for a template that is not known, SpreadsheetError for a key that is no field.
    """
    project, _, stage = what.partition("/")
    template = templates.get(project, stage)
    sheet, said = visible_sheet(file, None)
    records = read_records(file)
    table, units = data_of(read_table(file, sheet=sheet, header_row=KEY_ROW)) if records is None else (records, {})
    if records is None and SAMPLE not in table.columns:
        raise _no_keys(file, table)
    place = MarkedTable(table.sheet, KEY_ROW, table.columns)
    table = keyed(table)
    mapping = workbook_mapping(template, table, units, templates, named.source or file.stem)
    return [_part(mapping, table, [*said, *_unkeyed(table)], place, None)]


def _no_keys(file: Path, table: Table) -> SpreadsheetError:
    """Return the error for a file whose second row has no keys; where they stand instead, it says."""
    row = find_header(file, {SAMPLE}, sheet=table.sheet, within=HEADER_ROWS)
    got = NO_KEYS if row is None else KEYS_ELSEWHERE.format(row=row)
    said = THREE_ROWS.format(where=table.place, got=got, row=KEY_ROW)
    return SpreadsheetError(en=said.en, ko=said.ko)


def workbook_parts(file: Path, templates: TemplateBook, named: Named) -> tuple[list[Part], str | None]:
    """Return the filled-in sheets of a workbook that was made from templates, and the institute that it names.

    Raises SpreadsheetError for a file that is no such workbook, or follows a template version that is not known here.
    """
    workbook = read_workbook(file)
    if workbook is None:
        raise SpreadsheetError(
            en=f"{file}: no mapping; give --mapping FILE.toml, or --template PROJECT/STAGE for a CSV file of `sojae template csv`; "
            "a workbook of `sojae template workbook` needs neither, and `sojae template draft` makes a mapping",
            ko=f"{file}: 매핑이 없습니다. --mapping FILE.toml을 주거나, `sojae template csv`로 만든 CSV면 --template PROJECT/STAGE를 "
            "주십시오. `sojae template workbook`으로 만든 파일에는 필요 없습니다",
        )
    parts = _sheet_parts(file, workbook, templates, named)
    if not parts:
        raise SpreadsheetError(
            en=f"{file}: no row is filled in on any of its sheets; fill in row {FIRST_ROW} and those below",
            ko=f"{file}: 채워진 행이 없습니다. 시트의 {FIRST_ROW}행부터 채우십시오",
        )
    hidden = tuple(hidden_sheets(file, [*workbook.hidden]))
    parts[0] = replace(parts[0], said=(*hidden, *parts[0].said))
    return parts, None if named.institute else _institute(file, workbook)


def _sheet_parts(file: Path, workbook: TemplateWorkbook, templates: TemplateBook, named: Named) -> list[Part]:
    source = named.source or workbook.info.get("source") or file.stem
    parts = []
    for stage, whole in workbook.sheets.items():
        table, units = data_of(keyed(whole))
        if table.rows:
            template, said = sheet_template(table, workbook.info, stage, templates)
            mapping = workbook_mapping(template, table, units, templates, source)
            place = MarkedTable(stage, KEY_ROW, whole.columns)
            own = workbook.info.get("source") or None
            parts.append(_part(mapping, table, [*said, *_unkeyed(table)], place, own))
    return parts


def _institute(file: Path, workbook: TemplateWorkbook) -> str | None:
    """Return the institute that a workbook names; raises SpreadsheetError for one that can be none."""
    institute = workbook.info.get("institute") or None
    try:
        if institute is not None:
            events_topic(institute)
    except UserInputError as error:
        raise SpreadsheetError(
            en=f"{file}, sheet sojae: {error.text.en}", ko=f"{file}, sojae 시트: {error.text.ko}"
        ) from error
    return institute


def _part(mapping: FileMapping, table: Table, said: Sequence[Text], place: MarkedTable, source: str | None) -> Part:
    """Return a table as it is read: merged cells, totals and a column of errors seen to, what is hidden told."""
    table, merged = without_merges(without_errors(mapping, table), mapping.named_by())
    table, left_out = without_summaries(mapping, table)
    hidden = hidden_notes(table, frozenset(mapping.columns()))
    return Part(mapping, table, (*said, *merged, *left_out, *hidden), place, source)


def _unkeyed(table: Table) -> list[Text]:
    columns = ", ".join(unkeyed(table))
    return [UNKEYED.format(where=table.place, columns=columns)] if columns else []


def notes(parts: Sequence[Part]) -> list[Text]:
    """Return what was assumed, or not read, of a file."""
    return [p.table.note for p in parts if p.table.note is not None] + [text for part in parts for text in part.said]


def read_parts(parts: Sequence[Part], file: Path, named: Named, institute: str | None) -> tuple[ImportRun, RowsRead]:
    """Return the run and everything that the parts hold, numbered through; raises MappingError without an institute."""
    who = named.institute or institute or next((p.mapping.institute for p in parts if p.mapping.institute), None)
    if who is None:
        raise MappingError(
            en=f"{file}: no institute; give --institute, or [defaults] institute in the mapping, or fill it in on the sheet sojae",
            ko=f"{file}: 기관이 없습니다. --institute나 매핑의 [defaults] institute를 주거나 sojae 시트에 채우십시오",
        )
    source = named.source or next((p.mapping.source for p in parts if p.mapping.source), None) or file.stem
    run = ImportRun(who, source, time.time_ns() // 1_000_000)
    whole, events = RowsRead(file=file.name), list[ImportEvent]()
    for part in parts:
        found = read_rows(part.mapping, part.table, run)
        whole.rows += found.rows
        whole.equal += found.equal
        whole.findings += found.findings
        whole.told_again += found.told_again
        whole.skipped += found.skipped
        for event in found.events:
            events.append(replace(event, header={**event.header, "seq": len(events)}))
    whole.events = events
    return run, whole
