"""Alloys, oxides and solid solutions as the field writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.composition import atomic_percent, parse_formula
from sojae.domain.dopant_notation import parse_notation
from sojae.domain.errors import FormulaError


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("Ag-0.125-Cu-0.125-Pd-0.75", {"Ag": 0.125, "Cu": 0.125, "Pd": 0.75}),
        ("Ag-1.0", {"Ag": 1.0}),
        ("La2NiO4+d", {"La": 2.0, "Ni": 1.0, "O": 4.0}),
        ("La0.6Sr0.4CoO3-δ", {"La": 0.6, "Sr": 0.4, "Co": 1.0, "O": 3.0}),
        ("BaZr0.4Ce0.4Y0.1Yb0.1O3-delta", {"Ba": 1.0, "Zr": 0.4, "Ce": 0.4, "Y": 0.1, "Yb": 0.1, "O": 3.0}),
        ("0.94(Bi0.5Na0.5)TiO3-0.06BaTiO3", {"Bi": 0.47, "Na": 0.47, "Ti": 1.0, "O": 3.0, "Ba": 0.06}),
        ("CoCrFeMnNi", {"Co": 1.0, "Cr": 1.0, "Fe": 1.0, "Mn": 1.0, "Ni": 1.0}),
    ],
)
def test_a_notation_of_the_field_is_read(text: str, amounts: dict[str, float]) -> None:
    """As relative amounts of atoms."""
    assert parse_notation(text).amounts == pytest.approx(amounts)


@pytest.mark.parametrize(
    ("text", "weights"),
    [("Ti-6Al-4V", {"Ti": 90.0, "Al": 6.0, "V": 4.0}), ("Fe-18Cr-8Ni", {"Fe": 74.0, "Cr": 18.0, "Ni": 8.0})],
)
def test_an_alloy_is_in_mass_percent_and_its_first_element_the_rest(text: str, weights: dict[str, float]) -> None:
    """By the standard atomic masses."""
    assert parse_notation(text).percent("mass") == pytest.approx(weights, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    ["Ti-60Al-50V", "Ti-6Ti", "Xx-0.5-Cu-0.5", "Fe-x", "BaxTiO3", "O2-", "Fe+3", "Fe*2", "1.5BaTiO3-", "Fe-bal.", "D2O", "Ca+2O-2"],
)  # fmt: skip
def test_what_is_not_resolved_is_refused(text: str) -> None:
    """An unknown amount, an unknown symbol, an ion, an isotope, nothing left for the balance."""
    with pytest.raises(FormulaError):
        parse_notation(text)


PARTS = st.dictionaries(st.sampled_from(["Ni", "Fe", "Co", "Cu", "Pt"]), st.integers(1, 99), min_size=1, max_size=5)


@given(PARTS)
def test_fractions_between_hyphens_are_a_formula(parts: dict[str, int]) -> None:
    """`Ni-0.25-Fe-0.75` says what `Ni0.25Fe0.75` says, whatever the scale."""
    hyphens = "-".join(f"{symbol}-{amount / 100}" for symbol, amount in parts.items())
    plain = "".join(f"{symbol}{amount}" for symbol, amount in parts.items())
    assert parse_notation(hyphens).percent("at") == pytest.approx(atomic_percent(parse_formula(plain)))


@given(st.text(alphabet="AlFeOTiV0123456789.-+()dδ ", max_size=30))
def test_any_text_is_amounts_or_refused(text: str) -> None:
    """No text makes the reading of a notation fail in another way."""
    try:
        amounts = parse_notation(text).amounts
    except FormulaError:
        return
    assert all(amount > 0 for amount in amounts.values())
