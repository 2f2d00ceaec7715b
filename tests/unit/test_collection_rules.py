"""Series that only go one way, and the control chart of a reference sample, over the rows of the materials view."""

from typing import Any

import polars as pl
import pytest

from sojae.domain.collection_rules import collection_findings, strangers
from sojae.domain.errors import TemplateError
from sojae.domain.joined_columns import Columns
from sojae.domain.schema_reader import Reader
from sojae.domain.template_rule import Rule, parse_rule

COLUMNS = Columns(
    {
        "property__loss": pl.Float64(),
        "process__days": pl.Float64(),
        "property__method": pl.String(),
        "property__voltage": pl.Float64(),
    },
    {},
)
MESSAGE = {"ko": "규칙", "en": "a rule"}


def rule(**form: Any) -> Rule:
    return parse_rule(
        {"id": "a_rule", "severity": "warn", "scope": "collection", "message": MESSAGE, **form}, Reader("t")
    )


def series(direction: str = "rising") -> Rule:
    return rule(
        monotone={"of": "property__loss", "along": "process__days", "within": ["sample_id"], "direction": direction}
    )


CHART = {"of": "property__voltage", "where": {"property__method": "nife"}, "reference": 0.249, "within": 0.05}


def found(
    a_rule: Rule, *rows: tuple[Any, ...], names: str = "institute sample_id process__days property__loss"
) -> list[int]:
    view = pl.DataFrame([dict(zip(names.split(), row, strict=True)) for row in rows])
    return collection_findings(a_rule, view, COLUMNS)


def test_a_value_that_falls_back_in_a_rising_series_is_found() -> None:
    """Whatever the order of the rows; later rows are judged by the largest before them, equals are no fall."""
    rows = [("kims", "a", 30.0, 9.0), ("kims", "a", 10.0, 5.0), ("kims", "a", 20.0, 5.0), ("kims", "a", 40.0, 8.0)]
    assert found(series(), *rows) == [3]
    assert found(series("falling"), *rows) == [0, 3]


def test_a_series_is_one_sample_of_one_institute() -> None:
    """Rows of another sample or institute, and rows without a value, are in no series of mine."""
    rows = [("kims", "a", 1.0, 9.0), ("kims", "b", 2.0, 5.0), ("pnu", "a", 3.0, 4.0), ("kims", "a", 4.0, None)]
    assert found(series(), *rows) == []


def test_a_reference_sample_off_its_value_is_found() -> None:
    """Others are not measured by it."""
    rows = [("nife", 0.25), ("nife", 0.31), ("irox", 0.40), ("nife", None)]
    assert found(rule(control=CHART), *rows, names="property__method property__voltage") == [1]


def test_columns_that_are_not_there_yet_break_nothing() -> None:
    """The view has no column of a template that came later."""
    for one in (series(), rule(control=CHART)):
        assert found(one, ("kims",), names="institute") == []


@pytest.mark.parametrize(
    ("form", "odd"),
    [
        ({"monotone": {"of": "property__method", "along": "process__days", "within": ["sample_id"], "direction": "rising"}}, ["property__method"]),
        ({"monotone": {"of": "property__loss", "along": "days", "within": ["batch"], "direction": "rising"}}, ["batch", "days"]),
        ({"control": {**CHART, "of": "sample_id"}}, ["sample_id"]),
        ({"control": {**CHART, "where": {"colour": 1}}}, ["colour"]),
    ],
)  # fmt: skip
def test_what_is_no_column_is_named(form: dict[str, Any], odd: list[str]) -> None:
    """Series and reference values are numbers."""
    assert strangers(rule(**form), COLUMNS) == (odd, True)


@pytest.mark.parametrize(
    "form",
    [
        {"monotone": {"of": "a", "along": "b", "within": ["c"], "direction": "up"}},
        {"monotone": ["a"]},
        {"control": {**CHART, "within": 0}},
        {"control": {**CHART, "where": {}}},
        {"control": {**CHART, "reference": "high"}},
        {"control": CHART, "duplicate": ["sample_id"]},
        {},
    ],
)
def test_a_form_that_says_nothing_is_refused(form: dict[str, Any]) -> None:
    """With what the form would be."""
    with pytest.raises(TemplateError, match="expected"):
        rule(**form)


def test_forms_are_said_as_people_read_them() -> None:
    """In the reference, where a rule has no expression."""
    assert series().says == "property__loss rising along process__days within sample_id"
    assert rule(control=CHART).says == "property__voltage of property__method = nife: 0.249 ± 0.05"
