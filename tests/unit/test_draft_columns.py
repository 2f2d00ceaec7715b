"""What the cells of a column hold, and which columns make up a composition."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.draft_columns import Column, read_cells
from sojae.domain.draft_fields import possible, usual
from sojae.domain.draft_headers import read_header
from sojae.domain.draft_mixtures import element_mixture, ingredient_mixture


def column(header: str, cells: Sequence[object]) -> Column:
    return read_cells(header, read_header(header), [str(cell) for cell in cells])


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("YS (MPa)", ["300", "310.5", "", "−5"], "number"),
        ("cycles", ["3", "4", "4"], "whole"),
        ("time", ["3", "4", "4"], "number"),
        ("humidity", ["15-25", "40", "<3", "12.3 ± 0.4"], "number"),
        ("route", ["cast", "cast", "압연", "압연"], "category"),
        ("dried", ["yes", "no", "yes"], "boolean"),
        ("건조", ["예", "아니오", "예"], "boolean"),
        ("시험일자", ["2026-01-02", "2026-01-03"], "date"),
        ("measured", ["2026.01.02", "2026.01.03"], "date"),
        ("date", ["240131", "240201"], "date"),
        ("date", ["20240131", "20240531"], "date"),
        ("date", ["990131", "991399"], "text"),
        ("alloy", ["Ti-6Al-4V", "Fe-18Cr-8Ni"], "formula"),
        ("x", ["La2NiO4+d", "Al2O3"], "formula"),
        ("dopant", ["Ni", "Co", "Ni", "Co"], "category"),
        ("paper", ["Smith 2020", "Kim 2021"], "reference"),
        ("link", ["https://doi.org/10.1000/182", "doi:10.1000/183"], "reference"),
        ("Sample ID", ["A", "A", "B"], "identifier"),
        ("Sample no", ["7", "9", "8"], "identifier"),
        ("", ["0", "1", "2"], "identifier"),
        ("level", ["0", "1", "2"], "number"),
        ("비고", ["again", "again"], "text"),
        ("remark", ["x" * 80, "y" * 80], "text"),
        ("nothing", ["", "N/A"], "empty"),
    ],
)
def test_a_column_is_of_a_kind(header: str, cells: list[str], kind: str) -> None:
    """Told by its cells, and by its header where cells could be several things."""
    assert column(header, cells).kind == kind


def test_cells_with_units_are_read_in_the_column_s() -> None:
    """The unit of the header, else the one that most cells have; others are converted."""
    assert column("YS", ["300 MPa", "0.31 GPa", "305 MPa"]).numbers == pytest.approx((300, 310, 305))
    assert column("YS (GPa)", ["300 MPa", "0.31"]).numbers == pytest.approx((0.3, 0.31))


def test_a_few_words_among_numbers_mean_nothing() -> None:
    """They become `nulls`; many different ones are cells that cannot be read."""
    few = column("t", [*range(20), "n.d.", "n.d."])
    assert (few.nulls, few.unread, few.filled) == (("n.d.",), 0, 20)
    many = column("t", [*range(50), "a1", "b2", "c3", "d4"])
    assert (many.nulls, many.unread) == ((), 4)


def test_elements_make_up_a_composition() -> None:
    """Their sum tells wt% from shares; voltage, current and power are no elements."""
    alloy = [
        column("Fe (wt%)", [70, 72]),
        column("Cr (wt%)", [20, 18.2]),
        column("Ni", [10, 9.8]),
        column("T", [900, 950]),
    ]
    assert element_mixture([alloy[0], alloy[1]]) is None
    same = [column(f"{e} (wt%)", cells) for e, cells in (("Fe", [70, 72]), ("Cr", [20, 18.2]), ("Ni", [10, 9.8]))]
    found = element_mixture([*same, alloy[3]])
    assert found is not None
    assert (found.elements, found.total) == (("Fe", "Cr", "Ni"), 100.0)
    assert found.off == pytest.approx(0)
    assert element_mixture([column("V", [3, 4]), column("I", [1, 2]), column("P", [3, 8])]) is None


@given(st.integers(2, 6), st.sampled_from([1.0, 100.0]), st.integers(0, 1000))
def test_amounts_that_add_up_are_found(parts: int, total: float, seed: int) -> None:
    """Whatever stands beside them, the columns whose rows all make 1 or 100 are one mixture."""
    rng = random.Random(seed)
    rows = [[rng.expovariate(1) for _ in range(parts)] for _ in range(12)]
    shares = [[round(total * x / sum(row), 6) for x in row] for row in rows]
    mix = [column(f"part {k}", [row[k] for row in shares]) for k in range(parts)]
    beside = column("temperature", [rng.uniform(500, 900) for _ in rows])
    found = ingredient_mixture([beside, *mix])
    assert found is not None
    assert (list(found.columns), found.total) == (mix, total)


def test_amounts_that_add_up_to_anything_are_no_mixture() -> None:
    """Two columns of numbers say nothing together."""
    rng = random.Random(3)
    assert ingredient_mixture([column(n, [rng.uniform(1, 90) for _ in range(20)]) for n in ("a", "b", "c")]) is None


@pytest.mark.parametrize(
    ("unit", "seen", "low", "high"),
    [
        ("K", (300, 900), 0, None),
        ("Cel", (-20, 900), -273.15, None),
        ("%{mass}", (1, 60), 0, 100),
        ("1{at}", (0, 1), 0, 1),
        ("%{mass}", (-1, 60), None, 100),
        ("[ppm]{mass}", (5, 10), 0, 1e6),
        ("g/cm3", (1, 8), 0, None),
    ],
)
def test_only_the_unit_says_what_is_impossible(
    unit: str, seen: tuple[float, float], low: float | None, high: float | None
) -> None:
    """And what was seen is possible."""
    assert possible(unit, *seen) == (low, high)


@pytest.mark.parametrize("unit", ["MPa", "1", "%", "mm", "V"])
def test_other_units_make_nothing_impossible(unit: str) -> None:
    """A stress, a change or a voltage may be negative."""
    assert possible(unit, 1.0, 2.0) is None


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_what_was_seen_is_usual(one: float, other: float) -> None:
    """The range holds both ends, and nothing below zero where nothing was."""
    low, high = sorted((one, other))
    found = usual(low, high, None)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= low * (1 + 1e-5 * (-1 if low > 0 else 1)) or found.low <= low
    assert found.high >= high or found.high == pytest.approx(high, rel=1e-5)
    assert found.low >= 0 or low < 0
