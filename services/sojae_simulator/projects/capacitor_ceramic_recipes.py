"""Draws of multilayer capacitors: powder lots, tape and stack, firing and re-oxidation, electrical tests."""

from collections.abc import Mapping

import numpy as np

from sojae_simulator.institutes import NOISE_LIMIT, Institute, measured
from sojae_simulator.projects.capacitor_ceramic_law import VACUUM_PERMITTIVITY, capacitor_property
from sojae_simulator.recipes import Values, rounded, spread

INSTITUTES = (Institute("sim-capacitor-a", "CAP"), Institute("sim-capacitor-b", "적층"))
"""Who takes part; the ids belong to no real institute."""
LAYERS, SHEET, FIRED = 300.0, 2.4, 2.0
"""Active layers, µm of the green sheet, and of the dielectric that it becomes."""
KELVIN_NOISE = 0.8
"""K, of a thermometer, which has no error of 3 %."""
READ = (
    "grain_size", "relative_permittivity", "dissipation_factor", "capacitance_change_minus_55", "capacitance_change_85",
    "capacitance_change_125", "insulation_resistance", "breakdown_field", "mean_time_to_failure",
)  # fmt: skip


class CapacitorRecipes:
    """Barium titanate with dysprosium, magnesium and manganese; see `sojae_simulator.recipes.Recipes`."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return a lot of powder, whose size and surface are those of spheres, and of each additive, by its content's field."""
        size = float(round(rng.uniform(120.0, 200.0)))
        supplied: Values = {"supplier": "simulated supplier", "lot_number": f"lot {campaign}"}
        titanate: Values = {
            "material": "BaTiO3",
            "particle_size": size,
            # Coarser powders are better formed, but not exactly so.
            "tetragonality": rounded(1.0075 + 0.00001 * (size - 120.0) + float(rng.uniform(0.0, 0.0008)), 5),
            "specific_surface_area": rounded(997.0 / size, 3),
            "purity": 99.9,
            "additive_role": "none",
        }

        def additive(material: str, role: str) -> Values:
            return {**supplied, "material": material, "particle_size": 100.0, "additive_role": role, "purity": 99.9}

        return {
            "perovskite_content": supplied | titanate,
            "rare_earth_content": additive("Dy2O3", "rare_earth"),
            "magnesium_content": additive("MgO", "acceptor"),
            "manganese_content": additive("MnO", "acceptor"),
            "sintering_aid_content": additive("SiO2", "sintering_aid"),
        }

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return the ratio of the sites and what is added to the powder, and the same as amounts."""
        amounts = {
            "perovskite_content": 100.0,
            "rare_earth_content": spread(rng, 0.012, 0.028, 3),
            "magnesium_content": spread(rng, 0.01, 0.03, 3),
            "manganese_content": spread(rng, 0.001, 0.012, 3),
            "sintering_aid_content": spread(rng, 0.8, 1.6, 3),
        }
        ratio = rounded(float(rng.uniform(1.002, 1.012)), 5)
        named: Values = {"a_to_b_ratio": ratio, "alkali_content": 0.01, "perovskite_formula": "BaTiO3"}
        return named | amounts, amounts

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return tape, debinding, firing below the Ni/NiO line, and re-oxidation; the furnace names the batch."""
        return {
            "sheet_thickness": SHEET,
            "active_layers": LAYERS,
            "electrode": "Ni",
            "debinding_temperature": 320.0,
            "debinding_time": 20.0,
            "debinding_atmosphere": "air",
            "heating_rate": 3.0,
            "firing_temperature": float(5 * round(rng.uniform(243.0, 255.0))),
            "firing_time": spread(rng, 1.0, 2.6, 2),
            "log_oxygen_pressure": round(float(rng.uniform(-11.0, -8.5)), 1),
            "reoxidation_temperature": float(10 * round(rng.uniform(90.0, 108.0))),
            "process_batch": furnace,
        }

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return the geometry of the part, how it was measured after de-ageing, and the conditions of its life test."""
        return {
            "electrode_area": spread(rng, 0.2, 0.4),
            "dielectric_thickness": FIRED,
            "layer_count": LAYERS,
            "de_aged": True,
            "ageing_time": (24.0, 100.0, 1000.0)[int(rng.integers(3))],
            "measuring_frequency": 1.0,
            "measuring_voltage": 1.0,
            "life_test_temperature": (140.0, 150.0)[int(rng.integers(2))],
            "life_test_field": (15.0, 20.0, 25.0)[int(rng.integers(3))],
        }

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return what is read; capacitance and RC product follow from it as the instrument works them out."""
        truth = capacitor_property(design)
        read = {name: rounded(measured(rng, institute, name, truth[name]), 4) for name in READ}
        area = float(str(design["property__electrode_area"]))
        capacitance = 1e6 * VACUUM_PERMITTIVITY * read["relative_permittivity"] * area * LAYERS / FIRED
        kelvin = KELVIN_NOISE * float(np.clip(rng.standard_normal(), -NOISE_LIMIT, NOISE_LIMIT))
        return {
            **read,
            "capacitance": rounded(capacitance, 5),
            "rc_product": rounded(1_000.0 * read["insulation_resistance"] * rounded(capacitance, 5), 5),
            "curie_temperature": round(truth["curie_temperature"] + kelvin, 1),
            "temperature_class": "X7R",
            "rated_voltage": 16.0,
            "specimen_count": 10.0,
        }
