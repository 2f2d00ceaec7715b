"""The operators that the standard templates' rules are made of, each written as a rule and asked of rows."""

import datetime as dt
from typing import Any

import pytest

from sojae.domain.checks import check_values
from sojae.domain.template import Field, SumRule
from tests.builders import field, made_up, rule

DAY = dt.date(2026, 3, 1)
BY_STANDARD = (
    "CASE WHEN test_standard = 'ISO 527-2' THEN speed BETWEEN 0.125 AND 500 "
    "WHEN test_standard = 'ASTM D638' THEN speed IN (5, 50, 500) END"
)


def found(sql: str, fields: list[Field], *rows: dict[str, Any]) -> list[int]:
    """Return the numbers of the rows that a rule finds."""
    of = made_up(fields, [rule(sql)])
    complete = [{f.name: row.get(f.name) for f in fields} for row in rows]
    return [n for n, issues in enumerate(check_values(of, complete, ["experiment"] * len(rows))) if issues]


def numbers(names: str, *rows: tuple[float | None, ...]) -> tuple[list[Field], list[dict[str, Any]]]:
    split = names.split()
    return [field(name) for name in split], [dict(zip(split, row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("sql", "names", "good", "bad"),
    [
        ("a <= b", "a b", (1.0, 1.0), (1.1, 1.0)),
        ("abs(a + b - c) <= 0.5", "a b c", (30.0, 70.4, 100.0), (30.0, 71.0, 100.0)),
        ("abs(y - x * s / 100) <= 0.5", "y x s", (12.0, 40.0, 30.0), (14.0, 40.0, 30.0)),
        ("a IS NULL OR b IS NOT NULL", "a b", (1.0, 2.0), (1.0, None)),
        ("abs(dose - irradiance * hours * 3.6) <= 0.02 * dose", "dose irradiance hours", (1080.0, 60.0, 5.0), (900.0, 60.0, 5.0)),
        ("density BETWEEN 0.9 * (f * d1 + (1 - f) * d2) AND 1.1 * (f * d1 + (1 - f) * d2)", "density f d1 d2", (1.1, 0.3, 1.8, 0.9), (1.5, 0.3, 1.8, 0.9)),
    ],
    ids=["order", "a sum", "a product", "one requires another", "dose", "mixture law"],
)  # fmt: skip
def test_an_operator_on_numbers_finds_what_breaks_it(
    sql: str, names: str, good: tuple[float | None, ...], bad: tuple[float | None, ...]
) -> None:
    """And neither what keeps it nor what is not given."""
    fields, rows = numbers(names, good, bad, (None,) * len(good))
    assert found(sql, fields, *rows) == [1]


def test_dates_are_in_order() -> None:
    """Dates are compared as they are: no date is parsed, and one that is not given breaks nothing."""
    fields = [field("made_on", "date"), field("tested_on", "date")]
    rows = [{"made_on": DAY, "tested_on": DAY + dt.timedelta(days=n)} for n in (0, 1, -1)]
    assert found("made_on <= tested_on", fields, *rows, {"made_on": DAY}) == [2]


def test_a_range_depends_on_the_test_standard() -> None:
    """Of a field of the template; another standard, and none, have no range."""
    fields = [field("test_standard", "string"), field("speed")]
    pairs = [("ISO 527-2", 1.0), ("ISO 527-2", 900.0), ("ASTM D638", 50.0), ("ASTM D638", 1.0), ("JIS K 7161", 900.0)]
    rows = [{"test_standard": standard, "speed": speed} for standard, speed in pairs]
    assert found(BY_STANDARD, fields, *rows, {"speed": 900.0}) == [1, 3]


def test_components_add_up() -> None:
    """To what the field says, as far as it allows."""
    of = made_up([field("mixture", "map_double", quantity="composition", sum=SumRule(100, 0.5, 5, None))])
    rows = [{"mixture": {"Fe": 60.0, "Ni": ni}} for ni in (40.0, 39.0, 30.0)]
    severities = [[i.severity for i in issues] for issues in check_values(of, rows, ["experiment"] * 3)]
    assert severities == [[], ["warn"], ["hard"]]


def test_a_formula_can_be_read() -> None:
    """Its elements and numbers, not that it exists."""
    of = made_up([field("formula", "string", quantity="formula")])
    rows = [{"formula": text} for text in ("La0.6Sr0.4CoO3", "Xx2O3")]
    assert [[i.rule for i in issues] for issues in check_values(of, rows, ["experiment"] * 2)] == [[], ["formula"]]
