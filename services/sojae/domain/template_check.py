"""What a template must keep to before it is used: names, units where they are needed, rules that look at one row."""

import datetime as dt
import re
from typing import get_args

import polars as pl

from sojae.domain.errors import QuantityError, TemplateError
from sojae.domain.frames import polars_frame
from sojae.domain.quantity import ucum_code
from sojae.domain.rules import compile_rule, rule_frame, sql_faults
from sojae.domain.template import Field, Role, Template
from sojae.topics import IDENTITY

SQL_KEYWORDS = frozenset(
    "select from where group order by having union all distinct as on join left right inner outer full cross case when "
    "then else end and or not null is in like between exists cast true false limit offset table values with date time "
    "timestamp interval".split()
)
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
RESERVED = frozenset({"header", "topic", "topic_id", "partition", "offset", "ingest_time", "issues", "grade", "status"})
"""Columns that records have beside header and template fields."""

EXAMPLES = "x_examples_"
"""Projects of published sets, which belong to no institute."""

MAX_FIELDS = 400
HOSTILE_NUMBERS = (0.0, -1.0, 1e308, -1e308, 1e-308)


def check_template(template: Template, where: str) -> None:
    """Return when the template may be used; raises TemplateError that names file, field or rule, and remedy."""
    if len(template.fields) > MAX_FIELDS:
        raise _error(where, f"{len(template.fields)} fields", f"at most {MAX_FIELDS}")
    own_name = f"sojae.{template.key.project}.{template.key.stage.capitalize()}"
    if template.full_name != own_name:
        raise _error(where, f"record name {template.full_name}", f"{own_name}: a name says one project and one stage")
    _check_institute(template, where)
    header_names = {f.name for f in template.header_fields}
    seen: set[str] = set()
    for field in template.fields:
        _check_field(field, where, header_names, seen)
        seen.add(field.name)
    categories = {f.name for f in template.fields if f.kind == "string"}
    for field in template.fields:
        if field.split_by is not None and field.split_by not in categories:
            raise _error(where, f"split_by {field.split_by!r} of {field.name}", "the name of a text field")
    ids = [rule.id for rule in template.rules]
    if len(ids) != len(set(ids)):
        raise _error(
            where, f"rules {', '.join(sorted({i for i in ids if ids.count(i) > 1}))} twice", "each rule id once"
        )
    _check_rules(template, where)


def _check_institute(template: Template, where: str) -> None:
    """Return when a firm's own project says whose it is: without an institute anybody could write it."""
    project, institute = template.key.project, template.institute
    if institute is not None and not IDENTITY.fullmatch(institute):
        raise _error(where, f"institute {institute!r}", "2 to 32 of a–z, 0–9 and -")
    if not project.startswith("x_"):
        return
    if institute is None:
        if not project.startswith(EXAMPLES):
            raise _error(where, f"project {project} without an institute", 'the attribute "institute": whose it is')
    elif not project.startswith(f"x_{institute.replace('-', '_')}_"):
        own = f"x_{institute.replace('-', '_')}_<name>"
        raise _error(where, f"project {project} of institute {institute}", f"{own}: an institute's - is written _")


def _check_field(field: Field, where: str, header_names: set[str], seen: set[str]) -> None:
    if not FIELD_NAME.fullmatch(field.name):
        raise _error(where, f"field {field.name!r}", "lower-case letters, digits and _")
    if field.name in SQL_KEYWORDS | RESERVED | header_names | seen:
        raise _error(where, f"field {field.name!r}", "a name that is no SQL keyword, no header field and not taken")
    if field.role not in get_args(Role):
        raise _error(where, f"role {field.role!r} of {field.name}", f"one of {', '.join(get_args(Role))}")
    if field.kind in ("double", "map_double") and field.unit is None:
        raise _error(where, f"field {field.name!r} without a unit", 'a UCUM code ("1" for a plain number)')
    if field.unit is not None:
        _check_unit(field, where)
    if field.warn and field.hard and not _inside(field):
        raise _error(where, f"warn {field.warn} outside hard {field.hard} of {field.name}", "warn inside hard")
    if field.quantity == "formula" and field.kind != "string":
        raise _error(where, f"formula {field.name!r} of kind {field.kind}", "a text")
    if field.quantity == "composition" and field.kind != "map_double":
        raise _error(where, f"composition {field.name!r} of kind {field.kind}", "map<double>")


def _check_unit(field: Field, where: str) -> None:
    try:
        code = ucum_code(field.unit or "")
    except QuantityError as error:
        raise _error(where, f"unit {field.unit!r} of {field.name} ({error.text.en})", "a UCUM code") from error
    if code != field.unit:
        raise _error(where, f"unit {field.unit!r} of {field.name}", f"its UCUM code {code!r}")


def _inside(field: Field) -> bool:
    assert field.warn is not None
    assert field.hard is not None
    low_ok = field.hard.low is None or (field.warn.low is not None and field.warn.low >= field.hard.low)
    high_ok = field.hard.high is None or (field.warn.high is not None and field.warn.high <= field.hard.high)
    return (low_ok or field.warn.low is None) and (high_ok or field.warn.high is None)


def _check_rules(template: Template, where: str) -> None:
    names = [f.name for f in template.fields]
    frames = [rule_frame(template, polars_frame(template, [])), rule_frame(template, _hostile(template))]
    for rule in template.rules:
        if rule.scope != "record":
            continue
        faults = sql_faults(rule.sql, names)
        if faults:
            raise _error(
                where, f"rule {rule.id}: {', '.join(faults)}", "fields of this template and row-wise functions"
            )
        for frame in frames:
            try:
                result = frame.select(compile_rule(rule.sql).alias("__rule")).to_series()
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
                raise _error(where, f"rule {rule.id}: {error}", "an expression that polars can evaluate") from error
            if result.dtype not in (pl.Boolean, pl.Null) or result.len() != frame.height:
                raise _error(
                    where,
                    f"rule {rule.id}: {result.dtype} of {result.len()} rows",
                    f"true or false for each of {frame.height} rows",
                )


def _hostile(template: Template) -> pl.DataFrame:
    """Return a frame of nulls, extremes and odd strings, on which every rule must still answer."""
    samples: dict[str, tuple[object, ...]] = {
        "double": HOSTILE_NUMBERS,
        "long": (0, -1, 2**62, -(2**62), 1),
        "string": ("", "'", "한글", "x" * 50, "NaN"),
        "boolean": (True, False, True, False, True),
        "date": tuple(dt.date(y, 1, 1) for y in (1, 1900, 1970, 2026, 9999)),
        "timestamp": tuple(dt.datetime(y, 1, 1, tzinfo=dt.UTC) for y in (1, 1900, 1970, 2026, 9999)),
        "map_double": ({}, {"Fe": -1.0}, {"Fe": 1e308}, {"": 0.0}, {"한글": 1.0}),
        "map_string": ({}, {"Fe": ""}, {"": "x"}, {"a": "b"}, {"한글": "x"}),
        "strings": ([], [""], ["a"], ["한글"], ["a", "b"]),
    }
    rows: list[dict[str, object]] = [{f.name: samples[f.kind][i] for f in template.fields} for i in range(5)]
    return polars_frame(template, [*rows, {}])


def _error(where: str, got: str, expected: str) -> TemplateError:
    return TemplateError(
        en=f"{where}: got {got}, expected {expected}; correct the template file",
        ko=f"{where}: {got}입니다. {expected}이어야 합니다. 템플릿 파일을 고치십시오",
    )
