"""The record rules of the ceramic electrodes, written out by hand: a second opinion that shares no code with the checks."""

import math
from collections.abc import Mapping

from sojae_simulator.projects.plain_rule import PlainRule, any_given


def _sum_of_negatrode(bczyyb: float, nio: float, starch: float) -> bool:
    return abs(math.fsum((bczyyb, nio, starch)) - 100.0) <= 0.500000001


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {},
    "composition": {
        "mass_sum": (("bczyyb", "nio", "starch"), _sum_of_negatrode, True),
        "positrode_given": (("positrode_material", "positrode_formula"), any_given, False),
    },
    "process": {
        "sinter_order": (
            ("positrode_sinter_temperature", "co_sinter_temperature"),
            lambda positrode, cell: bool(positrode < cell),
            True,
        ),
        "wait_order": (
            ("press_to_sinter_days", "press_to_spray_days", "spray_to_sinter_days"),
            lambda whole, first, second: abs(whole - (first + second)) <= 0.500000001,
            True,
        ),
    },
    "property": {
        "resistance_given": (
            ("ohmic_resistance", "polarisation_resistance", "total_resistance"),
            any_given,
            False,
        ),
        "resistance_sum": (
            ("total_resistance", "ohmic_resistance", "polarisation_resistance"),
            lambda total, ohmic, polarisation: abs(total - (ohmic + polarisation)) <= 0.010000001,
            True,
        ),
        "thickness_grain_ratio": (
            ("thickness_to_grain_ratio", "electrolyte_grain_size", "electrolyte_thickness"),
            lambda ratio, grain, thickness: abs(ratio * grain - thickness) <= 0.02 * thickness,
            True,
        ),
        "grain_within_thickness": (
            ("electrolyte_grain_size", "electrolyte_thickness"),
            lambda grain, thickness: bool(grain <= thickness),
            True,
        ),
        "ocv_below_nernst": (
            ("ocv", "test_temperature"),
            lambda volts, celsius: bool(volts <= 1.258 - 1.29e-4 * (celsius + 273.15)),
            True,
        ),
    },
}
