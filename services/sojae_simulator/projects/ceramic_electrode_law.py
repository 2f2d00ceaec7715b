"""The law of the simulated cells: peak power from an ohmic and a polarisation resistance, each with its optimum.

Where no source is named, a constant is set by this law so that ordinary recipes give what 95 protonic-ceramic cells
gave (doi:10.1039/D4TA08326A): electrolytes of 6–25 µm, 0.4–8 Ω·cm² in total, 0.04–0.6 W/cm².
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from sojae_simulator.arrhenius import BOLTZMANN_EV, GAS_CONSTANT, ZERO_CELSIUS, arrhenius
from sojae_simulator.design import Design, number, word

FARADAY = 96_485.332
REFERENCE_KELVIN = 873.15

CONDUCTIVITY, CONDUCTION_ENERGY = 0.012, 0.42
"""S/cm at 600 °C and eV: order of Ba(Zr,Ce,Y,Yb)O3 in wet gas, Yang et al., Science 326 (2009) 126."""
POLARISATION, POLARISATION_ENERGY = 0.55, 0.95
"""Ω·cm² at 600 °C and at all optima, and eV; the observed energies are 0.53–1.34 eV (doi:10.1039/D4TA08326A)."""
CONTACT = 0.22
"""Ω·cm² of current collection, at 3 g/m³ absolute humidity."""
SPRAY_YIELD = 3.5
"""µm of dense electrolyte a layer at 1 mL/min over 161 cm²."""
GRAIN, GRAIN_ENERGY = 7.0, 150_000.0
"""µm after 5 h at 1,475 °C from powder of 1.1 µm, and J/mol of d: a third of that of d³."""


class Positrode(NamedTuple):
    """What a positrode material does to the polarisation resistance, and at which sintering temperature it is best."""

    factor: float
    best_celsius: float


POSITRODES: Mapping[str, Positrode] = {
    "PBSCF": Positrode(0.85, 920.0),
    "BCFZY": Positrode(1.0, 900.0),
    "LSCF": Positrode(1.4, 940.0),
}

DEFAULTS: Mapping[str, object] = {
    "raw__nio_particle_size": 3.0,
    "raw__electrolyte_powder_d50": 1.1,
    "composition__starch": 17.0,
    "composition__positrode_material": "BCFZY",
    "process__spray_layers": 9.0,
    "process__spray_flow_rate": 0.4,
    "process__spray_area": 161.0,
    "process__co_sinter_temperature": 1475.0,
    "process__co_sinter_time": 5.0,
    "process__absolute_humidity": 3.0,
    "process__positrode_sinter_temperature": 900.0,
    "property__test_temperature": 600.0,
}
"""What stands in where a design leaves a value out."""


def cell_property(design: Design) -> dict[str, float]:
    """Return the noiseless properties of a cell, each under its template field's name and in that field's unit.

    `design` has the columns of the materials view that `DEFAULTS` lists. Peak power is that of a linear cell,
    OCV²/4R, and the total resistance is exactly the sum of the two.
    """
    thickness, grain = electrolyte_thickness(design), grain_size(design)
    ohmic, polarisation = ohmic_resistance(design), polarisation_resistance(design)
    voltage = nernst_voltage(kelvin_at_test(design)) - leak_voltage(design)
    total = ohmic + polarisation
    return {
        "ocv": voltage,
        "peak_power_density": voltage**2 / (4.0 * total),
        "ohmic_resistance": ohmic,
        "polarisation_resistance": polarisation,
        "total_resistance": total,
        "electrolyte_thickness": thickness,
        "electrolyte_grain_size": grain,
        "thickness_to_grain_ratio": thickness / grain,
    }


def electrolyte_thickness(design: Design) -> float:
    """Return the thickness of the sintered electrolyte in µm: what was sprayed on an area."""
    sprayed = number(design, DEFAULTS, "process__spray_layers") * number(design, DEFAULTS, "process__spray_flow_rate")
    return SPRAY_YIELD * sprayed * 161.0 / number(design, DEFAULTS, "process__spray_area")


def grain_size(design: Design) -> float:
    """Return the grain size of the electrolyte in µm: finer powder stays finer, growth as t^⅓·exp(−Q/RT)."""
    kelvin = number(design, DEFAULTS, "process__co_sinter_temperature") + ZERO_CELSIUS
    hours = number(design, DEFAULTS, "process__co_sinter_time")
    hotter = arrhenius(GRAIN_ENERGY / GAS_CONSTANT, kelvin, 1475.0 + ZERO_CELSIUS)
    powder = number(design, DEFAULTS, "raw__electrolyte_powder_d50") / 1.1
    return GRAIN * powder * math.pow(hours / 5.0, 1.0 / 3.0) * hotter


def ohmic_resistance(design: Design) -> float:
    """Return the ohmic resistance in Ω·cm²: L/σ, more for fine grains and bad sintering, plus the contact.

    σ·T = A·exp(−E/kT). Each µm⁻¹ of 1/d adds 2.5 µm of blocking boundary. The best co-sintering is at 1,480 °C: below
    it pores stay, above it barium is lost.
    """
    kelvin = kelvin_at_test(design)
    conductivity = CONDUCTIVITY * REFERENCE_KELVIN / kelvin / _colder(CONDUCTION_ENERGY, kelvin)
    boundaries = 1.0 + 2.5 / grain_size(design)
    off = (number(design, DEFAULTS, "process__co_sinter_temperature") - 1480.0) / 45.0
    electrolyte = electrolyte_thickness(design) * 1e-4 / conductivity * boundaries * (1.0 + 0.25 * off**2)
    return electrolyte + CONTACT * (1.0 + 0.03 * (number(design, DEFAULTS, "process__absolute_humidity") - 3.0))


def polarisation_resistance(design: Design) -> float:
    """Return the polarisation resistance in Ω·cm²: Arrhenius, with optima of positrode sintering and pore former.

    Below its best sintering temperature a positrode does not hold together, above it the surface is lost; too little
    starch chokes the gas, too much breaks the path of the nickel; coarse NiO leaves fewer reaction sites.
    """
    name = word(design, DEFAULTS, "composition__positrode_material")
    material = POSITRODES.get(name, POSITRODES["BCFZY"])
    sinter = (number(design, DEFAULTS, "process__positrode_sinter_temperature") - material.best_celsius) / 70.0
    pores = (number(design, DEFAULTS, "composition__starch") - 17.0) / 10.0
    coarse = math.pow(number(design, DEFAULTS, "raw__nio_particle_size") / 3.0, 0.15)
    shape = (1.0 + 0.6 * sinter**2) * (1.0 + 0.25 * pores**2) * coarse
    return POLARISATION * material.factor * _colder(POLARISATION_ENERGY, kelvin_at_test(design)) * shape


def nernst_voltage(kelvin: float) -> float:
    """Return the reversible voltage in V of H2 with 3 % H2O against air.

    E = 1.253 − 2.4516e-4·T + RT/2F·ln(p(H2)·p(O2)^½/p(H2O)).
    """
    return (
        1.253 - 2.4516e-4 * kelvin + GAS_CONSTANT * kelvin / (2.0 * FARADAY) * math.log(0.97 * math.sqrt(0.21) / 0.03)
    )


def leak_voltage(design: Design) -> float:
    """Return what the open-circuit voltage lacks, in V: holes conduct, more so when it is hot and thin."""
    hot = 1.0 + (kelvin_at_test(design) - REFERENCE_KELVIN) / 300.0
    return (0.035 + 0.3 / electrolyte_thickness(design)) * hot


def kelvin_at_test(design: Design) -> float:
    """Return the temperature of the test in K."""
    return number(design, DEFAULTS, "property__test_temperature") + ZERO_CELSIUS


def _colder(energy: float, kelvin: float) -> float:
    """Return how many times more a resistance of that energy (eV) is at a temperature than at 600 °C."""
    return arrhenius(energy / BOLTZMANN_EV, REFERENCE_KELVIN, kelvin)
