"""Units and numbers as people type them."""

import contextlib
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.errors import QuantityError
from sojae.domain.quantity import LACKING, basis_of, convert, delta, parse_number, ucum_code, unit_of
from sojae.domain.unit_spellings import COMMON, SPELLINGS

TEMPLATES = sorted((Path(__file__).parents[2] / "schemas" / "avro").glob("*/*/*.avsc"))
FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("degC", "Cel"),
        ("°C", "Cel"),
        ("℃", "Cel"),
        ("Cel", "Cel"),
        ("K", "K"),
        ("MPa", "MPa"),
        ("µm", "um"),
        ("μm", "um"),
        ("um", "um"),
        ("wt%", "%{mass}"),
        ("wt. %", "%{mass}"),
        ("%", "%"),
        ("W/cm²", "W/cm2"),
        ("W/cm^2", "W/cm2"),
        ("Ω*cm2", "Ohm.cm2"),
        ("Ω · cm²", "Ohm.cm2"),
        ("hrs", "h"),
        ("cm⁻¹", "cm-1"),
        ("SLPM", "L/min"),
        ("HV", "1"),
        (" MPa ", "MPa"),
        ("10*3", "10*3"),
        ("㎛", "um"),
        ("g/㎤", "g/cm3"),
        ("㎫", "MPa"),
        ("10⁻⁶/K", "10*-6/K"),
        ("°C/min", "K/min"),
        ("W/mK", "W/(m.K)"),
        ("J/mol·K", "J/(mol.K)"),
        ("MPa·m1/2", "MPa.m0.5"),
        ("MPa√m", "MPa.m0.5"),
        ("g·cm−3", "g.cm-3"),
    ],
)
def test_a_spelling_has_one_code(typed: str, code: str) -> None:
    """What people type becomes the UCUM code that it stands for."""
    assert ucum_code(typed) == code


@pytest.mark.parametrize("code", [*SPELLINGS, *COMMON])
def test_every_code_of_the_tables_is_a_unit(code: str) -> None:
    """No table holds a code that the grammar refuses."""
    assert math.isfinite(unit_of(code).magnitude)


@pytest.mark.parametrize(
    "code",
    "MPa Cel Ohm.cm2 mA/cm2 cN/dtex g/(10.min) %{mass} [ppm]{mass} W/(m2.nm) kJ/(m2.nm) mm mg/cm2 kV mA um/s h V mol/L [pH] % mV/h um "
    "%{mol} mL/min W L/min cm2 g/m3 d 1 A/cm2 W/cm2 eV Ohm.cm2/h 1{at} 1{mass} bar s %/h kPa m/min dtex mL/h cm %{RH} nm g/cm3 %{vol} "
    "GPa min W/m2 kJ/m2 m2/g mol GOhm Ohm.F kV/mm dL/g kg/mol".split(),
)
def test_every_unit_of_the_field_is_a_unit(code: str) -> None:
    """The codes that the eight projects need: all but those of LACKING are the grammar's."""
    assert ucum_code(code) == code
    assert code in LACKING or isinstance(unit_of(code).magnitude, float | int)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: "/".join(p.parts[-3:-1]))
def test_every_unit_of_the_templates_is_a_unit(path: Path) -> None:
    """Each unit in a template file is a UCUM code that pint knows, and is its own code."""
    units = {f["unit"] for f in json.loads(path.read_text(encoding="utf-8"))["fields"] if "unit" in f}
    assert {u: ucum_code(u) for u in units} == {u: u for u in units}


@pytest.mark.parametrize(("typed", "near"), [("MPA", "MPa"), ("ohm-cm2", "Ohm.cm2"), ("degre C", "deg C")])
def test_an_unknown_unit_names_what_comes_near(typed: str, near: str) -> None:
    """The error of an unknown unit holds what was got and a unit that was probably meant, in both languages."""
    with pytest.raises(QuantityError) as caught:
        ucum_code(typed)
    assert repr(typed) in caught.value.message("en")
    assert near in caught.value.message("en")
    assert near in caught.value.message("ko")


@pytest.mark.parametrize("typed", ["m s", "x" * 500, "{", "MPa)", "Cel/min", "1; import os"])
def test_what_is_no_unit_is_refused(typed: str) -> None:
    """Text that is no unit is refused, whatever it holds; a blank is not taken for a product."""
    with pytest.raises(QuantityError):
        ucum_code(typed)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (0.0, "Cel", "K", 273.15),
        (-40.0, "°F", "°C", -40.0),
        (1000.0, "Cel", "K", 1273.15),
        (1600.0, "Cel", "K", 1873.15),
        (842.0, "degF", "Cel", 450.0),
        (1.0, "GPa", "MPa", 1000.0),
        (300.0, "mW/cm2", "W/cm2", 0.3),
        (0.4, "mass fraction", "wt%", 40.0),
        (1000.0, "wppm", "%{mass}", 0.1),
        (7.0, "d", "h", 168.0),
        (0.125, "1", "%", 12.5),
        (1.0, "ksi", "MPa", 6.894757293168),
        (2.0, "g/(10.min)", "g/min", 0.2),
        (1.0, "kgf/mm2", "MPa", 9.80665),
        (1.0, "gf/den", "cN/dtex", 0.8825985),
        (10.0, "°C/min", "K/s", 1 / 6),
    ],
)
def test_values_convert(value: float, source: str, target: str, expected: float) -> None:
    """Values convert as tables say, temperatures with their offset."""
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_a_difference_has_no_offset() -> None:
    """Ten degrees warmer is ten kelvin and eighteen degrees Fahrenheit warmer."""
    assert delta(10.0, "Cel", "K") == 10.0
    assert delta(10.0, "Cel", "[degF]") == pytest.approx(18.0)
    assert delta(1.0, "GPa", "MPa") == 1000.0


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("wt%", "at%"),
        ("mol%", "vol%"),
        ("%", "wt%"),
        ("wt%", "1"),
        ("h", "MPa"),
        ("C", "Cel"),
        ("Cel", "h"),
        ("%RH", "%"),
        ("phr", "wt%"),
        ("MPa·m½", "MPa.m"),
    ],
)
def test_different_quantities_never_convert(source: str, target: str) -> None:
    """Fractions of different things, and units of different dimension, are refused by both conversions."""
    with pytest.raises(QuantityError):
        convert(1.0, source, target)
    with pytest.raises(QuantityError):
        delta(1.0, source, target)


def test_a_basis_is_read_from_the_annotation() -> None:
    """Only the known annotations tell of what a fraction is one."""
    assert [basis_of(c) for c in ("%{mass}", "[ppm]{at}", "%", "1{HV}")] == ["mass", "at", None, None]


@given(FINITE)
def test_the_same_unit_changes_nothing(value: float) -> None:
    """A value in the field's own unit is stored to the last bit as it was given."""
    assert convert(value, "℃", "Cel") == value


@given(FINITE, st.sampled_from([("Cel", "K"), ("[degF]", "Cel"), ("MPa", "ksi"), ("um", "mm"), ("wt%", "wppm")]))
def test_there_and_back_again(value: float, units: tuple[str, str]) -> None:
    """A conversion and its reverse give the value back."""
    there = convert(value, units[0], units[1])
    assert convert(there, units[1], units[0]) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(FINITE, FINITE)
def test_the_difference_of_converted_temperatures_is_the_converted_difference(one: float, other: float) -> None:
    """Offsets fall out of differences."""
    moved = convert(one, "[degF]", "Cel") - convert(other, "[degF]", "Cel")
    assert moved == pytest.approx(delta(one - other, "[degF]", "Cel"), rel=1e-6, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1450", 1450.0),
        (" 1.45e3 ", 1450.0),
        ("−5", -5.0),
        ("１２.５", 12.5),
        ("\u00a07.24\u00a0", 7.24),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+3", 3.0),
    ],
)
def test_numbers_as_typed(text: str, number: float) -> None:
    """Blanks, a Unicode minus, full-width digits and unambiguous thousands are read."""
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text", ["1,234", "12,5", "1.234.567", "nan", "inf", "1e999", "1_000", "0x1", "", "<5", "15-25", "5%", "5 MPa", "٣"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    """What could be two numbers, or none, is refused rather than guessed."""
    with pytest.raises(QuantityError):
        parse_number(text)


@given(FINITE)
def test_every_number_that_python_writes_is_read(value: float) -> None:
    """The text of a float is read back to the same float."""
    assert parse_number(repr(value)) == value


@given(st.text(max_size=80))
def test_any_text_is_a_unit_or_a_quantity_error(text: str) -> None:
    """No text makes the reading of a unit or a number fail in another way; a unit's code is its own code."""
    with contextlib.suppress(QuantityError):
        code = ucum_code(text)
        assert ucum_code(code) == code
    with contextlib.suppress(QuantityError):
        number = parse_number(text)
        assert math.isfinite(number)


@pytest.mark.parametrize("typed", ["10*99999999.Pa", "Pa9999999999", "10*400", "m-1000"])
def test_a_huge_exponent_is_no_unit(typed: str) -> None:
    """Its factor would be no number."""
    with pytest.raises(QuantityError, match="unknown unit"):
        ucum_code(typed)


@pytest.mark.parametrize("change", [convert, delta])
@pytest.mark.parametrize(("source", "target"), [("GPa", "MPa"), ("Gm", "nm"), ("B[SPL]", "MPa"), ("B[SPL]", "B[V]")])
def test_a_conversion_without_a_finite_answer_is_refused(
    change: Callable[[float, str, str], float], source: str, target: str
) -> None:
    """Neither infinity nor another error comes out."""
    with pytest.raises(QuantityError):
        change(1e308, source, target)


@pytest.mark.parametrize(("one", "other"), [("[pH]", "1"), ("%{w/v}", "%{mass}"), ("%{w/v}", "%"), ("[pH]", "mol/L")])
def test_scales_of_their_own_become_nothing_else(one: str, other: str) -> None:
    """A pH is no plain number, and grams in 100 mL are no mass percent."""
    assert ucum_code(one) == one
    for source, target in ((one, other), (other, one)):
        with pytest.raises(QuantityError):
            convert(7.0, source, target)


@pytest.mark.parametrize("celsius", [0.0, -40.0, 1000.0, 1600.0])
def test_temperatures_convert_with_their_offset(celsius: float) -> None:
    """A temperature moves with the zero point, a difference of temperatures does not."""
    assert convert(celsius, "Cel", "K") == pytest.approx(celsius + 273.15, abs=1e-9)
    assert convert(convert(celsius, "Cel", "[degF]"), "[degF]", "Cel") == pytest.approx(celsius, abs=1e-9)
    assert convert(celsius, "Cel", "[degF]") == pytest.approx(celsius * 1.8 + 32.0, abs=1e-9)
    assert delta(celsius, "Cel", "K") == pytest.approx(celsius, abs=1e-9)
    assert delta(celsius, "Cel", "[degF]") == pytest.approx(celsius * 1.8, abs=1e-9)
