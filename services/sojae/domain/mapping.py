"""A mapping file in TOML: which column of a data file becomes which field of which template."""

import datetime as dt
import math
from collections.abc import Mapping
from typing import cast
from zoneinfo import ZoneInfo

from sojae.domain.errors import TemplateError
from sojae.domain.mapping_cells import in_utc
from sojae.domain.mapping_columns import read_column
from sojae.domain.mapping_plan import NOT_MAPPED, ColumnPlan, FileMapping, RecordPlan, Templates, refuse
from sojae.domain.template import STAGES, Field, Kind, Template
from sojae.domain.toml_table import TomlTable, array_of_tables, parse_toml
from sojae.topics import IDENTITY

SETTINGS = (
    "project", "source", "sheet", "header_row", "key", "sample_id", "timezone", "nulls", "skip", "versions",
    "defaults", "constants", "records", "columns",
)  # fmt: skip
RECORD_SETTINGS = ("stage", "key", "sample_id", "once")
EMPTY_WORDS = ("N/A", "n/a", "NA", "NaN", "nan", "null", "-", "–", "—")
"""Cells that mean nothing was filled in, where the mapping has no `nulls` of its own; the empty cell always does."""

_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "double": (float, int),
    "long": (int,),
    "string": (str,),
    "boolean": (bool,),
    "date": (dt.date,),
    "timestamp": (dt.datetime,),
    "map_double": (dict,),
    "map_string": (dict,),
    "strings": (list,),
}


def read_mapping(text: str, where: str, templates: Templates) -> FileMapping:
    """Return the mapping that a TOML text holds, checked against the templates; `where` names the file in errors.

    Raises MappingError for everything that the file names and nobody has: a project, field, unit or setting.
    """
    top = parse_toml(text, where)
    top.only(SETTINGS)
    project = top.text("project")
    found = _templates(top, project, templates)
    zone = _timezone(top)
    defaults, institute = _defaults(top, found, zone)
    columns = _columns(top, text, found)
    records = tuple(_record(top, found[name], columns[name], name, zone) for name in found if columns[name])
    if not records:
        raise refuse(where, "no columns that fill a field", '[[columns]] with name and field = "<stage>.<field>"')
    mapping = FileMapping(
        where=where,
        project=project,
        source=top.optional_text("source"),
        institute=institute,
        sheet=top.optional_text("sheet"),
        header_row=top.count("header_row", 1, least=0),
        timezone=zone.key,
        defaults=defaults,
        skip={name: top.table("skip").texts(name) for name in top.table("skip").values},
        records=records,
    )
    _check_settings(top, mapping)
    return mapping


def _templates(top: TomlTable, project: str, templates: Templates) -> dict[str, Template]:
    """Return record name → template: the four stages under their own names, and the records that are named."""
    if project not in templates.projects():
        raise refuse(top.where, f"project {project!r}", "a project with templates", templates.projects(), meant=project)
    versions = top.table("versions")
    versions.only(STAGES)
    stages: dict[str, str] = {name: name for name in STAGES}
    for name, settings in top.table("records").values.items():
        if not isinstance(settings, Mapping):
            raise refuse(top.where, f"records.{name} = {settings!r}", f"a table [records.{name}]")
        stage = TomlTable(settings, f"{top.where}: [records.{name}]").text("stage", name)
        if stage not in STAGES:
            raise refuse(
                f"{top.where}: [records.{name}]", f"stage {stage!r}", f"one of {', '.join(STAGES)}", STAGES, meant=stage
            )
        stages[name] = stage
    found: dict[str, Template] = {}
    for name, stage in stages.items():
        try:
            found[name] = templates.get(project, stage, versions.optional_text(stage))
        except TemplateError as error:
            if name in STAGES and versions.optional_text(stage) is None:
                continue  # A project need not have all stages; a column that names this one is refused there.
            raise refuse(top.where, f"template {project}/{stage} ({error})", "a template that exists") from error
    return found


def _defaults(
    top: TomlTable, templates: Mapping[str, Template], zone: ZoneInfo
) -> tuple[dict[str, object], str | None]:
    table = top.table("defaults")
    fields = {f.name: f for t in templates.values() for f in t.header_fields}
    known = ["institute", *(n for n in fields if n not in NOT_MAPPED)]
    table.only(known)
    institute = table.optional_text("institute")
    if institute is not None and not IDENTITY.fullmatch(institute):
        raise refuse(table.where, f"institute {institute!r}", "2 to 32 of a–z, 0–9 and -")
    return {k: _typed(table, fields[k], v, zone) for k, v in table.values.items() if k != "institute"}, institute


def _typed(table: TomlTable, field: Field, value: object, zone: ZoneInfo) -> object:
    """Return a value of the mapping file in the type of its field, a time without a zone taken in `zone`."""
    if not _is_of(field.kind, value):
        raise refuse(table.where, f"{field.name} = {value!r}", f"a value of the kind {field.kind}")
    if field.one_of is not None and value not in field.one_of:
        raise refuse(
            table.where,
            f"{field.name} = {value!r}",
            f"one of {', '.join(field.one_of)}",
            field.one_of,
            meant=str(value),
        )
    if field.kind == "timestamp":
        try:
            return in_utc(cast("dt.datetime", value), zone)
        except OverflowError as error:
            raise refuse(table.where, f"{field.name} = {value}", "a time in the years 1 to 9999") from error
    if field.kind == "map_double":
        return {name: float(amount) for name, amount in cast("Mapping[str, float]", value).items()}
    return float(cast("float", value)) if field.kind == "double" else value


def _is_of(kind: Kind, value: object) -> bool:
    """Return whether a value of TOML, and what is inside it, is of a kind; numbers are finite."""
    if isinstance(value, bool):
        return kind == "boolean"
    if not isinstance(value, _TYPES[kind]):
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_is_of("double" if kind == "map_double" else "string", inner) for inner in value.values())
    if isinstance(value, list):
        return all(_is_of("string", inner) for inner in value)
    # A time is a date to Python, not to a template.
    return not (kind == "date" and isinstance(value, dt.datetime))


def _columns(top: TomlTable, text: str, templates: Mapping[str, Template]) -> dict[str, list[ColumnPlan]]:
    nulls = frozenset(top.texts("nulls") if "nulls" in top.values else EMPTY_WORDS)
    columns: dict[str, list[ColumnPlan]] = {name: [] for name in templates}
    in_header: dict[str, list[ColumnPlan]] = {name: [] for name in templates}
    for table in array_of_tables(top, "columns", text):
        for record, plan in read_column(table, templates, nulls).items():
            taken = [*columns[record], *in_header[record]]
            if any(p.target == plan.target and p.in_header == plan.in_header for p in taken):
                raise refuse(table.where, f"a second column for {record}.{plan.target}", "one column a field")
            (in_header if plan.in_header else columns)[record].append(plan)
    # A record that only header columns would fill says nothing of its stage: it is not made.
    return {name: [*plans, *in_header[name]] if plans else [] for name, plans in columns.items()}


def _record(top: TomlTable, template: Template, columns: list[ColumnPlan], name: str, zone: ZoneInfo) -> RecordPlan:
    settings = TomlTable(
        cast("Mapping[str, object]", top.table("records").values.get(name, {})), f"{top.where}: [records.{name}]"
    )
    settings.only(RECORD_SETTINGS)
    key = settings.texts("key") or top.texts("key")
    if not key or not all(key):
        raise refuse(top.where, "no key", 'key = ["column", …]: the columns that tell one row from another')
    own = "key" in settings.values
    constants = TomlTable(top.table("constants").optional_table(name) or {}, f"{top.where}: [constants.{name}]")
    fields = {f.name: f for f in template.fields}
    constants.only(list(fields))
    for constant in constants.values:
        if any(c.field.name == constant and not c.in_header for c in columns):
            raise refuse(constants.where, f"{constant}, which a column fills too", "a constant or a column, not both")
    return RecordPlan(
        name=name,
        template=template,
        key=key,
        sample_id=settings.optional_text("sample_id") or (None if own else top.optional_text("sample_id")),
        once=settings.flag("once"),
        columns=tuple(columns),
        constants={k: _typed(constants, fields[k], v, zone) for k, v in constants.values.items()},
    )


def _timezone(top: TomlTable) -> ZoneInfo:
    name = top.text("timezone", "UTC")
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise refuse(top.where, f"timezone {name!r}", "an IANA name such as Asia/Seoul") from error


def _check_settings(top: TomlTable, mapping: FileMapping) -> None:
    """Return when every record has an origin, and no table names a record that the columns do not fill."""
    filled = [record.name for record in mapping.records]
    for key in ("records", "constants"):
        for name in top.table(key).values:
            if name not in filled:
                raise refuse(top.where, f"[{key}.{name}]", "a record that a column fills", filled, meant=name)
    for record in mapping.records:
        if "origin" not in mapping.defaults and not any(
            c.in_header and c.field.name == "origin" for c in record.columns
        ):
            raise refuse(
                top.where,
                f"no origin for {record.name}",
                '[defaults] origin = "experiment", or a column for header.origin',
            )
