"""Measurements as people type them, and DOIs as they write them."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.doi import bare_doi
from sojae.domain.errors import QuantityError
from sojae.domain.measured import Measured, parse_measured
from tests.conftest import SHARED_DATA


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.3 ± 0.4 MPa", Measured(12.3, 12.3, uncertainty=0.4, unit="MPa")),
        ("12.3(4)", Measured(12.3, 12.3, uncertainty=0.4)),
        ("1.5e-3(2)", Measured(0.0015, 0.0015, uncertainty=0.0002)),
        ("<1E-10", Measured(1e-10, 1e-10, qualifier="<")),
        ("<= 4", Measured(4.0, 4.0, qualifier="<")),
        ("~ 3", Measured(3.0, 3.0, qualifier="≈")),
        ("15-25", Measured(15.0, 25.0)),
        ("-5 – -3", Measured(-5.0, -3.0)),
        ("0.1–0.2 mm", Measured(0.1, 0.2, unit="mm")),
        ("１２ ℃", Measured(12.0, 12.0, unit="°C")),
        ("1,234.5", Measured(1234.5, 1234.5)),
    ],
)
def test_a_measurement_is_read(text: str, expected: Measured) -> None:
    """Sign, number, uncertainty, interval and unit."""
    assert parse_measured(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "1 2", "--3", "25-15", "1,234", "± 3", "9" * 200])
def test_what_measures_nothing_is_refused(text: str) -> None:
    """What cannot be read without guessing says what could, in both languages."""
    with pytest.raises(QuantityError) as caught:
        parse_measured(text)
    assert caught.value.text.en
    assert caught.value.text.ko


@given(st.floats(min_value=-1e12, max_value=1e12), st.floats(min_value=0.0, max_value=1e6))
def test_a_written_uncertainty_is_read_back(value: float, spread: float) -> None:
    """What Python writes of two numbers is read as the same two."""
    found = parse_measured(f"{value!r} ± {spread!r}")
    assert (found.low, found.uncertainty) == (value, spread)


@pytest.mark.parametrize(
    "text",
    [
        "10.1000/182", " https://doi.org/10.1000/182", "http://dx.doi.org/10.1000/182", "doi:10.1000/182", "DOI: 10.1000/182",
        "DOI10.1000/182", "https://pubs.example.org/doi/full/10.1000/182", "Â\xa0https://doi.org/10.1000/182",
        "https://doi-org.proxy.example.ac.kr/10.1000%2F182?via=hub", "10.1000/182.",
    ],
)  # fmt: skip
def test_a_doi_becomes_bare(text: str) -> None:
    """However it is written."""
    assert bare_doi(text) == "10.1000/182"


@pytest.mark.parametrize(
    "text", ["", "Smith 2020", "https://example.org/pii/S0927776511005522", "110.1000/182", "10.1/x"]
)
def test_what_holds_no_doi_has_none(text: str) -> None:
    """Nothing is made up."""
    assert bare_doi(text) is None


def test_the_dois_of_a_published_set_become_bare() -> None:
    """192 of 809 are written neither bare nor as https://doi.org/…; 27 are addresses that hold no DOI."""
    path = SHARED_DATA / "cogni_espindb" / "Dataset.csv"
    if not path.is_file():
        pytest.skip("needs ../shared/data/cogni_espindb beside the checkout")
    with path.open(encoding="utf-8", newline="") as file:
        typed = [row["doi"] for row in csv.DictReader(file)]
    assert sum(not t.startswith(("10.", "https://doi.org/10.")) for t in typed) == 192
    bare = [bare_doi(t) for t in typed]
    assert (len(typed), sum(b is None for b in bare)) == (809, 27)
    assert all(b.startswith("10.") for b in bare if b)
