"""What a file holds for an import: one mapped table, or a sheet for each stage of a workbook made from templates."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sojae.adapters.record_files import read_records
from sojae.adapters.spreadsheet import read_table
from sojae.adapters.template_files import TemplateBook
from sojae.adapters.workbook_reader import read_workbook
from sojae.cli.import_sheets import LOWER, has_columns, lower_header, sheet_notes, visible_sheet
from sojae.domain.errors import MappingError, SpreadsheetError
from sojae.domain.mapping_identity import ImportRun
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.mapping_rows import ImportEvent, RowsRead, read_rows
from sojae.domain.table import Table
from sojae.domain.table_hygiene import without_summaries
from sojae.domain.text import Text
from sojae.domain.workbook_layout import FIRST_ROW, KEY_ROW, UNIT_ROW
from sojae.domain.workbook_mapping import data_of, unkeyed, workbook_mapping

UNKEYED = Text(
    ko="{where}: {columns}에는 키가 없어 읽지 않습니다. 2행에 필드 이름을 쓰십시오",
    en="{where}: {columns} without a key, not read; write the field's name into row 2",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One table and how it is read; `sheet` is the stage where the file is a workbook made from templates.

    `from_template`: its columns are named by keys in the second row.
    """

    mapping: FileMapping
    table: Table
    sheet: str | None = None
    from_template: bool = False
    said: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """Who speaks, and about which data; unset is what the file or its mapping says."""

    institute: str | None
    source: str | None


def mapped_part(file: Path, mapping: FileMapping) -> list[Part]:
    """Return the one table of a file that a mapping describes; rows of units and of totals are left out, and told.

    A header that stands lower than the mapping says, beneath titles, is found when it holds every column that is named.
    """
    sheet, said = visible_sheet(file, mapping.sheet)
    row = mapping.header_row
    found = None if row == 0 or has_columns(file, sheet, row, mapping) else lower_header(file, sheet, mapping)
    if found is not None:
        said.append(LOWER.format(where=str(file), row=str(found)))
        mapping = replace(mapping, header_row=found)
    table = read_table(file, sheet=sheet, header_row=mapping.header_row)
    said += sheet_notes(file, sheet, mapping.header_row)
    table, left_out = without_summaries(mapping, table)
    return [Part(replace(mapping, sheet=sheet), table, said=(*said, *left_out))]


def template_part(file: Path, what: str, templates: TemplateBook, named: Named) -> list[Part]:
    """Return the one table of a file whose columns are the keys of the template `what`, as PROJECT/STAGE."""
    project, _, stage = what.partition("/")
    template = templates.get(project, stage)
    whole = read_records(file)
    table, units = data_of(read_table(file, header_row=KEY_ROW)) if whole is None else (whole, {})
    return [
        Part(
            workbook_mapping(template, table, units, templates, named.source or file.stem),
            table,
            None,
            from_template=True,
        )
    ]


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
    project = workbook.info.get("project", "")
    source = named.source or workbook.info.get("source") or file.stem
    parts = []
    for stage, whole in workbook.sheets.items():
        template = templates.get(project, stage, workbook.info.get(f"template.{stage}") or None)
        said = tuple(sheet_notes(file, stage, UNIT_ROW))
        table, units = data_of(whole)
        if table.rows:
            mapping = workbook_mapping(template, table, units, templates, source)
            table, left_out = without_summaries(mapping, table)
            parts.append(Part(mapping, table, stage, from_template=True, said=(*said, *left_out)))
    if not parts:
        raise SpreadsheetError(
            en=f"{file}: no row is filled in on any of its sheets; fill in row {FIRST_ROW} and those below",
            ko=f"{file}: 채워진 행이 없습니다. 시트의 {FIRST_ROW}행부터 채우십시오",
        )
    return parts, workbook.info.get("institute") or None


def notes(parts: Sequence[Part]) -> list[Text]:
    """Return what was assumed, or not read, of a file."""
    said = [Text(ko=p.table.note, en=p.table.note) for p in parts if p.table.note is not None]
    odd = [(p.table.where, unkeyed(p.table)) for p in parts if p.from_template]
    said += [text for part in parts for text in part.said]
    return said + [UNKEYED.format(where=where, columns=", ".join(columns)) for where, columns in odd if columns]


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
    whole, events = RowsRead(), list[ImportEvent]()
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
