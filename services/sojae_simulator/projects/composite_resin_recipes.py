"""Draws of filled polypropylenes: lots, compounding and injection, tests of moulded specimens."""

from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import NOISE_LIMIT, Institute, measured
from sojae_simulator.projects.composite_resin_law import CHALK_ASPECT, resin_property
from sojae_simulator.recipes import Values, choice, rounded, spread

INSTITUTES = (Institute("sim-resin-a", "PP"), Institute("sim-resin-b", "수지"))
"""Who takes part; the ids belong to no real institute."""
COMPATIBILISER = "maleic-anhydride-grafted PP"
WEIGHED_NOISE, KELVIN_NOISE = 0.002, 0.8
"""Relative, of a density by immersion and of a length by calliper; K, of a thermometer: both far better than 3 %."""
READ = (
    "tensile_modulus", "flexural_modulus", "tensile_strength", "impact_strength", "elongation_at_break", "crystallinity",
)  # fmt: skip
WEIGHED = ("density", "mould_shrinkage")


class ResinRecipes:
    """Polypropylene with one filler, with or without elastomer; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return a lot of each component, by the field that holds its content."""
        supplied: Values = {"supplier": "simulated supplier", "lot_number": f"lot {campaign}"}
        polymer: Values = {
            "material": "PP",
            "melt_flow_rate": spread(rng, 5.0, 25.0),
            "recycling_cycles": float(rng.integers(0, 3)),
        }
        talc: Values = {
            "material": "talc",
            "filler_type": "lamellar talc",
            "particle_size": spread(rng, 3.0, 10.0, 2),
            "aspect_ratio": spread(rng, 6.0, 16.0, 3),
        }
        glass: Values = {
            "material": "glass_fibre",
            "filler_type": "short glass fibre",
            "particle_size": 13.0,
            "aspect_ratio": spread(rng, 14.0, 28.0, 3),
            "surface_coating": "silane",
        }
        chalk: Values = {
            "material": "CaCO3",
            "filler_type": "ground chalk",
            "particle_size": spread(rng, 1.0, 3.0, 2),
            "aspect_ratio": CHALK_ASPECT,
        }
        return {
            "polypropylene_content": supplied | polymer,
            "talc_content": supplied | talc,
            "glass_fibre_content": supplied | glass,
            "calcium_carbonate_content": supplied | chalk,
            "epdm_content": supplied | {"material": "EPDM"},
            "other_component_content": supplied | {"material": "compatibiliser", "maker_grade": COMPATIBILISER},
        }

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return wt% that add up to 100, in tenths, and the same as amounts; every other glass is coupled."""
        filler = choice(rng, ("talc_content", "talc_content", "glass_fibre_content", "calcium_carbonate_content"))
        filled = round(float(rng.uniform(12.0, 22.0)), 1)
        elastomer = round(float(rng.uniform(2.0, 5.0)), 1) if rng.random() < 0.6 else 0.0
        coupled = filler == "glass_fibre_content" and rng.random() < 0.5
        amounts = {
            "polypropylene_content": round(100.0 - filled - elastomer - 2.0 * coupled, 1),
            "talc_content": 0.0,
            "glass_fibre_content": 0.0,
            "calcium_carbonate_content": 0.0,
            "epdm_content": elastomer,
            "other_component_content": 2.0 * coupled,
            filler: filled,
        }
        named: Values = {"compatibiliser": COMPATIBILISER if coupled else "none", "composition_method": "nominal"}
        if coupled:
            named["compatibiliser_content"] = 2.0
        return named | amounts, {name: amount for name, amount in amounts.items() if amount}

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return drying, compounding and injection; the furnace is the moulding machine."""
        return {
            "moulding_route": "injection",
            "melt_temperature": float(round(rng.uniform(195.0, 228.0))),
            "mould_temperature": float(round(rng.uniform(35.0, 62.0))),
            "injection_pressure": float(round(rng.uniform(72.0, 100.0))),
            "drying_temperature": 79.0,
            "drying_time": 2.0,
            "screw_speed": float(10 * round(rng.uniform(15.0, 40.0))),
            "equipment": furnace,
        }

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return method and temperature of the impact test, and the load of the heat deflection."""
        return {
            "impact_method": "charpy_notched",
            "impact_temperature": (23.0, 0.0)[int(rng.integers(2))],
            "heat_deflection_load": (0.455, 1.82)[int(rng.integers(2))],
        }

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return what the testers read; balance, calliper and thermometer have no error of 3 %."""
        truth = resin_property(design)
        values: Values = {name: rounded(measured(rng, institute, name, truth[name]), 4) for name in READ}

        def off() -> float:
            return float(np.clip(rng.standard_normal(), -NOISE_LIMIT, NOISE_LIMIT))

        values |= {name: rounded(truth[name] * (1.0 + WEIGHED_NOISE * off()), 4) for name in WEIGHED}
        celsius = round(truth["heat_deflection_temperature"] + KELVIN_NOISE * off(), 1)
        return values | {"heat_deflection_temperature": celsius, "specimen_count": 5.0}
