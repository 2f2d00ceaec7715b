"""What a filled-in workbook says, as a mapping: its keys name the fields, its unit row the units."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sojae.domain.errors import MappingError, SpreadsheetError
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_plan import NOT_MAPPED, FileMapping, Templates
from sojae.domain.spelling import near
from sojae.domain.table import Table
from sojae.domain.template import Field, Template
from sojae.domain.text import Text
from sojae.domain.workbook_layout import ERRORS, FIRST_ROW, KEY_ROW, ROW_KEY, SAMPLE, UNIT_ROW

UNCERTAINTY = ":u"
"""Behind a field's key: the column holds its standard uncertainty."""

ORIGIN = "experiment"
"""Of a row that does not say where it comes from: the strictest, so that nothing is let pass by an empty cell."""

_NUMBERS = ("double", "map_double")


def data_of(table: Table) -> tuple[Table, Mapping[str, str]]:
    """Return the rows of data and the unit of each column, as the row beneath the keys gives them."""
    units = next((row.cells for row in table.rows if row.number == UNIT_ROW), {})
    return replace(table, rows=tuple(row for row in table.rows if row.number >= FIRST_ROW)), units


def workbook_mapping(
    template: Template, table: Table, units: Mapping[str, str], templates: Templates, source: str
) -> FileMapping:
    """Return the mapping of one stage's sheet; columns without any cell filled in are left out.

    Raises SpreadsheetError that names the column for a key that is no field, and for a unit that does not become the
    field's.
    """
    used = [name for name in table.columns if any(name in row.cells for row in table.rows)]
    if SAMPLE not in table.columns:
        raise _error(table, f"no column {SAMPLE}", f"it in row {KEY_ROW}, as the workbook was made")
    key = [SAMPLE, *([ROW_KEY] if ROW_KEY in table.columns else [])]
    text = [
        f"project = {json.dumps(template.key.project)}",
        f"source = {json.dumps(source, ensure_ascii=False)}",
        f"key = {json.dumps(key)}",
        f"sample_id = {json.dumps(SAMPLE)}",
        "[versions]",
        f"{template.key.stage} = {json.dumps(template.key.version)}",
        "[defaults]",
        f"origin = {json.dumps(ORIGIN)}",
        *(line for name in used for line in _column(template, name, units.get(name), table)),
    ]
    try:
        return read_mapping("\n".join(text), table.where, templates)
    except MappingError as error:
        raise SpreadsheetError(
            en=error.text.en.replace("correct the mapping file", f"correct rows {KEY_ROW} and {UNIT_ROW} of the sheet"),
            ko=error.text.ko.replace("매핑 파일을 고치십시오", f"시트의 {KEY_ROW}행과 {UNIT_ROW}행을 고치십시오"),
        ) from error


def unkeyed(table: Table) -> list[str]:
    """Return the columns that hold something but have no key: nobody knows what they mean."""
    return [n for n in table.columns if n.startswith("(column ") and any(n in row.cells for row in table.rows)]


def _column(template: Template, key: str, unit: str | None, table: Table) -> Iterator[str]:
    """Yield the mapping's entry of one column; of identity, of errors and without a key there is none."""
    if key in (SAMPLE, ROW_KEY) or key.startswith((ERRORS, "(column ")):
        return
    is_spread = key.endswith(UNCERTAINTY)
    name = key.removesuffix(UNCERTAINTY).strip()
    field = _field(template, name, table)
    in_header = name.startswith("header.")
    yield "[[columns]]"
    yield f"name = {json.dumps(key, ensure_ascii=False)}"
    target = f"header.uncertainty.{name}" if is_spread else name if in_header else f"{template.key.stage}.{name}"
    yield f"field = {json.dumps(target, ensure_ascii=False)}"
    if field.kind in _NUMBERS and (not in_header or is_spread) and ("." in name or field.kind == "double"):
        yield f"unit = {json.dumps(unit or field.unit or '1', ensure_ascii=False)}"
    if name == "header.references":
        yield 'parse = "reference"'


def _field(template: Template, name: str, table: Table) -> Field:
    in_header = name.startswith("header.")
    fields = {f.name: f for f in (template.header_fields if in_header else template.fields)}
    plain = name.removeprefix("header.").partition(".")[0]
    if plain in fields and not (in_header and plain in NOT_MAPPED):
        return fields[plain]
    known = [f"header.{n}" if in_header else n for n in fields if not in_header or n not in NOT_MAPPED]
    raise _error(table, f"column {name!r} in row {KEY_ROW}", f"a field of {template.key}", near(name, known))


def _error(table: Table, got: str, expected: str, close: Sequence[str] = ()) -> SpreadsheetError:
    text = Text(
        ko=f"{table.where}: {got}입니다. {expected}이어야 합니다"
        + (f". 비슷한 것: {', '.join(close)}" if close else ""),
        en=f"{table.where}: got {got}, expected {expected}" + (f"; near it: {', '.join(close)}" if close else ""),
    )
    return SpreadsheetError(en=text.en, ko=text.ko)
