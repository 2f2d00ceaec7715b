"""The record rules of the olefin catalysts, written out by hand: a second opinion that shares no code with the checks."""

import math
from collections.abc import Mapping

from sojae_simulator.projects.plain_rule import PlainRule, any_given

SUPPORTS = ("alumina_fraction", "silica_fraction", "zirconia_fraction")
METALS = tuple(
    f"{name}_fraction"
    for name in "cobalt chromium iron gallium indium magnesium molybdenum nickel platinum tin vanadium zinc".split()
)


def _sum(*fractions: float | None) -> bool:
    if not any_given(*fractions[: len(SUPPORTS)]):
        return True
    return abs(math.fsum(f for f in fractions if f is not None) - 1.0) <= 0.001000001


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {},
    "composition": {
        "composition_given": ((*SUPPORTS, "composition"), any_given, False),
        "fractions_sum": ((*SUPPORTS, *METALS), _sum, False),
        "platinum_low": (("platinum_fraction",), lambda platinum: bool(platinum <= 0.01), True),
    },
    "process": {
        "partial_pressures": (
            ("total_pressure", "methane_pressure", "oxygen_pressure"),
            lambda total, methane, oxygen: bool(total >= (methane + oxygen) * 0.999999),
            True,
        ),
        "pressure_ratio": (
            ("methane_oxygen_ratio", "oxygen_pressure", "methane_pressure"),
            lambda ratio, oxygen, methane: bool(abs(ratio * oxygen - methane) <= 0.050000001 * methane),
            True,
        ),
    },
    "property": {
        "yield_is_product": (
            ("olefin_yield", "feed_conversion", "olefin_selectivity"),
            lambda got, conversion, selectivity: abs(got - conversion * selectivity / 100) <= 0.100000001,
            True,
        ),
        "carbon_balance": (("c2_selectivity", "cox_selectivity"), lambda c2, cox: bool(c2 + cox <= 101), True),
        "c2_is_sum": (
            ("c2_selectivity", "ethylene_selectivity", "ethane_selectivity"),
            lambda c2, ethylene, ethane: abs(c2 - ethylene - ethane) <= 0.500000001,
            True,
        ),
    },
}
