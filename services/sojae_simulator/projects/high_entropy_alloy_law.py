"""The law of the simulated alloys: strength from friction, grains and size mismatch, falling with temperature.

Constants and their sources
- Atomic radii in Å: Guo and Liu, Progress in Natural Science 21 (2011) 433.
- Density in g/cm³, molar mass in g/mol, Young's and shear modulus in GPa at room temperature: pure elements, handbook
  values (CRC Handbook of Chemistry and Physics).
- Friction stress in MPa: effective values of this law, of the order of those of the pure metals, set so that
  equiatomic CoCrFeMnNi has about 125 MPa together with the solid-solution term, and with `HALL_PETCH` a yield strength
  as in Otto et al., Acta Materialia 61 (2013) 5743.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from sojae_simulator.arrhenius import GAS_CONSTANT, ZERO_CELSIUS
from sojae_simulator.design import Design, number, word


class Element(NamedTuple):
    """What the law knows of one element; units in the module's docstring."""

    radius: float
    friction: float
    shear_modulus: float
    youngs_modulus: float
    density: float
    molar_mass: float


ELEMENTS: Mapping[str, Element] = {
    "Al": Element(1.432, 10.0, 26.0, 70.0, 2.70, 26.982),
    "Co": Element(1.251, 40.0, 75.0, 209.0, 8.86, 58.933),
    "Cr": Element(1.249, 110.0, 115.0, 279.0, 7.15, 51.996),
    "Fe": Element(1.241, 45.0, 82.0, 211.0, 7.87, 55.845),
    "Mn": Element(1.350, 30.0, 79.5, 198.0, 7.30, 54.938),
    "Ni": Element(1.246, 22.0, 76.0, 200.0, 8.90, 58.693),
}

HALL_PETCH = 464.0
"""MPa·µm^½, Al0.1CoCrFeNi: Yang et al., Journal of Alloys and Compounds 795 (2019) 269."""
SOLUTION_FACTOR = 0.085
"""Factor of G·δ^(4/3); gives equiatomic CoCrFeMnNi 76 MPa, the rest of its 125 MPa."""
OXYGEN_STRENGTHENING = 0.03
"""MPa per ppm of oxygen in the raw lots; set by this law."""
GROWTH_EXPONENT, GROWTH_ENERGY = 3.0, 321_700.0
"""Grain growth of CoCrFeMnNi, energy in J/mol: Liu et al., Scripta Materialia 68 (2013) 526."""
GROWTH_CONSTANT = 1.06e17
"""µm³/h; gives 8 µm after 1 h at 900 °C and 90 µm after 4 h at 1,150 °C."""
WORKED_GRAIN = {"anneal": 6.0, "wrought": 10.0, "powder": 8.0, "cast": 90.0}
"""Grain size in µm before growth and without cold reduction; set by this law."""
ROOM_KELVIN = 298.15
GRAVITY = 9.80665

DEFAULTS: Mapping[str, object] = {
    "raw__oxygen_content": 150.0,
    "process__processing_route": "anneal",
    "process__cold_reduction": 50.0,
    "process__heat_treatment_1_temperature": 1000.0,
    "process__heat_treatment_1_time": 1.0,
    "property__test_temperature": 25.0,
}
"""What stands in where a design leaves a value out; a design without a composition has no property."""


def alloy_property(design: Design) -> dict[str, float]:
    """Return the noiseless properties of an alloy, each under its template field's name and in that field's unit.

    `design` has the columns of the materials view: `composition__el__<element>` in at% (any sum above 0: it is
    normalised), and those of `DEFAULTS`. Tension and compression are alike in this law. Raises ValueError for an
    element it does not know and for an empty composition.
    """
    fractions = _fractions(design)
    kelvin = number(design, DEFAULTS, "property__test_temperature") + ZERO_CELSIUS
    grain = grain_size(design)
    at_room = _room_strength(fractions, grain, number(design, DEFAULTS, "raw__oxygen_content"))
    strength = at_room * softening(kelvin)
    return {
        "yield_strength": strength,
        "ultimate_tensile_strength": _ultimate(strength, kelvin),
        "elongation": 12.0 + 55.0 * math.exp(-strength / 450.0),
        "hardness_vickers": 3.0 * (at_room + _ultimate(at_room, ROOM_KELVIN)) / 2.0 / GRAVITY,
        "elastic_modulus": _mean(fractions, "youngs_modulus") * (1.0 - 3.5e-4 * (kelvin - ROOM_KELVIN)),
        "density": _density(fractions),
        "grain_size": grain,
    }


def grain_size(design: Design) -> float:
    """Return the grain size in µm: d³ = d0³ + k·t·exp(−Q/RT), d0 finer the more the alloy was rolled."""
    route = word(design, DEFAULTS, "process__processing_route")
    reduction = number(design, DEFAULTS, "process__cold_reduction") / 100.0
    kelvin = number(design, DEFAULTS, "process__heat_treatment_1_temperature") + ZERO_CELSIUS
    hours = number(design, DEFAULTS, "process__heat_treatment_1_time")
    start = WORKED_GRAIN.get(route, WORKED_GRAIN["anneal"]) / (1.0 + 2.0 * reduction)
    grown = GROWTH_CONSTANT * hours * math.exp(-GROWTH_ENERGY / (GAS_CONSTANT * kelvin))
    return math.pow(start**GROWTH_EXPONENT + grown, 1.0 / GROWTH_EXPONENT)


def size_mismatch(fractions: Mapping[str, float]) -> float:
    """Return δ = √Σ c·(1 − r/r̄)²: Zhang et al., Advanced Engineering Materials 10 (2008) 534."""
    mean = _mean(fractions, "radius")
    return math.sqrt(sum(c * (1.0 - ELEMENTS[e].radius / mean) ** 2 for e, c in fractions.items()))


def softening(kelvin: float) -> float:
    """Return the strength at a temperature over that at 298 K: a + b·exp(−T/C), the form of Wu et al.

    Acta Materialia 81 (2014) 428 fit it to face-centred cubic solid solutions; C = 400 K and the athermal part of a
    third at 298 K are set by this law.
    """
    return 1.0 / 3.0 + 2.0 / 3.0 * math.exp(-(kelvin - ROOM_KELVIN) / 400.0)


def _room_strength(fractions: Mapping[str, float], grain: float, oxygen_ppm: float) -> float:
    """Return the yield strength in MPa at 298 K: friction + k·d^−½ + solution + oxygen.

    The solution term is α·G·δ^(4/3), Labusch's exponent with the mismatch of the whole alloy, after Toda-Caraballo
    and Rivera-Díaz-del-Castillo, Acta Materialia 85 (2015) 14.
    """
    solution = (
        SOLUTION_FACTOR * 1000.0 * _mean(fractions, "shear_modulus") * math.pow(size_mismatch(fractions), 4.0 / 3.0)
    )
    return _mean(fractions, "friction") + HALL_PETCH / math.sqrt(grain) + solution + OXYGEN_STRENGTHENING * oxygen_ppm


def _ultimate(strength: float, kelvin: float) -> float:
    """Return the ultimate strength in MPa: work hardening adds 30 % and 380 MPa at 298 K, less when hot."""
    return 1.3 * strength + 380.0 * softening(kelvin)


def _density(fractions: Mapping[str, float]) -> float:
    """Return the density in g/cm³ by the rule of mixtures: mass of a mole over the sum of the molar volumes."""
    mass = _mean(fractions, "molar_mass")
    return mass / sum(c * ELEMENTS[e].molar_mass / ELEMENTS[e].density for e, c in fractions.items())


def _fractions(design: Design) -> dict[str, float]:
    prefix = "composition__el__"
    amounts = {k.removeprefix(prefix): float(str(design[k] or 0.0)) for k in design if k.startswith(prefix)}
    amounts = {element: amount for element, amount in amounts.items() if amount > 0}
    unknown = sorted(set(amounts) - set(ELEMENTS))
    if unknown or not amounts:
        raise ValueError(f"composition {amounts}: the law knows {', '.join(ELEMENTS)}")
    total = math.fsum(amounts.values())
    return {element: amount / total for element, amount in amounts.items()}


def _mean(fractions: Mapping[str, float], quantity: str) -> float:
    return math.fsum(c * float(getattr(ELEMENTS[e], quantity)) for e, c in fractions.items())
