"""Formulas in the notations of the field: what each says, and what is refused rather than guessed."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sojae.domain.composition import atomic_to_weight_percent, hill_formula
from sojae.domain.composition_check import ELEMENTS
from sojae.domain.dopant_notation import Notation, parse_notation
from sojae.domain.errors import FormulaError

SYMBOLS = sorted(ELEMENTS)
AMOUNT = st.integers(1, 4000).map(lambda n: n / 100)
COMPOUND = st.dictionaries(st.sampled_from(SYMBOLS), AMOUNT, min_size=1, max_size=5)


def written(amounts: dict[str, float]) -> str:
    return "".join(f"{symbol}{amount:g}" for symbol, amount in amounts.items())


@pytest.mark.parametrize(
    ("text", "amounts", "basis"),
    [
        ("Ti-6Al-4V", {"Ti": 90, "Al": 6, "V": 4}, "mass"),
        ("Ti – 6 Al – 4 V", {"Ti": 90, "Al": 6, "V": 4}, "mass"),
        ("Fe-18Cr-8Ni", {"Fe": 74, "Cr": 18, "Ni": 8}, "mass"),
        ("Al-4.5%Cu", {"Al": 95.5, "Cu": 4.5}, "mass"),
        ("60Sn-40Pb", {"Sn": 60, "Pb": 40}, "mass"),
        ("Ti-48Al-2Cr-2Nb (at%)", {"Ti": 48, "Al": 48, "Cr": 2, "Nb": 2}, "at"),
        ("Ti-6Al-4V wt.%", {"Ti": 90, "Al": 6, "V": 4}, "mass"),
        ("Ag-0.2-Au-0.8", {"Ag": 0.2, "Au": 0.8}, "at"),
        ("CoCrFeMnNi", {"Co": 1, "Cr": 1, "Fe": 1, "Mn": 1, "Ni": 1}, "at"),
        ("Ni(NO3)2·6H2O", {"Ni": 1, "N": 2, "O": 12, "H": 12}, "at"),
        ("0.94(Bi0.5Na0.5)TiO3-0.06BaTiO3", {"Bi": 0.47, "Na": 0.47, "Ti": 1, "O": 3, "Ba": 0.06}, "at"),
        ("70SiO2-20Na2O-10CaO", {"Si": 70, "O": 170, "Na": 40, "Ca": 10}, "at"),
    ],
)
def test_a_notation_is_read_with_its_basis(text: str, amounts: dict[str, float], basis: str) -> None:
    """Amounts and whether they count atoms or weight."""
    found = parse_notation(text)
    assert found.amounts == pytest.approx(amounts)
    assert (str(found.basis), found.open) == (basis, None)


@pytest.mark.parametrize("delta", ["+d", "-δ", "−δ", "±δ", "+ delta", "-2d"])
def test_open_oxygen_is_told(delta: str) -> None:
    """What the text leaves open is given as written, and named."""
    assert parse_notation(f"La2NiO4{delta}") == Notation({"La": 2.0, "Ni": 1.0, "O": 4.0}, "at", "O")


@pytest.mark.parametrize(
    "text", ["La0.6Sr0.4CoO3-δ", "BaZr0.4Ce0.4Y0.1Yb0.1O3-d", "(Ba0.5Sr0.5)(Co0.8Fe0.2)O3-δ", "SmBaCo2O5+δ"]
)
def test_published_perovskites_are_read(text: str) -> None:
    """Two or more metals and open oxygen."""
    found = parse_notation(text)
    assert found.open == "O"
    assert len(found.amounts) >= 3


@pytest.mark.parametrize(
    "text",
    ["Cr 20, Al 5, Ni bal.", "Cr20, Al5, Ni (bal)", "bal. Ni, 20Cr, 5Al", "Ni(bal.)-20Cr-5Al", "20Cr-5Al-Ni bal"],
)
def test_a_balance_is_read_only_where_it_may_be(text: str) -> None:
    """One component is what is missing to 100, where the template has one; elsewhere it is refused."""
    assert parse_notation(text, balance=True) == Notation({"Cr": 20.0, "Al": 5.0, "Ni": 75.0}, "mass")
    with pytest.raises(FormulaError, match="balance"):
        parse_notation(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ba1-xSrxTiO3", "x has no value"),
        ("(1-x)BaTiO3-xCaTiO3", "x has no value"),
        ("YBa2Cu3O7-x", "x has no value"),
        ("Cox", "x has no value"),
        ("Ti6Al4V", "Ti-6Al-4V"),
        ("AlSi10Mg", "Al-10Si-0.3Mg"),
        ("Xx2O3", "Xx is none"),
        ("Ni-YSZ", "Z is none"),
        ("Qq-18Cr", "Qq"),
        ("D2O", "D is none"),
        ("[18]O2", "isotopes"),
        ("Fe3+", "ions"),
        ("SO4 2-", "ions"),
        ("Fe*2", "'*'"),
        ("Ni76.2Cr20*", "'*'"),
        ("Co-Cr-Fe", "without amount"),
        ("Ti-6Al-4Ti", "twice"),
        ("Ti-60Al-45V", "without Ti"),
        ("60Sn-30Pb", "a sum of 100"),
        ("0.9BaTiO3-0.2SrTiO3", "a sum of 1 or 100"),
        ("Al2O3-20ZrO2", "without share"),
        ("La2NiO4+δ-SrF2-δ", "one open element"),
        ("Fe2O3 (wt%)", "Ti-6Al-4V"),
        ("0.9MgO-0.1NiO (wt%)", "mole shares"),
        ("Ni bal., 20", "as Cr 20"),
        ("", "empty"),
        ("철", "'철'"),
        ("Ti-" * 200, "at most 256"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(text: str, said: str) -> None:
    """The message names what is wrong, in both languages."""
    with pytest.raises(FormulaError) as caught:
        parse_notation(text, balance=True)
    assert said in caught.value.message("en")
    assert caught.value.message("ko")


@given(COMPOUND)
def test_a_plain_formula_says_the_same(amounts: dict[str, float]) -> None:
    """Any formula written as symbols and amounts is read back as atoms."""
    found = parse_notation(written(amounts))
    assert found.amounts == pytest.approx(amounts)
    assert found.basis == "at"


@given(
    st.lists(st.sampled_from(SYMBOLS), min_size=2, max_size=6, unique=True), st.lists(AMOUNT, min_size=5, max_size=5)
)
def test_a_hyphen_alloy_is_read_back(symbols: list[str], numbers: list[float]) -> None:
    """Whatever the alloy, its first element is the rest to 100 wt%."""
    others = {s: n / 5 for s, n in zip(symbols[1:], numbers, strict=False)}
    found = parse_notation("-".join([symbols[0], *(f"{n:g}{s}" for s, n in others.items())]))
    assert found.basis == "mass"
    assert found.amounts == pytest.approx({symbols[0]: 100 - sum(others.values()), **others})


@given(COMPOUND, COMPOUND, st.integers(1, 99))
def test_a_solid_solution_is_the_sum_of_its_shares(one: dict[str, float], other: dict[str, float], share: int) -> None:
    """Shares as parts of 1 or as percent say the same."""
    x = share / 100
    parts = f"{x:.2f}({written(one)})1-{1 - x:.2f}({written(other)})1"
    expected = {s: x * one.get(s, 0) + (1 - x) * other.get(s, 0) for s in {*one, *other}}
    assert parse_notation(parts).amounts == pytest.approx(expected)
    percent = f"{share}({written(one)})1-{100 - share}({written(other)})1"
    assert parse_notation(percent).percent("at") == pytest.approx(parse_notation(parts).percent("at"))


@given(COMPOUND, st.sampled_from([2, 5, 10, 50]))
def test_percent_does_not_depend_on_scale(amounts: dict[str, float], times: int) -> None:
    """A formula and its multiple are the same composition, on both bases."""
    once, again = parse_notation(written(amounts)), parse_notation(written({s: times * a for s, a in amounts.items()}))
    assert again.percent("at") == pytest.approx(once.percent("at"))
    assert again.percent("mass") == pytest.approx(once.percent("mass"))


@given(COMPOUND)
def test_a_basis_changes_by_the_atomic_masses_alone(amounts: dict[str, float]) -> None:
    """Atoms become weight by the masses, and weight becomes the same atoms again."""
    atoms = Notation(amounts, "at")
    assert atoms.percent("mass") == pytest.approx(atomic_to_weight_percent(amounts))
    assert Notation(atoms.percent("mass"), "mass").percent("at") == pytest.approx(atoms.percent("at"))


@given(COMPOUND)
def test_a_reduced_formula_is_read_back(amounts: dict[str, float]) -> None:
    """What Hill order writes is read as the same amounts."""
    text = hill_formula(amounts)
    if text not in ("Ti6Al4V", "Ti64"):
        assert parse_notation(text).amounts == pytest.approx(amounts)


@example(text="g0B", balance=True)
@example(text="Fe-", balance=False)
@example(text="0.5-0.5", balance=True)
@given(
    text=st.text(alphabet=string.ascii_letters + string.digits + "()[]{}.+-*·δ,% ", max_size=40), balance=st.booleans()
)
def test_any_text_is_a_notation_or_a_formula_error(text: str, balance: bool) -> None:
    """No text makes the reading fail in another way, and what is read holds elements only."""
    try:
        found = parse_notation(text, balance=balance)
    except FormulaError:
        return
    assert set(found.amounts) <= ELEMENTS
    assert all(amount >= 0 for amount in found.amounts.values())
