"""The law of the simulated olefin catalysts: dehydrogenation of propane in carbon dioxide over chromium and gallium.

Constants and their sources; where none is named, a constant is proposed by this law so that ordinary recipes convert 10 to
70 % of the propane; of 227 published catalysts for this reaction the best converts 61 %.
- Equilibrium from the enthalpy and entropy of C3H8 = C3H6 + H2 near 850 K, worked out from standard values and heat
  capacities: Rossini et al., Selected Values of Physical and Thermodynamic Properties of Hydrocarbons (1953).
- Rate by Arrhenius, first order towards equilibrium: Levenspiel, Chemical Reaction Engineering (1999). The activation
  energy is proposed, within the 90 to 150 kJ/mol that are usual for chromia.
"""

import math
from collections.abc import Mapping

from sojae_simulator.arrhenius import GAS_CONSTANT, ZERO_CELSIUS, arrhenius
from sojae_simulator.design import Design, number

REACTION_ENTHALPY, REACTION_ENTROPY = 129_000.0, 138.0
"""J/mol and J/(mol·K)."""
ACTIVATION_ENERGY, COKING_ENERGY, REFERENCE_CELSIUS = 120_000.0, 100_000.0, 575.0
ACTIVE = {"chromium": 9.0, "gallium": 6.0, "zinc": 2.0}
"""Rate of each unit of mass fraction, at 575 °C and in a contact time of 0.8 s."""
SUPPORTS = {"alumina": 1.0, "silica": 0.75, "zirconia": 1.2}
"""How well a support spreads the metals."""
MONOLAYER, MONOLAYER_AREA = 0.06, 180.0
"""Mass fraction that covers so many m2/g; what comes on top only makes larger crystals."""
SINTERING_CELSIUS, SINTERING_WIDTH = 600.0, 500.0
CONTACT_SECONDS = 0.8
DEACTIVATION, BURNING_FLOW = 0.03, 6.0
"""1/h at 575 °C; more carbon dioxide than this burns half of the coke away."""

DEFAULTS: Mapping[str, object] = {
    **{f"composition__{name}_fraction": 0.0 for name in (*ACTIVE, *SUPPORTS)},
    "raw__surface_area": MONOLAYER_AREA,
    "process__calcination_temperature": SINTERING_CELSIUS,
    "process__reaction_temperature": REFERENCE_CELSIUS,
    "process__total_pressure": 1.0,
    "process__contact_time": CONTACT_SECONDS,
    "process__co2_flow": 3.0,
    "property__time_on_stream": 4.0,
}
"""What stands in where a design leaves a value out."""


def olefin_property(design: Design) -> dict[str, float]:
    """Return the noiseless conversion, selectivity, yield and coke in %, and the deactivation in %/h.

    `design` has the columns of the materials view that `DEFAULTS` lists. Selectivity falls with conversion and with
    temperature, since propene cracks; the yield is exactly X·S/100.
    """
    converted = conversion(design)
    hotter = number(design, DEFAULTS, "process__reaction_temperature") - REFERENCE_CELSIUS
    selectivity = min(95.0, max(20.0, 82.0 - 0.35 * converted - 0.12 * hotter))
    return {
        "feed_conversion": converted,
        "olefin_selectivity": selectivity,
        "olefin_yield": converted * selectivity / 100.0,
        "coke": 0.5 + 0.05 * converted * _coke_left(design),
        "deactivation_rate": 100.0 * deactivation(design),
    }


def conversion(design: Design) -> float:
    """Return the conversion of propane in %: X = Xₑ·(1 − exp(−k·τ/Xₑ)), which nears the equilibrium Xₑ."""
    limit = equilibrium(design)
    return 100.0 * limit * -math.expm1(-rate(design) / limit)


def equilibrium(design: Design) -> float:
    """Return the share of the propane that is converted in equilibrium.

    With n of carbon dioxide for one of propane, K = x²·P/((1 − x)·(1 + n + x)); that the flow is counted so is proposed,
    for its unit is not stated. Carbon dioxide only dilutes here.
    """
    kelvin = number(design, DEFAULTS, "process__reaction_temperature") + ZERO_CELSIUS
    constant = math.exp((REACTION_ENTROPY - REACTION_ENTHALPY / kelvin) / GAS_CONSTANT)
    pressure = number(design, DEFAULTS, "process__total_pressure")
    diluted = number(design, DEFAULTS, "process__co2_flow")
    square, linear, rest = pressure + constant, constant * diluted, constant * (1.0 + diluted)
    return (math.sqrt(linear**2 + 4.0 * square * rest) - linear) / (2.0 * square)


def rate(design: Design) -> float:
    """Return the rate constant times the contact time: active surface, Arrhenius, and what coke has left of it."""
    kelvin = number(design, DEFAULTS, "process__reaction_temperature") + ZERO_CELSIUS
    contact = number(design, DEFAULTS, "process__contact_time") / CONTACT_SECONDS
    alive = math.exp(-deactivation(design) * number(design, DEFAULTS, "property__time_on_stream"))
    return active_surface(design) * _hotter(ACTIVATION_ENERGY, kelvin) * contact * alive


def active_surface(design: Design) -> float:
    """Return how much active surface there is, as the rate that it gives at 575 °C in 0.8 s.

    Of each metal only about a monolayer works; the support that carries it sinters in a hot calcination.
    """
    hotter = number(design, DEFAULTS, "process__calcination_temperature") - SINTERING_CELSIUS
    area = number(design, DEFAULTS, "raw__surface_area") * math.exp(-hotter / SINTERING_WIDTH)
    covering = MONOLAYER * area / MONOLAYER_AREA
    metal = math.fsum(
        -slope * covering * math.expm1(-_fraction(design, name) / covering) for name, slope in ACTIVE.items()
    )
    return metal * math.fsum(factor * _fraction(design, name) for name, factor in SUPPORTS.items())


def deactivation(design: Design) -> float:
    """Return the share of the activity that coke takes in 1 h: more in the heat, half of it in much carbon dioxide."""
    kelvin = number(design, DEFAULTS, "process__reaction_temperature") + ZERO_CELSIUS
    return DEACTIVATION * _hotter(COKING_ENERGY, kelvin) * _coke_left(design)


def _coke_left(design: Design) -> float:
    return 0.5 if number(design, DEFAULTS, "process__co2_flow") > BURNING_FLOW else 1.0


def _fraction(design: Design, name: str) -> float:
    return number(design, DEFAULTS, f"composition__{name}_fraction")


def _hotter(energy: float, kelvin: float) -> float:
    """Return how many times faster a process of that energy (J/mol) is than at 575 °C."""
    return arrhenius(energy / GAS_CONSTANT, kelvin, REFERENCE_CELSIUS + ZERO_CELSIUS)
