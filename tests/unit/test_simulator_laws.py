"""The laws of the simulator: known limits, known trends, exact identities."""

import math

import pytest

from sojae_simulator.laws import MAIN_TARGET, property_of, true_property
from sojae_simulator.projects.ceramic_electrode_law import nernst_voltage
from sojae_simulator.projects.high_entropy_alloy_law import grain_size, size_mismatch, softening

CANTOR = {f"composition__el__{element}": 20.0 for element in ("Co", "Cr", "Fe", "Mn", "Ni")}
ALLOY, CELL = "high_entropy_alloy", "ceramic_electrode"


def test_the_equiatomic_alloy_is_as_strong_as_published() -> None:
    """Without grain boundaries and oxygen, CoCrFeMnNi has the friction stress of 125 MPa that was measured."""
    design = {**CANTOR, "raw__oxygen_content": 0.0}
    boundaries = 464.0 / math.sqrt(grain_size(design))
    assert true_property(ALLOY, design)["yield_strength"] - boundaries == pytest.approx(125.0, abs=3.0)


def test_the_size_mismatch_is_the_published_one() -> None:
    """δ of CoCrFeMnNi is 3.27 % with these radii."""
    assert size_mismatch(dict.fromkeys(("Co", "Cr", "Fe", "Mn", "Ni"), 0.2)) == pytest.approx(0.0327, abs=2e-4)


def test_strength_rises_with_the_inverse_root_of_the_grain_size() -> None:
    """Two anneals differ by k·(d1^−½ − d2^−½) and by nothing else."""
    cool, hot = ({**CANTOR, "process__heat_treatment_1_temperature": t} for t in (850.0, 1150.0))
    steps = [true_property(ALLOY, d)["yield_strength"] for d in (cool, hot)]
    expected = 464.0 * (grain_size(cool) ** -0.5 - grain_size(hot) ** -0.5)
    assert steps[0] - steps[1] == pytest.approx(expected, rel=1e-9)


def test_grains_grow_with_time_and_temperature_and_shrink_with_rolling() -> None:
    """Each of the three inputs moves the grain size the way it must."""
    base = grain_size(CANTOR)
    assert grain_size({**CANTOR, "process__heat_treatment_1_time": 4.0}) > base
    assert grain_size({**CANTOR, "process__heat_treatment_1_temperature": 1100.0}) > base
    assert grain_size({**CANTOR, "process__cold_reduction": 80.0}) < base


def test_strength_falls_with_temperature_and_hardness_does_not() -> None:
    """The yield strength follows the softening factor; hardness is measured at room temperature."""
    cold, hot = (true_property(ALLOY, {**CANTOR, "property__test_temperature": t}) for t in (25.0, 800.0))
    assert hot["yield_strength"] / cold["yield_strength"] == pytest.approx(softening(1073.15), rel=1e-9)
    assert hot["hardness_vickers"] == cold["hardness_vickers"]


def test_density_is_that_of_the_mixture() -> None:
    """A pure element keeps its density, and the equiatomic alloy has the published 8.0 g/cm³."""
    assert true_property(ALLOY, {"composition__el__Ni": 3.0})["density"] == pytest.approx(8.90)
    assert true_property(ALLOY, CANTOR)["density"] == pytest.approx(8.0, abs=0.05)


def test_an_unknown_element_is_refused() -> None:
    """The law says which elements it knows."""
    with pytest.raises(ValueError, match="Al, Co, Cr, Fe, Mn, Ni"):
        true_property(ALLOY, {"composition__el__Pu": 100.0})


def test_an_alloy_without_a_composition_has_no_property() -> None:
    """There is no default composition."""
    with pytest.raises(ValueError, match="composition"):
        true_property(ALLOY, {})


def test_total_resistance_is_exactly_the_sum_and_peak_power_follows() -> None:
    """R = R_ohm + R_p and P = OCV²/4R hold to the last digit."""
    cell = true_property(CELL, {})
    assert cell["total_resistance"] == cell["ohmic_resistance"] + cell["polarisation_resistance"]
    assert cell["peak_power_density"] == cell["ocv"] ** 2 / (4.0 * cell["total_resistance"])


def test_thicker_electrolyte_has_more_resistance_and_less_leak() -> None:
    """Twice the layers make twice the thickness: power and voltage move in opposite ways."""
    thin, thick = (true_property(CELL, {"process__spray_layers": n}) for n in (6.0, 12.0))
    assert thick["electrolyte_thickness"] == pytest.approx(2.0 * thin["electrolyte_thickness"])
    assert thick["ohmic_resistance"] > thin["ohmic_resistance"]
    assert thick["ocv"] > thin["ocv"]


@pytest.mark.parametrize(("material", "best"), [("PBSCF", 920.0), ("BCFZY", 900.0), ("LSCF", 940.0)])
def test_each_positrode_has_its_best_sintering_temperature(material: str, best: float) -> None:
    """The polarisation resistance has its minimum where the law says."""

    def resistance(celsius: float) -> float:
        design = {"composition__positrode_material": material, "process__positrode_sinter_temperature": celsius}
        return true_property(CELL, design)["polarisation_resistance"]

    assert min(range(800, 1001, 10), key=resistance) == best


def test_polarisation_follows_arrhenius() -> None:
    """ln R_p over 1/kT has the slope of the activation energy, 0.95 eV."""
    low, high = (true_property(CELL, {"property__test_temperature": t}) for t in (550.0, 650.0))
    inverse = (1.0 / 823.15 - 1.0 / 923.15) / 8.617333e-5
    ratio = low["polarisation_resistance"] / high["polarisation_resistance"]
    assert math.log(ratio) / inverse == pytest.approx(0.95, rel=1e-6)


def test_nernst_voltage_at_600_degrees() -> None:
    """Hydrogen with 3 % water against air gives 1.14 V."""
    assert nernst_voltage(873.15) == pytest.approx(1.140, abs=1e-3)


def test_a_missing_value_takes_the_default() -> None:
    """None and absence mean the same."""
    assert true_property(CELL, {"process__spray_layers": None}) == true_property(CELL, {})


def test_main_targets_are_properties_of_the_law() -> None:
    """What inverse designs are asked for is what the law gives."""
    assert property_of(MAIN_TARGET[ALLOY]) in true_property(ALLOY, CANTOR)
    assert property_of(MAIN_TARGET[CELL]) in true_property(CELL, {})
