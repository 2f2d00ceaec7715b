"""The record rules of the high-entropy alloys, written out by hand: a second opinion that shares no code with the checks."""

import itertools
import math
from collections.abc import Mapping

from sojae_simulator.projects.plain_rule import PlainRule, any_given


def _metalloids(composition: Mapping[str, float]) -> bool:
    return math.fsum(composition.get(element, 0.0) for element in ("C", "N", "O", "B")) <= 30.0


def _steps(second: float | None, first: float | None, *later: float | None) -> bool:
    celsius = (first, second, *later)
    return all(after is None or before is not None for before, after in itertools.pairwise(celsius))


def _hours(total: float | None, *steps: float | None) -> bool:
    return total is None or abs(total - math.fsum(h for h in steps if h is not None)) <= 1.000001


def _type_given(strength: object, ultimate: object, elongation: object, test_type: object) -> bool:
    return test_type is not None or not any_given(strength, ultimate, elongation)


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {},
    "composition": {"is_an_alloy": (("composition",), _metalloids, True)},
    "process": {
        "steps_in_order": (tuple(f"heat_treatment_{step}_temperature" for step in (2, 1, 3, 4, 5)), _steps, False),
        "total_time": (
            ("total_heat_treatment_time", *(f"heat_treatment_{step}_time" for step in (1, 2, 3, 4, 5))),
            _hours,
            False,
        ),
    },
    "property": {
        "strength_given": (("yield_strength", "ultimate_tensile_strength"), any_given, False),
        "test_type_given": (
            ("yield_strength", "ultimate_tensile_strength", "elongation", "test_type"),
            _type_given,
            False,
        ),
        "yield_below_ultimate": (
            ("yield_strength", "ultimate_tensile_strength"),
            lambda yielded, broke: bool(yielded <= broke),
            True,
        ),
        "plastic_below_total": (
            ("plastic_elongation", "elongation"),
            lambda plastic, total: bool(plastic <= total),
            True,
        ),
    },
}
