"""What resins and capacitors are asked across stages and over collections: who keeps a rule, who breaks it."""

import polars as pl
import pytest

from sojae.domain.joined_columns import joined_columns
from sojae.domain.joined_rules import rule_findings
from sojae.domain.template import STAGES
from tests.builders import book

RESIN = {"composition__polypropylene_content": 80.0, "composition__talc_content": 20.0, "property__density": 1.05}
GLASS = {
    "composition__polypropylene_content": 80.0,
    "composition__glass_fibre_content": 20.0,
    "property__density": 1.04,
    "property__matrix_modulus": 1500.0,
    "property__tensile_modulus": 4000.0,
}
TOUGHENED = {
    "composition__polypropylene_content": 80.0,
    "composition__epdm_content": 20.0,
    "property__density": 0.9,
    "property__matrix_modulus": 1500.0,
    "property__tensile_modulus": 1100.0,
}
CARD = {
    "property__reference_sample": "polypropylene_talc_20",
    "property__tensile_strength": 33.0,
    "property__flexural_modulus": 2413.0,
    "property__density": 1.05,
}
PART = {
    "raw__particle_size": 150.0,
    "process__sheet_thickness": 2.4,
    "property__grain_size": 220.0,
    "property__dielectric_thickness": 2.0,
}


def findings(project: str, row: dict[str, object]) -> set[str]:
    """Return the rules across stages and over collections that one row of the materials view breaks."""
    templates = [book().get(project, stage) for stage in STAGES]
    view = pl.DataFrame([{"institute": "kims", "sample_id": "시료-1", "origin": None, "replicate_group": None, **row}])
    return set(rule_findings(view, templates, joined_columns(templates)))


@pytest.mark.parametrize(
    ("project", "row", "broken"),
    [
        ("composite_resin", RESIN, set()),
        ("composite_resin", {**RESIN, "property__density": 1.05 * 1.04}, {"density_near_mixture"}),
        ("composite_resin", {"property__density": 1.05}, set()),
        ("composite_resin", {**RESIN, "composition__other_component_content": 3.0, "property__density": 1.2}, set()),
        ("composite_resin", GLASS, set()),
        ("composite_resin", {**GLASS, "property__tensile_modulus": 1400.0}, {"glass_stiffens"}),
        ("composite_resin", TOUGHENED, set()),
        ("composite_resin", CARD, set()),
        ("composite_resin", {**CARD, "property__tensile_strength": 28.0}, {"reference_strength"}),
        ("composite_resin", {**CARD, "property__flexural_modulus": 2800.0}, {"reference_flexural_modulus"}),
        ("composite_resin", {**CARD, "property__density": 1.1}, {"reference_density"}),
        ("composite_resin", {**CARD, "property__reference_sample": "other", "property__density": 1.1}, set()),
        ("capacitor_ceramic", PART, set()),
        ("capacitor_ceramic", {**PART, "property__dielectric_thickness": 3.0}, {"fired_thinner"}),
        ("capacitor_ceramic", {**PART, "property__grain_size": 60.0}, {"grain_not_below_powder"}),
    ],
)  # fmt: skip
def test_a_rule_finds_what_breaks_it_and_nothing_else(project: str, row: dict[str, object], broken: set[str]) -> None:
    """A density without its compound, a softened compound without glass, and other samples are left alone."""
    assert findings(project, row) == broken
