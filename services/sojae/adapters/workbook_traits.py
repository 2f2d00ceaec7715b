"""What a sheet of a workbook has beside its values: merged cells, hidden rows, formulas that were never calculated."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import unescape

from sojae.adapters.spreadsheet import EXCEL_FILES, checked_bytes

_SHEET = re.compile(rb"<(?:\w+:)?sheet\b([^>]*)/?>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b([^>]*)/?>")
_ATTRIBUTE = re.compile(rb'([\w:]+)="([^"]*)"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*ref="([A-Z]+\d+:[A-Z]+\d+)"')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*\bhidden="(?:1|true)"')
_UNCALCULATED = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*>\s*<f\b[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>')


@dataclass(frozen=True, slots=True)
class Traits:
    """`merged` are ranges such as A5:B6, `uncalculated` cells whose formula has no value, `hidden_rows` how many there are."""

    sheet: str
    hidden: bool
    merged: tuple[str, ...]
    uncalculated: tuple[str, ...]
    hidden_rows: int


def sheets_of(path: Path) -> list[tuple[str, bool]]:
    """Return the sheets of a workbook in order, and whether each is hidden; empty for another kind of file.

    Raises SpreadsheetError for a file that is too large, packed or unpacked.
    """
    return [(name, hidden) for name, hidden, _ in _sheets(path)]


def traits_of(path: Path, sheet: str | None) -> Traits | None:
    """Return the traits of a sheet (the first one when none is named), None where it cannot be told."""
    for name, hidden, place in _sheets(path):
        if sheet in (None, name):
            with zipfile.ZipFile(path) as file:
                text = file.read(place)
            return Traits(
                sheet=name,
                hidden=hidden,
                merged=tuple(m.decode() for m in _MERGED.findall(text)),
                uncalculated=tuple(m.decode() for m in _UNCALCULATED.findall(text)),
                hidden_rows=len(_HIDDEN_ROW.findall(text)),
            )
    return None


def _sheets(path: Path) -> list[tuple[str, bool, str]]:
    if path.suffix.lower() not in EXCEL_FILES:
        return []
    checked_bytes(path)
    try:
        with zipfile.ZipFile(path) as file:
            places = _places(file.read("xl/_rels/workbook.xml.rels"))
            return [
                (unescape(one["name"], {"&quot;": '"'}), one.get("state", "visible") != "visible", places[one["r:id"]])
                for one in map(_attributes, _SHEET.findall(file.read("xl/workbook.xml")))
                if one.get("r:id") in places and places[one["r:id"]] in file.namelist()
            ]
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError):
        return []  # What is wrong with it, the reader of tables says.


def _places(text: bytes) -> dict[str, str]:
    found = (_attributes(one) for one in _RELATION.findall(text))
    return {one["Id"]: _place(one["Target"]) for one in found if "Id" in one and "Target" in one}


def _place(target: str) -> str:
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _attributes(text: bytes) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in _ATTRIBUTE.findall(text)}
