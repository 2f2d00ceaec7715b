"""What a finding says to people, and units as they are written by hand."""

import pytest

from sojae.domain.finding_words import shown_expected, shown_got
from sojae.domain.quantity import ucum_code
from sojae.domain.text import Text
from sojae.domain.unit_display import SHOWN, shown_unit, with_unit
from tests.builders import templates


@pytest.mark.parametrize("code", [c for c in SHOWN if c != "1"])
def test_a_shown_unit_may_be_typed(code: str) -> None:
    """What people read they may write: every form is read as the code that it stands for."""
    assert ucum_code(shown_unit(code)) == code


def test_units_of_templates_are_shown_without_brackets() -> None:
    """No UCUM notation that only programmers know reaches people."""
    shown = {shown_unit(f.unit) for t in templates() for f in (*t.fields, *t.header_fields)}
    assert [unit for unit in shown if set(unit) & set("{}[]*") or unit == "Cel" or "Ohm" in unit] == []


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [("1450", "Cel", "1450 °C"), ("700", "1", "700"), ("3", None, "3"), ("5", "MPa", "5 MPa")],
)
def test_a_number_with_its_unit(number: str, code: str | None, shown: str) -> None:
    """A number without a unit stands alone."""
    assert with_unit(number, code) == shown


@pytest.mark.parametrize(
    ("rule", "expected", "text"),
    [
        ("hard_range", "800 to 1700 Cel", Text(ko="800~1700 °C", en="800 to 1700 °C")),
        ("warn_range", "-268.8 to 1600 Cel", Text(ko="-268.8~1600 °C", en="-268.8 to 1600 °C")),
        ("hard_range", "≥ 0 um", Text(ko="≥ 0 µm", en="≥ 0 µm")),
        ("required", "W/cm2", Text(ko="값(W/cm²)", en="a value in W/cm²")),
        ("required", "a value", Text(ko="값", en="a value")),
        ("required", "1", Text(ko="값", en="a value")),
        (
            "category",
            "tension, compression",
            Text(ko="tension, compression 가운데 하나", en="one of tension, compression"),
        ),
        ("unknown_schema", None, Text(ko="값", en="a value")),
    ],
)
def test_what_was_expected(rule: str, expected: str | None, text: Text) -> None:
    """Ranges and units as people write them, words as they are."""
    assert shown_expected(rule, expected) == text


@pytest.mark.parametrize(
    ("got", "shown"),
    [
        (None, "nothing"),
        ("None", "nothing"),
        ("0.62", "0.62"),
        ("7b 22 76 61", "bytes that are no record"),
        ("a = None; b = 2; c = None", "a = nothing; b = 2; c = nothing"),
    ],
)
def test_what_was_got(got: str | None, shown: str) -> None:
    """Never a word of a programming language, nor a dump of bytes."""
    assert shown_got(got).en == shown
    assert shown_got(got).ko
