"""What the tour says to people who do not program."""

import pytest

from sojae.domain.issue import RULES
from sojae.domain.text import Text
from sojae_local.tour_words import KINDS, by_status, conditions, planted, quarantined, recipe, with_shown_unit
from sojae_local.truth_share import Share
from sojae_simulator.faults import RATES
from tests.builders import template


def test_every_kind_of_mistake_has_a_name() -> None:
    """None is shown by its name in the code."""
    assert set(KINDS) == set(RATES)


def test_rows_are_counted_in_both_languages() -> None:
    """By status."""
    told = by_status({"quarantined": 25, "accepted": 1080})
    assert (told.en, told.ko) == ("1080 accepted, 25 quarantined", "접수 1080, 격리 25")


@pytest.mark.parametrize(
    ("kind", "share", "said"),
    [
        ("late", Share(22, 22, 22), "  22 × events that came more than a day late: all 22 found"),
        ("late", Share(22, 22, 20), "  22 × events that came more than a day late: 20 of 22 found"),
        ("child_before_parent", Share(22, 0, 0), "  22 × samples told of before their parents: allowed, so there is nothing to find"),
        (
            "digit_slip",
            Share(12, 6, 6),
            "  12 × values with a slipped digit: all 6 found of those that stand out, 6 look like any other value",
        ),
        ("digit_slip", Share(2, 0, 0), "  2 × values with a slipped digit: none stands out, all look like any other value"),
    ],
)  # fmt: skip
def test_what_was_planted_does_not_sound_like_failure(kind: str, share: Share, said: str) -> None:
    """Unless something was missed."""
    assert planted(kind, share).en == said
    assert planted(kind, share).ko


def test_a_quarantined_message_is_shown_without_code() -> None:
    """No None, no UCUM code, no bytes."""
    missing = {"rule": "required", "field": "peak_power_density", "got": None, "expected": "W/cm2"}
    assert quarantined(11, missing, RULES["required"]).en == (
        "  quarantined 11 × required: a required value is missing; fill it in "
        "(such as peak_power_density: got nothing, expected a value in W/cm²)"
    )
    own = {"rule": "wait_order", "field": "a, b", "got": "a = 12; b = 3", "expected": "a <= b"}
    said = Text(ko="순서", en="The days do not add up.")
    assert (
        quarantined(3, own, said).en == "  quarantined 3 × wait_order: The days do not add up. (such as a = 12; b = 3)"
    )
    garbled = {
        "rule": "unframed",
        "field": None,
        "got": "7b 22 76 61",
        "expected": "00 + schema id, or c3 01 + fingerprint",
    }
    assert quarantined(2, garbled, RULES["unframed"]).ko == f"  격리 2 × unframed: {RULES['unframed'].ko}"


def test_a_recipe_stands_on_lines_with_labels_and_units() -> None:
    """One stage after another, what is empty left out, what no template knows under its own name."""
    stages = [template(stage=stage) for stage in ("process", "composition", "property")]
    values = {
        "heat_treatment_1_temperature": 1140.0,
        "cold_reduction": 0.0,
        "cooling": None,
        "composition": {"Al": 6.7, "Co": 93.3, "Cr": 0.0},
        "processing_route": "anneal",
        "else": 3.0,
    }
    english, korean = recipe(values, stages).en.splitlines(), recipe(values, stages).ko.splitlines()
    assert english[0] == "    Composition: Composition = Al6.7 Co93.3 at%"
    assert "anneal" in english[1]
    assert english[1].endswith(" = 1140 °C")
    assert english[2] == "    else = 3"
    assert korean[0].startswith("    조성: 조성 = ")


def test_conditions_stand_in_one_line() -> None:
    """A temperature of 0 °C is one, too."""
    told = conditions({"test_temperature": 0.0, "test_type": None}, [template()])
    assert told.en == "Test temperature = 0 °C"
    assert conditions({}, [template()]).ko == ""


def test_a_long_recipe_is_wrapped() -> None:
    """No line of a terminal is overrun."""
    long = {f.name: 1.0 for f in template("ceramic_electrode", "process").fields if f.kind == "double"}
    lines = recipe(long, [template("ceramic_electrode", "process")]).en.splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 110


def test_numbers_have_three_digits_and_a_unit() -> None:
    """As people write them."""
    assert (with_shown_unit(0.28437, "W/cm2"), with_shown_unit(451.2, "1")) == ("0.284 W/cm²", "451")
