"""Validation of a batch of values against its template: ranges, requirements, categories, sums, rules."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, cast

import polars as pl
from polars.exceptions import PolarsError

from sojae.domain.composition_check import composition_issues
from sojae.domain.dopant_notation import parse_notation
from sojae.domain.errors import FormulaError
from sojae.domain.frames import decoded_frame
from sojae.domain.header import SAMPLE_REFERENCE, STRICT_ORIGINS, is_sample_reference
from sojae.domain.issue import Issue
from sojae.domain.rules import compile_rule, passes, rule_frame
from sojae.domain.schema_reader import Bounds
from sojae.domain.suspects import BLANKS, suspects
from sojae.domain.template import Field, Template
from sojae.domain.template_rule import Rule, Severity

Values = Mapping[str, object]
Findings = list[list[Issue]]
Found = dict[int, list[Issue]]
"""The findings of those rows of a frame that have some, by the number of the row."""

LOTS = "lots"
"""The field of a composition that names the raw lot of each component."""

COMPILED_TEMPLATES = 256


class _Judged(NamedTuple):
    """A rule of scope record, compiled, with the fields that it names."""

    rule: Rule
    expression: pl.Expr
    names: tuple[str, ...]


class _Compiled(NamedTuple):
    """What is asked of a whole batch of one template: which values are suspects, and whether the rules hold."""

    template: Template
    fields: tuple[Field, ...]
    suspects: tuple[pl.Expr, ...]
    rules: tuple[_Judged, ...]


_compiled: dict[int, _Compiled] = {}


def check_values(template: Template, rows: Sequence[Values], origins: Sequence[str]) -> Findings:
    """Return the findings of each row, in the order of the rows; an empty list is a clean row.

    `rows` are the decoded template fields, `origins` the header's origin of each: who measured must fill in what is
    required, others are only told.
    """
    if not rows:
        return []
    found = check_frame(template, decoded_frame(template, rows), origins)
    return [found.get(row, []) for row in range(len(rows))]


def check_frame(template: Template, frame: pl.DataFrame, origins: Sequence[str]) -> Found:
    """Return row number → findings of a frame whose columns are the template's fields; clean rows are left out.

    All checks are asked of whole columns at once. Only values that may break one are then looked at singly.
    """
    findings: Found = {}
    if not frame.height:
        return findings
    compiled = _compile(template)
    if compiled.suspects:
        asked = frame.select(compiled.suspects)
        for field, found in zip(compiled.fields, asked.get_columns(), strict=True):
            if found.any():
                rows = found.fill_null(value=False).arg_true()
                for row, value in zip(rows.to_list(), frame[field.name].gather(rows).to_list(), strict=True):
                    if issues := list(_issues(field, value, origins[row])):
                        findings.setdefault(row, []).extend(issues)
    if compiled.rules:
        _add_rule_issues(compiled, frame, origins, findings)
    return findings


def _compile(template: Template) -> _Compiled:
    """Return what is asked of this very template object; it is made once, as long as there are not too many others."""
    known = _compiled.get(id(template))
    if known is not None and known.template is template:
        return known
    asked = [(field, expression) for field in template.fields if (expression := suspects(field, lots=LOTS)) is not None]
    rules = [(rule, compile_rule(rule.sql)) for rule in template.rules if rule.scope == "record"]
    there = {field.name for field in template.fields}
    made = _Compiled(
        template,
        tuple(field for field, _ in asked),
        tuple(expression.alias(field.name) for field, expression in asked),
        tuple(_Judged(r, e, tuple(n for n in dict.fromkeys(e.meta.root_names()) if n in there)) for r, e in rules),
    )
    if len(_compiled) >= COMPILED_TEMPLATES:
        _compiled.clear()
    _compiled[id(template)] = made
    return made


def _issues(field: Field, value: object, origin: str) -> Iterator[Issue]:
    """Yield what is wrong with one value of a field."""
    if field.required and (value is None or (isinstance(value, str) and not value.strip(BLANKS))):
        yield Issue("required", _strictly(origin), field.name, None, field.unit or "a value")
    if value is None:
        return
    if field.kind in ("double", "long"):
        yield from _number_issues(field, float(cast("float", value)))
    elif field.kind == "map_double":
        yield from composition_issues(field, cast("Mapping[str, object]", value), origin)
    elif field.kind == "map_string":
        yield from _lot_issues(field, cast("Mapping[str, object]", value))
    elif field.kind == "string":
        yield from _text_issues(field, str(value), origin)


def _number_issues(field: Field, value: float) -> Iterator[Issue]:
    if not math.isfinite(value):
        yield Issue("non_finite", "hard", field.name, repr(value), "a finite number")
    elif _outside(value, field.hard):
        yield Issue("hard_range", "hard", field.name, _number(value), shown_bounds(field.hard, field.unit))
    elif _outside(value, field.warn):
        yield Issue("warn_range", "warn", field.name, _number(value), shown_bounds(field.warn, field.unit))


def _outside(value: float, bounds: Bounds | None) -> bool:
    if bounds is None:
        return False
    return (bounds.low is not None and value < bounds.low) or (bounds.high is not None and value > bounds.high)


def _text_issues(field: Field, text: str, origin: str) -> Iterator[Issue]:
    if field.one_of is not None:
        if text not in field.one_of:
            yield Issue("category", "hard", field.name, text[:128], ", ".join(field.one_of))
    elif field.quantity == "formula" and (refused := _refused_formula(text, balance=field.balance)) is not None:
        yield Issue("formula", _strictly(origin), field.name, text[:128], refused[:256])


@lru_cache(maxsize=65_536)
def _refused_formula(text: str, *, balance: bool) -> str | None:
    """Return why a text is no formula, None where it is one; each text is read once."""
    try:
        parse_notation(text, balance=balance)
    except FormulaError as error:
        return error.text.en
    return None


def _lot_issues(field: Field, lots: Mapping[str, object]) -> Iterator[Issue]:
    """Yield a finding for the first lot that names no sample."""
    for component, lot in lots.items():
        if not is_sample_reference(str(lot)):
            where = f"{field.name}.{component[:32]}"
            yield Issue("identifier", "hard", where, str(lot)[:128], SAMPLE_REFERENCE)
            return


def _add_rule_issues(compiled: _Compiled, frame: pl.DataFrame, origins: Sequence[str], findings: Found) -> None:
    ruled = rule_frame(compiled.template, frame)
    for judged, (broken, unknown) in zip(compiled.rules, _verdicts(compiled.rules, ruled), strict=True):
        rule, rows, field = judged.rule, sorted([*broken, *unknown]), ", ".join(judged.names)
        if not rows:
            continue
        columns = [frame[name].gather(rows).to_list() for name in judged.names]
        for number, row in enumerate(rows):
            got = "; ".join(f"{n} = {_shown(c[number])}" for n, c in zip(judged.names, columns, strict=True))
            if row in unknown:
                found = Issue("rule_error", "warn", field, f"{rule.id}: {got}"[:512], rule.sql)
            else:
                found = Issue(rule.id, _severity(rule, origins[row]), field, got[:512], rule.sql)
            findings.setdefault(row, []).append(found)


def _verdicts(rules: Sequence[_Judged], frame: pl.DataFrame) -> list[tuple[list[int], set[int]]]:
    """Return for each rule the rows that break it, and those of which it cannot be said."""
    try:
        results = frame.select(one.expression.alias(str(n)) for n, one in enumerate(rules)).get_columns()
    except (PolarsError, pl.exceptions.PanicException):
        results = [pl.Series([], dtype=pl.Int8)] * len(rules)
    return [_verdict(one, result, frame) for one, result in zip(rules, results, strict=True)]


def _verdict(judged: _Judged, result: pl.Series, frame: pl.DataFrame) -> tuple[list[int], set[int]]:
    if result.len() == frame.height and result.dtype == pl.Null:
        return [], set()
    if result.len() == frame.height and result.dtype == pl.Boolean:
        return (~result).fill_null(value=False).arg_true().to_list() if not result.all() else [], set()
    held = passes(judged.expression, frame)
    return [n for n, holds in enumerate(held) if holds is False], {n for n, holds in enumerate(held) if holds is None}


def _severity(rule: Rule, origin: str) -> Severity:
    if rule.severity == "hard" and rule.hard_for is not None and origin not in rule.hard_for:
        return "warn"
    return rule.severity


def _strictly(origin: str) -> Severity:
    """Return how grave it is that something is missing: who measured can fill it in."""
    return "hard" if origin in STRICT_ORIGINS else "warn"


def shown_bounds(bounds: Bounds | None, unit: str | None) -> str:
    """Return a range as people write it: `800 to 1700 Cel`, `≥ 0 um`."""
    low, high = bounds or Bounds(None, None)
    behind = f" {unit}" if unit and unit != "1" else ""
    if low is None:
        return f"≤ {_number(high)}{behind}"
    if high is None:
        return f"≥ {_number(low)}{behind}"
    return f"{_number(low)} to {_number(high)}{behind}"


def _number(value: object) -> str:
    return format(value, ".12g") if isinstance(value, float) else str(value)


def _shown(value: object) -> str:
    return _number(value) if isinstance(value, float) else str(value)[:64]
