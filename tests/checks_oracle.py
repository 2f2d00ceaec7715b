"""The checks of values the straightforward way, one field after another: an oracle for the checks of whole batches."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from sojae.domain.checks import LOTS, shown_bounds
from sojae.domain.composition_check import composition_issues
from sojae.domain.dopant_notation import parse_notation
from sojae.domain.errors import FormulaError
from sojae.domain.frames import polars_frame
from sojae.domain.header import SAMPLE_REFERENCE, STRICT_ORIGINS, is_sample_reference
from sojae.domain.issue import Issue
from sojae.domain.rules import compile_rule, passes, rule_frame
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, Template
from sojae.domain.template_rule import Rule, Severity

Values = Mapping[str, object]
Findings = list[list[Issue]]


def plainly_checked(template: Template, rows: Sequence[Values], origins: Sequence[str]) -> Findings:
    """Return the findings of each row, in the order of the rows; an empty list is a clean row.

    `rows` are the decoded template fields, `origins` the header's origin of each: who measured must fill in what is
    required, others are only told.
    """
    findings: Findings = [[] for _ in rows]
    if not rows:
        return findings
    frame = polars_frame(template, rows)
    for field in template.fields:
        for row, issue in _field_issues(field, frame, rows, origins):
            findings[row].append(issue)
    ruled = rule_frame(template, frame)
    for rule in template.rules:
        if rule.scope == "record":
            for row, issue in _rule_issues(rule, ruled, rows, origins):
                findings[row].append(issue)
    return findings


def _field_issues(
    field: Field, frame: pl.DataFrame, rows: Sequence[Values], origins: Sequence[str]
) -> Iterator[tuple[int, Issue]]:
    values = frame[field.name]
    if field.required:
        yield from _required_issues(field, values, origins)
    if field.kind == "double":
        yield from _number_issues(field, values)
    elif field.kind == "long":
        yield from _range_issues(field, values.cast(pl.Float64))
    elif field.kind == "map_double":
        for row, item in enumerate(rows):
            amounts = item.get(field.name)
            if isinstance(amounts, Mapping):
                yield from ((row, issue) for issue in composition_issues(field, amounts, origins[row]))
    elif field.kind == "map_string" and field.name == LOTS:
        yield from _lot_issues(field, rows)
    elif field.kind == "string":
        yield from _text_issues(field, values, origins)


def _text_issues(field: Field, values: pl.Series, origins: Sequence[str]) -> Iterator[tuple[int, Issue]]:
    if field.one_of is not None:
        for row in _where(~values.is_in(list(field.one_of)) & values.is_not_null()):
            yield row, Issue("category", "hard", field.name, str(values[row])[:128], ", ".join(field.one_of))
    elif field.quantity == "formula":
        yield from _formula_issues(field, values, origins)


def _formula_issues(field: Field, values: pl.Series, origins: Sequence[str]) -> Iterator[tuple[int, Issue]]:
    """Yield a finding for each text that is no formula; each text is read once."""
    refused: dict[str, str] = {}
    for text in values.drop_nulls().unique().to_list():
        try:
            parse_notation(text, balance=field.balance)
        except FormulaError as error:
            refused[text] = error.text.en
    for row in _where(values.is_in(list(refused))) if refused else ():
        severity: Severity = "hard" if origins[row] in STRICT_ORIGINS else "warn"
        yield row, Issue("formula", severity, field.name, str(values[row])[:128], refused[values[row]][:256])


def _required_issues(field: Field, values: pl.Series, origins: Sequence[str]) -> Iterator[tuple[int, Issue]]:
    empty = values.is_null() if field.kind != "string" else values.fill_null("").str.strip_chars() == ""
    for row in _where(empty):
        severity: Severity = "hard" if origins[row] in STRICT_ORIGINS else "warn"
        yield row, Issue("required", severity, field.name, None, field.unit or "a value")


def _lot_issues(field: Field, rows: Sequence[Values]) -> Iterator[tuple[int, Issue]]:
    """Yield a finding for the first lot of each row that names no sample."""
    for row, item in enumerate(rows):
        lots = item.get(field.name)
        for component, lot in lots.items() if isinstance(lots, Mapping) else ():
            if not is_sample_reference(str(lot)):
                where = f"{field.name}.{component[:32]}"
                yield row, Issue("identifier", "hard", where, str(lot)[:128], SAMPLE_REFERENCE)
                break


def _number_issues(field: Field, values: pl.Series) -> Iterator[tuple[int, Issue]]:
    for row in _where(values.is_nan() | values.is_infinite()):
        yield row, Issue("non_finite", "hard", field.name, repr(values[row]), "a finite number")
    finite = values.is_finite().fill_null(value=False)
    yield from _range_issues(field, pl.select(pl.when(finite).then(values)).to_series())


def _range_issues(field: Field, values: pl.Series) -> Iterator[tuple[int, Issue]]:
    refused = _outside(values, field.hard)
    for row in _where(refused):
        yield row, Issue("hard_range", "hard", field.name, _number(values[row]), shown_bounds(field.hard, field.unit))
    for row in _where(_outside(values, field.warn) & ~refused):
        yield row, Issue("warn_range", "warn", field.name, _number(values[row]), shown_bounds(field.warn, field.unit))


def _outside(values: pl.Series, bounds: Bounds | None) -> pl.Series:
    outside = pl.Series([False]).new_from_index(0, values.len())
    if bounds is None:
        return outside
    if bounds.low is not None:
        outside = outside | (values < bounds.low).fill_null(value=False)
    if bounds.high is not None:
        outside = outside | (values > bounds.high).fill_null(value=False)
    return outside


def _rule_issues(
    rule: Rule, frame: pl.DataFrame, rows: Sequence[Values], origins: Sequence[str]
) -> Iterator[tuple[int, Issue]]:
    expression = compile_rule(rule.sql)
    names = [n for n in dict.fromkeys(expression.meta.root_names()) if n in frame.columns]
    for row, holds in enumerate(passes(expression, frame)):
        if holds is True:
            continue
        field, got = ", ".join(names), "; ".join(f"{n} = {_shown(rows[row].get(n))}" for n in names)
        if holds is None:
            yield row, Issue("rule_error", "warn", field, f"{rule.id}: {got}"[:512], rule.sql)
        else:
            yield row, Issue(rule.id, _severity(rule, origins[row]), field, got[:512], rule.sql)


def _severity(rule: Rule, origin: str) -> Severity:
    if rule.severity == "hard" and rule.hard_for is not None and origin not in rule.hard_for:
        return "warn"
    return rule.severity


def _number(value: object) -> str:
    return format(value, ".12g") if isinstance(value, float) else str(value)


def _shown(value: object) -> str:
    return _number(value) if isinstance(value, float) else str(value)[:64]


def _where(mask: pl.Series) -> list[int]:
    return mask.fill_null(value=False).arg_true().to_list()
