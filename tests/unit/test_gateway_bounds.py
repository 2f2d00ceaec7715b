"""What designs must obey, and what is wanted of them."""

import math

import pytest

from sojae_gateway.bounds import Bound, read_bounds
from sojae_gateway.design_query import DesignRequest, Query, Wanted, read_query
from sojae_gateway.models import ProjectModels
from sojae_gateway.recipe import Value
from sojae_gateway.refusal import Refused
from tests.gateway_parts import plain_manifest, vocabulary

WORDS = vocabulary()
Values = dict[str, Value]


def bounds(
    fixed: Values | None = None,
    lower: Values | None = None,
    upper: Values | None = None,
    conditions: Values | None = None,
) -> dict[str, Bound]:
    found, _ = read_bounds(WORDS, fixed or {}, (lower or {}, upper or {}), conditions or {})
    names = list(WORDS.inputs)
    return {n: b for n, b in zip(names, found, strict=True) if not (math.isnan(b.low) and math.isnan(b.high))}


def query(**request: object) -> Query:
    models = ProjectModels(plain_manifest(), None, {}, None, WORDS, None)  # type: ignore[arg-type]  # no graph is asked
    return read_query(models, DesignRequest(**request))  # type: ignore[arg-type]  # named by the caller


def test_a_fixed_value_is_both_bounds() -> None:
    """Numbers are held at their value, categories at their code, conditions like numbers."""
    assert bounds(
        fixed={"homogenisation_temperature": 900.0, "cooling": "water"}, conditions={"test_temperature": 25.0}
    ) == {
        "process.homogenisation_temperature": Bound(900.0, 900.0),
        "process.cooling": Bound(1.0, 1.0),
        "property.test_temperature": Bound(25.0, 25.0),
    }


def test_limits_meet_in_one_range() -> None:
    """A lower and an upper bound of one component are one range; the other end of a single bound is open."""
    found = bounds(lower={"composition": {"Al": 5.0}}, upper={"composition.el.Al": 15.0, "test_temperature": 100.0})
    assert found["composition.el.Al"] == Bound(5.0, 15.0)
    assert math.isnan(found["property.test_temperature"].low)
    assert found["property.test_temperature"].high == 100.0


@pytest.mark.parametrize(
    ("given", "rule", "field"),
    [
        ({"fixed": {"coling": "air"}}, "unknown_field", "fixed.coling"),
        ({"fixed": {"hip_pressure": 100.0}}, "not_an_input", "fixed.hip_pressure"),
        ({"fixed": {"composition": {"Co": 5.0}}}, "not_an_input", "fixed.composition.Co"),
        ({"fixed": {"cooling": "oil"}}, "category_unseen", "fixed.cooling"),
        ({"fixed": {"cooling": "ice"}}, "category", "fixed.cooling"),
        ({"fixed": {"homogenisation_temperature": 9e5}}, "hard_range", "fixed.homogenisation_temperature"),
        ({"fixed": {"homogenisation_temperature": {"Al": 5.0}}}, "not_a_number", "fixed.homogenisation_temperature"),
        ({"conditions": {"cooling": "air"}}, "not_a_condition", "conditions.cooling"),
        ({"lower": {"cooling": "air"}}, "not_a_number", "lower.cooling"),
        (
            {"lower": {"test_temperature": 50.0}, "upper": {"test_temperature": 20.0}},
            "bounds",
            "upper.test_temperature",
        ),
        (
            {"fixed": {"test_temperature": 50.0}, "conditions": {"test_temperature": 20.0}},
            "bounds",
            "conditions.test_temperature",
        ),
    ],
)
def test_a_bound_that_cannot_be_obeyed_is_refused(given: dict[str, Values], rule: str, field: str) -> None:
    """Every refusal names rule and place."""
    with pytest.raises(Refused) as caught:
        bounds(**given)
    assert (caught.value.rule, caught.value.field) == (rule, field)


def test_goals_come_in_the_order_of_the_models() -> None:
    """A target that nobody asked about is free; without a tolerance, 5 % of the observed range."""
    asked = query(
        targets={"hardness_vickers": Wanted(value=300.0), "yield_strength.tension": Wanted(value=200.0, tolerance=7.0)}
    )
    values, tolerances = asked.vectors(["yield_strength.tension", "yield_strength.compression", "hardness_vickers"])
    assert [values[0], values[2]] == [200.0, 300.0]
    assert math.isnan(values[1])
    assert [tolerances[0], tolerances[2]] == [7.0, pytest.approx(20.0)]


def test_a_condition_chooses_the_split_of_a_target() -> None:
    """`yield_strength` under test_type = tension is one target."""
    asked = query(targets={"yield_strength": Wanted(value=200.0)}, conditions={"test_type": "tension"})
    assert list(asked.goals) == ["yield_strength.tension"]


@pytest.mark.parametrize(
    ("request_", "rule", "field"),
    [
        ({"targets": {}}, "no_target", "targets"),
        ({"targets": {"toughness": Wanted(value=1.0)}}, "unknown_target", "targets"),
        ({"targets": {"yield_strength": Wanted(value=1.0)}}, "ambiguous_target", "targets.yield_strength"),
        (
            {"targets": {"yield_strength.tension": Wanted(value=1.0)}, "conditions": {"test_type": "compression"}},
            "target_split",
            "targets.yield_strength.tension",
        ),
        (
            {"targets": {"hardness_vickers": Wanted(value=1.0, tolerance=0.0)}},
            "tolerance",
            "targets.hardness_vickers.tolerance",
        ),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused(request_: dict[str, object], rule: str, field: str) -> None:
    """Every refusal names rule and place."""
    with pytest.raises(Refused) as caught:
        query(**request_)
    assert (caught.value.rule, caught.value.field) == (rule, field)
