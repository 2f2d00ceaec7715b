"""Rows of a data file → events: typed values, ids that repeat, and a finding for what cannot be read."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast
from zoneinfo import ZoneInfo

from sojae.domain.errors import MappingError, SpreadsheetError
from sojae.domain.header import IDENTIFIER
from sojae.domain.mapping_cells import CellRefusedError, CellValue, read_cell
from sojae.domain.mapping_findings import (
    HEADER_PREFIX,
    SHOWN_CHARACTERS,
    EqualRows,
    Finding,
    ImportEvent,
    Said,
    contradiction,
    of_fault,
    of_identity,
    of_row,
    told_twice,
)
from sojae.domain.mapping_identity import ImportRun, RowIdentity, named_sample, row_key
from sojae.domain.mapping_plan import ColumnPlan, FileMapping, RecordPlan
from sojae.domain.record import content_hash, hash_id, import_record_id
from sojae.domain.spelling import near
from sojae.domain.table import Row, Table
from sojae.domain.template import Template


@dataclass(slots=True)
class RowsRead:
    """What a file holds: its rows, events in row order, findings, and how many rows told again of something sent once.

    `file` is what was read, as findings name it. `skipped` rows are none of the records, as the mapping says. `equal` has
    the rows that hold what an earlier row holds, letter for letter.
    """

    file: str = ""
    rows: int = 0
    equal: list[EqualRows] = field(default_factory=list)
    events: list[ImportEvent] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    told_again: int = 0
    skipped: int = 0


def check_columns(mapping: FileMapping, table: Table) -> None:
    """Return when the file has every column that the mapping names; raises SpreadsheetError that names the missing."""
    missing = [name for name in mapping.columns() if name not in table.columns]
    if not missing:
        return
    close = {name: near(name, table.columns) for name in missing}
    named = ", ".join(f"{name!r}" + (f" (is it {close[name][0]!r}?)" if close[name] else "") for name in missing)
    named_ko = ", ".join(f"{name!r}" + (f" ({close[name][0]!r}입니까?)" if close[name] else "") for name in missing)
    has = ", ".join(table.columns[:12]) + (" …" if len(table.columns) > 12 else "")
    raise SpreadsheetError(
        en=f"{table.where}: no column {named}, which {mapping.where} names; the file has {has}; "
        "correct the file's header or the mapping; where the header stands far down, say its row as header_row",
        ko=f"{table.where}: {mapping.where}에 적힌 열 {named_ko}이(가) 없습니다. 파일에 있는 열: {has}. "
        "파일의 머리글이나 매핑을 고치십시오. 머리글이 훨씬 아래에 있으면 그 행을 header_row로 적으십시오",
    )


def read_rows(mapping: FileMapping, table: Table, run: ImportRun) -> RowsRead:
    """Return the events and findings of a file, in row order; the same file gives the same record ids and contents.

    A cell that cannot be read holds back its record, and only that: half a record would be stored as if the cell had
    been empty, while the row's other records stand on their own, and the corrected row completes them later.
    Raises SpreadsheetError for a missing column, MappingError when the producer's name grows too long.
    """
    check_columns(mapping, table)
    if not run.source or not run.source.isprintable():
        raise MappingError(
            en=f"{mapping.where}: source {run.source!r} is blank or has unprintable characters; give another --source",
            ko=f"{mapping.where}: source {run.source!r}이(가) 비었거나 인쇄할 수 없는 글자가 있습니다. "
            "다른 --source를 주십시오",
        )
    if not IDENTIFIER.fullmatch(run.producer):
        raise MappingError(
            en=f"{mapping.where}: producer {run.producer!r} is longer than 96 characters; give a short --source",
            ko=f"{mapping.where}: producer {run.producer!r}이(가) 96자를 넘습니다. 짧은 --source를 주십시오",
        )
    reader = _RowReader(mapping, run, table.sheet)
    for row in table.rows:
        reader.read(row)
    return reader.so_far


class _RowReader:
    """Goes through the rows, counting equal keys and remembering what was sent once."""

    def __init__(self, mapping: FileMapping, run: ImportRun, sheet: str | None) -> None:
        self._mapping = mapping
        self._sheet = sheet
        self._run = run
        self._zone = ZoneInfo(mapping.timezone)
        self._numbers = {c.name for r in mapping.records for c in r.columns if c.parse in ("number", "integer")}
        self._rows_with: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
        self._once: dict[object, ImportEvent] = {}
        self._first_with: dict[frozenset[tuple[str, str]], int] = {}
        self.so_far = RowsRead()

    def read(self, row: Row) -> None:
        if any(row.cells.get(name, "").strip() in words for name, words in self._mapping.skip.items()):
            self.so_far.skipped += 1
            return
        self.so_far.rows += 1
        unread = of_row(row)
        keys = {record.key: row_key(record.key, row, self._numbers) for record in self._mapping.records}
        if unread is not None:
            self._find([unread])
        else:
            self._note(row)
            for record in self._mapping.records:
                findings, event = self._record(record, row, keys[record.key])
                self._find(findings)
                if event is not None:
                    self._send(record, event)
        self._rows_with.update(keys.items())

    def _find(self, findings: Iterable[Finding]) -> None:
        self.so_far.findings += [replace(finding, sheet=self._sheet) for finding in findings]

    def _note(self, row: Row) -> None:
        first = self._first_with.setdefault(frozenset(row.cells.items()), row.number)
        if first != row.number:
            self.so_far.equal.append(EqualRows(row.number, first, self._sheet))

    def _record(self, record: RecordPlan, row: Row, key: tuple[str, ...]) -> tuple[list[Finding], ImportEvent | None]:
        """Return the record of one row; neither findings nor a record where no cell fills one of its fields."""
        findings, said = self._cells(record, row)
        if not findings and all(plan.in_header for plan, _ in said):
            return [], None
        findings += told_twice(record, row, said)
        identity = self._identity(record, row, key)
        known = {(finding.rule, finding.got) for finding in findings}
        findings += [f for f in of_identity(record, row, identity) if (f.rule, f.got) not in known]
        return findings, None if findings else self._event(record, row, said, identity)

    def _cells(self, record: RecordPlan, row: Row) -> tuple[list[Finding], Said]:
        """Return what the cells of a record say, and what cannot be read; one fault of many cells is one finding."""
        findings: list[Finding] = []
        said: list[tuple[ColumnPlan, CellValue]] = []
        faults: dict[int, Finding] = {}
        for plan in record.columns:
            if any(row.cells.get(name, "").strip() != word for name, word in plan.where):
                continue
            text = row.cells.get(plan.name)
            fault = row.faults.get(plan.name)
            if fault is not None and (text or "").strip() not in plan.nulls:
                faults.setdefault(id(fault), of_fault(row, plan.name, record.name, fault))
                continue
            try:
                value = read_cell(plan, text, self._zone)
            except CellRefusedError as error:
                got = (text or "")[:SHOWN_CHARACTERS]
                findings.append(Finding(row.number, plan.name, record.name, error.rule, got, error.expected))
                continue
            if value is not None:
                said += _ends(plan, value)
        return [*faults.values(), *findings], said

    def _identity(self, record: RecordPlan, row: Row, key: tuple[str, ...]) -> RowIdentity:
        occurrence = 0 if record.once else self._rows_with[record.key, key]
        if record.sample_id is None:
            return RowIdentity(key, occurrence, named_sample(self._run.source, key, occurrence))
        named = unicodedata.normalize("NFC", row.cells.get(record.sample_id, "")).strip()
        return RowIdentity(key, occurrence, named)

    def _event(self, record: RecordPlan, row: Row, said: Said, identity: RowIdentity) -> ImportEvent:
        values = {**record.constants, **_gathered(said, in_header=False)}
        header = {**self._mapping.defaults, **_gathered(said, in_header=True)}
        for name, signs in _signs(said):
            header[name] = {**cast("Mapping[str, object]", header.get(name) or {}), **signs}
        precision = next((v.precision for p, v in said if p.in_header and p.field.name == "event_time"), None)
        if precision is not None:
            header.setdefault("event_time_precision", precision)
        content = content_hash(
            values,
            {**header, "sample_id": identity.sample_id} if record.sample_id else header,
            template=_content_key(record.template),
            event_time_from_file="event_time" in header,
        )
        record_id = import_record_id(self._run.source, identity.key, record.slot, identity.occurrence)
        reported = {p.target: v.as_reported for p, v in said if v.as_reported is not None and not p.in_header}
        made: dict[str, object] = {
            "event_id": hash_id(record_id, content, self._run.epoch),
            "record_id": record_id,
            "content": content,
            "template_version": record.template.key.version,
            "institute": self._run.institute,
            "producer": self._run.producer,
            "epoch": self._run.epoch,
            "sample_id": identity.sample_id,
            "as_reported": reported or None,
        }
        # What the file dates is older than the import: a late arrival is no fault.
        unsaid = {"event_time": self._run.started_at, "historical": "event_time" in header, "retracted": False}
        plans = [*record.columns, *(plan for plan, _ in said if plan.is_end)]
        columns = {(HEADER_PREFIX if p.in_header else "") + p.target: p.name for p in plans}
        return ImportEvent(row.number, record.template, {**unsaid, **header, **made}, values, columns, self._sheet)

    def _send(self, record: RecordPlan, event: ImportEvent) -> None:
        if record.once:
            first = self._once.setdefault(event.header["record_id"], event)
            if first is not event:
                if first.header["content"] == event.header["content"]:
                    self.so_far.told_again += 1
                else:
                    self._find([contradiction(record, first, event)])
                return
        seq = len(self.so_far.events)
        self.so_far.events.append(replace(event, header={**event.header, "seq": seq}))


def _ends(plan: ColumnPlan, value: CellValue) -> list[tuple[ColumnPlan, CellValue]]:
    """Return what a cell says, an interval as two fields where the template has one for each end."""
    if value.ends is None or plan.ends is None:
        return [(plan, value)]
    return [
        (replace(plan, field=field, ends=None, is_end=True), replace(value, value=end, ends=None))
        for field, end in zip(plan.ends, value.ends, strict=True)
    ]


def _gathered(said: Said, *, in_header: bool) -> dict[str, object]:
    """Return field → value, the components of a map put together."""
    values: dict[str, object] = {}
    for plan, cell in said:
        if plan.in_header != in_header:
            continue
        if plan.component is None:
            values[plan.field.name] = cell.value
        else:
            members = values.setdefault(plan.field.name, {})
            assert isinstance(members, dict)
            members[plan.component] = cell.value
    return values


def _signs(said: Said) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the qualifiers and the uncertainties that cells give beside their numbers, by field."""
    own = [(plan.target, cell) for plan, cell in said if not plan.in_header]
    for name, signs in (
        ("qualifiers", {target: cell.qualifier for target, cell in own if cell.qualifier is not None}),
        ("uncertainty", {target: cell.uncertainty for target, cell in own if cell.uncertainty is not None}),
    ):
        if signs:
            yield name, signs


def _content_key(template: Template) -> str:
    return f"{template.key.project}/{template.key.stage}/{template.key.major}"
