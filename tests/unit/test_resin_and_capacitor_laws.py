"""The laws of the simulated resins and capacitors: a published data sheet, known limits, known trends, exact identities."""

import math
from collections.abc import Mapping

import pytest

from sojae_simulator.projects import capacitor_ceramic_law as capacitor
from sojae_simulator.projects import composite_resin_law as resin
from sojae_simulator.projects.capacitor_ceramic_law import capacitor_property
from sojae_simulator.projects.composite_resin_law import resin_property

TALC = {"composition__polypropylene_content": 80.0, "composition__talc_content": 20.0}
GLASS = {"composition__polypropylene_content": 80.0, "composition__glass_fibre_content": 20.0}


@pytest.mark.parametrize(
    ("field", "load", "stated", "within"),
    [
        ("density", 0.455, 1.05, 0.01),
        ("tensile_strength", 0.455, 33.0, 1.0),
        ("flexural_modulus", 0.455, 2413.0, 25.0),
        ("heat_deflection_temperature", 0.455, 129.0, 1.0),
        ("heat_deflection_temperature", 1.82, 71.0, 1.0),
    ],
)
def test_twenty_percent_talc_is_as_its_data_sheet_states(field: str, load: float, stated: float, within: float) -> None:
    """What the law gives of a compound of the trade, at both loads of the heat deflection."""
    truth = resin_property({**TALC, "property__heat_deflection_load": load})
    assert truth[field] == pytest.approx(stated, abs=within)


def test_volumes_add_up() -> None:
    """The fractions are 1 together, and contents count in proportion: half of everything is the same compound."""
    assert math.fsum(resin.volume_fractions(TALC).values()) == pytest.approx(1.0)
    assert resin_property({name: value / 2.0 for name, value in TALC.items()}) == pytest.approx(resin_property(TALC))
    with pytest.raises(ValueError, match="without any content"):
        resin_property({"composition__polypropylene_content": 0.0})


@pytest.mark.parametrize(("name", "aspect"), [("talc", 1e9), ("glass_fibre", 1e9)])
def test_endless_aligned_filler_gives_the_rule_of_mixtures(name: str, aspect: float) -> None:
    """The limit of Halpin and Tsai: what is aligned adds modulus by volume."""
    design = {
        "composition__polypropylene_content": 80.0,
        f"composition__{name}_content": 20.0,
        "raw__aspect_ratio": aspect,
    }
    volumes, filler = resin.volume_fractions(design), resin.FILLERS[name]
    matrix = resin.matrix_modulus(design, 0.0)
    mixed = matrix * (1.0 - volumes[name]) + filler.modulus * volumes[name]
    assert resin.tensile_modulus(design, volumes) == pytest.approx(matrix + filler.aligned * (mixed - matrix), rel=1e-4)


@pytest.mark.parametrize(
    ("base", "changed", "field", "rises"),
    [
        (TALC, {"composition__talc_content": 25.0}, "impact_strength", False),
        (TALC, {"composition__epdm_content": 8.0}, "impact_strength", True),
        (TALC, {"composition__epdm_content": 8.0}, "tensile_modulus", False),
        (TALC, {"property__impact_temperature": -20.0}, "impact_strength", False),
        (TALC, {"raw__melt_flow_rate": 30.0}, "tensile_strength", False),
        (TALC, {"raw__recycling_cycles": 3.0}, "impact_strength", False),
        (TALC, {"process__melt_temperature": 230.0}, "tensile_strength", False),
        (TALC, {"process__injection_pressure": 100.0}, "mould_shrinkage", False),
        (GLASS, {"composition__compatibiliser": "maleic-anhydride-grafted PP"}, "tensile_strength", True),
        (GLASS, {"process__screw_speed": 400.0}, "tensile_modulus", False),
        (GLASS, {"raw__aspect_ratio": 25.0}, "tensile_modulus", True),
    ],
)  # fmt: skip
def test_a_compound_answers_a_change(
    base: Mapping[str, object], changed: Mapping[str, object], field: str, rises: bool
) -> None:
    """One input changed, all others as they were: the property goes the way that is known."""
    before, after = (resin_property({**design})[field] for design in (base, {**base, **changed}))
    assert after != before
    assert (after > before) is rises


def test_glass_is_never_softer_than_its_matrix() -> None:
    """Whatever there is of it: what the template's rule asks."""
    for content in (1.0, 10.0, 40.0):
        truth = resin_property(
            {"composition__polypropylene_content": 100.0 - content, "composition__glass_fibre_content": content}
        )
        assert truth["tensile_modulus"] > truth["matrix_modulus"]


def test_the_capacitance_is_that_of_its_plates() -> None:
    """C = ε0·εr·A·n/d, and the RC product is resistance times capacitance."""
    part = capacitor_property({"property__electrode_area": 0.5, "property__layer_count": 100.0})
    plates = 8.8541878128e-12 * part["relative_permittivity"] * 0.5e-6 * 100.0 / 2.0e-6
    assert part["capacitance"] * 1e-6 == pytest.approx(plates)
    assert part["rc_product"] == pytest.approx(part["insulation_resistance"] * 1e9 * part["capacitance"] * 1e-6)


def test_the_time_constant_is_of_the_material() -> None:
    """R·C = ρ·ε0·εr: neither area nor layers matter."""
    small, large = (capacitor_property({"property__electrode_area": area})["rc_product"] for area in (0.1, 10.0))
    assert small == pytest.approx(large)


def test_an_ordinary_part_is_of_class_x7r() -> None:
    """Within 15 % at −55, 85 and 125 °C."""
    part = capacitor_property({})
    assert all(abs(part[f"capacitance_change_{where}"]) <= 15.0 for where in ("minus_55", "85", "125"))


def test_without_a_shell_the_curie_peak_shows() -> None:
    """Pure barium titanate peaks at its Curie temperature, and the change with temperature is the core's alone."""
    pure = {"composition__rare_earth_content": 0.0, "composition__magnesium_content": 0.0}
    assert capacitor.core_share(pure) == 1.0
    around = {t: capacitor.permittivity_at(pure, float(t)) for t in range(60, 200)}
    assert max(around, key=lambda t: around[t]) == pytest.approx(capacitor.curie_temperature(pure), abs=1.0)


def test_ageing_takes_as_much_in_each_decade() -> None:
    """The permittivity falls linearly with the logarithm of time."""
    aged = [capacitor_property({"property__ageing_time": t})["relative_permittivity"] for t in (24.0, 240.0, 2400.0)]
    assert aged[0] - aged[1] == pytest.approx(aged[1] - aged[2])
    assert aged[1] < aged[0]


@pytest.mark.parametrize(
    ("changed", "field", "rises"),
    [
        ({"raw__particle_size": 200.0}, "relative_permittivity", True),
        ({"raw__particle_size": 200.0}, "breakdown_field", False),
        ({"composition__rare_earth_content": 0.028}, "grain_size", False),
        ({"composition__sintering_aid_content": 1.6}, "grain_size", True),
        ({"process__firing_temperature": 1270.0}, "grain_size", True),
        ({"composition__manganese_content": 0.01}, "insulation_resistance", True),
        ({"process__log_oxygen_pressure": -11.0}, "insulation_resistance", False),
        ({"process__reoxidation_temperature": 1080.0}, "mean_time_to_failure", False),
        ({"property__life_test_field": 30.0}, "mean_time_to_failure", False),
        ({"property__life_test_temperature": 160.0}, "mean_time_to_failure", False),
    ],
)  # fmt: skip
def test_a_part_answers_a_change(changed: Mapping[str, object], field: str, rises: bool) -> None:
    """One input changed, all others as they were: the property goes the way that is known."""
    before, after = (capacitor_property(design)[field] for design in ({}, changed))
    assert after != before
    assert (after > before) is rises


def test_vacancies_go_with_the_sixth_root_of_the_oxygen_pressure() -> None:
    """Six decades of pressure are one of resistivity."""
    low, high = (capacitor.log_resistivity({"process__log_oxygen_pressure": p}) for p in (-14.0, -8.0))
    assert high - low == pytest.approx(1.0)
