"""Draws of catalysts for propane dehydrogenation: lots of support and salts, impregnation, one run in carbon dioxide."""

from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import Institute, measured
from sojae_simulator.projects.olefin_catalyst_law import olefin_property
from sojae_simulator.recipes import Values, choice, rounded, spread

INSTITUTES = (Institute("sim-olefin-a", "CAT"), Institute("sim-olefin-b", "촉매"))
"""Who takes part; the ids belong to no real institute."""
SUPPORTS = {"alumina": "Al2O3", "silica": "SiO2", "zirconia": "ZrO2"}
SALTS = {"chromium": "Cr(NO3)3", "gallium": "Ga(NO3)3", "zinc": "Zn(NO3)2"}


class OlefinRecipes:
    """Chromium and gallium on alumina, silica or zirconia; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return a lot of each support and of each salt, by the field that holds its fraction."""
        supplied: Values = {"supplier": "simulated supplier", "lot_number": f"lot {campaign}"}
        supports = {
            f"{name}_fraction": supplied
            | {"support": formula, "surface_area": spread(rng, 120.0, 260.0), "purity": 99.5}
            for name, formula in SUPPORTS.items()
        }
        salts = {
            f"{name}_fraction": supplied | {"support": "none", "precursor_salt": salt, "purity": 99.0}
            for name, salt in SALTS.items()
        }
        return supports | salts

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return fractions that add up to 1, and the same as amounts."""
        chromium = round(float(rng.uniform(0.04, 0.09)), 4)
        gallium = round(float(rng.uniform(0.03, 0.08)), 4)
        zinc = round(float(rng.uniform(0.01, 0.05)), 4) if rng.random() < 0.3 else 0.0
        support = choice(rng, tuple(SUPPORTS))
        fractions = {"chromium_fraction": chromium, "gallium_fraction": gallium, "zinc_fraction": zinc}
        rest = round(1.0 - sum(fractions.values()), 4)
        values: Values = {**{f"{name}_fraction": 0.0 for name in SUPPORTS}, **fractions, f"{support}_fraction": rest}
        return values, {name: float(str(v)) for name, v in values.items() if v}

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return preparation, calcination and the conditions of the run; the furnace is the reactor."""
        return {
            "preparation": choice(rng, ("impregnation", "sol_gel", "co_precipitation")),
            "calcination_temperature": float(10 * round(rng.uniform(55.0, 65.0))),
            "calcination_time": float(rng.integers(2, 7)),
            "feed": "propane",
            "reaction_temperature": float(5 * round(rng.uniform(110.0, 120.0))),
            "total_pressure": spread(rng, 0.8, 1.5, 2),
            "contact_time": spread(rng, 0.4, 1.4, 2),
            "co2_flow": 3.0 if rng.random() < 0.5 else 9.0,
            "equipment": furnace,
        }

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return the time on stream."""
        return {"time_on_stream": float(rng.integers(1, 13))}

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return what the chromatograph reads: conversion and yield, and the selectivity that follows from both."""
        truth = olefin_property(design)
        read = {
            name: rounded(measured(rng, institute, name, truth[name]), 4)
            for name in ("feed_conversion", "olefin_yield", "coke", "deactivation_rate")
        }
        selectivity = rounded(100.0 * read["olefin_yield"] / read["feed_conversion"], 6)
        return {**read, "olefin_selectivity": selectivity, "specimen_count": 1.0}
