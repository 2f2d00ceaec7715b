"""Rules of scope collection: equal rows, the spread of repeats, series that only rise, the chart of a reference sample."""

from collections.abc import Container, Iterable, Iterator

import polars as pl

from sojae.domain.joined_columns import GROUPING, Columns
from sojae.domain.template_rule import Rule


def strangers(rule: Rule, columns: Columns) -> tuple[list[str], bool]:
    """Return what a rule names that is no column it may name, and whether it names any at all."""
    grouping = {*columns.types, *GROUPING}
    numbers = {name for name, kind in columns.types.items() if kind == pl.Float64}
    if rule.spread is not None:
        return _odd(rule.spread.within, grouping) + _odd([rule.spread.of], numbers), bool(rule.spread.within)
    if rule.monotone is not None:
        one = rule.monotone
        return _odd(one.within, grouping) + _odd([one.of, one.along], numbers), bool(one.within)
    if rule.control is not None:
        return _odd(rule.control.where, grouping) + _odd([rule.control.of], numbers), True
    return _odd(rule.duplicate or (), grouping | columns.compositions.keys()), bool(rule.duplicate)


def collection_findings(rule: Rule, view: pl.DataFrame, columns: Columns) -> list[int]:
    """Return the numbers of the rows that break a rule; a column that the view lacks breaks nothing."""
    if rule.duplicate is not None:
        return _duplicates(rule.duplicate, view, columns)
    if rule.spread is not None:
        return _spreads(rule, view)
    return _falls(rule, view) if rule.monotone is not None else _off_reference(rule, view)


def _odd(names: Iterable[str], known: Container[str]) -> list[str]:
    return [n for n in names if n not in known]


def _duplicates(named: tuple[str, ...], view: pl.DataFrame, columns: Columns) -> list[int]:
    """Return the rows of one institute that agree in all columns; one that has none of them is no duplicate."""
    names = [n for name in named for n in _spread_out(name, view, columns)]
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
    assert spread is not None, "a rule of this form"
    if not {spread.of, *spread.within} <= set(view.columns):
        return []
    numbered = view.select("institute", spread.of, *spread.within).with_row_index("__row").drop_nulls()
    value, groups = pl.col(spread.of), ["institute", *spread.within]
    wide = (value.max() - value.min()).over(groups) > spread.relative * value.mean().abs().over(groups)
    return numbered.filter(wide)["__row"].to_list()


def _falls(rule: Rule, view: pl.DataFrame) -> list[int]:
    """Return the rows whose value goes against the direction: an earlier one of the series is beyond it already."""
    one = rule.monotone
    assert one is not None, "a rule of this form"
    if not {one.of, one.along, *one.within} <= set(view.columns):
        return []
    groups = ["institute", *one.within]
    rising = one.direction == "rising"
    numbered = view.select(*groups, one.of, one.along).with_row_index("__row").drop_nulls()
    ordered = numbered.sort(*groups, one.along, one.of, descending=[False] * (len(groups) + 1) + [not rising])
    value = pl.col(one.of)
    against = value < value.cum_max().over(groups) if rising else value > value.cum_min().over(groups)
    return sorted(ordered.filter(against)["__row"].to_list())


def _off_reference(rule: Rule, view: pl.DataFrame) -> list[int]:
    """Return the rows of the reference sample that lie off its value."""
    control = rule.control
    assert control is not None, "a rule of this form"
    if not {control.of, *control.where} <= set(view.columns):
        return []
    numbered = view.select(control.of, *control.where).with_row_index("__row")
    is_reference = pl.all_horizontal(pl.col(name) == value for name, value in control.where.items())
    off = (pl.col(control.of) - control.reference).abs() > control.within
    return numbered.filter(is_reference & off)["__row"].to_list()
