"""The record rules of the composite resins, written out by hand: a second opinion that shares no code with the checks."""

import math
from collections.abc import Mapping

from sojae_simulator.projects.plain_rule import PlainRule

CONTENTS = tuple(
    f"{name}_content"
    for name in (
        "polypropylene polyethylene abs polycarbonate pet polylactide polystyrene talc glass_fibre calcium_carbonate epdm epr "
        "other_component"
    ).split()
)


def _sum(*contents: float | None) -> bool:
    return abs(math.fsum(c for c in contents if c is not None) - 100.0) <= 0.500000001


RULES: Mapping[str, Mapping[str, PlainRule]] = {
    "raw": {
        "polymer_flows": (
            ("material", "melt_flow_rate"),
            lambda material, flow: material is None or material not in ("PP", "HDPE") or flow is not None,
            False,
        ),
    },
    "composition": {
        "mass_sum": (CONTENTS, _sum, False),
        "compatibiliser_named": (
            ("compatibiliser_content", "compatibiliser"),
            lambda content, name: not content or name is not None,
            False,
        ),
    },
    "process": {
        "mould_below_melt": (
            ("mould_temperature", "melt_temperature"),
            lambda mould, melt: bool(mould < melt),
            True,
        ),
        "drying_complete": (
            ("drying_temperature", "drying_time"),
            lambda celsius, hours: (celsius is None) == (hours is None),
            False,
        ),
    },
    "property": {
        "impact_has_method": (
            ("impact_strength", "impact_method"),
            lambda strength, method: strength is None or method is not None,
            False,
        ),
        "deflection_has_load": (
            ("heat_deflection_temperature", "heat_deflection_load"),
            lambda celsius, load: celsius is None or load is not None,
            False,
        ),
    },
}
