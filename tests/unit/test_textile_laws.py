"""The laws of the simulated fibres and textiles: known limits, known trends, exact identities."""

import math

import pytest

from sojae_simulator.projects.biodegradable_fibre_law import (
    DIGESTED_BELOW,
    biodegradation,
    crystallinity,
    density,
    fibre_property,
    orientation,
    spun_chain_mass,
)
from sojae_simulator.projects.interior_textile_law import (
    faded_share,
    grey_scale,
    let_through,
    shade_shift,
    textile_property,
)

DRY = {"raw__polymer_moisture": 0.0, "process__melt_temperature": -273.0}
"""Without water and without heat nothing cuts a chain."""


def test_strength_is_tenacity_times_density_exactly() -> None:
    """σ[GPa] = 0.1·ρ·T holds to the last digit."""
    fibre = fibre_property({})
    assert fibre["tensile_strength"] == 0.1 * fibre["fibre_density"] * fibre["tenacity"]


def test_the_filament_weighs_what_its_titre_says() -> None:
    """Area times density times length is the mass that the titre stands for."""
    fibre = fibre_property({"process__spinneret_holes": 24.0})
    area_cm2 = math.pi / 4.0 * (fibre["fibre_diameter"] * 1e-7) ** 2
    assert 24.0 * area_cm2 * fibre["fibre_density"] * 1e6 == pytest.approx(fibre["linear_density"])


def test_one_gram_a_minute_over_a_kilometre_is_ten_dtex() -> None:
    """The titre is the throughput over the drawn length."""
    design = {"process__spinneret_holes": 1.0, "process__throughput_per_hole": 1.0, "process__draw_ratio": 1.0}
    assert fibre_property({**design, "process__take_up_speed": 1000.0})["linear_density"] == pytest.approx(10.0)


def test_orientation_goes_from_none_to_full() -> None:
    """Unstretched chains point anywhere, endlessly stretched ones along the fibre."""
    assert orientation(1.0) == 0.0
    assert orientation(1e4) == pytest.approx(1.0, abs=1e-5)


def test_drawing_gives_strength_for_elongation() -> None:
    """More draw: stronger and less extensible."""
    little, much = (fibre_property({"process__draw_ratio": r}) for r in (2.0, 4.0))
    assert much["tenacity"] > little["tenacity"]
    assert much["elongation_at_break"] < little["elongation_at_break"]


def test_the_best_draw_roll_has_110_degrees() -> None:
    """The tenacity has its maximum where the law says."""
    tenacity = {c: fibre_property({"process__draw_temperature": c})["tenacity"] for c in range(70, 131, 5)}
    assert max(tenacity, key=lambda c: tenacity[c]) == 110


def test_every_molecule_of_water_cuts_one_chain() -> None:
    """A dry, cold polymer keeps its chains; water adds its moles to those of the chains."""
    assert spun_chain_mass(DRY) == pytest.approx(70_000.0)
    wet = 1.0 / spun_chain_mass({**DRY, "raw__polymer_moisture": 100.0}) - 1.0 / spun_chain_mass(DRY)
    assert wet == pytest.approx(0.6 * 100e-6 / 18.015)


def test_the_spin_line_crystallises_by_itself_above_4000() -> None:
    """High-speed spinning gives crystals that nuclei give otherwise."""
    slow, fast = (crystallinity({"process__draw_ratio": 1.0, "process__take_up_speed": v}) for v in (1000.0, 6000.0))
    assert fast > slow + 10.0


def test_density_is_that_of_the_two_phases() -> None:
    """Amorphous and fully crystalline polylactide have their own densities."""
    assert (density(0.0), density(100.0)) == pytest.approx((1.248, 1.290))


def test_biodegradation_waits_for_hydrolysis_and_then_rises() -> None:
    """Nothing at first; later never less than before; short chains begin at once."""
    days = [biodegradation({"property__degradation_time": float(t)}) for t in range(0, 400, 5)]
    assert days[1] == 0.0
    assert days == sorted(days)
    assert days[-1] == pytest.approx(92.0, abs=0.5)
    short = {**DRY, "raw__molar_mass": 2.0 * DIGESTED_BELOW, "property__degradation_time": 1.0}
    assert biodegradation(short) > 0.0


def test_the_colour_difference_is_the_root_of_the_squares() -> None:
    """ΔE* of CIE 1976 holds, and the rating is its own."""
    textile = textile_property({})
    assert textile["colour_difference"] == pytest.approx(math.hypot(*shade_shift({})), rel=1e-12)
    assert textile["grey_scale"] == grey_scale(textile["colour_difference"])


def test_without_light_nothing_changes() -> None:
    """At no dose, the textile is the unexposed one."""
    fresh = textile_property({"process__radiant_dose": 0.0})
    assert (fresh["colour_difference"], fresh["grey_scale"], fresh["strength_retention"]) == (0.0, 5.0, 100.0)


def test_fading_is_of_first_order_in_the_dose() -> None:
    """Twice the dose leaves the square of the share that is left."""
    once, twice = (1.0 - faded_share({"process__radiant_dose": h}) for h in (300.0, 600.0))
    assert twice == pytest.approx(once**2)


def test_a_reading_in_the_middle_has_its_own_dose() -> None:
    """What had come by the reading counts, not the end of the series."""
    middle = {"property__radiant_dose_at_reading": 300.0, "process__radiant_dose": 600.0}
    assert textile_property(middle) == textile_property({"process__radiant_dose": 300.0})


def test_an_absorber_shades_by_the_law_of_beer() -> None:
    """None lets all light through; at an absorbance of 1 in the mean 0.9/ln 10."""
    assert let_through({}) == 1.0
    assert let_through({"composition__uv_absorber_content": 1.0 / 0.9}) == pytest.approx(0.9 / math.log(10.0))


def test_heat_titanium_dioxide_and_cold_dyeing_fade_faster() -> None:
    """Each of the inputs moves the fading the way it must."""
    base = faded_share({})
    assert faded_share({"process__black_panel_temperature": 100.0}) > base
    assert faded_share({"composition__titanium_dioxide_content": 1.5}) > base
    assert faded_share({"process__dyeing_temperature": 105.0}) > base
    assert faded_share({"composition__dye_content": 3.0}) < base


@pytest.mark.parametrize(("difference", "rating"), [(0.0, 5.0), (0.4, 4.5), (2.0, 4.0), (11.59, 1.5), (11.6, 1.0)])
def test_grey_scale_steps(difference: float, rating: float) -> None:
    """The ratings change at the limits of ISO 105-A05."""
    assert grey_scale(difference) == rating
