"""One `[[columns]]` entry of a mapping file: the field that it names, the unit and the way its cells are read."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from sojae.domain.errors import QuantityError
from sojae.domain.mapping_plan import INTERVALS, NOT_MAPPED, PARSES, ColumnPlan, Interval, Parse, refuse
from sojae.domain.quantity import convert, delta, parse_number, ucum_code
from sojae.domain.template import Field, Kind, Template
from sojae.domain.toml_table import TomlTable

ENTRIES = (
    "name",
    "field",
    "unit",
    "values",
    "parse",
    "format",
    "separator",
    "interval",
    "pattern",
    "where",
    "nulls",
    "records",
)
HEADER = "header"

_PARSE_OF: Mapping[Kind, Parse] = {
    "double": "number",
    "long": "integer",
    "string": "text",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "date",
    "map_double": "number",
    "map_string": "text",
    "strings": "list",
}
_ALLOWED: Mapping[Kind, frozenset[Parse]] = {
    kind: frozenset({parse, *(("doi", "reference") if kind in ("string", "strings") else ())})
    for kind, parse in _PARSE_OF.items()
}
MAX_PATTERN_CHARACTERS = 200
FORMULA_BASES = ("at", "mass")


def read_column(table: TomlTable, templates: Mapping[str, Template], nulls: frozenset[str]) -> dict[str, ColumnPlan]:
    """Return record name → plan of one column: one record for `stage.field`, several for a header field.

    `templates` are the mapping's records by name. Raises MappingError for an unknown entry, record, field or unit.
    """
    table.only(ENTRIES)
    target = table.text("field")
    record, _, path = target.partition(".")
    name, _, component = path.partition(".")
    plan = ColumnPlan(
        name=table.text("name"),
        field=_field(table, record, name, templates),
        parse="text",
        in_header=record == HEADER,
        component=component or None,
        separator=table.text("separator", ";"),
        format=table.optional_text("format"),
        pattern=_pattern(table),
        where=_where(table),
        nulls=nulls | frozenset(table.texts("nulls")),
        values=_value_map(table),
    )
    plan = _with_parse(table, plan)
    owners = _owners(table, plan, templates) if plan.in_header else [record]
    return {owner: _checked(table, plan, templates[owner]) for owner in owners}


def _field(table: TomlTable, record: str, name: str, templates: Mapping[str, Template]) -> Field:
    if record != HEADER and record not in templates:
        raise refuse(
            table.where,
            f"field {record}.{name}",
            "<record>.<field> or header.<field>",
            [*templates, HEADER],
            meant=record,
        )
    if record == HEADER and name in NOT_MAPPED:
        remedy = "the setting sample_id" if name == "sample_id" else "a header field that a file may fill"
        raise refuse(table.where, f"field header.{name}", remedy)
    fields = templates[record].fields if record != HEADER else _header_fields(templates.values())
    for field in fields:
        if field.name == name:
            return field
    known = [f"{record}.{f.name}" for f in fields if f.name not in NOT_MAPPED or record != HEADER]
    raise refuse(table.where, f"field {record}.{name}", f"a field of {record}", known, meant=f"{record}.{name}")


def _header_fields(templates: Iterable[Template]) -> tuple[Field, ...]:
    return next((t.header_fields for t in templates), ())


def _where(table: TomlTable) -> tuple[tuple[str, str], ...]:
    given = table.optional_table("where") or {}
    for name, word in given.items():
        if not isinstance(word, str):
            raise refuse(table.where, f"where {name} = {word!r}", "a text as it stands in the file")
    return tuple((name, str(word)) for name, word in given.items())


def _pattern(table: TomlTable) -> str | None:
    text = table.optional_text("pattern")
    if text is None:
        return None
    try:
        groups = re.compile(text).groups if len(text) <= MAX_PATTERN_CHARACTERS else 0
    except re.error as error:
        raise refuse(table.where, f"pattern {text!r} ({error})", "a regular expression") from error
    if groups != 1:
        expected = f"one group in brackets, in at most {MAX_PATTERN_CHARACTERS} characters"
        raise refuse(table.where, f"pattern {text!r}", expected)
    return text


def _value_map(table: TomlTable) -> Mapping[str, str] | None:
    values = table.optional_table("values")
    if values is None:
        return None
    for key, value in values.items():
        if not isinstance(value, str | int | float):
            raise refuse(table.where, f"{key!r} = {value!r}", "a text, a number, true or false")
    return {key.strip(): _plain(value) for key, value in values.items()}


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, ".15g") if isinstance(value, float) else str(value)


def _with_parse(table: TomlTable, plan: ColumnPlan) -> ColumnPlan:
    is_whole_map = plan.field.kind in ("map_double", "map_string") and plan.component is None
    default: Parse = "formula" if is_whole_map and plan.field.quantity == "composition" else _PARSE_OF[plan.field.kind]
    parse = cast("Parse", table.text("parse", default))
    if parse not in PARSES:
        raise refuse(table.where, f"parse {parse!r}", f"one of {', '.join(PARSES)}", PARSES, meant=parse)
    if parse == "formula":
        if not is_whole_map or plan.field.basis not in FORMULA_BASES:
            raise refuse(table.where, f"a formula for {plan.target}", "a composition in at% or wt% as a whole")
    elif parse not in _ALLOWED[plan.field.kind]:
        raise refuse(table.where, f"parse {parse!r} for {plan.target}", " or ".join(sorted(_ALLOWED[plan.field.kind])))
    elif is_whole_map:
        raise refuse(table.where, f"field {plan.target}", f"a component too: {plan.target}.<component>")
    if plan.component is not None and plan.field.kind not in ("map_double", "map_string"):
        raise refuse(table.where, f"field {plan.target}", plan.field.name)
    if plan.format is not None and parse != "date":
        raise refuse(table.where, f"format {plan.format!r} for {plan.target}", "a format for dates only")
    if plan.format is not None:
        _check_format(table, plan.format)
    return replace(plan, parse=parse, interval=_interval(table, plan, parse))


def _interval(table: TomlTable, plan: ColumnPlan, parse: Parse) -> Interval | None:
    name = table.optional_text("interval")
    if name is None:
        return None
    if name not in INTERVALS or parse != "number" or plan.in_header:
        raise refuse(table.where, f"interval {name!r} for {plan.target}", "low, middle or high, for numbers only")
    return name


def _check_format(table: TomlTable, text: str) -> None:
    moment = dt.datetime(2026, 11, 24, 13, 45, 6, tzinfo=dt.UTC)
    try:
        dt.datetime.strptime(moment.strftime(text), text)  # noqa: DTZ007 - only whether it can be read
    except (ValueError, OverflowError, re.error) as error:
        # A code that stands twice is no ValueError, but a broken pattern.
        raise refuse(table.where, f"format {text!r}", "a date format as %Y-%m-%d") from error


def _owners(table: TomlTable, plan: ColumnPlan, templates: Mapping[str, Template]) -> list[str]:
    """Return the records that a header column fills: those named, those that have the field, or all."""
    named = table.texts("records")
    for name in named:
        if name not in templates:
            raise refuse(table.where, f"record {name!r}", "a record of this mapping", list(templates), meant=name)
    chosen = list(named or templates)
    if plan.component is None or plan.field.name == "as_reported":
        return chosen
    having = [name for name in chosen if any(f.name == plan.component for f in templates[name].fields)]
    if not having:
        known = [f.name for name in chosen for f in templates[name].fields]
        raise refuse(
            table.where, f"field header.{plan.target}", "a field of this mapping's records", known, meant=plan.component
        )
    return having


def _checked(table: TomlTable, plan: ColumnPlan, template: Template) -> ColumnPlan:
    """Return the plan with its units, after its unit and its value map have been tried."""
    plan = _with_unit(table, plan, template)
    for key, value in (plan.values or {}).items():
        if not value:
            continue
        if plan.field.one_of is not None and value not in plan.field.one_of:
            raise refuse(
                table.where,
                f"{key!r} = {value!r}",
                f"one of {', '.join(plan.field.one_of)}",
                plan.field.one_of,
                meant=value,
            )
        if plan.parse == "number":
            try:
                parse_number(value)
            except QuantityError as error:
                raise refuse(table.where, f"{key!r} = {value!r}", f"a number for {plan.target}") from error
    return plan


def _with_unit(table: TomlTable, plan: ColumnPlan, template: Template) -> ColumnPlan:
    typed = table.optional_text("unit")
    if plan.parse != "number":
        if typed is not None:
            raise refuse(table.where, f"unit {typed!r} for {plan.target}", "a unit for numbers only")
        return plan
    is_difference = plan.in_header
    target = template.field(cast("str", plan.component)).unit if is_difference else plan.field.unit
    if target is None:
        raise refuse(table.where, f"field {plan.target}", "a field with a unit")
    if typed is None:
        if target != "1":
            raise refuse(table.where, f"no unit for {plan.target}", f'the unit of the cells, such as unit = "{target}"')
        typed = "1"
    try:
        (delta if is_difference else convert)(1.0, typed, target)
    except QuantityError as error:
        message = error.text
        raise refuse(
            table.where, f"unit {typed!r} for {plan.target} ({message.en})", f"a unit that becomes {target}"
        ) from error
    ends = None if plan.in_header or plan.component is not None else _ends(plan.field, template)
    return replace(plan, unit=ucum_code(typed), target_unit=target, is_difference=is_difference, ends=ends)


def _ends(field: Field, template: Template) -> tuple[Field, Field] | None:
    """Return the fields for the two ends of an interval, `<field>_low` and `<field>_high`, where a template has both."""
    fields = {f.name: f for f in template.fields if f.kind == "double" and f.unit == field.unit}
    low, high = fields.get(f"{field.name}_low"), fields.get(f"{field.name}_high")
    return None if low is None or high is None else (low, high)
