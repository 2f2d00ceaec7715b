"""Draws of protonic-ceramic cells: powders, sprayed electrolytes, two sintering steps, tests in hydrogen and air."""

from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import Institute, measured
from sojae_simulator.projects.ceramic_electrode_law import (
    POSITRODES,
    SPRAY_YIELD,
    cell_property,
    grain_size,
    kelvin_at_test,
    nernst_voltage,
)
from sojae_simulator.recipes import Values, choice, rounded, spread

INSTITUTES = (Institute("sim-ceramic-a", "CELL"), Institute("sim-ceramic-b", "시료"))
"""Who takes part; the ids belong to no real institute."""
TEST_CELSIUS = (550.0, 575.0, 600.0, 625.0, 650.0)
SPRAY_AREAS = (110.0, 161.0, 210.0)
THINNEST, THICKEST = 8.0, 20.0
"""What an operator aims at, in µm; thicker than 1.35 grains, so that measured grains do not exceed the thickness."""


class CellRecipes:
    """BCZYYb cells with three positrode materials; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return one powder batch: its BCZYYb, NiO and starch lots."""
        batch: Values = {"powder_batch": f"batch {campaign}", "supplier": "simulated supplier"}
        return {
            "bczyyb": batch | {"material": "BCZYYb4411", "electrolyte_powder_d50": spread(rng, 0.97, 1.23)},
            "nio": batch | {"material": "NiO", "nio_grade": "mesh_44um", "nio_particle_size": spread(rng, 1.5, 7.0)},
            "starch": batch | {"material": "potato starch", "starch_kind": "potato"},
        }

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return the negatrode in wt%, in tenths and with the sum 100, and the same as amounts."""
        starch = round(float(rng.uniform(8.0, 24.0)), 1)
        nio = round((100.0 - starch) * float(rng.uniform(0.56, 0.62)), 1)
        amounts = {"bczyyb": round(100.0 - starch - nio, 1), "nio": nio, "starch": starch}
        return {
            **amounts,
            "binder_addition": 12.5,
            "electrolyte_material": "BCZYYb4411",
            "ce_on_b_site": 40.0,
            "nio_in_electrolyte": "no",
            "positrode_material": choice(rng, tuple(POSITRODES)),
            "positrode_second_phase": "none",
        }, amounts

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return spraying and sintering; the layers are what gives the thickness that the operator aims at."""
        heat: Values = {
            "co_sinter_temperature": 5.0 * round(rng.uniform(1440.0, 1520.0) / 5.0),
            "co_sinter_time": spread(rng, 2.5, 8.0, 2),
        }
        grain = grain_size(
            {f"process__{name}": value for name, value in heat.items()}
            | {"raw__electrolyte_powder_d50": lots["bczyyb"]["electrolyte_powder_d50"]}
        )
        aim = min(max(grain * float(rng.uniform(1.4, 3.5)), THINNEST, 1.4 * grain), max(THICKEST, 1.4 * grain))
        area = SPRAY_AREAS[int(rng.integers(len(SPRAY_AREAS)))]
        wanted = aim / SPRAY_YIELD * area / 161.0
        layers = float(min(max(round(wanted / float(rng.uniform(0.35, 0.7))), 5), 19))
        to_spray, to_sinter = float(rng.integers(1, 8)), float(rng.integers(1, 8))
        return heat | {
            "negatrode_formation": "die_pressing",
            "electrolyte_application": "ultrasonic_sprayer",
            "spray_suspension": "standard",
            "spray_layers": layers,
            "spray_flow_rate": min(max(rounded(wanted / layers, 3), 0.31), 0.89),
            "spray_power": 4.0,
            "spray_air_flow": 7.0,
            "spray_area": area,
            "press_to_spray_days": to_spray,
            "spray_to_sinter_days": to_sinter,
            "press_to_sinter_days": to_spray + to_sinter,
            "co_sinter_furnace": furnace,
            "absolute_humidity": spread(rng, 1.0, 9.0, 2),
            "positrode_application": "brush",
            "positrode_sinter_temperature": 5.0 * round(rng.uniform(840.0, 990.0) / 5.0),
            "positrode_sinter_time": 5.0,
            "positrode_sinter_furnace": furnace,
        }

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return the temperature and the air flow of the test."""
        return {"test_temperature": TEST_CELSIUS[int(rng.integers(len(TEST_CELSIUS)))], "air_flow": 150.0}

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return the readings of one cell test and of its micrograph.

        A voltmeter has no error of 3 %: offset and noise of the open-circuit voltage are those of the leak, so that it
        stays below Nernst's. The total is what the two resistances read together, the ratio that of the two lengths.
        """
        truth = cell_property(design)

        def read(name: str, value: float | None = None) -> float:
            return measured(rng, institute, name, truth[name] if value is None else value)

        nernst = nernst_voltage(kelvin_at_test(design))
        ohmic, polarisation = (round(read(name), 3) for name in ("ohmic_resistance", "polarisation_resistance"))
        thickness, grain = (rounded(read(name), 4) for name in ("electrolyte_thickness", "electrolyte_grain_size"))
        return {
            "test_stand": tester,
            "ocv": round(nernst - read("ocv", nernst - truth["ocv"]), 3),
            "peak_power_density": rounded(read("peak_power_density"), 4),
            "ohmic_resistance": ohmic,
            "polarisation_resistance": polarisation,
            "total_resistance": round(ohmic + polarisation, 3),
            "electrolyte_thickness": thickness,
            "electrolyte_grain_size": grain,
            "thickness_to_grain_ratio": rounded(thickness / grain, 5),
        }
