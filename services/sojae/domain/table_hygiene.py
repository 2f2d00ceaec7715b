"""Rows of a data file that are no records: the units beneath the header, the totals at the end."""

import re
from collections.abc import Sequence
from dataclasses import replace

from sojae.domain.errors import QuantityError, SpreadsheetError
from sojae.domain.mapping_plan import ColumnPlan, FileMapping
from sojae.domain.quantity import is_number, ucum_code
from sojae.domain.table import Row, Table
from sojae.domain.text import Text
from sojae.domain.workbook_layout import ERRORS

TOTALS = frozenset(
    "total totals grandtotal sum subtotal mean average avg median std stdev stddev min max minimum maximum "
    "합계 총합 총합계 총계 소계 계 평균 평균값 중앙값 표준편차 최대 최댓값 최소 최솟값".split()
)
"""What stands first in a row that sums up the others, without blanks, points and colons."""

TOTAL_ROWS = 5
"""So many rows at the end are looked at."""

UNITS_SAID = Text(
    ko="{where}: {row}행은 단위 행이므로 자료로 읽지 않았습니다",
    en="{where}: row {row} holds the units, and is not read as data",
)
TOTALS_SAID = Text(
    ko="{where}: {rows}행은 합계나 평균이므로 자료로 읽지 않았습니다",
    en="{where}: rows {rows} sum up the others, and are not read as data",
)
TOTALS_READ = Text(
    ko="{where}: {rows}행의 이름은 합계나 평균 같지만 자료로 읽었습니다. 자료가 아니면 지우거나 매핑의 skip에 쓰십시오",
    en="{where}: rows {rows} are called like totals, and are read as data; if they are none, delete them or name them in the "
    "mapping's skip",
)
OTHER_UNIT = Text(
    ko="{where}: {row}행 {column} 열의 단위는 파일에 {got}, 매핑에 {expected}입니다. 매핑의 단위를 고치십시오",
    en="{where}: row {row}, column {column}: the file says {got}, the mapping {expected}; correct the mapping's unit",
)
NO_UNIT = Text(ko="없음", en="no unit")
SHOWN_ROWS = 10
MAX_TOTAL_CHARACTERS = 32
UNIT_NUMBERS = ("1/", "10*", "10^")
"""With what a unit may begin that begins with a number."""

_NO_LETTER = re.compile(r"[\s.:]+")


def without_summaries(mapping: FileMapping, table: Table) -> tuple[Table, list[Text]]:
    """Return the table without a row of units right beneath its header and without totals at its end, and what is said of it.

    A row that is called like a total and stands elsewhere is data, and is told.

    Raises SpreadsheetError when the row of units says another unit than the mapping does.
    """
    rows, said = list(table.rows), []
    if rows and rows[0].number == mapping.header_row + 1 and _is_unit_row(mapping, table, rows[0]):
        said.append(UNITS_SAID.format(where=table.place, row=rows[0].number))
        del rows[0]
    alike = [row.number for row in rows if _sums_up(mapping, table, row)]
    at_the_end = {row.number for row in rows[-TOTAL_ROWS:]}
    for text, numbers in (
        (TOTALS_SAID, [number for number in alike if number in at_the_end]),
        (TOTALS_READ, [number for number in alike if number not in at_the_end]),
    ):
        if numbers:
            said.append(text.format(where=table.place, rows=_listed(numbers)))
    left_out = at_the_end.intersection(alike)
    rows = [row for row in rows if row.number not in left_out]
    return replace(table, rows=tuple(rows)), said


def without_errors(mapping: FileMapping, table: Table) -> Table:
    """Return the table without the column that an earlier import has given back, unless the mapping reads it."""
    if ERRORS not in table.columns or ERRORS in mapping.columns():
        return table
    rows = (
        replace(row, cells={name: cell for name, cell in row.cells.items() if name != ERRORS}) for row in table.rows
    )
    return replace(table, rows=tuple(row for row in rows if row.cells or row.faults))


def _is_unit_row(mapping: FileMapping, table: Table, row: Row) -> bool:
    """Return whether no number column holds a number, and each that is filled holds a unit."""
    plans = [
        p for r in mapping.records for p in r.columns if p.parse == "number" and not p.in_header and p.name in row.cells
    ]
    units = [_unit(row.cells[p.name]) for p in plans]
    if not plans or any(unit is None for unit in units):
        return False
    for plan, unit in zip(plans, units, strict=True):
        _check_unit(table, row, plan, str(unit))
    return True


def _unit(cell: str) -> str | None:
    text = cell.strip()
    text = text[1:-1].strip() if text[:1] + text[-1:] in ("()", "[]") else text
    if text[:1].isdigit() and not text.startswith(UNIT_NUMBERS):
        return None  # UCUM would take the interval 15-25 for a power of fifteen.
    try:
        return ucum_code(text)
    except QuantityError:
        return None


def _check_unit(table: Table, row: Row, plan: ColumnPlan, unit: str) -> None:
    # A bare % is what people write over columns of wt%, at% and the like, and C over temperatures.
    said_short = (unit == "%" and (plan.unit or "").startswith("%")) or (unit, plan.unit) == ("C", "Cel")
    if unit == (plan.unit or "1") or said_short:
        return
    said = OTHER_UNIT.format(
        where=table.place,
        row=row.number,
        column=repr(plan.name),
        got=row.cells[plan.name].strip(),
        expected=plan.unit or NO_UNIT,
    )
    raise SpreadsheetError(en=said.en, ko=said.ko)


def _sums_up(mapping: FileMapping, table: Table, row: Row) -> bool:
    """Return whether a row is called like a total where rows have their names; a mean of numbers may stand beside it."""
    first = next((row.cells[name] for name in table.columns if name in row.cells), "")
    told = [row.cells[name] for name in mapping.named_by() if name in row.cells]
    return any(is_total(cell) for cell in [first, *told]) and all(is_total(cell) or is_number(cell) for cell in told)


def is_total(cell: str) -> bool:
    """Return whether a row's name is that of a total or a mean."""
    return len(cell) <= MAX_TOTAL_CHARACTERS and _NO_LETTER.sub("", cell).casefold() in TOTALS


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:SHOWN_ROWS])) + (", …" if len(numbers) > SHOWN_ROWS else "")
