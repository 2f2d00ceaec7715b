"""The templates of the two catalyst projects, where a rule or a field is more than one row: chart, sums, compositions."""

import polars as pl
import pytest

from sojae.adapters.template_files import load_templates
from sojae.domain.checks import check_values
from sojae.domain.joined_columns import joined_columns
from sojae.domain.joined_rules import rule_findings
from sojae_trainer.features import choose_inputs

BOOK = load_templates()
HYDROGEN, OLEFIN = "hydrogen_catalyst", "olefin_catalyst"


@pytest.mark.parametrize(
    ("sample", "current", "volts", "off"),
    [
        ("nickel_iron", 10.0, 0.270, False),
        ("nickel_iron", 10.0, 0.301, True),
        ("nickel_iron", 10.0, 0.198, True),
        ("nickel_iron", 100.0, 0.350, False),
        ("iridium_oxide", 10.0, 0.350, False),
        (None, 10.0, 0.350, False),
    ],
)
def test_the_chart_of_the_reference_sample(sample: str | None, current: float, volts: float, off: bool) -> None:
    """Nickel-iron at 10 mA/cm² lies within 0.249 ± 0.05 V; other samples and currents have no such value."""
    row = {
        "institute": "kims",
        "sample_id": "s",
        "origin": "experiment",
        "replicate_group": None,
        "property__reference_sample": sample,
        "property__current_density": current,
        "property__oer_overpotential": volts,
    }
    view = pl.DataFrame([row], schema_overrides={"property__reference_sample": pl.String, "replicate_group": pl.String})
    of = [t for t in BOOK if t.key.project == HYDROGEN]
    found = rule_findings(view, [BOOK.get(HYDROGEN, "property")], joined_columns(of))
    assert ("reference_nickel_iron" in found) == off


def test_a_sum_of_gases_without_its_gases_is_not_off() -> None:
    """Who gives the total alone has nothing that it could be compared with; who gives some, has."""
    rows: list[dict[str, object]] = [
        {"faradaic_efficiency_gas": 60.0},
        {"faradaic_efficiency_gas": 60.0, "faradaic_efficiency_co": 60.0},
        {"faradaic_efficiency_gas": 60.0, "faradaic_efficiency_co": 50.0},
    ]
    judged = check_values(BOOK.get(HYDROGEN, "property"), rows, ["experiment"] * 3)
    assert ["gas_sum" in {i.rule for i in issues} for issues in judged] == [False, False, True]


def test_a_catalyst_in_mole_percent_is_learnt_from_by_its_elements() -> None:
    """The composition of the coupling of methane is an input as the alloys' is, and so are the fractions of the other form."""
    templates = {t.key.stage: t for t in BOOK if t.key.project == OLEFIN}
    frame = pl.DataFrame(
        {
            "composition__el__Mn": [40.0, 30.0, 20.0, 10.0],
            "composition__el__Si": [60.0, 70.0, 80.0, 90.0],
            "property__olefin_yield": [20.0, 18.0, 15.0, 11.0],
        }
    )
    chosen, _ = choose_inputs(frame, templates, [])
    assert [one.field for one in chosen] == ["composition.el.Mn", "composition.el.Si"]
    fractions = pl.DataFrame({"composition__chromium_fraction": [0.1, 0.05, 0.02, 0.01]})
    chosen, _ = choose_inputs(fractions, templates, [])
    assert [one.field for one in chosen] == ["composition.chromium_fraction"]
