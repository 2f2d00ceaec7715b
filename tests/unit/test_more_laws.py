"""The laws of catalysts, resins and capacitors: the relations that they state."""

import pytest

from sojae_simulator.laws import MAIN_TARGET, property_of, true_property
from sojae_simulator.projects.hydrogen_catalyst_law import exchange_current
from sojae_simulator.projects.olefin_catalyst_law import equilibrium
from sojae_simulator.projects.registry import PROJECTS

OLEFIN = {"composition__alumina_fraction": 0.9, "composition__chromium_fraction": 0.1}
RESIN = {"composition__polypropylene_content": 80.0, "composition__talc_content": 20.0}
NICKEL = {"composition__el__Ni": 100.0}


@pytest.mark.parametrize(
    ("project", "base", "changed", "field", "rises"),
    [
        ("olefin_catalyst", OLEFIN, {"process__reaction_temperature": 600.0}, "feed_conversion", True),
        ("olefin_catalyst", OLEFIN, {"process__reaction_temperature": 600.0}, "olefin_selectivity", False),
        ("olefin_catalyst", OLEFIN, {"property__time_on_stream": 12.0}, "feed_conversion", False),
        ("composite_resin", RESIN, {"composition__talc_content": 10.0, "composition__polypropylene_content": 90.0}, "tensile_modulus", False),
        ("composite_resin", RESIN, {"composition__epdm_content": 10.0, "composition__polypropylene_content": 70.0}, "impact_strength", True),
        ("composite_resin", RESIN, {"raw__melt_flow_rate": 30.0}, "impact_strength", False),
        ("hydrogen_catalyst", NICKEL, {"composition__el__Pt": 100.0, "composition__el__Ni": 0.0}, "full_cell_voltage", False),
        ("hydrogen_catalyst", NICKEL, {"property__current_density": 200.0}, "full_cell_voltage", True),
        ("hydrogen_catalyst", NICKEL, {"composition__loading": 3.0}, "full_cell_voltage", False),
        ("capacitor_ceramic", {}, {"raw__particle_size": 220.0}, "relative_permittivity", True),
        ("capacitor_ceramic", {}, {"raw__particle_size": 220.0}, "breakdown_field", False),
        ("capacitor_ceramic", {}, {"process__reoxidation_temperature": 850.0}, "insulation_resistance", False),
        ("capacitor_ceramic", {}, {"composition__manganese_content": 0.01}, "insulation_resistance", True),
        ("capacitor_ceramic", {}, {"process__log_oxygen_pressure": -11.0}, "insulation_resistance", False),
        ("capacitor_ceramic", {}, {"process__firing_temperature": 1280.0}, "grain_size", True),
        ("hydrogen_catalyst", NICKEL, {"property__cell_temperature": 60.0}, "full_cell_voltage", False),
        ("hydrogen_catalyst", NICKEL, {"process__anneal_temperature": 600.0}, "full_cell_voltage", True),
        ("olefin_catalyst", OLEFIN, {"process__calcination_temperature": 650.0}, "feed_conversion", False),
        ("composite_resin", RESIN, {"raw__recycling_cycles": 3.0}, "impact_strength", False),
        ("composite_resin", RESIN, {"property__heat_deflection_load": 1.82}, "heat_deflection_temperature", False),
    ],
)  # fmt: skip
def test_a_stated_relation_holds(
    project: str, base: dict[str, object], changed: dict[str, object], field: str, rises: bool
) -> None:
    """One input changed, all others as they were."""
    before, after = (true_property(project, design)[field] for design in (base, {**base, **changed}))
    assert (after > before) is rises
    assert after != before


def test_no_contact_time_goes_beyond_the_equilibrium() -> None:
    """About half of the propane at 600 °C and 1 bar without dilution, as tables of equilibria have it."""
    slow = {**OLEFIN, "process__reaction_temperature": 600.0, "process__contact_time": 1e6, "process__co2_flow": 0.0}
    converted = true_property("olefin_catalyst", slow)["feed_conversion"]
    assert converted == pytest.approx(100.0 * equilibrium(slow))
    assert converted == pytest.approx(50.0, abs=4.0)
    assert equilibrium({**slow, "process__total_pressure": 5.0}) < equilibrium(slow)
    assert equilibrium({**slow, "process__co2_flow": 9.0}) > equilibrium(slow)


def test_the_volcano_has_its_top_between_nickel_and_copper() -> None:
    """Nickel binds hydrogen too strongly, copper too weakly; some of both is better than either."""
    nickel, both, copper = (
        exchange_current({"composition__el__Ni": 100.0 - c, "composition__el__Cu": c}) for c in (0.0, 39.0, 100.0)
    )
    assert nickel < both > copper


def test_a_cell_needs_more_than_the_reversible_voltage() -> None:
    """At any current that is drawn."""
    for current in (50.0, 100.0, 200.0):
        best = {"composition__el__Pt": 100.0, "property__current_density": current}
        assert true_property("hydrogen_catalyst", best)["full_cell_voltage"] > 1.229


def test_longer_fibres_stiffen_more() -> None:
    """What a lot says of its aspect ratio counts."""
    glass = {"composition__polypropylene_content": 80.0, "composition__glass_fibre_content": 20.0}
    bare, short, long = (
        true_property("composite_resin", design)["tensile_modulus"]
        for design in ({}, {**glass, "raw__aspect_ratio": 10.0}, {**glass, "raw__aspect_ratio": 18.0})
    )
    assert bare < short < long


def test_large_grains_have_less_of_a_shell() -> None:
    """The shell is about as thick around each, so that its share vanishes and the permittivity levels off."""
    small, medium, large = (
        true_property("capacitor_ceramic", {"raw__particle_size": size})["relative_permittivity"]
        for size in (100.0, 200.0, 300.0)
    )
    assert small < medium < large
    assert large - medium < medium - small


def test_the_density_of_a_resin_is_that_of_its_mixture() -> None:
    """80 % polypropylene and 20 % talc: 1.05 g/cm3, as data sheets give it."""
    assert true_property("composite_resin", RESIN)["density"] == pytest.approx(1.045, abs=0.01)


def test_the_yield_is_conversion_times_selectivity() -> None:
    """By definition."""
    truth = true_property("olefin_catalyst", OLEFIN)
    assert truth["olefin_yield"] == pytest.approx(truth["feed_conversion"] * truth["olefin_selectivity"] / 100.0)


@pytest.mark.parametrize("project", PROJECTS)
def test_the_main_target_is_a_property(project: str) -> None:
    """Of an empty design too: every law has defaults."""
    design = {"composition__el__Co": 50.0, "composition__el__Ni": 50.0}
    assert property_of(MAIN_TARGET[project]) in true_property(project, design)


def test_all_eight_projects_can_be_simulated() -> None:
    """Every template can be seen alive."""
    assert len(PROJECTS) == 8
