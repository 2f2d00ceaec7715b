"""What headers of columns say, in two languages, with LaTeX, and with units wherever people put them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.draft_headers import read_header
from sojae.domain.draft_words import in_english, romanised
from sojae.domain.quantity import ucum_code


@pytest.mark.parametrize(
    ("typed", "words", "unit"),
    [
        ("Yield strength (MPa)", "yield strength", "MPa"),
        ("온도(℃)", "temperature", "Cel"),
        ("소결온도 [°C]", "sintering temperature", "Cel"),
        ("인장강도（MPa）", "tensile strength", "MPa"),
        ("voltage_kv", "voltage", "kV"),
        ("size_nm", "size", "nm"),
        ("flow_rate_ml/h", "flow rate", "mL/h"),
        ("temperature_c", "temperature", "Cel"),
        ("Temp (C)", "temp", "Cel"),
        ("charge (C)", "charge", "C"),
        ("humidity_%", "humidity", "%{RH}"),
        ("Fe (wt%)", "fe", "%{mass}"),
        ("Al at.%", "al", "%{at}"),
        ("σ / MPa", "sigma", "MPa"),
        ("Elastic modulus, GPa", "elastic modulus", "GPa"),
        ("Current density mA/cm2", "current density", "mA/cm2"),
        ("Ionic conductivity (S cm-1)", "ionic conductivity", "S.cm-1"),
        ("$\\sigma_{y}$ [MPa]", "sigma y", "MPa"),
        ("$T_{anneal}$ ($^\\circ$C)", "t anneal", "Cel"),
        ("grain size ($\\mu$m)", "grain size", "um"),
        ("Cement (component 1)(kg in a m^3 mixture)", "cement component 1", "kg/m3"),
        ("Age (Days)", "age", "d"),
        ("number of layers (ea)", "number of layers", "1"),
        ("E\nmodulus [GPa]", "e modulus", "GPa"),
        ("TiO₂ 함량(wt%)", "tio2 content", "%{mass}"),
        ("BlastFurnaceSlag", "blast furnace slag", None),
        ("pH", "ph", None),
        ("hold time min", "hold time", "min"),
        ("날짜", "date", None),
        ("", "", None),
    ],
)
def test_a_header_says_words_and_a_unit(typed: str, words: str, unit: str | None) -> None:
    """Words are English and lower case, the unit is a UCUM code."""
    found = read_header(typed)
    assert (" ".join(found.words), found.unit) == (words, unit)


def test_a_unit_that_is_not_there_to_the_letter_is_a_guess() -> None:
    """A bare C over temperatures is the degree, which is said."""
    assert [read_header(typed).guessed for typed in ("Temp (C)", "Temp (°C)")] == [True, False]


def test_korean_that_is_not_in_the_list_is_written_in_latin_letters() -> None:
    """And the header is then not translated."""
    assert in_english("동시소결온도") == (["dongsi", "sintering", "temperature"], False)
    assert in_english("소결온도") == (["sintering", "temperature"], True)
    assert romanised("한글 ABC") == "hangeul ABC"


@given(st.text(max_size=60))
def test_any_header_is_read(typed: str) -> None:
    """Words are lower-case ASCII, a unit is its own code."""
    found = read_header(typed)
    assert all(re.fullmatch(r"[a-z0-9]+", word) for word in found.words)
    assert found.unit is None or ucum_code(found.unit) == found.unit
