"""Draws of melt-spun poly(L-lactide) fibres: lots of polymer, spinning and drawing, tension and compost."""

import math
from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import Institute, measured
from sojae_simulator.projects.biodegradable_fibre_law import fibre_property
from sojae_simulator.recipes import Values, rounded, spread

INSTITUTES = (Institute("sim-fibre-a", "FIB"), Institute("sim-fibre-b", "섬유"))
"""Who takes part; the ids belong to no real institute."""
HOLES = (12.0, 24.0, 36.0, 48.0)
INTRINSIC_FACTOR, INTRINSIC_EXPONENT = 5.45e-4, 0.73
"""dL/g of polylactide in chloroform: Schindler and Harper, Journal of Polymer Science 17 (1979) 2593."""
MEASURED = (
    "linear_density", "elastic_modulus", "elongation_at_break", "crystallinity", "orientation_factor",
    "molar_mass_loss", "fibre_diameter", "biodegradation",
)  # fmt: skip
"""What is read on its own; the strength is worked out from tenacity and density, as laboratories do."""


class FibreRecipes:
    """Poly(L-lactide) with or without talc and plasticiser; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return a lot of polymer, of talc and of plasticiser, by the field that holds the amount of each."""
        mass = 1000.0 * round(float(rng.uniform(90.0, 180.0)))
        d_isomer = round(float(rng.uniform(1.0, 4.0)), 1)
        supplied: Values = {"supplier": "simulated supplier", "lot_number": f"lot {campaign}"}
        return {
            "main_polymer_content": supplied
            | {
                "polymer": "PLA",
                "l_isomer": round(100.0 - d_isomer, 1),
                "d_isomer": d_isomer,
                "molar_mass": mass,
                "dispersity": spread(rng, 1.6, 2.2, 2),
                "intrinsic_viscosity": rounded(INTRINSIC_FACTOR * math.pow(mass, INTRINSIC_EXPONENT), 3),
                "polymer_moisture": spread(rng, 20.0, 90.0, 2),
                "glass_transition_temperature": 60.0,
                "melting_temperature": round(178.0 - 5.0 * d_isomer, 1),
                "recycled_content": 0.0,
            },
            "nucleating_agent_content": supplied | {"polymer": "none", "maker_grade": "talc"},
            "plasticiser_content": supplied | {"polymer": "none", "maker_grade": "plasticiser"},
        }

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return wt% of the solids that add up to 100, in tenths, and the same as amounts."""
        talc = round(float(rng.uniform(0.2, 2.0)), 1) if rng.random() < 0.5 else 0.0
        plasticiser = round(float(rng.uniform(1.0, 4.0)), 1) if rng.random() < 0.4 else 0.0
        amounts = {
            "main_polymer_content": round(100.0 - talc - plasticiser, 1),
            "nucleating_agent_content": talc,
            "plasticiser_content": plasticiser,
        }
        named: Values = {"main_polymer": "PLA", "nucleating_agent": "talc" if talc else "none"}
        return named | amounts, {name: amount for name, amount in amounts.items() if amount}

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return spinning and one drawing; the furnace is the spinning line."""
        return {
            "spinning_route": "melt",
            "melt_temperature": float(round(rng.uniform(205.0, 232.0))),
            "spinneret_holes": HOLES[int(rng.integers(len(HOLES)))],
            "spinneret_hole_diameter": 0.3,
            "throughput_per_hole": spread(rng, 0.6, 1.6, 2),
            "take_up_speed": 50.0 * round(rng.uniform(400.0, 3000.0) / 50.0),
            "draw_ratio": spread(rng, 1.8, 4.5, 3),
            "draw_temperature": float(round(rng.uniform(85.0, 118.0))),
            "production_line": furnace,
        }

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return gauge length of the tension test, and time, temperature and standard of the compost test."""
        return {
            "gauge_length": 250.0,
            "degradation_time": 5.0 * round(rng.uniform(30.0, 150.0) / 5.0),
            "biodegradation_standard": "ISO 14855-1",
            "biodegradation_basis": "relative_to_reference",
            "degradation_temperature": float(rng.integers(57, 60)),
        }

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return what is read of one fibre; its tensile strength is that of the tenacity and the density read."""
        truth = fibre_property(design)
        values: Values = {name: rounded(measured(rng, institute, name, truth[name]), 4) for name in MEASURED}
        tenacity, density = (rounded(measured(rng, institute, n, truth[n]), 4) for n in ("tenacity", "fibre_density"))
        diameter = truth["fibre_diameter"]
        return values | {
            "tenacity": tenacity,
            "fibre_density": density,
            "tensile_strength": rounded(0.1 * tenacity * density, 4),
            "fibre_diameter_spread": rounded(diameter * float(rng.uniform(0.02, 0.08)), 3),
            "formation_stable": True,
            "specimen_count": 10.0,
        }
