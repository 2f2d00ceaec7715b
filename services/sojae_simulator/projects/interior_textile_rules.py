"""The record rules of the textile's templates written out by hand: a second opinion that shares no code with the checks."""

import math
from collections.abc import Callable, Mapping

from sojae_simulator.projects.plain_rule import PlainRule, all_given, any_given

KILOJOULES_AN_HOUR, MEGAJOULES_AN_HOUR = 3.6, 3.6e-3
"""What 1 W gives in an hour."""


def _exposed_and_given(standard: object, *values: object) -> bool:
    return standard is None or standard == "none" or any_given(*values)


def _dose(energy_an_hour: float) -> Callable[[float, float, float], bool]:
    def near(dose: float, irradiance: float, hours: float) -> bool:
        expected = energy_an_hour * irradiance * hours
        return abs(dose - expected) <= 0.020000001 * expected

    return near


def _as_j2412(standard: object, irradiance: float | None, black_panel: float | None) -> bool:
    light = irradiance is None or abs(irradiance - 0.55) <= 0.030000001
    heat = black_panel is None or abs(black_panel - 89.0) <= 3.000000001
    return standard != "SAE J2412" or (light and heat)


def _norm(formula: str | None, difference: float | None, *parts: float | None) -> bool:
    given = [part for part in parts if part is not None]
    if formula not in (None, "CIE76") or difference is None or len(given) < len(parts):
        return True
    return abs(difference - math.hypot(*given)) <= 0.050000001


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {
        "fibre_described": (
            ("fibre", "recycled_content", "yarn_fineness"),
            lambda fibre, *others: fibre in (None, "none") or all_given(*others),
            False,
        ),
        "lot_described": (
            ("fibre", "dye_class", "colour_index", "uv_absorber", "maker_grade"),
            lambda fibre, *others: fibre != "none" or any_given(*others),
            False,
        ),
    },
    "composition": {
        "fibre_sum": (
            ("fibre_content", "second_fibre_content"),
            lambda first, second: first is None or abs(first + (second or 0.0) - 100.0) <= 0.500000001,
            False,
        ),
        "second_fibre_named": (
            ("second_fibre_content", "second_fibre"),
            lambda content, name: not content or name is not None,
            False,
        ),
    },
    "process": {
        "dyeing_described": (
            ("coloration_route", "dyeing_temperature", "dyeing_time", "dyeing_ph"),
            lambda route, *others: route != "bath_dyed" or all_given(*others),
            False,
        ),
        "irradiance_given": (
            ("exposure_standard", "irradiance_340nm", "irradiance_300_400nm"),
            _exposed_and_given,
            False,
        ),
        "black_panel_given": (
            ("exposure_standard", "black_panel_temperature", "black_panel_temperature_dark"),
            _exposed_and_given,
            False,
        ),
        "dose_given": (("exposure_standard", "radiant_dose", "radiant_dose_300_400nm"), _exposed_and_given, False),
        "dose_is_irradiance": (
            ("radiant_dose", "irradiance_340nm", "light_time"),
            _dose(KILOJOULES_AN_HOUR),
            True,
        ),
        "dose_300_400": (
            ("radiant_dose_300_400nm", "irradiance_300_400nm", "light_time"),
            _dose(MEGAJOULES_AN_HOUR),
            True,
        ),
        "light_within_exposure": (
            ("light_time", "exposure_time"),
            lambda light, whole: bool(light <= whole),
            True,
        ),
        "conditions_of_j2412": (
            ("exposure_standard", "irradiance_340nm", "black_panel_temperature"),
            _as_j2412,
            False,
        ),
    },
    "property": {
        "colour_given": (("colour_difference", "grey_scale", "yellowness_index"), any_given, False),
        "lightness_given": (
            ("colour_difference", "lightness_difference"),
            lambda difference, lightness: difference is None or lightness is not None,
            False,
        ),
        "difference_is_norm": (
            (
                "colour_formula",
                "colour_difference",
                "lightness_difference",
                "red_green_difference",
                "yellow_blue_difference",
            ),
            _norm,
            False,
        ),
        "grey_scale_in_halves": (
            ("grey_scale",),
            lambda rating: math.isclose(2.0 * rating, round(2.0 * rating), abs_tol=1e-6, rel_tol=0.0),
            True,
        ),
    },
}
"""The record rules by stage and id."""
