"""Template rules: SQL expressions that look at one row, compiled for polars."""

import re
from collections.abc import Iterable, Sequence

import polars as pl
from polars.exceptions import PolarsError

from sojae.domain.template import Template

FUNCTIONS = frozenset(
    "abs ceil ceiling coalesce exp floor greatest if ifnull least length ln log log10 log2 lower nullif pow power round sign sqrt "
    "starts_with ends_with upper".split()
)
"""Functions that look at one row only; aggregates, windows, casts and date parsing would depend on the batch, or kill it."""

FORBIDDEN = frozenset(
    "select over cast try_cast from group having union exists distinct interval date timestamp extract".split()
)
KEYWORDS = frozenset("and or not is null true false between in like case when then else end".split())
_TOKEN = re.compile(
    r"(?P<text>'(?:[^'\\]|'')*')"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)(?P<call>\s*\()?"
    r"|(?P<other>--|/\*|::|.(?<![-+*/%<>=!(),\s]))|.",
    re.DOTALL,
)
"""Comments and quoted names are `other`: behind them an aggregate could hide from the list of functions."""

MAX_SQL_CHARACTERS = 2000


def sql_faults(sql: str, fields: Iterable[str]) -> list[str]:
    """Return what a rule's SQL holds that a row-wise rule may not: words, functions and signs outside the allow-list."""
    if len(sql) > MAX_SQL_CHARACTERS:
        return [f"more than {MAX_SQL_CHARACTERS} characters"]
    known = set(fields)
    faults = []
    for match in _TOKEN.finditer(sql):
        word, other = match["word"], match["other"]
        name = word.lower() if word else ""
        if other is not None or name in FORBIDDEN:
            faults.append(other or name)
        elif match["call"] and name not in FUNCTIONS | KEYWORDS:
            faults.append(f"{name}()")
        elif word and not match["call"] and name not in KEYWORDS and word.split(".")[0] not in known:
            faults.append(f"unknown field {word}")
    return faults


def components(template: Template, map_field: str) -> list[str]:
    """Return the components of a map that the template's rules name, in order of appearance."""
    pattern = re.compile(rf"\b{re.escape(map_field)}\.([A-Za-z_][A-Za-z0-9_]*)")
    return list(dict.fromkeys(name for rule in template.rules for name in pattern.findall(rule.sql)))


def rule_frame(template: Template, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with every map of which rules speak as a struct of the components that they name.

    A component that the map lacks is 0; where the map is null, so is the struct. Maps cannot be reached in SQL.
    """
    replaced = []
    for field in template.fields:
        if field.kind not in ("map_double", "map_string") or not _is_spoken_of(template, field.name):
            continue
        names = components(template, field.name)
        absent = pl.lit(0.0) if field.kind == "map_double" else pl.lit(None, dtype=pl.String)
        given = pl.col(field.name)
        members = [pl.coalesce(given.map.get(name), absent).alias(name) for name in names]
        struct = pl.struct(members or [pl.lit(value=True).alias("__given")])
        replaced.append(pl.when(given.is_not_null()).then(struct).alias(field.name))
    return frame.with_columns(replaced) if replaced else frame


def _is_spoken_of(template: Template, name: str) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(rule.sql) for rule in template.rules)


def compile_rule(sql: str) -> pl.Expr:
    """Return the polars expression of a rule; raises polars' own error when it does not parse."""
    return pl.sql_expr(sql)


def passes(expression: pl.Expr, frame: pl.DataFrame) -> list[bool | None]:
    """Return for each row whether the rule holds (null result = holds); None where it cannot be evaluated.

    A rule that fails on the whole frame is tried on halves, so that one bad row does not spoil its neighbours.
    """
    if frame.height == 0:
        return []
    try:
        result = frame.select(expression.alias("__rule")).to_series()
    except (PolarsError, pl.exceptions.PanicException):
        if frame.height == 1:
            return [None]
        half = frame.height // 2
        return passes(expression, frame[:half]) + passes(expression, frame[half:])
    if result.dtype == pl.Null:
        return [True] * frame.height
    if result.dtype != pl.Boolean or result.len() not in (1, frame.height):
        return [None] * frame.height
    values: Sequence[bool | None] = result.to_list() * (frame.height if result.len() != frame.height else 1)
    return [value is not False for value in values]
