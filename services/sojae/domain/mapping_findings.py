"""What an import finds in a row before anything is sent: cells that cannot be read, rows that nobody can tell apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sojae.domain.header import is_sample_id
from sojae.domain.mapping_cells import CellValue
from sojae.domain.mapping_identity import RowIdentity
from sojae.domain.mapping_plan import ColumnPlan, RecordPlan
from sojae.domain.reading_rules import READING
from sojae.domain.record import canonical_json
from sojae.domain.table import WHOLE_ROW, Fault, Row
from sojae.domain.template import Template
from sojae.domain.text import Text

Said = Sequence[tuple[ColumnPlan, CellValue]]
HEADER_PREFIX = "header."
SHOWN_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Finding:
    """A cell, or a row, that could not be read: its record is not sent, the row's other records are.

    `record` and `column` are empty where the whole row cannot be read.
    """

    row: int
    column: str
    record: str
    rule: str
    got: str
    expected: Text
    sheet: str | None = None

    @property
    def remedy(self) -> Text:
        """What to do."""
        return READING[self.rule]


@dataclass(frozen=True, slots=True)
class ImportEvent:
    """One event to send, and where in the file it comes from: field (`header.` before those of the header) → column."""

    row: int
    template: Template
    header: Mapping[str, object]
    values: Mapping[str, object]
    columns: Mapping[str, str]
    sheet: str | None = None


class EqualRows(NamedTuple):
    """A row that equals an earlier one in every cell."""

    row: int
    first: int
    sheet: str | None = None


def of_fault(row: Row, column: str, record: str, fault: Fault) -> Finding:
    """Return the finding of a cell, or a row, that the reader of the file could not read."""
    return Finding(row.number, column, record, fault.rule, fault.got[:SHOWN_CHARACTERS], fault.expected)


def of_row(row: Row) -> Finding | None:
    """Return the finding of a row that cannot be read as a whole, None for any other."""
    fault = row.faults.get(WHOLE_ROW)
    return None if fault is None else of_fault(row, "", "", fault)


def of_identity(record: RecordPlan, row: Row, identity: RowIdentity) -> Iterator[Finding]:
    """Yield what is wrong with the key of a row, or with the name of its sample."""
    named = (*record.key, *([record.sample_id] if record.sample_id is not None else []))
    broken = {id(row.faults[name]): name for name in reversed(named) if name in row.faults}
    for name in broken.values():
        yield of_fault(row, name, record.name, row.faults[name])
    if broken:
        return
    if not any(identity.key):
        expected = Text(ko="행을 구별하는 값", en="a value that tells the row from others")
        yield Finding(row.number, ", ".join(record.key), record.name, "row_key", "", expected)
    elif not is_sample_id(identity.sample_id):
        expected = Text(
            ko="@로 시작하지 않는 인쇄 가능한 1~128자", en="1–128 printable characters that do not begin with @"
        )
        column = record.sample_id or ", ".join(record.key)
        got = identity.sample_id[:SHOWN_CHARACTERS]
        yield Finding(row.number, column, record.name, "sample_name", got, expected)


def told_twice(record: RecordPlan, row: Row, said: Said) -> Iterator[Finding]:
    """Yield a finding for each field that a row gives in two ways: nobody knows which is meant.

    That is a map as a whole and by its components, and the ends of an interval both in one cell and in their own columns.
    """
    whole = {plan.field.name: plan for plan, cell in said if isinstance(cell.value, Mapping)}
    for name in {plan.field.name for plan, _ in said if plan.component is not None} & whole.keys():
        plan = whole[name]
        expected = Text(
            ko="화학식이나 성분별 양 가운데 하나", en="either the formula, or the amounts of its components"
        )
        got = row.cells.get(plan.name, "")[:SHOWN_CHARACTERS]
        yield Finding(row.number, plan.name, record.name, "told_twice", got, expected)
    ends = [plan for plan, _ in said if plan.is_end]
    taken = {plan.target for plan, _ in said if not plan.is_end}
    for plan in ends:
        if plan.target in taken:
            expected = Text(
                ko=f"구간이나 {plan.target} 열 가운데 하나", en=f"either the interval, or the column {plan.target}"
            )
            got = row.cells.get(plan.name, "")[:SHOWN_CHARACTERS]
            yield Finding(row.number, plan.name, record.name, "told_twice", got, expected)


def contradiction(record: RecordPlan, first: ImportEvent, event: ImportEvent) -> Finding:
    """Return the finding for a row that says something else of what an earlier row has told already."""
    differing = (n for n in event.columns if _said_of(event, n) != _said_of(first, n))
    name = next(differing, "")
    key = ", ".join(record.key)
    before = _said_of(first, name)[:SHOWN_CHARACTERS]
    return Finding(
        event.row,
        event.columns.get(name, key),
        record.name,
        "contradiction",
        _said_of(event, name)[:SHOWN_CHARACTERS],
        Text(
            ko=f"{before} ({first.row}행이 같은 {key}에 적은 값)",
            en=f"{before}, as row {first.row} says of the same {key}",
        ),
        event.sheet,
    )


def _said_of(event: ImportEvent, target: str) -> str:
    """Return what an event says of a field, a header field or a component of either, in canonical JSON."""
    plain = target.removeprefix(HEADER_PREFIX)
    said: object = event.header if plain != target else event.values
    for part in plain.split("."):
        said = said.get(part) if isinstance(said, Mapping) else None
    return canonical_json(said)
