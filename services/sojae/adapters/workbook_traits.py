"""What a sheet of a workbook has beside its values: merged cells, hidden rows, formulas without a value, percentages."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import BinaryIO

from sojae.domain.table import Area, place_of

Cell = tuple[int, int]
"""Row and place of a cell, both from 1."""

_SHEET = re.compile(rb"<(?:\w+:)?sheet\b([^>]*)/?>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b([^>]*)/?>")
_ATTRIBUTE = re.compile(rb'([\w:]+)="([^"]*)"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\b[^>]*>([^<]*)</(?:\w+:)?v>)?"
)
_STYLED = re.compile(rb'<(?:\w+:)?c\b([^>]*\bs="(\d+)"[^>]*)>')
_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\b([^>]*)>")
_CELL_FORMATS = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_CELL_FORMAT = re.compile(rb"<(?:\w+:)?xf\b([^>]*)>")
_REFERENCE = re.compile(r"([A-Z]+)(\d+)")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_LEFT_TO_EXCEL = b'fullCalcOnLoad="1"'
_TRUE = ("1", "true")
PERCENT_FORMATS = (9, 10)
"""Numbers of the two formats with a percent sign that every workbook has: 0% and 0.00%."""

_BROKEN = (zipfile.BadZipFile, KeyError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a sheet has; `uncalculated` are formulas that have no value, with their text, `percent` cells that show one."""

    merged: tuple[Area, ...]
    uncalculated: Mapping[Cell, str]
    percent: frozenset[Cell]
    hidden_rows: tuple[int, ...]
    hidden_places: frozenset[int]


@dataclass(frozen=True, slots=True)
class SheetPlace:
    """A sheet's name, whether it is hidden, and the part of the archive that holds it."""

    name: str
    hidden: bool
    part: str


@dataclass(frozen=True, slots=True)
class CachedValue:
    """The value that a formula had when its workbook was saved, as it stands in the file, and its kind (None: a number)."""

    kind: bytes | None
    text: bytes


def sheet_places(path: Path | BinaryIO) -> list[SheetPlace]:
    """Return the sheets of a workbook in order; empty for what is none: what it is, the reader of tables says."""
    try:
        with zipfile.ZipFile(path) as file:
            parts = _parts(file.read("xl/_rels/workbook.xml.rels"))
            found = [_attributes(one) for one in _SHEET.findall(file.read("xl/workbook.xml"))]
            there = set(file.namelist())
    except _BROKEN:
        return []
    return [
        SheetPlace(one["name"], one.get("state", "visible") != "visible", parts[one["r:id"]])
        for one in found
        if parts.get(one.get("r:id", "")) in there
    ]


def traits_of(path: Path, sheet: str) -> Traits | None:
    """Return the traits of a sheet, None where they cannot be told. The workbook's size has been looked at before."""
    part = next((place.part for place in sheet_places(path) if place.name == sheet), None)
    if part is None:
        return None
    try:
        with zipfile.ZipFile(path) as file:
            text, book = file.read(part), file.read("xl/workbook.xml")
            styles = file.read("xl/styles.xml") if "xl/styles.xml" in file.namelist() else b""
    except _BROKEN:
        return None
    return Traits(
        merged=tuple(
            Area(int(top), place_of(left.decode()), int(bottom), place_of(right.decode()))
            for left, top, right, bottom in _MERGED.findall(text)
        ),
        uncalculated=dict(_uncalculated(text, left_to_excel=_LEFT_TO_EXCEL in book)),
        percent=frozenset(_percent(text, _percent_styles(styles))),
        hidden_rows=tuple(
            int(row["r"]) for row in _rows(text, b"hidden=", _ROW) if row.get("hidden") in _TRUE and "r" in row
        ),
        hidden_places=frozenset(
            place
            for column in _rows(text, b"hidden=", _COLUMN)
            if column.get("hidden") in _TRUE
            for place in range(int(column["min"]), min(int(column["max"]), 16_384) + 1)
        ),
    )


def cached_values(path: Path) -> dict[str, dict[bytes, CachedValue]]:
    """Return sheet → cell → the value of its formula, of those that have one."""
    with zipfile.ZipFile(path) as file:
        return {place.name: dict(_values(file.read(place.part))) for place in sheet_places(path)}


def _values(text: bytes) -> Iterator[tuple[bytes, CachedValue]]:
    for attributes, _, value in _FORMULA.findall(text):
        found = dict(_ATTRIBUTE.findall(attributes))
        if value and b"r" in found:
            yield found[b"r"], CachedValue(found.get(b"t"), value)


def is_left_to_excel(path: Path) -> bool:
    """Return whether whoever wrote a workbook has left it to Excel to calculate its formulas when it is opened."""
    with zipfile.ZipFile(path) as file:
        return _LEFT_TO_EXCEL in file.read("xl/workbook.xml")


def _rows(text: bytes, needed: bytes, pattern: re.Pattern[bytes]) -> Iterator[dict[str, str]]:
    """Yield the attributes of the elements that have a certain one."""
    return (_attributes(found) for found in pattern.findall(text) if needed in found)


def _uncalculated(text: bytes, *, left_to_excel: bool) -> Iterator[tuple[Cell, str]]:
    """Yield the formulas that have no value.

    Some programs write 0 as the value of each formula and leave the rest to Excel (`left_to_excel`): such a 0 is none. An
    empty text is one where the cell says that it is a text.
    """
    for attributes, formula, value in _FORMULA.findall(text) if b"<f" in text or b":f" in text else ():
        found = _attributes(attributes)
        cell = _cell(found.get("r", ""))
        is_empty_text = found.get("t") == "str" and not left_to_excel
        if cell is not None and ((not value and not is_empty_text) or (left_to_excel and value == b"0")):
            yield cell, "=" + unescape(formula.decode("utf-8", "replace"))


def _percent(text: bytes, styles: frozenset[int]) -> Iterator[Cell]:
    for attributes, style in _STYLED.findall(text) if styles else ():
        if int(style) in styles:
            found = _attributes(attributes)
            cell = _cell(found.get("r", ""))
            if cell is not None and found.get("t", "n") == "n":
                yield cell


def _percent_styles(styles: bytes) -> frozenset[int]:
    """Return the numbers of the cell styles that show a number as a percentage."""
    formats = (_attributes(found) for found in _FORMAT.findall(styles))
    percent = {int(f["numFmtId"]) for f in formats if "%" in _QUOTED.sub("", unescape(f.get("formatCode", "")))}
    percent.update(PERCENT_FORMATS)
    listed = _CELL_FORMATS.search(styles)
    cells = _CELL_FORMAT.findall(listed[0]) if listed is not None else []
    return frozenset(n for n, one in enumerate(cells) if int(_attributes(one).get("numFmtId", "0")) in percent)


def _cell(reference: str) -> Cell | None:
    found = _REFERENCE.fullmatch(reference)
    return None if found is None else (int(found[2]), place_of(found[1]))


def _parts(text: bytes) -> dict[str, str]:
    found = (_attributes(one) for one in _RELATION.findall(text))
    return {one["Id"]: _part(one["Target"]) for one in found if "Id" in one and "Target" in one}


def _part(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attributes(text: bytes) -> dict[str, str]:
    return {name.decode(): unescape(value.decode()) for name, value in _ATTRIBUTE.findall(text)}
