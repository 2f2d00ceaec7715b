"""Rules over the materials view: of scope lineage, which look at one specimen's chain, and of scope collection."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from sojae.domain.composition_check import ELEMENTS
from sojae.domain.errors import TemplateError
from sojae.domain.rules import compile_rule, passes, sql_faults
from sojae.domain.template import STAGES, Field, Kind, Template
from sojae.domain.template_rule import Rule

ELEMENT = "el"
RULE_ERROR = "rule_error"
OWN_FINDINGS = frozenset(
    "tie cycle too_far foreign_parent other_major lot_missing".split()
    + [f"{kind}_{stage}" for kind in ("no", "several") for stage in STAGES]
)
"""Findings of the join itself: no rule is named like one."""

GROUPING = ("sample_id", "origin", "replicate_group")
"""Header columns that a collection may be grouped by, beside the institute, by which it always is."""

_JOINED = re.compile(rf"\b(?:{'|'.join(STAGES)})__[A-Za-z0-9_]+")
_TYPES: Mapping[Kind, pl.DataType] = {
    "double": pl.Float64(),
    "long": pl.Int64(),
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}
HOSTILE = (0.0, -1.0, 1e300, 4.0, None)


class Columns(NamedTuple):
    """The columns of a project's materials view that rules may name, and what begins an element's."""

    types: Mapping[str, pl.DataType]
    compositions: Mapping[str, str]

    def type_of(self, name: str) -> pl.DataType | None:
        """Return a column's type, None when there is none of that name."""
        return pl.Float64() if self.element_of(name) is not None else self.types.get(name)

    def element_of(self, name: str) -> str | None:
        """Return the beginning of an element's column, None when it is no such column."""
        prefix, _, symbol = name.rpartition("__")
        return f"{prefix}__" if symbol in ELEMENTS and f"{prefix}__" in self.compositions.values() else None


def element_prefix(stage: str, field: Field) -> str:
    """Return how the columns of a composition's elements begin; a second composition of a stage bears its field's name."""
    return f"{stage}__{ELEMENT}__" if field.name == "composition" else f"{stage}__{field.name}__{ELEMENT}__"


def is_by_element(field: Field) -> bool:
    """Return whether a field becomes one column for each element."""
    return field.quantity == "composition" and field.one_of is None


def joined_columns(templates: Iterable[Template]) -> Columns:
    """Return what the rules of a project may name, from all versions of the templates of its stages."""
    types: dict[str, pl.DataType] = {}
    compositions: dict[str, str] = {}
    for template in templates:
        stage = template.key.stage
        for field in template.fields:
            if is_by_element(field):
                compositions[f"{stage}__{field.name}"] = element_prefix(stage, field)
            elif field.kind in _TYPES:
                types[f"{stage}__{field.name}"] = _TYPES[field.kind]
    return Columns(types, compositions)


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
                rows = _duplicates(rule, view, columns) if rule.duplicate is not None else _spreads(rule, view)
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
    known = {*columns.types, *GROUPING}
    spread = rule.spread
    if spread is None:
        named, strangers = (
            rule.duplicate or (),
            [n for n in rule.duplicate or () if n not in {*known, *columns.compositions}],
        )
    else:
        named, strangers = spread.within, [n for n in spread.within if n not in known]
        strangers += [] if columns.types.get(spread.of) == pl.Float64 else [spread.of]
    if strangers or not named:
        expected = f"columns <stage>__<field> of this project, or {', '.join(GROUPING)}"
        raise _error(where, f"rule {rule.id} over {', '.join(strangers) or 'nothing'}", expected)


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


def _duplicates(rule: Rule, view: pl.DataFrame, columns: Columns) -> list[int]:
    """Return the rows of one institute that agree in all columns of the rule; one that has none of them is no duplicate."""
    names = [n for name in rule.duplicate or () for n in _spread_out(name, view, columns)]
    if not names:
        return []
    numbered = view.select("institute", *names).with_row_index("__row")
    given = numbered.filter(pl.any_horizontal(pl.col(names).is_not_null()))
    return given.filter(pl.struct("institute", *names).is_duplicated())["__row"].to_list()


def _spread_out(name: str, view: pl.DataFrame, columns: Columns) -> Iterator[str]:
    prefix = columns.compositions.get(name)
    yield from (c for c in view.columns if (c == name if prefix is None else c.startswith(prefix)))


def _spreads(rule: Rule, view: pl.DataFrame) -> list[int]:
    """Return the rows of groups of one institute whose values lie too far apart; where a group's column is null, none."""
    spread = rule.spread
    assert spread is not None, "a collection rule has one of two forms"
    if not {spread.of, *spread.within} <= set(view.columns):
        return []
    numbered = view.select("institute", spread.of, *spread.within).with_row_index("__row").drop_nulls()
    value, groups = pl.col(spread.of), ["institute", *spread.within]
    wide = (value.max() - value.min()).over(groups) > spread.relative * value.mean().abs().over(groups)
    return numbered.filter(wide)["__row"].to_list()
