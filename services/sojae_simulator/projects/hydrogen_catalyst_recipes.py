"""Draws of alloy catalysts for hydrogen evolution: salts, chemical reduction and annealing, one cell at one current."""

from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import Institute, measured
from sojae_simulator.projects.hydrogen_catalyst_law import BINDING, catalyst_property
from sojae_simulator.recipes import Values, choice, rounded, spread

INSTITUTES = (Institute("sim-hydrogen-a", "HER"), Institute("sim-hydrogen-b", "수소"))
"""Who takes part; the ids belong to no real institute."""
BASE = "Ni"
CURRENTS = (50.0, 100.0, 200.0)
CELSIUS = (25.0, 40.0, 60.0)


class CatalystRecipes:
    """Nickel with one or two other metals on a carbon layer; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return a lot of a salt of each metal."""
        supplied: Values = {"supplier": "simulated supplier", "lot_number": f"lot {campaign}", "form": "powder"}
        return {name: supplied | {"precursor": name, "purity": spread(rng, 99.5, 99.99, 4)} for name in BINDING}

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return at% that add up to 100, what was measured of it, the loading, and the at% as amounts."""
        count = 2 + int(rng.random() < 0.5)
        others = tuple(name for name in BINDING if name != BASE)
        names = [BASE, *(str(name) for name in rng.choice(others, size=count - 1, replace=False))]
        shares = rng.dirichlet(np.full(count, 3.0))
        target = _percent(dict(zip(names, shares, strict=True)))
        found = {
            name: amount * float(1.0 + 0.02 * np.clip(rng.standard_normal(), -2.5, 2.5))
            for name, amount in target.items()
        }
        values: Values = {
            "composition": target,
            "measured_composition": _percent(found),
            "substrate": "carbon gas-diffusion layer",
            "loading": spread(rng, 0.3, 3.0, 2),
            "composition_method": "xrf",
        }
        return values, target

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return reduction and annealing in argon; the furnace names the batch."""
        return {
            "source_route": "chemical_reduction",
            "anneal_temperature": float(10 * round(rng.uniform(15.0, 60.0))),
            "anneal_time": float(rng.integers(1, 6)),
            "atmosphere": "argon",
            "process_batch": furnace,
        }

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return electrolyte, temperature and current of the cell."""
        return {
            "reaction": "hydrogen_evolution",
            "current_density": CURRENTS[int(rng.integers(len(CURRENTS)))],
            "electrolyte": choice(rng, ("KOH",)),
            "electrolyte_concentration": 1.0,
            "electrolyte_ph": 14.0,
            "cell_temperature": CELSIUS[int(rng.integers(len(CELSIUS)))],
        }

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return voltage, drift and hydrogen; up to 3 % of it escapes, and being the only gas it is their sum as well."""
        truth = catalyst_property(design)
        names = ("full_cell_voltage", "potential_drift")
        read: Values = {name: rounded(measured(rng, institute, name, truth[name]), 4) for name in names}
        hydrogen = rounded(truth["faradaic_efficiency_h2"] - float(rng.uniform(0.0, 3.0)), 4)
        gases: Values = {"faradaic_efficiency_h2": hydrogen, "faradaic_efficiency_gas": hydrogen}
        return read | gases | {"specimen_count": 3.0}


def _percent(shares: Mapping[str, float]) -> dict[str, float]:
    """Return at% in hundredths that add up to 100; the largest takes what rounding leaves."""
    total = sum(shares.values())
    percent = {name: round(100.0 * float(share) / total, 2) for name, share in shares.items()}
    largest = max(percent, key=lambda name: percent[name])
    percent[largest] = round(percent[largest] + 100.0 - sum(percent.values()), 2)
    return percent
