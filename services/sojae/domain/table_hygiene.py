"""Rows of a data file that are no records: the units beneath the header, the totals at the end."""

from dataclasses import replace

from sojae.domain.errors import QuantityError, SpreadsheetError
from sojae.domain.mapping_plan import ColumnPlan, FileMapping
from sojae.domain.quantity import parse_number, ucum_code
from sojae.domain.table import Row, Table
from sojae.domain.text import Text

TOTALS = frozenset("total totals sum subtotal mean average avg std 합계 총계 소계 계 평균 표준편차".split())
"""What stands first in a row that sums up the others."""

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


def without_summaries(mapping: FileMapping, table: Table) -> tuple[Table, list[Text]]:
    """Return the table without a row of units right beneath its header and without totals at its end, and what was left out.

    Raises SpreadsheetError when the row of units says another unit than the mapping does.
    """
    rows, said = list(table.rows), []
    if rows and rows[0].number == mapping.header_row + 1 and _is_unit_row(mapping, table, rows[0]):
        said.append(UNITS_SAID.format(where=table.where, row=rows[0].number))
        del rows[0]
    totals = [row for row in rows[-TOTAL_ROWS:] if _sums_up(mapping, table, row)]
    if totals:
        rows = [row for row in rows if row not in totals]
        said.append(TOTALS_SAID.format(where=table.where, rows=", ".join(str(row.number) for row in totals)))
    return replace(table, rows=tuple(rows)), said


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
    try:
        parse_number(text)
    except QuantityError:
        try:
            return ucum_code(text)
        except QuantityError:
            return None
    return None


def _check_unit(table: Table, row: Row, plan: ColumnPlan, unit: str) -> None:
    # A bare % is what people write over columns of wt%, at% and the like.
    if unit == (plan.unit or "1") or (unit == "%" and (plan.unit or "").startswith("%")):
        return
    raise SpreadsheetError(
        en=f"{table.where}: row {row.number}, column {plan.name!r}: the file says {row.cells[plan.name].strip()}, the mapping "
        f"{plan.unit or 'no unit'}; correct the mapping's unit",
        ko=f"{table.where}: {row.number}행 {plan.name!r} 열의 단위는 파일에 {row.cells[plan.name].strip()}, 매핑에 "
        f"{plan.unit or '없음'}입니다. 매핑의 단위를 고치십시오",
    )


def _sums_up(mapping: FileMapping, table: Table, row: Row) -> bool:
    keys = {name for record in mapping.records for name in (*record.key, record.sample_id or "")}
    first = next((row.cells[name] for name in table.columns if name in row.cells), "")
    told = [row.cells[name] for name in keys if name in row.cells]
    return any(_is_total(cell) for cell in [first, *told]) and all(_is_total(cell) for cell in told)


def _is_total(cell: str) -> bool:
    return cell.strip().rstrip(":").casefold() in TOTALS
