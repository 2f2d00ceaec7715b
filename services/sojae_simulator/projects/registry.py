"""Every project that can be simulated: its law, its draws, who takes part, and the second opinion on its rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sojae_simulator.institutes import Institute
from sojae_simulator.projects import (
    biodegradable_fibre_recipes,
    biodegradable_fibre_rules,
    capacitor_ceramic_recipes,
    capacitor_ceramic_rules,
    ceramic_electrode_recipes,
    ceramic_electrode_rules,
    composite_resin_recipes,
    composite_resin_rules,
    high_entropy_alloy_recipes,
    high_entropy_alloy_rules,
    hydrogen_catalyst_recipes,
    hydrogen_catalyst_rules,
    interior_textile_recipes,
    interior_textile_rules,
    olefin_catalyst_recipes,
    olefin_catalyst_rules,
)
from sojae_simulator.projects.biodegradable_fibre_law import fibre_property
from sojae_simulator.projects.capacitor_ceramic_law import capacitor_property
from sojae_simulator.projects.ceramic_electrode_law import cell_property
from sojae_simulator.projects.composite_resin_law import resin_property
from sojae_simulator.projects.high_entropy_alloy_law import alloy_property
from sojae_simulator.projects.hydrogen_catalyst_law import catalyst_property
from sojae_simulator.projects.interior_textile_law import textile_property
from sojae_simulator.projects.olefin_catalyst_law import olefin_property
from sojae_simulator.projects.plain_rule import PlainRule
from sojae_simulator.recipes import Recipes

Law = Callable[[Mapping[str, object]], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Simulated:
    """One project: `main_target` is the property that designs are asked for, `standard` the test standard of its readings."""

    law: Law
    recipes: Recipes
    rules: Mapping[str, Mapping[str, PlainRule]]
    institutes: tuple[Institute, ...]
    main_target: str
    standard: str | None


PROJECTS: Mapping[str, Simulated] = {
    "high_entropy_alloy": Simulated(
        alloy_property, high_entropy_alloy_recipes.AlloyRecipes(), high_entropy_alloy_rules.RULES,
        high_entropy_alloy_recipes.INSTITUTES, "yield_strength.tension", "ISO 6892-2",
    ),
    "ceramic_electrode": Simulated(
        cell_property, ceramic_electrode_recipes.CellRecipes(), ceramic_electrode_rules.RULES,
        ceramic_electrode_recipes.INSTITUTES, "peak_power_density", "IEC 62282-8-101",
    ),
    "biodegradable_fibre": Simulated(
        fibre_property, biodegradable_fibre_recipes.FibreRecipes(), biodegradable_fibre_rules.RULES,
        biodegradable_fibre_recipes.INSTITUTES, "tenacity", "ISO 2062",
    ),
    "interior_textile": Simulated(
        textile_property, interior_textile_recipes.TextileRecipes(), interior_textile_rules.RULES,
        interior_textile_recipes.INSTITUTES, "colour_difference", "SAE J2412",
    ),
    "capacitor_ceramic": Simulated(
        capacitor_property, capacitor_ceramic_recipes.CapacitorRecipes(), capacitor_ceramic_rules.RULES,
        capacitor_ceramic_recipes.INSTITUTES, "relative_permittivity", "IEC 60384-1",
    ),
    "composite_resin": Simulated(
        resin_property, composite_resin_recipes.ResinRecipes(), composite_resin_rules.RULES,
        composite_resin_recipes.INSTITUTES, "tensile_modulus", "ISO 527-2",
    ),
    "hydrogen_catalyst": Simulated(
        catalyst_property, hydrogen_catalyst_recipes.CatalystRecipes(), hydrogen_catalyst_rules.RULES,
        hydrogen_catalyst_recipes.INSTITUTES, "full_cell_voltage.hydrogen_evolution", None,
    ),
    "olefin_catalyst": Simulated(
        olefin_property, olefin_catalyst_recipes.OlefinRecipes(), olefin_catalyst_rules.RULES,
        olefin_catalyst_recipes.INSTITUTES, "olefin_yield", None,
    ),
}  # fmt: skip
