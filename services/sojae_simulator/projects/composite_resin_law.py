"""The law of the simulated resins: injection-moulded polypropylene with talc, glass fibre or calcium carbonate, and EPDM.

Relations and their sources; where none is named, a constant is set by this law so that ordinary recipes give what data
sheets state: 20 % talc gives 1.05 g/cm³, 33 MPa, 2,400 MPa in bending, 129 °C at 0.455 MPa and 71 °C at 1.82 MPa.
- Stiffness of short fibres and platelets: Halpin and Kardos, Polymer Engineering and Science 16 (1976) 344.
- Elastomer particles bear nothing: the modulus is that of a solid with voids, (1 − φ)²: Gibson and Ashby, Cellular
  Solids (1997).
- Strength of a filled polymer, σ = σ₀·(1 − φ)/(1 + 2.5·φ)·exp(B·φ): Pukánszky, Composites 21 (1990) 255.
- Strength falls as the reciprocal of the length of chains: Flory, Journal of the American Chemical Society 67 (1945)
  2048; the viscosity of a melt goes with the 3.4th power of it: Fox and Flory, Journal of the American Chemical Society
  70 (1948) 2384.
- Density of a mixture: its volumes add up.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from sojae_simulator.design import Design, number, word

DENSITIES: Mapping[str, float] = {
    "polypropylene": 0.905,
    "talc": 2.75,
    "glass_fibre": 2.55,
    "calcium_carbonate": 2.71,
    "epdm": 0.87,
    "other_component": 0.905,
}
"""g/cm³, as makers' data sheets and the Handbook of Mineralogy give them; what else is in it counts as polypropylene."""


class Filler(NamedTuple):
    """What a filler does: modulus in MPa, how well it lies along the load, bonding B with and without a compatibiliser."""

    modulus: float
    aligned: float
    bonded: float
    bare: float
    brittle: float


FILLERS: Mapping[str, Filler] = {
    "talc": Filler(170_000.0, 0.5, 4.0, 3.5, 14.0),
    "glass_fibre": Filler(70_000.0, 0.85, 9.0, 5.0, 26.0),
    "calcium_carbonate": Filler(50_000.0, 1.0, 2.5, 2.0, 9.0),
}
"""E-glass has 70 GPa, a crystal of talc 170 GPa along its plane; `brittle` is what a volume of it takes off the elongation."""
CHALK_ASPECT = 2.0
"""Grains of chalk are nearly round, whatever the other filler is."""
MATRIX_MODULUS, MATRIX_STRENGTH, MATRIX_IMPACT, MATRIX_ELONGATION = 1_450.0, 33.0, 6.0, 60.0
"""MPa, MPa, kJ/m² and % of polypropylene with a melt flow rate of 12 g/10 min, 44 % of it crystalline."""
REFERENCE_FLOW, VISCOSITY_EXPONENT, CHAIN_ENDS = 12.0, 3.4, 0.12
"""g/10 min; exponent of the chain's length; share of the strength that the ends of chains cost at that flow."""
REGRIND = 1.15
"""Factor of the melt flow rate by each time that the polymer is recycled."""
SOFTENING = 58.0 / math.log(4.0)
"""K of heating over which the modulus falls to 1/e: 58 K lie between loads of 0.455 and 1.82 MPa."""
DEFLECTION, HOTTEST = 106.2, 155.0
"""°C at 0.455 MPa of unfilled polypropylene, and short of its melting, where no stiffness helps."""

DEFAULTS: Mapping[str, object] = {
    "raw__melt_flow_rate": 12.0,
    "raw__recycling_cycles": 0.0,
    "raw__aspect_ratio": 10.0,
    "composition__polypropylene_content": 100.0,
    "composition__talc_content": 0.0,
    "composition__glass_fibre_content": 0.0,
    "composition__calcium_carbonate_content": 0.0,
    "composition__epdm_content": 0.0,
    "composition__other_component_content": 0.0,
    "composition__compatibiliser": "none",
    "process__melt_temperature": 212.0,
    "process__mould_temperature": 48.0,
    "process__injection_pressure": 85.0,
    "process__screw_speed": 250.0,
    "property__impact_temperature": 23.0,
    "property__heat_deflection_load": 0.455,
}
"""What stands in where a design leaves a value out."""


def resin_property(design: Design) -> dict[str, float]:
    """Return the noiseless properties of a compound, each under its template field's name and in that field's unit.

    `design` has the columns of the materials view that `DEFAULTS` lists; contents count in proportion to their sum.
    Raises ValueError where nothing is in it.
    """
    volumes = volume_fractions(design)
    modulus = tensile_modulus(design, volumes)
    elastomer = volumes["epdm"]
    filled = sum(volumes[name] for name in FILLERS)
    lost = sum(filler.brittle * volumes[name] for name, filler in FILLERS.items())
    shorter = chain_length(design)
    return {
        "tensile_modulus": modulus,
        "flexural_modulus": 0.95 * modulus,
        "matrix_modulus": matrix_modulus(design, elastomer),
        "tensile_strength": tensile_strength(design, volumes),
        "impact_strength": impact_strength(design, volumes),
        "elongation_at_break": MATRIX_ELONGATION * shorter * (1.0 + 3.0 * elastomer) * math.exp(-lost),
        "density": density(design),
        "crystallinity": crystallinity(design),
        "heat_deflection_temperature": heat_deflection(design, modulus),
        "mould_shrinkage": 1.45
        - 2.0 * filled
        + 0.003 * (number(design, DEFAULTS, "process__mould_temperature") - 48.0)
        - 0.003 * (number(design, DEFAULTS, "process__injection_pressure") - 85.0),
    }


def density(design: Design) -> float:
    """Return the density in g/cm³: mass over volume, and volumes add up."""
    return 100.0 / math.fsum(mass / DENSITIES[name] for name, mass in mass_percent(design).items())


def mass_percent(design: Design) -> dict[str, float]:
    """Return the contents in proportion to their sum, in wt%; raises ValueError where there is none."""
    masses = {name: number(design, DEFAULTS, f"composition__{name}_content") for name in DENSITIES}
    total = math.fsum(masses.values())
    if total <= 0.0:
        raise ValueError("a compound without any content")
    return {name: 100.0 * mass / total for name, mass in masses.items()}


def volume_fractions(design: Design) -> dict[str, float]:
    """Return the share of each component in the volume; together 1."""
    whole = density(design)
    return {name: mass / 100.0 * whole / DENSITIES[name] for name, mass in mass_percent(design).items()}


def crystallinity(design: Design) -> float:
    """Return the crystallinity of the polymer in %: a warm mould gives it time, talc gives it nuclei."""
    warm = 0.05 * (number(design, DEFAULTS, "process__mould_temperature") - 48.0)
    return 43.0 + warm + 2.0 * (1.0 - math.exp(-mass_percent(design)["talc"] / 5.0))


def matrix_modulus(design: Design, elastomer: float) -> float:
    """Return the modulus of the matrix in MPa: crystals stiffen it, the volume share of elastomer bears nothing."""
    return MATRIX_MODULUS * (1.0 + 0.02 * (crystallinity(design) - 44.0)) * (1.0 - elastomer) ** 2


def tensile_modulus(design: Design, volumes: Mapping[str, float]) -> float:
    """Return the modulus in MPa of the matrix with each filler in turn, by Halpin and Tsai with ζ twice the aspect ratio.

    What is not aligned adds nothing. Fast screws break fibres and platelets.
    """
    broken = math.exp(-(number(design, DEFAULTS, "process__screw_speed") - 250.0) / 900.0)
    modulus = matrix_modulus(design, volumes["epdm"])
    for name, filler in FILLERS.items():
        aspect = number(design, DEFAULTS, "raw__aspect_ratio") if name != "calcium_carbonate" else CHALK_ASPECT
        zeta = 2.0 * max(1.0, aspect * broken)
        eta = (filler.modulus / modulus - 1.0) / (filler.modulus / modulus + zeta)
        aligned = (1.0 + zeta * eta * volumes[name]) / (1.0 - eta * volumes[name])
        modulus *= 1.0 + filler.aligned * (aligned - 1.0)
    return modulus


def chain_length(design: Design) -> float:
    """Return how long the chains are, as a share of those at 12 g/10 min: each recycling makes them shorter."""
    flow = number(design, DEFAULTS, "raw__melt_flow_rate") * math.pow(
        REGRIND, number(design, DEFAULTS, "raw__recycling_cycles")
    )
    return math.pow(flow / REFERENCE_FLOW, -1.0 / VISCOSITY_EXPONENT)


def tensile_strength(design: Design, volumes: Mapping[str, float]) -> float:
    """Return the strength in MPa: chains, then elastomer, then each filler by Pukánszky; best from a melt of 212 °C."""
    chains = (1.0 - CHAIN_ENDS / chain_length(design)) / (1.0 - CHAIN_ENDS)
    strength = MATRIX_STRENGTH * chains * (1.0 - 1.2 * volumes["epdm"])
    coupled = word(design, DEFAULTS, "composition__compatibiliser") != "none"
    for name, filler in FILLERS.items():
        bonding = filler.bonded if coupled else filler.bare
        strength *= (1.0 - volumes[name]) / (1.0 + 2.5 * volumes[name]) * math.exp(bonding * volumes[name])
    off = (number(design, DEFAULTS, "process__melt_temperature") - 212.0) / 20.0
    return strength * (1.0 - 0.06 * off**2)


def impact_strength(design: Design, volumes: Mapping[str, float]) -> float:
    """Return the notched impact strength in kJ/m²: long chains and elastomer help, fillers and cold hurt.

    Cold: polypropylene turns to glass around 0 °C, elastomer later, so what there is of it keeps more.
    """
    elastomer, minerals = volumes["epdm"], volumes["talc"] + volumes["calcium_carbonate"]
    celsius = number(design, DEFAULTS, "property__impact_temperature")
    warm = 1.0 / (1.0 + math.exp(-(celsius - 2.0) / 8.0))
    least = 0.5 + 0.3 * min(1.0, elastomer / 0.1)
    tough = math.pow(chain_length(design), 1.2) * (1.0 + 8.0 * elastomer)
    return MATRIX_IMPACT * tough * math.exp(-4.0 * minerals - volumes["glass_fibre"]) * (least + (1.0 - least) * warm)


def heat_deflection(design: Design, modulus: float) -> float:
    """Return the heat deflection temperature in °C: where the modulus has fallen to what the load asks for."""
    load = number(design, DEFAULTS, "property__heat_deflection_load")
    return min(HOTTEST, DEFLECTION + SOFTENING * (math.log(modulus / MATRIX_MODULUS) - math.log(load / 0.455)))
