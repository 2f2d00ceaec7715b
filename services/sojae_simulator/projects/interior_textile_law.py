"""The law of the simulated interior textiles: dyes fade by first order in the dose of light, absorbers shade them.

Where no source is named, a constant is set by this law so that polyester exposed for 100 to 600 hours of SAE J2412
comes to colour differences of 0.3 to 15.
- A dye fades by first order, and the slower the more of it there is, since aggregates are shaded and quenched: Giles
  and McKay, Textile Research Journal 33 (1963) 527.
- An absorber lets through, in the mean over its depth, (1 − 10^−A)/(A·ln 10) of the light: Beer and Lambert.
- Colour differences are those of CIE 1976: ΔE* = √(ΔL*² + Δa*² + Δb*²).
- Grey-scale ratings are the steps of ISO 105-A05.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from sojae_simulator.arrhenius import GAS_CONSTANT, ZERO_CELSIUS, arrhenius
from sojae_simulator.design import Design, number, word


class Chromophore(NamedTuple):
    """How fast a dye fades, in m²·nm/kJ at the reference conditions, and how its shade moves, as ΔL*, Δa*, Δb*."""

    rate: float
    shift: tuple[float, float, float]


CHROMOPHORES: Mapping[str, Chromophore] = {
    "anthraquinone": Chromophore(4.0e-4, (0.75, -0.25, 0.61)),
    "benzodifuranone": Chromophore(6.0e-4, (0.70, -0.65, -0.30)),
    "quinophthalone": Chromophore(7.0e-4, (0.35, 0.10, -0.93)),
    "azo": Chromophore(9.0e-4, (0.80, -0.55, 0.24)),
}
"""Azo dyes fade fastest, anthraquinones slowest; the rates are set by this law."""

FADING_ENERGY, REFERENCE_CELSIUS = 25_000.0, 89.0
"""J/mol of photofading, whose light step needs no heat, and the black panel of SAE J2412."""
CONCENTRATION_EXPONENT = -0.35
ABSORBANCE = 0.9
"""Absorbance of 1 % absorber on weight of fibre, in the depth of the dye."""
DEPTH, DEPTH_CONTENT = 32.0, 1.5
"""Colour difference between a deep shade and the bare fibre, and the dye (% owf) that gives 63 % of it."""
RING_DYED_CELSIUS, RING_WIDTH = 118.0, 5.0
"""Dyeing below it leaves the dye near the surface, where it fades up to half as fast again; how sharply."""
YELLOWING, YELLOWING_RATE = 3.0, 5.0e-4
"""Δb* of a fibre that has yellowed fully, and m²·nm/kJ."""
WEAKENING_RATE = 2.2e-4
"""Chain cuts in m²·nm/kJ that take a share e⁻¹ of the strength: polyester without absorber."""

GREY_STEPS: tuple[tuple[float, float], ...] = (
    (0.40, 5.0), (1.25, 4.5), (2.10, 4.0), (2.95, 3.5), (4.10, 3.0), (5.80, 2.5), (8.20, 2.0), (11.60, 1.5),
)  # fmt: skip
"""Colour difference below which each rating is given, ISO 105-A05; from 11.60 on it is 1."""

DEFAULTS: Mapping[str, object] = {
    "raw__chromophore": "anthraquinone",
    "composition__titanium_dioxide_content": 0.3,
    "raw__recycled_content": 0.0,
    "composition__dye_content": 1.0,
    "composition__uv_absorber_content": 0.0,
    "process__dyeing_temperature": 130.0,
    "process__dyeing_time": 45.0,
    "process__black_panel_temperature": 89.0,
    "process__chamber_humidity": 50.0,
    "process__radiant_dose": 600.0,
}
"""What stands in where a design leaves a value out; `property__radiant_dose_at_reading` is the dose where given."""


def textile_property(design: Design) -> dict[str, float]:
    """Return the noiseless properties of an exposed textile, each under its template field's name and in its unit.

    `design` has the columns of the materials view that `DEFAULTS` lists. The colour difference is exactly the root of
    the three squares, the rating exactly that of the colour difference.
    """
    lightness, red_green, yellow_blue = shade_shift(design)
    difference = math.sqrt(lightness**2 + red_green**2 + yellow_blue**2)
    return {
        "colour_difference": difference,
        "lightness_difference": lightness,
        "red_green_difference": red_green,
        "yellow_blue_difference": yellow_blue,
        "grey_scale": grey_scale(difference),
        "strength_retention": strength_retention(design),
    }


def dose(design: Design) -> float:
    """Return the radiant exposure at 340 nm in kJ/(m²·nm) up to the reading, else up to the end of the exposure."""
    given = design.get("property__radiant_dose_at_reading")
    return float(str(given)) if given is not None else number(design, DEFAULTS, "process__radiant_dose")


def let_through(design: Design) -> float:
    """Return the share of the light that the absorber leaves to the dye: 1 without any, (1 − 10^−A)/(A·ln 10)."""
    absorbance = ABSORBANCE * number(design, DEFAULTS, "composition__uv_absorber_content")
    exponent = absorbance * math.log(10.0)
    return 1.0 if exponent < 1e-9 else -math.expm1(-exponent) / exponent


def faded_share(design: Design) -> float:
    """Return the share of the dye that light has destroyed: 1 − exp(−k·H).

    k rises with the black panel's temperature (Arrhenius), with humidity and with titanium dioxide, and falls with
    dye content and penetration: hotter and longer dyeing carries the dye from the surface into the fibre.
    """
    return -math.expm1(-fading_rate(design) * let_through(design) * dose(design))


def fading_rate(design: Design) -> float:
    """Return the rate of fading k in m²·nm/kJ, unshaded."""
    kelvin = number(design, DEFAULTS, "process__black_panel_temperature") + ZERO_CELSIUS
    hotter = arrhenius(FADING_ENERGY / GAS_CONSTANT, kelvin, REFERENCE_CELSIUS + ZERO_CELSIUS)
    wetter = 1.0 + 0.006 * (number(design, DEFAULTS, "process__chamber_humidity") - 50.0)
    thin = math.pow(max(number(design, DEFAULTS, "composition__dye_content"), 0.01), CONCENTRATION_EXPONENT)
    celsius = number(design, DEFAULTS, "process__dyeing_temperature")
    surface = 1.0 / (1.0 + math.exp((celsius - RING_DYED_CELSIUS) / RING_WIDTH))
    ring = 1.0 + 0.5 * surface * math.pow(number(design, DEFAULTS, "process__dyeing_time") / 45.0, -0.5)
    oxidation = 1.0 + 0.3 * number(design, DEFAULTS, "composition__titanium_dioxide_content")
    return _chromophore(design).rate * hotter * wetter * thin * ring * oxidation


def shade_shift(design: Design) -> tuple[float, float, float]:
    """Return ΔL*, Δa* and Δb*: the dye's own way towards the bare fibre, and the yellowing of the fibre.

    Recycled fibre yellows up to a half more.
    """
    depth = DEPTH * -math.expm1(-number(design, DEFAULTS, "composition__dye_content") / DEPTH_CONTENT)
    moved = depth * faded_share(design)
    lightness, red_green, yellow_blue = (moved * part for part in _chromophore(design).shift)
    recycled = 1.0 + 0.005 * number(design, DEFAULTS, "raw__recycled_content")
    yellowed = YELLOWING * recycled * -math.expm1(-YELLOWING_RATE * let_through(design) * dose(design))
    return lightness, red_green, yellow_blue + yellowed


def strength_retention(design: Design) -> float:
    """Return the strength in % of that of the unexposed textile: exp(−k·H), shaded as the dye is."""
    oxidation = 1.0 + 0.3 * number(design, DEFAULTS, "composition__titanium_dioxide_content")
    recycled = 1.0 + 0.002 * number(design, DEFAULTS, "raw__recycled_content")
    return 100.0 * math.exp(-WEAKENING_RATE * oxidation * recycled * let_through(design) * dose(design))


def grey_scale(difference: float) -> float:
    """Return the grey-scale rating, 5 to 1 in steps of a half, of a colour difference."""
    return next((rating for limit, rating in GREY_STEPS if difference < limit), 1.0)


def _chromophore(design: Design) -> Chromophore:
    return CHROMOPHORES.get(word(design, DEFAULTS, "raw__chromophore"), CHROMOPHORES["anthraquinone"])
