"""The record rules of the hydrogen catalysts, written out by hand: a second opinion that shares no code with the checks."""

import math
from collections.abc import Mapping

from sojae_simulator.projects.plain_rule import PlainRule, any_given

COMPARED = "Ag Au Cd Co Cr Cu Fe Ga Hg In Ir Mn Mo Ni Pb Pd Pt Rh Ru Sn Ti Tl V W Zn".split()
GAS, LIQUID = "faradaic_efficiency_gas", "faradaic_efficiency_liquid"


def _near(target: Mapping[str, float], found: Mapping[str, float]) -> bool:
    return all(abs(target.get(name, 0.0) - found.get(name, 0.0)) <= 10 for name in COMPARED)


def _gases(*values: float | None) -> bool:
    *gases, total = values
    if total is None or not any_given(*gases):
        return True
    return abs(total - math.fsum(g for g in gases if g is not None)) <= 0.500000001


def _referred(overpotential: object, electrode: object, corrected: object) -> bool:
    return overpotential is None or (electrode is not None and corrected is not None)


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {},
    "composition": {"measured_near_target": (("composition", "measured_composition"), _near, True)},
    "process": {
        "spark_given": (
            ("source_route", "spark_voltage_1", "spark_current_1"),
            lambda route, *spark: route is None or route != "spark_ablation" or any_given(*spark),
            False,
        ),
        "anneal_complete": (
            ("anneal_temperature", "anneal_time"),
            lambda celsius, hours: (celsius is None) == (hours is None),
            False,
        ),
    },
    "property": {
        "potential_given": (("full_cell_voltage", "oer_overpotential"), any_given, False),
        "gas_sum": (
            (*(f"faradaic_efficiency_{gas}" for gas in ("h2", "co", "ch4", "c2h4")), GAS),
            _gases,
            False,
        ),
        "gas_at_most_100": ((GAS,), lambda gas: bool(gas <= 100), True),
        "liquid_not_negative": ((LIQUID,), lambda liquid: bool(liquid >= 0), True),
        "charge_balance": ((GAS, LIQUID), lambda gas, liquid: 84.9999999 <= gas + liquid <= 115.0000001, True),
        "charge_balance_near": (
            (GAS, LIQUID),
            lambda gas, liquid: abs(gas + liquid - 100) <= 5.000000001,
            True,
        ),
        "overpotential_referred": (("oer_overpotential", "reference_electrode", "ir_corrected"), _referred, False),
    },
}
