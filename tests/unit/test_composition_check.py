"""One composition: symbols, signs and the sum."""

import math

import pytest

from sojae.domain.composition_check import ELEMENTS, composition_issues
from sojae.domain.template import Field, SumRule
from tests.builders import field

SUM = SumRule(of=100.0, warn=0.5, hard=5.0, hard_for=None)


def composition(**given: object) -> Field:
    return field("composition", "map_double", **{"quantity": "composition", "unit": "%{at}", "sum": SUM, **given})


def found(amounts: dict[str, object], of: Field | None = None, origin: str = "experiment") -> list[tuple[str, str]]:
    return [(i.rule, i.severity) for i in composition_issues(of or composition(), amounts, origin)]


def test_a_sound_composition_has_no_finding() -> None:
    """Elements, amounts of at least 0, sum 100."""
    assert found({"Fe": 70.0, "Cr": 20.0, "Ni": 10.0, "C": 0.0}) == []


def test_there_are_118_elements() -> None:
    """None is missing and none was made up."""
    assert len(ELEMENTS) == 118
    assert {"H", "Fe", "Og", "Lr", "Cn", "Tc"} <= ELEMENTS
    assert not {"D", "T", "X", "fe", "FE", ""} & ELEMENTS


@pytest.mark.parametrize("symbol", ["Xx", "fe", "D", "Fe2O3", "", "철"])
def test_other_symbols_are_hard(symbol: str) -> None:
    """A mistyped symbol would become a column of its own."""
    assert found({"Fe": 50.0, symbol: 50.0}) == [("composition_symbol", "hard")]


def test_components_may_be_listed_by_the_template() -> None:
    """Then the list counts, not the elements."""
    of = composition(one_of=("NiO", "starch"))
    assert found({"NiO": 60.0, "starch": 40.0}, of) == []
    assert found({"NiO": 60.0, "Fe": 40.0}, of) == [("composition_symbol", "hard")]


def test_a_negative_amount_is_hard_and_zero_is_not() -> None:
    """There is no less than nothing."""
    assert found({"Fe": 101.0, "Cr": -1.0}) == [("composition_negative", "hard")]
    assert found({"Fe": 100.0, "Cr": 0.0}) == []


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (100.5, []),
        (99.5, []),
        (100.500001, [("composition_sum", "warn")]),
        (99.499999, [("composition_sum", "warn")]),
        (105.0, [("composition_sum", "warn")]),
        (95.0, [("composition_sum", "warn")]),
        (105.000001, [("composition_sum", "hard")]),
        (94.999999, [("composition_sum", "hard")]),
        (0.0, [("composition_sum", "hard")]),
    ],
)
def test_the_sum_is_flagged_or_refused_beyond_its_limits(total: float, expected: list[tuple[str, str]]) -> None:
    """The limits themselves pass, on both sides."""
    assert found({"Fe": total}) == expected


def test_rounding_does_not_flag() -> None:
    """Five amounts of two decimals make 100.5 and the last bit of a double; the tolerance takes the bit."""
    amounts = {"Fe": 15.05, "Cr": 4.87, "Ni": 2.67, "Mo": 5.98, "Co": 71.93}
    assert math.fsum(amounts.values()) > 100.5
    assert found(dict(amounts)) == []


def test_the_sum_is_exact_whatever_the_order() -> None:
    """A large amount does not swallow small ones."""
    of = composition()
    amounts: dict[str, object] = {"Fe": 1e16, "Cr": 1.0, "Ni": -1e16 + 100}
    (issue,) = (i for i in composition_issues(of, amounts, "experiment") if i.rule != "composition_negative")
    assert issue.got == "101"


def test_a_sum_beyond_all_numbers_is_hard() -> None:
    """Finite amounts can have none; a hostile message must not stop the check."""
    assert found({"Fe": 1e308, "Cr": 1e308}) == [("composition_sum", "hard")]


def test_a_sum_may_be_hard_for_some_origins_only() -> None:
    """A data bank's table is told, not refused."""
    of = composition(sum=None)
    lenient = field(
        "composition", "map_double", quantity="composition", sum=SumRule(100.0, 0.5, 5.0, ("experiment", "production"))
    )
    assert found({"Fe": 50.0}, lenient, "experiment") == [("composition_sum", "hard")]
    assert found({"Fe": 50.0}, lenient, "literature") == [("composition_sum", "warn")]
    assert found({"Fe": 50.0}, of) == []


def test_either_limit_may_be_absent() -> None:
    """Only flagged, or only refused."""
    warn_only = field("c", "map_double", quantity="composition", sum=SumRule(100.0, 0.5, None, None))
    hard_only = field("c", "map_double", quantity="composition", sum=SumRule(100.0, None, 5.0, None))
    assert found({"Fe": 10.0}, warn_only) == [("composition_sum", "warn")]
    assert found({"Fe": 99.0}, hard_only) == []
    assert found({"Fe": 10.0}, hard_only) == [("composition_sum", "hard")]


def test_the_finding_says_what_was_got_and_expected() -> None:
    """In the field's unit."""
    (issue,) = composition_issues(composition(), {"Fe": 90.0}, "experiment")
    assert (issue.field, issue.got, issue.expected) == ("composition", "90", "100 ± 5 %{at}")


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf"), "20"])
def test_what_is_no_finite_number_is_the_only_finding(amount: object) -> None:
    """With it there is no sum to speak of."""
    assert found({"Fe": 50.0, "Cr": amount}) == [("non_finite", "hard")]


def test_a_map_that_is_no_composition_has_finite_values_and_no_more() -> None:
    """Symbols, signs and sum are a composition's."""
    plain = field("m", "map_double")
    assert found({"anything": -5.0}, plain) == []
    assert found({"anything": float("nan")}, plain) == [("non_finite", "hard")]


def test_a_composition_has_at_most_200_components() -> None:
    """A hostile map costs one finding, not thousands."""
    plain = field("m", "map_double")
    assert found({f"c{i}": 0.0 for i in range(200)}, plain) == []
    assert found({f"c{i}": float("nan") for i in range(201)}, plain) == [("composition_sum", "hard")]
