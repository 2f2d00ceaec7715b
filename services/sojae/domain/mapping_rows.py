"""Rows of a data file → events: typed values, ids that repeat, and a finding for what cannot be read."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from sojae.domain.errors import MappingError, SpreadsheetError
from sojae.domain.header import IDENTIFIER, is_sample_id
from sojae.domain.mapping_cells import CellRefusedError, CellValue, read_cell
from sojae.domain.mapping_identity import ImportRun, RowIdentity, named_sample, row_key
from sojae.domain.mapping_plan import ColumnPlan, FileMapping, RecordPlan
from sojae.domain.record import canonical_json, content_hash, hash_id, import_record_id
from sojae.domain.spelling import near
from sojae.domain.table import Row, Table
from sojae.domain.template import Template
from sojae.domain.text import Text

Said = Sequence[tuple[ColumnPlan, CellValue]]
HEADER_PREFIX = "header."


@dataclass(frozen=True, slots=True)
class Finding:
    """A cell, or a row, that could not be read: its record is not sent, the row's other records are.

    `whole`: what was expected is a sentence of its own, which already names what was got.
    """

    row: int
    column: str
    record: str
    got: str
    expected: Text
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ImportEvent:
    """One event to send, and where in the file it comes from: field (`header.` before those of the header) → column."""

    row: int
    template: Template
    header: Mapping[str, object]
    values: Mapping[str, object]
    columns: Mapping[str, str]


class EqualRows(NamedTuple):
    """A row that equals an earlier one in every cell."""

    row: int
    first: int


@dataclass(slots=True)
class RowsRead:
    """What a file holds: its rows, events in row order, findings, and how many rows told again of something sent once.

    `skipped` rows are none of the records, as the mapping says. `equal` has the rows that hold what an earlier row holds, letter for letter.
    """

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
        "correct the file's header or the mapping",
        ko=f"{table.where}: {mapping.where}에 적힌 열 {named_ko}이(가) 없습니다. 파일에 있는 열: {has}. "
        "파일의 머리글이나 매핑을 고치십시오",
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
    reader = _RowReader(mapping, run)
    for row in table.rows:
        reader.read(row)
    return reader.so_far


class _RowReader:
    """Goes through the rows, counting equal keys and remembering what was sent once."""

    def __init__(self, mapping: FileMapping, run: ImportRun) -> None:
        self._mapping = mapping
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
        self._note(row)
        keys = {record.key: row_key(record.key, row, self._numbers) for record in self._mapping.records}
        for record in self._mapping.records:
            findings, event = self._record(record, row, keys[record.key])
            self.so_far.findings.extend(findings)
            if event is not None:
                self._send(record, event)
        self._rows_with.update(keys.items())

    def _note(self, row: Row) -> None:
        self.so_far.rows += 1
        first = self._first_with.setdefault(frozenset(row.cells.items()), row.number)
        if first != row.number:
            self.so_far.equal.append(EqualRows(row.number, first))

    def _record(self, record: RecordPlan, row: Row, key: tuple[str, ...]) -> tuple[list[Finding], ImportEvent | None]:
        """Return the record of one row; neither findings nor a record where no cell fills one of its fields."""
        findings: list[Finding] = []
        said: list[tuple[ColumnPlan, CellValue]] = []
        for plan in record.columns:
            if any(row.cells.get(name, "").strip() != word for name, word in plan.where):
                continue
            text = row.cells.get(plan.name)
            try:
                value = read_cell(plan, text, self._zone)
            except CellRefusedError as error:
                got = (text or "")[:128]
                findings.append(Finding(row.number, plan.name, record.name, got, error.expected, error.whole))
                continue
            if value is not None:
                said.append((plan, value))
        if not findings and all(plan.in_header for plan, _ in said):
            return [], None
        findings += _told_twice(record, row, said)
        identity = self._identity(record, row, key)
        findings += _identity_findings(record, row, identity)
        return findings, None if findings else self._event(record, row, said, identity)

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
        columns = {(HEADER_PREFIX if p.in_header else "") + p.target: p.name for p in record.columns}
        return ImportEvent(row.number, record.template, {**unsaid, **header, **made}, values, columns)

    def _send(self, record: RecordPlan, event: ImportEvent) -> None:
        if record.once:
            first = self._once.setdefault(event.header["record_id"], event)
            if first is not event:
                if first.header["content"] == event.header["content"]:
                    self.so_far.told_again += 1
                else:
                    self.so_far.findings.append(_contradiction(record, first, event))
                return
        seq = len(self.so_far.events)
        self.so_far.events.append(replace(event, header={**event.header, "seq": seq}))


def _identity_findings(record: RecordPlan, row: Row, identity: RowIdentity) -> Iterator[Finding]:
    if not any(identity.key):
        expected = Text(ko="행을 구별하는 값", en="a value that tells the row from others")
        yield Finding(row.number, ", ".join(record.key), record.name, "", expected)
    elif not is_sample_id(identity.sample_id):
        expected = Text(
            ko="@로 시작하지 않는 인쇄 가능한 1~128자", en="1–128 printable characters that do not begin with @"
        )
        column = record.sample_id or ", ".join(record.key)
        yield Finding(row.number, column, record.name, identity.sample_id[:128], expected)


def _told_twice(record: RecordPlan, row: Row, said: Said) -> Iterator[Finding]:
    """Yield a finding for each map that a row gives as a whole and by its components: nobody knows which is meant."""
    whole = {plan.field.name: plan for plan, cell in said if isinstance(cell.value, Mapping)}
    for name in {plan.field.name for plan, _ in said if plan.component is not None} & whole.keys():
        plan = whole[name]
        expected = Text(
            ko="화학식이나 성분별 양 가운데 하나", en="either the formula, or the amounts of its components"
        )
        yield Finding(row.number, plan.name, record.name, row.cells.get(plan.name, "")[:128], expected)


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


def _contradiction(record: RecordPlan, first: ImportEvent, event: ImportEvent) -> Finding:
    """Return the finding for a row that says something else of what an earlier row has told already."""
    differing = (n for n in event.columns if _said_of(event, n) != _said_of(first, n))
    name = next(differing, "")
    key = ", ".join(record.key)
    before = _said_of(first, name)[:128]
    return Finding(
        event.row,
        event.columns.get(name, key),
        record.name,
        _said_of(event, name)[:128],
        Text(
            ko=f"{before} ({first.row}행이 같은 {key}에 적은 값)",
            en=f"{before}, as row {first.row} says of the same {key}",
        ),
    )


def _said_of(event: ImportEvent, target: str) -> str:
    """Return what an event says of a field, a header field or a component of either, in canonical JSON."""
    plain = target.removeprefix(HEADER_PREFIX)
    said: object = event.header if plain != target else event.values
    for part in plain.split("."):
        said = said.get(part) if isinstance(said, Mapping) else None
    return canonical_json(said)
