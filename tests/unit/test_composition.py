"""Chemical formulas and compositions."""

import csv
import math
import string
from pathlib import Path

import periodictable
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sojae.domain.composition import (
    atomic_mass,
    atomic_percent,
    atomic_to_weight_percent,
    hill_formula,
    parse_formula,
    weight_to_atomic_percent,
    with_balance,
)
from sojae.domain.composition_check import ELEMENTS
from sojae.domain.errors import FormulaError

MPEA = Path(__file__).parents[2].parent / "shared" / "data" / "mpea" / "MPEA_dataset.csv"
AMOUNTS = st.dictionaries(
    st.sampled_from(sorted(ELEMENTS)),
    st.floats(min_value=0.001, max_value=1000).map(lambda x: round(x, 4)),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(
    ("formula", "amounts"),
    [
        ("Al0.25 Co1 Fe1 Ni1", {"Al": 0.25, "Co": 1, "Fe": 1, "Ni": 1}),
        ("BaCo0.4Fe0.4Zr0.1Y0.1O3", {"Ba": 1, "Co": 0.4, "Fe": 0.4, "Zr": 0.1, "Y": 0.1, "O": 3}),
        ("(Ba0.5Sr0.5)(Co0.8Fe0.2)O3", {"Ba": 0.5, "Sr": 0.5, "Co": 0.8, "Fe": 0.2, "O": 3}),
        ("[Fe(CN)6]2", {"Fe": 2, "C": 12, "N": 12}),
        ("((Fe0.5Ni0.5)2O)3", {"Fe": 3, "Ni": 3, "O": 3}),
        ("Fe₂O₃", {"Fe": 2, "O": 3}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
        ("Al0 Co1", {"Co": 1}),
    ],
)
def test_formulas_are_read(formula: str, amounts: dict[str, float]) -> None:
    """Decimals, blanks, nested brackets and subscripts are read with the amounts as written."""
    assert parse_formula(formula) == pytest.approx(amounts)


@pytest.mark.parametrize(
    "formula",
    ["", "  ", "D2O", "T", "H[2]2O", "O[18]", "Fe{2+}", "H{+}", "Fe+", "Cl-", "Xx1", "Fe*2", "Fe 2O3", "2Fe", "Al0", "Ni-bal",
     "n", "fe", "(Fe", "Fe)", "Fe@7.8", "aa:RELFKG", "50%wt Fe // Ni", "CaCO3+6H2O", "Fe1.2.3", "Fe1e3", "철", "A" * 300, "(" * 99],
)  # fmt: skip
def test_what_is_no_plain_formula_is_refused(formula: str) -> None:
    """Isotopes, ions, mixtures, sequences, unknown symbols and unbalanced brackets are refused with a message."""
    with pytest.raises(FormulaError) as caught:
        parse_formula(formula)
    assert caught.value.message("ko")


@given(AMOUNTS)
def test_a_written_formula_is_read_back(amounts: dict[str, float]) -> None:
    """What is written as symbols and amounts is read back as the same amounts."""
    text = " ".join(f"{symbol}{amount:.4f}" for symbol, amount in amounts.items())
    assert parse_formula(text) == pytest.approx(amounts)


@given(AMOUNTS)
def test_hill_order_holds_the_same_elements(amounts: dict[str, float]) -> None:
    """The Hill formula is a formula of the same amounts, whatever their order."""
    assert parse_formula(hill_formula(amounts)) == pytest.approx(amounts)


@pytest.mark.parametrize(
    ("formula", "hill"), [("SiC", "CSi"), ("H4CO", "CH4O"), ("H2O", "H2O"), ("OFe0.5Al2", "Al2Fe0.5O"), ("NCH", "CHN")]
)
def test_hill_puts_carbon_and_hydrogen_first(formula: str, hill: str) -> None:
    """With carbon: C, H, then by symbol; without: all by symbol."""
    assert hill_formula(parse_formula(formula)) == hill


@given(AMOUNTS)
def test_atomic_percent_adds_up_to_100(amounts: dict[str, float]) -> None:
    """Percentages add up to 100 and keep the ratios."""
    percent = atomic_percent(amounts)
    assert math.fsum(percent.values()) == pytest.approx(100, abs=1e-9)
    first = next(iter(amounts))
    assert all(percent[s] * amounts[first] == pytest.approx(percent[first] * amounts[s]) for s in amounts)


@given(AMOUNTS)
def test_weight_and_atomic_percent_are_inverse(amounts: dict[str, float]) -> None:
    """at% → wt% → at% gives back the percentages."""
    percent = atomic_percent(amounts)
    assert weight_to_atomic_percent(atomic_to_weight_percent(percent)) == pytest.approx(percent)


def test_weight_percent_by_the_atomic_masses() -> None:
    """Hematite is 69.94 wt% iron (55.845 and 15.999 g/mol)."""
    assert atomic_to_weight_percent({"Fe": 40.0, "O": 60.0})["Fe"] == pytest.approx(69.94, abs=0.01)
    assert atomic_mass("Fe") == pytest.approx(55.845)


def test_the_balance_is_what_is_missing() -> None:
    """One component may be given as the rest of the total."""
    assert with_balance({"Al": 6.0, "V": 4.0}, "Ti") == {"Al": 6.0, "V": 4.0, "Ti": 90.0}


@pytest.mark.parametrize("amounts", [{"Al": 60.0, "V": 40.0}, {"Al": 120.0}, {"Ti": 1.0}])
def test_a_balance_needs_room(amounts: dict[str, float]) -> None:
    """No balance where nothing is left, or where the component is already given."""
    with pytest.raises(FormulaError):
        with_balance(amounts, "Ti")


@pytest.mark.parametrize("amounts", [{}, {"Fe": 0.0}, {"Fe": -1.0, "Ni": 2.0}, {"Fe": math.inf}, {"Fe": math.nan}])
def test_amounts_that_make_no_composition_are_refused(amounts: dict[str, float]) -> None:
    """Nothing, a negative or a non-finite amount cannot be scaled to 100."""
    with pytest.raises(FormulaError):
        atomic_percent(amounts)


def test_an_unknown_symbol_has_no_mass() -> None:
    """Deuterium and inventions are no elements here."""
    for symbol in ("D", "Xx", "n", ""):
        with pytest.raises(FormulaError):
            atomic_mass(symbol)


@example("g0B")
@given(st.text(alphabet=string.ascii_letters + string.digits + "()[]{}.+-*@/: ", max_size=40))
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    """No text makes the reading fail in another way, and what is read holds elements only."""
    try:
        amounts = parse_formula(text)
    except FormulaError:
        return
    assert set(amounts) <= ELEMENTS


def test_every_formula_of_a_published_alloy_set_is_read() -> None:
    """All 1,545 formulas of the MPEA set are read, and differ in 628 to 630 ways as text does."""
    if not MPEA.is_file():
        pytest.skip("needs ../shared/data/mpea beside the checkout")
    with MPEA.open(encoding="utf-8") as file:
        formulas = [row["FORMULA"] for row in csv.DictReader(file)]
    read = [parse_formula(f) for f in formulas]
    assert len(read) == 1545
    assert all(2 <= len(amounts) <= 10 for amounts in read)
    assert len({hill_formula(a) for a in read}) <= len(set(formulas))


@pytest.mark.parametrize("amounts", [{"Co": 1e308, "Ni": 1e308}, {"Co": 1e307}, {"Co": -1e308, "Ni": -1e308}])
def test_amounts_near_the_largest_double_are_refused(amounts: dict[str, float]) -> None:
    """Their sum, or what is scaled from it, is no number."""
    with pytest.raises(FormulaError):
        atomic_percent(amounts)
    with pytest.raises(FormulaError):
        with_balance({"Fe": 1e308, "Mn": 1e308}, "Al")


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(ELEMENTS)), st.sampled_from(["", "1", "0.25", "12", ".5", "3.", "0"])),
        min_size=1,
        max_size=8,
    )
)
@example([("C", "2"), ("O", ""), ("C", "1")])
def test_a_plain_formula_is_read_as_the_grammar_reads_it(parts: list[tuple[str, str]]) -> None:
    """Symbols and amounts alone do not pass through the grammar, and give what it gives."""
    text = "".join(symbol + amount for symbol, amount in parts)
    atoms = {str(a): float(n) for a, n in periodictable.formula(text).atoms.items() if n}
    if atoms:
        assert parse_formula(text) == pytest.approx(atoms, rel=1e-12)
    else:
        with pytest.raises(FormulaError):
            parse_formula(text)
