"""The law of the simulated hydrogen catalysts: a full cell that evolves hydrogen on an alloy, against a fixed anode.

Constants and their sources; where none is named, a constant is proposed by this law so that ordinary recipes need 1.6 to
2.4 V at 50 to 200 mA/cm2.
- Reversible voltage of water and its slope with temperature: de Bethune et al., Journal of the Electrochemical Society
  106 (1959) 616.
- Free energies of adsorbed hydrogen and the volcano of exchange currents: Nørskov et al., Journal of the Electrochemical
  Society 152 (2005) J23.
- Overpotential by Tafel with a transfer coefficient of one half, the slow step taking one electron: Bard and Faulkner,
  Electrochemical Methods (2001).
- The anode is nickel-iron with 0.249 V at 10 mA/cm2, the reference sample of the property template.
"""

import math
from collections.abc import Mapping

from sojae_simulator.arrhenius import GAS_CONSTANT, ZERO_CELSIUS, arrhenius
from sojae_simulator.design import Design, number

FARADAY = 96_485.33212
REVERSIBLE, REVERSIBLE_SLOPE, REFERENCE_CELSIUS = 1.229, -0.000846, 25.0
"""V at 25 °C, and V/K."""
BINDING = {"Ni": -0.27, "Mo": -0.36, "Co": -0.27, "Pt": -0.09, "Cu": 0.19, "Fe": -0.30}
"""Free energy of adsorbed hydrogen in eV; that of iron is proposed."""
BEST_BINDING, BINDING_WIDTH = -0.09, 0.06
"""eV: the top of the volcano is where platinum is, and the exchange current falls by e in so much on both sides."""
EXCHANGE, EXCHANGE_ENERGY = 1.2, 30_000.0
"""mA/cm2 at the top with 1 mg/cm2 and 25 °C, and J/mol."""
TRANSFER = 0.5
ANODE_OVERPOTENTIAL, ANODE_CURRENT, ANODE_TAFEL = 0.249, 10.0, 0.06
"""V at so many mA/cm2, and V for each decade."""
RESISTANCE, CONDUCTANCE_GAIN = 0.9, 0.012
"""Ohm.cm2 of electrolyte and contacts at 25 °C, and by what share the cell conducts better with each K."""
COARSENING_CELSIUS, COARSENING_WIDTH = 300.0, 400.0
CROSSOVER = 2.0
"""mA/cm2 of hydrogen that is lost through the separator at 25 °C."""

DEFAULTS: Mapping[str, object] = {
    **{f"composition__el__{name}": 0.0 for name in BINDING},
    "composition__loading": 1.0,
    "process__anneal_temperature": 200.0,
    "process__anneal_time": 2.0,
    "property__current_density": 50.0,
    "property__cell_temperature": REFERENCE_CELSIUS,
}
"""What stands in where a design leaves a value out; without any metal of `BINDING` it is nickel."""


def catalyst_property(design: Design) -> dict[str, float]:
    """Return the noiseless voltage in V, the Faradaic efficiency of hydrogen in %, and the drift in mV/h.

    `design` has the columns of the materials view that `DEFAULTS` lists. The voltage is the reversible one plus the
    overpotentials of both electrodes plus the ohmic drop. The same leak costs more of a small current; the drift grows
    with the current and is slower on a thicker layer, as this law proposes.
    """
    current = number(design, DEFAULTS, "property__current_density")
    warmer = number(design, DEFAULTS, "property__cell_temperature") - REFERENCE_CELSIUS
    conductance = math.exp(CONDUCTANCE_GAIN * warmer)
    anode = ANODE_OVERPOTENTIAL + ANODE_TAFEL * math.log10(current / ANODE_CURRENT)
    loading = number(design, DEFAULTS, "composition__loading")
    return {
        "full_cell_voltage": REVERSIBLE
        + REVERSIBLE_SLOPE * warmer
        + anode
        + cathode_overpotential(design)
        + current / 1000.0 * RESISTANCE / conductance,
        "faradaic_efficiency_h2": 100.0 * max(0.0, 1.0 - CROSSOVER * conductance / current),
        "potential_drift": (0.5 + 0.004 * current) * math.pow(loading, -0.2),
    }


def cathode_overpotential(design: Design) -> float:
    """Return the overpotential of hydrogen evolution in V by Tafel, η = R·T/(α·F)·ln(i/i₀), and none below i₀."""
    kelvin = number(design, DEFAULTS, "property__cell_temperature") + ZERO_CELSIUS
    ratio = number(design, DEFAULTS, "property__current_density") / exchange_current(design)
    return GAS_CONSTANT * kelvin / (TRANSFER * FARADAY) * max(0.0, math.log(ratio))


def exchange_current(design: Design) -> float:
    """Return the exchange current in mA/cm2 of the electrode: the volcano, its surface, and Arrhenius.

    More metal is more surface; annealing above 300 °C makes the particles coarser and their surface smaller.
    """
    loading = number(design, DEFAULTS, "composition__loading")
    above = max(0.0, number(design, DEFAULTS, "process__anneal_temperature") - COARSENING_CELSIUS) / COARSENING_WIDTH
    coarser = above * math.pow(number(design, DEFAULTS, "process__anneal_time") / 2.0, 0.3)
    surface = math.pow(loading, 0.6) * math.exp(-coarser)
    kelvin = number(design, DEFAULTS, "property__cell_temperature") + ZERO_CELSIUS
    warmer = arrhenius(EXCHANGE_ENERGY / GAS_CONSTANT, kelvin, REFERENCE_CELSIUS + ZERO_CELSIUS)
    return EXCHANGE * math.exp(-abs(binding(design) - BEST_BINDING) / BINDING_WIDTH) * surface * warmer


def binding(design: Design) -> float:
    """Return the free energy of adsorbed hydrogen in eV: the mean of the metals by at%, as this law proposes."""
    amounts = {name: number(design, DEFAULTS, f"composition__el__{name}") for name in BINDING}
    total = math.fsum(amounts.values())
    if total <= 0.0:
        return BINDING["Ni"]
    return math.fsum(BINDING[name] * amount for name, amount in amounts.items()) / total
