"""What designs must obey, and what is wanted of them."""

import dataclasses
import math

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from sojae_gateway.bounds import Bound, read_bounds
from sojae_gateway.conditions import assumed_conditions
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


MODELS = ProjectModels(plain_manifest(), None, {}, None, WORDS, None)  # type: ignore[arg-type]  # no graph is asked


def query(**request: object) -> Query:
    return read_query(MODELS, DesignRequest(**request))  # type: ignore[arg-type]  # named by the caller


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
    values, tolerances = asked.vectors(MODELS)
    assert [values[0], values[2]] == [200.0, 300.0]
    assert math.isnan(values[1])
    assert [tolerances[0], tolerances[2]] == [7.0, pytest.approx(20.0)]


INPUTS = plain_manifest().inputs
CONDITIONS = [replace(INPUTS[4], field=f"process.wait_{name}", role="condition") for name in "abc"]
COMMON = {"process.wait_a": 1.0, "process.wait_b": 2.0, "process.wait_c": 3.0}
OPEN = [Bound()] * 3


def waits(*rows: tuple[float, float, float], times: int = 60) -> NDArray[np.float32]:
    return np.repeat(np.array(rows, np.float32), times, axis=0)


def test_conditions_that_nobody_gave_are_held_at_their_common_values() -> None:
    """The search does not choose them; a recipe stays free, and so is a condition that nothing is known of."""
    designs = waits((1.0, 2.0, 3.0), (5.0, 5.0, 10.0), times=100)
    assert assumed_conditions(CONDITIONS, OPEN, COMMON, designs) == {0: 1.0, 1: 2.0, 2: 3.0}
    inputs = [replace(CONDITIONS[0], role="input"), *CONDITIONS[1:]]
    assert assumed_conditions(inputs, OPEN, {"process.wait_b": 2.0}, designs) == {1: 2.0}


@pytest.mark.parametrize("bound", [Bound(5.0, 5.0), Bound(4.0), Bound(high=9.0)])
def test_a_condition_that_is_bounded_is_the_callers(bound: Bound) -> None:
    """Fixed or only limited, nothing is assumed of it."""
    assumed = assumed_conditions(CONDITIONS, [bound, Bound(), Bound()], COMMON, waits((5.0, 2.0, 7.0)))
    assert assumed == {1: 2.0, 2: 7.0}


def test_what_does_not_go_with_the_callers_conditions_is_not_assumed() -> None:
    """Of the conditions for which there are designs, those that share most with the common ones, if there are enough."""
    designs = np.vstack([waits((5.0, 2.0, 7.0), (5.0, 4.0, 9.0)), waits((5.0, 2.0, 3.0), times=2)])
    assert assumed_conditions(CONDITIONS, [Bound(5.0, 5.0), Bound(), Bound()], COMMON, designs) == {1: 2.0, 2: 7.0}
    assert assumed_conditions(CONDITIONS, [Bound(5.0, 5.0), Bound(), Bound()], COMMON, designs[:0]) == {}


def test_what_is_assumed_is_searched_and_not_the_callers() -> None:
    """The caller's own bounds are kept apart: measured records need not be of the assumed conditions."""
    asked = dataclasses.replace(query(targets={"hardness_vickers": Wanted(value=300.0)}), assumed={4: 25.0})
    low, high = asked.searched()
    assert low[4] == high[4] == 25.0
    assert all(math.isnan(value) for part in (low[:4], high[:4], *asked.given()) for value in part)


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
