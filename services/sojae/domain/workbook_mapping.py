"""What a filled-in workbook says, as a mapping: its keys name the fields, its unit row the units."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sojae.domain.errors import MappingError, SpreadsheetError, TemplateError
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_plan import NOT_MAPPED, FileMapping, Templates
from sojae.domain.spelling import near
from sojae.domain.table import Table
from sojae.domain.template import Field, Stage, Template
from sojae.domain.text import Text
from sojae.domain.workbook_layout import ERRORS, FIRST_ROW, KEY_ROW, UNIT_ROW
from sojae.domain.workbook_words import ROW_KEY, SAMPLE

UNCERTAINTY = ":u"
"""Behind a field's key: the column holds its standard uncertainty."""

ORIGIN = "experiment"
"""Of a row that does not say where it comes from: the strictest, so that nothing is let pass by an empty cell."""

SPREADS = "header.uncertainty."
"""Before a field's key: the same as `:u` behind it."""

UNKNOWN_VERSION = Text(
    ko="{where}: 템플릿 {wanted}에 맞춘 시트인데, 여기에는 {known}만 있습니다. 이 프로그램을 새 판으로 바꾸거나, `sojae template "
    "workbook {project}`로 새 양식을 만들어 자료를 옮기십시오",
    en="{where}: the sheet follows template {wanted}, and known here is {known}; update this program, or make a new workbook with "
    "`sojae template workbook {project}` and copy the rows into it",
)
OTHER_TEXT = Text(
    ko="{where}: 템플릿 {template}이(가) 이 양식을 만든 뒤 바뀌었습니다. 지금의 템플릿으로 검사합니다",
    en="{where}: template {template} has changed since this workbook was made; what holds now is what is checked",
)

_NUMBERS = ("double", "map_double")


def sheet_template(
    table: Table, info: Mapping[str, str], stage: Stage, templates: Templates
) -> tuple[Template, list[Text]]:
    """Return the template that a sheet of a workbook follows, and what is said of it.

    `info` is what the workbook says of itself. Raises SpreadsheetError for a project or a version that is not known here.
    """
    project, version = info.get("project", ""), info.get(f"template.{stage}") or None
    try:
        template = templates.get(project, stage, version)
    except TemplateError as error:
        known = _newest(templates, project, stage)
        if known is None:
            raise SpreadsheetError(
                en=f"{table.where}: {error.text.en}", ko=f"{table.where}: {error.text.ko}"
            ) from error
        wanted = f"{project}/{stage}/{version}"
        said = UNKNOWN_VERSION.format(where=table.place, wanted=wanted, known=known.key, project=project)
        raise SpreadsheetError(en=said.en, ko=said.ko) from error
    made_from = info.get(f"sha256.{stage}") or template.sha256
    same = made_from == template.sha256
    return template, [] if same else [OTHER_TEXT.format(where=table.place, template=template.key)]


def _newest(templates: Templates, project: str, stage: Stage) -> Template | None:
    try:
        return templates.get(project, stage)
    except TemplateError:
        return None


def data_of(table: Table) -> tuple[Table, Mapping[str, str]]:
    """Return the rows of data and the unit of each column, as the row beneath the keys gives them."""
    units = next((row.cells for row in table.rows if row.number == UNIT_ROW), {})
    return replace(table, rows=tuple(row for row in table.rows if row.number >= FIRST_ROW)), units


def keyed(table: Table) -> Table:
    """Return the table with both columns that name a row, so that a row is called the same whether or not one is there."""
    return replace(table, columns=(*table.columns, *(() if ROW_KEY in table.columns else (ROW_KEY,))))


def workbook_mapping(
    template: Template, table: Table, units: Mapping[str, str], templates: Templates, source: str
) -> FileMapping:
    """Return the mapping of one stage's sheet, a table that is `keyed`; columns without any cell filled in are left out.

    Raises SpreadsheetError that names the column for a key that is no field, and for a unit that does not become the
    field's.
    """
    if SAMPLE not in table.columns:
        raise _error(
            table,
            Text(ko=f"열 {SAMPLE} 없음", en=f"no column {SAMPLE}"),
            Text(ko=f"양식이 만들어진 대로 {KEY_ROW}행에 그 키", en=f"it in row {KEY_ROW}, as the file was made"),
        )
    used = [name for name in table.columns if any(name in row.cells or name in row.faults for row in table.rows)]
    text = [
        f"project = {json.dumps(template.key.project)}",
        f"source = {json.dumps(source, ensure_ascii=False)}",
        f"key = {json.dumps([SAMPLE, ROW_KEY])}",
        f"sample_id = {json.dumps(SAMPLE)}",
        "[versions]",
        f"{template.key.stage} = {json.dumps(template.key.version)}",
        "[defaults]",
        f"origin = {json.dumps(ORIGIN)}",
        *(line for name in used for line in _column(template, name, units.get(name), table)),
    ]
    try:
        mapping = read_mapping("\n".join(text), table.place.en, templates)
    except MappingError as error:
        raise SpreadsheetError(
            en=error.text.en.replace("correct the mapping file", f"correct rows {KEY_ROW} and {UNIT_ROW} of the sheet"),
            ko=error.text.ko.replace("매핑 파일을 고치십시오", f"시트의 {KEY_ROW}행과 {UNIT_ROW}행을 고치십시오"),
        ) from error
    return replace(mapping, header_row=KEY_ROW)


def unkeyed(table: Table) -> list[str]:
    """Return the columns that hold something but have no key: nobody knows what they mean."""
    return [n for n in table.columns if n.startswith("(column ") and any(n in row.cells for row in table.rows)]


def _column(template: Template, key: str, unit: str | None, table: Table) -> Iterator[str]:
    """Yield the mapping's entry of one column; of identity, of errors and without a key there is none."""
    if key in (SAMPLE, ROW_KEY, ERRORS) or key.startswith("(column "):
        return
    is_spread = key.endswith(UNCERTAINTY) or key.startswith(SPREADS)
    name = key.removesuffix(UNCERTAINTY).removeprefix(SPREADS).strip()
    field = _field(template, name, table)
    in_header = name.startswith("header.")
    yield "[[columns]]"
    yield f"name = {json.dumps(key, ensure_ascii=False)}"
    target = f"{SPREADS}{name}" if is_spread else name if in_header else f"{template.key.stage}.{name}"
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
    raise _error(
        table,
        Text(ko=f"{KEY_ROW}행의 열 {name!r}", en=f"column {name!r} in row {KEY_ROW}"),
        Text(ko=f"{template.key}의 필드", en=f"a field of {template.key}"),
        near(name, known),
    )


def _error(table: Table, got: Text, expected: Text, close: Sequence[str] = ()) -> SpreadsheetError:
    near_ko, near_en = (f". 비슷한 것: {', '.join(close)}", f"; near it: {', '.join(close)}") if close else ("", "")
    return SpreadsheetError(
        en=f"{table.place.en}: got {got.en}, expected {expected.en}{near_en}",
        ko=f"{table.place.ko}: {got.ko} 대신 {expected.ko}이(가) 필요합니다{near_ko}",
    )
