"""Merged cells of a table: the name of a row that is merged over several rows is theirs all; any other is nobody's."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from sojae.domain.table import Area, Fault, Row, Table
from sojae.domain.text import Text

T = TypeVar("T")

SPREAD = Text(
    ko="{where}: 병합된 {cells}의 값을 각 행의 이름으로 읽었습니다",
    en="{where}: what stands in the merged cells {cells} names each of their rows",
)
A_CELL = Text(ko="칸마다 값", en="a value in each cell")
SHOWN = 5
ByRow = dict[int, dict[str, T]]
"""Row → column → what is to be there."""


def without_merges(table: Table, keys: Collection[str]) -> tuple[Table, list[Text]]:
    """Return the table with what merged cells mean, and what is said of it.

    In a column of `keys`, which name the rows, an area of one column gives its value to each row. The cells of any other
    area are faults: nobody knows which of them has the value.
    """
    if not table.merged:
        return table, []
    spread = [area for area in table.merged if area.left == area.right and _name(table, area.left) in keys]
    values: ByRow[str] = {}
    faults: ByRow[Fault] = {}
    rows = {row.number: row for row in table.rows}
    for area in table.merged:
        if area in spread:
            _spread(table, rows, area, values)
        else:
            _refuse(table, rows, area, faults)
    mended = tuple(_mended(row, values.get(row.number, {}), faults.get(row.number, {})) for row in table.rows)
    cells = ", ".join(area.shown for area in spread[:SHOWN]) + (" …" if len(spread) > SHOWN else "")
    said = [SPREAD.format(where=table.place, cells=cells)] if spread else []
    return replace(table, rows=mended, merged=()), said


def _name(table: Table, place: int) -> str | None:
    return table.columns[place - 1] if place <= len(table.columns) else None


def _numbers(rows: Mapping[int, Row], area: Area) -> list[int]:
    """Return the rows of an area that the table has."""
    return [number for number in range(area.top, min(area.bottom, max(rows)) + 1) if number in rows]


def _spread(table: Table, rows: Mapping[int, Row], area: Area, values: ByRow[str]) -> None:
    name = table.columns[area.left - 1]
    value = rows[area.top].cells.get(name) if area.top in rows else None
    for number in _numbers(rows, area):
        if value is not None:
            values.setdefault(number, {})[name] = value


def _refuse(table: Table, rows: Mapping[int, Row], area: Area, faults: ByRow[Fault]) -> None:
    fault = Fault("merged", area.shown, A_CELL)
    for number in _numbers(rows, area):
        names = table.columns[area.left - 1 : area.right]
        faults.setdefault(number, {}).update(dict.fromkeys(names, fault))


def _mended(row: Row, values: Mapping[str, str], faults: Mapping[str, Fault]) -> Row:
    if not values and not faults:
        return row
    return replace(row, cells={**values, **row.cells}, faults={**row.faults, **faults})
