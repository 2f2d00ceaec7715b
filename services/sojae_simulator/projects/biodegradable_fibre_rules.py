"""The record rules of the fibre's templates written out by hand: a second opinion that shares no code with the checks."""

import math
from collections.abc import Mapping

from sojae_simulator.projects.plain_rule import PlainRule, all_given, any_given


def _polymer_described(polymer: object, *described: object) -> bool:
    return polymer is None or polymer == "none" or all_given(*described)


def _blend(main: float | None, *others: float | None) -> bool:
    return main is None or abs(math.fsum((main, *(o for o in others if o is not None))) - 100.0) <= 0.500000001


def _melt(route: object, *given: object) -> bool:
    return route != "melt" or all_given(*given)


def _drawn(route: object, *given: object) -> bool:
    return route != "melt" or any_given(*given)


def _something_told(
    tenacity: object, strength: object, degraded: object, diameter: object, formed: bool | None
) -> bool:
    return any_given(tenacity, strength, degraded, diameter) or formed is False


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {
        "polymer_described": (
            ("polymer", "molar_mass", "dispersity", "intrinsic_viscosity", "polymer_moisture"),
            _polymer_described,
            False,
        ),
        "isomers_sum": (("l_isomer", "d_isomer"), lambda left, right: abs(left + right - 100.0) <= 0.500000001, True),
        "glass_below_melting": (
            ("glass_transition_temperature", "melting_temperature"),
            lambda glass, melting: bool(glass < melting),
            True,
        ),
    },
    "composition": {
        "blend_sum": (
            (
                "main_polymer_content",
                "second_polymer_content",
                "nucleating_agent_content",
                "plasticiser_content",
                "chain_extender_content",
                "additive_content",
            ),
            _blend,
            False,
        ),
        "second_polymer_named": (
            ("second_polymer_content", "second_polymer"),
            lambda content, name: not content or name is not None,
            False,
        ),
        "one_concentration": (
            ("solution_concentration_mass", "solution_concentration_volume"),
            lambda mass, volume: mass is None or volume is None,
            False,
        ),
        "solvent_named": (
            ("solution_concentration_mass", "solution_concentration_volume", "solvent"),
            lambda mass, volume, solvent: solvent is not None or not any_given(mass, volume),
            False,
        ),
    },
    "process": {
        "melt_complete": (("spinning_route", "melt_temperature", "spinneret_holes", "take_up_speed"), _melt, False),
        "drawing_described": (("spinning_route", "draw_ratio", "draw_temperature"), _drawn, False),
        "draw_below_melt": (("draw_temperature", "melt_temperature"), lambda roll, melt: bool(roll < melt), True),
        "drum_turns": (
            ("collector", "drum_speed"),
            lambda collector, speed: collector != "rolling_drum" or speed is not None,
            False,
        ),
        "flat_stands_still": (
            ("collector", "drum_speed"),
            lambda collector, speed: collector not in ("flat", "flat_ethanol_bath") or not speed,
            False,
        ),
        "humidity_order": (
            ("chamber_humidity_low", "chamber_humidity_high"),
            lambda low, high: bool(low <= high),
            True,
        ),
        "humidity_both_ends": (
            ("chamber_humidity_low", "chamber_humidity_high"),
            lambda low, high: (low is None) == (high is None),
            False,
        ),
        "humidity_within_ends": (
            ("chamber_humidity", "chamber_humidity_low", "chamber_humidity_high"),
            lambda one, low, high: (
                one is None or not ((low is not None and one < low) or (high is not None and one > high))
            ),
            False,
        ),
    },
    "property": {
        "fibre_described": (
            ("tenacity", "tensile_strength", "biodegradation", "fibre_diameter", "formation_stable"),
            _something_told,
            False,
        ),
        "tensile_test_complete": (
            ("tenacity", "linear_density", "elongation_at_break"),
            lambda tenacity, *others: tenacity is None or all_given(*others),
            False,
        ),
        "biodegradation_standard_given": (
            ("biodegradation", "degradation_time", "biodegradation_standard"),
            lambda degraded, *others: degraded is None or all_given(*others),
            False,
        ),
        "tenacity_is_strength": (
            ("tenacity", "fibre_density", "tensile_strength"),
            lambda tenacity, rho, strength: abs(tenacity * rho / 10.0 - strength) <= 0.050000001 * strength,
            True,
        ),
        "spread_below_diameter": (
            ("fibre_diameter_spread", "fibre_diameter"),
            lambda spread, mean: bool(spread <= mean),
            True,
        ),
        "unstable_has_no_diameter": (
            ("formation_stable", "fibre_diameter"),
            lambda formed, diameter: formed is not False or diameter is None,
            False,
        ),
    },
}
"""The record rules by stage and id."""
