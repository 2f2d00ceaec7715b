"""What heat does to the pace of a process: Arrhenius' factor between two temperatures, and the constants that it takes."""

import math

GAS_CONSTANT = 8.314462618
"""J/(mol·K), CODATA 2018."""
BOLTZMANN_EV = 8.617333e-5
"""eV/K, CODATA 2018."""
ZERO_CELSIUS = 273.15
"""0 °C in K."""


def arrhenius(energy_kelvin: float, kelvin: float, reference_kelvin: float) -> float:
    """Return how many times faster a process is than at the reference temperature: exp(E·(1/T₀ − 1/T)).

    `energy_kelvin` is the activation energy in K: divided by the gas constant, or by Boltzmann's. Arrhenius, Zeitschrift
    für Physikalische Chemie 4 (1889) 226.
    """
    return math.exp(energy_kelvin * (1.0 / reference_kelvin - 1.0 / kelvin))
