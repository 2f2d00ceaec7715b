"""Rules over the materials view: of scope lineage, which look at one specimen's chain, and of scope collection."""

import re
from collections.abc import Iterable, Sequence

import polars as pl
from polars.exceptions import PolarsError

from sojae.domain.collection_rules import collection_findings, strangers
from sojae.domain.errors import TemplateError
from sojae.domain.joined_columns import GROUPING, Columns, joined_columns
from sojae.domain.rules import compile_rule, passes, sql_faults
from sojae.domain.template import STAGES, Template
from sojae.domain.template_rule import Rule

RULE_ERROR = "rule_error"
OWN_FINDINGS = frozenset(
    "tie cycle too_far foreign_parent other_major lot_missing".split()
    + [f"{kind}_{stage}" for kind in ("no", "several") for stage in STAGES]
)
"""Findings of the join itself: no rule is named like one."""

_JOINED = re.compile(rf"\b(?:{'|'.join(STAGES)})__[A-Za-z0-9_]+")
HOSTILE = (0.0, -1.0, 1e300, 4.0, None)


def check_joined_rules(template: Template, project: Sequence[Template], where: str) -> None:
    """Return when every rule of scope lineage or collection can be asked; raises TemplateError.

    `project` are all versions of all stages: a rule may name `<stage>__<field>` and `<stage>__el__<element>` of any.
    """
    columns = joined_columns(project)
    for rule in template.rules:
        if rule.scope == "record":
            continue
        if rule.id in OWN_FINDINGS:
            raise _error(where, f"rule id {rule.id}", "an id that no finding of the join bears")
        if rule.scope == "lineage":
            _check_sql(rule, columns, where)
        else:
            _check_form(rule, columns, where)


def rule_findings(view: pl.DataFrame, templates: Iterable[Template], columns: Columns) -> dict[str, list[int]]:
    """Return for each rule that something breaks the numbers of the rows, by the rule's id.

    A rule that cannot be asked of a row finds `rule_error` there. Elements that a row's composition lacks are 0.
    """
    found: dict[str, list[int]] = {}
    for template in templates:
        for rule in template.rules:
            if rule.scope == "lineage":
                for row, holds in enumerate(_asked(rule, view, columns)):
                    if holds is not True:
                        found.setdefault(RULE_ERROR if holds is None else rule.id, []).append(row)
            elif rule.scope == "collection":
                rows = collection_findings(rule, view, columns)
                if rows:
                    found.setdefault(rule.id, []).extend(rows)
    return found


def _check_sql(rule: Rule, columns: Columns, where: str) -> None:
    names = sorted(set(_JOINED.findall(rule.sql)))
    faults = sql_faults(rule.sql, [n for n in names if columns.type_of(n) is not None])
    if faults or not names:
        shown = ", ".join(faults) or "no column of the view"
        raise _error(
            where, f"rule {rule.id}: {shown}", "columns <stage>__<field> of this project and row-wise functions"
        )
    hostile = pl.DataFrame([_hostile_column(name, columns) for name in names])
    for frame in (hostile.clear(), hostile):
        try:
            result = frame.select(compile_rule(rule.sql).alias("__rule")).to_series()
        except (PolarsError, pl.exceptions.PanicException) as error:
            raise _error(where, f"rule {rule.id}: {error}", "an expression that polars can evaluate") from error
        if result.dtype not in (pl.Boolean, pl.Null) or result.len() != frame.height:
            raise _error(
                where,
                f"rule {rule.id}: {result.dtype} of {result.len()} rows",
                f"a truth for each of {frame.height} rows",
            )


def _hostile_column(name: str, columns: Columns) -> pl.Series:
    kind = columns.type_of(name)
    return (
        pl.Series(name, HOSTILE)
        .cast(pl.Int64 if kind != pl.Float64 else pl.Float64, strict=False)
        .cast(kind or pl.Null, strict=False)
    )


def _check_form(rule: Rule, columns: Columns, where: str) -> None:
    odd, named = strangers(rule, columns)
    if odd or not named:
        expected = f"columns <stage>__<field> of this project, or {', '.join(GROUPING)}"
        raise _error(where, f"rule {rule.id} over {', '.join(odd) or 'nothing'}", expected)


def _error(where: str, got: str, expected: str) -> TemplateError:
    return TemplateError(
        en=f"{where}: got {got}, expected {expected}; correct the template file",
        ko=f"{where}: {got}입니다. {expected}이어야 합니다. 템플릿 파일을 고치십시오",
    )


def _asked(rule: Rule, view: pl.DataFrame, columns: Columns) -> list[bool | None]:
    return passes(compile_rule(rule.sql), _frame(view, set(_JOINED.findall(rule.sql)), columns))


def _frame(view: pl.DataFrame, names: Iterable[str], columns: Columns) -> pl.DataFrame:
    return pl.DataFrame([_column(view, name, columns) for name in names])


def _column(view: pl.DataFrame, name: str, columns: Columns) -> pl.Series:
    """Return a column of the view; one that it lacks is 0 for an element where there is a composition, else null."""
    if name in view.columns:
        return view[name]
    prefix = columns.element_of(name)
    others = [c for c in view.columns if prefix is not None and c.startswith(prefix)]
    if others:
        return (view[others[0]] * 0.0).alias(name)
    return pl.Series(name, [None] * view.height, dtype=columns.type_of(name))
