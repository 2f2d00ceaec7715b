"""Draws of face-centred cubic alloys: composition, rolling and annealing, tension tests."""

from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import Institute, measured
from sojae_simulator.projects.high_entropy_alloy_law import alloy_property
from sojae_simulator.recipes import Values, rounded, spread

INSTITUTES = (Institute("sim-metal-a", "HEA"), Institute("sim-metal-b", "M"))
"""Who takes part; the ids belong to no real institute."""
BASE = ("Co", "Cr", "Fe", "Mn", "Ni")
TEST_CELSIUS = (25.0, 300.0, 500.0, 600.0, 700.0, 800.0)
MEASURED = ("yield_strength", "ultimate_tensile_strength", "elongation", "elastic_modulus", "density", "grain_size")


class AlloyRecipes:
    """Co-Cr-Fe-Mn-Ni alloys, half of them with aluminium; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return a lot of each element; oxygen in ppm differs from lot to lot."""
        return {
            element: {
                "raw_lot": f"{element}-{campaign}",
                "element": element,
                "supplier": "simulated supplier",
                "purity": spread(rng, 99.5, 99.99, 4),
                "form": "pellet",
                "oxygen_content": spread(rng, 50.0, 400.0),
            }
            for element in (*BASE, "Al")
        }

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return at% that add up to 100, in tenths, and the same as amounts."""
        aluminium = spread(rng, 1.0, 10.0, 2) if rng.random() < 0.5 else 0.0
        shares = rng.dirichlet(np.full(len(BASE), 8.0)) * (100.0 - aluminium)
        amounts = {element: round(float(share), 1) for element, share in zip(BASE, shares, strict=True)}
        amounts["Ni"] = round(100.0 - aluminium - sum(amounts[e] for e in BASE if e != "Ni"), 1)
        if aluminium:
            amounts["Al"] = aluminium
        formula = " ".join(f"{element}{amount:g}" for element, amount in amounts.items())
        return {"composition": amounts, "formula": formula}, amounts

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return melting, rolling and one anneal."""
        hours = spread(rng, 0.5, 4.0, 2)
        return {
            "processing_route": "anneal" if rng.random() < 0.7 else "wrought",
            "melting_method": "arc",
            "remelts": 5.0,
            "cold_reduction": float(round(rng.uniform(20.0, 80.0))),
            "homogenisation_temperature": 1200.0,
            "homogenisation_time": 24.0,
            "heat_treatment_1_temperature": 5.0 * round(rng.uniform(800.0, 1150.0) / 5.0),
            "heat_treatment_1_time": hours,
            "total_heat_treatment_time": hours,
            "cooling": "water",
        }

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return a tension test at room temperature or hot."""
        hot = TEST_CELSIUS[int(rng.integers(len(TEST_CELSIUS)))]
        return {"test_temperature": hot, "test_type": "tension", "strain_rate": 0.001}

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return the readings of one tension test, and of hardness at room temperature."""
        truth = alloy_property(design)
        values: Values = {name: rounded(measured(rng, institute, name, truth[name]), 4) for name in MEASURED}
        hardness = measured(rng, institute, "hardness_vickers", truth["hardness_vickers"])
        return values | {
            "hardness_vickers": float(round(hardness)),
            "hardness_load": 9.807,
            "phases": "FCC",
            "phase_class": "fcc",
        }
