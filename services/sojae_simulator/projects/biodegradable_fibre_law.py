"""The law of the simulated fibres: melt-spun and drawn poly(L-lactide), its strength and how fast it is digested.

Constants and their sources; where none is named, a constant is set by this law so that ordinary recipes give what was
published for melt-spun polylactide: 2–4 cN/dtex, 3–4 GPa, 10–40 % elongation, and up to 30 % less molar mass.
- Orientation follows the extension of the network as affinely turned rods, Kuhn and Grün, Kolloid-Zeitschrift 101
  (1942) 248; in fibres: Ward, Structure and Properties of Oriented Polymers (1997).
- Strength falls as the reciprocal of the number-average molar mass: Flory, Journal of the American Chemical
  Society 67 (1945) 2048.
- Densities of amorphous and crystalline polylactide in g/cm³: Fischer et al., Kolloid-Zeitschrift 251 (1973) 980.
- In compost, chains are hydrolysed first and microbes digest what is shorter than 10,000 g/mol: Lunt, Polymer
  Degradation and Stability 59 (1998) 145; hydrolysis is autocatalytic, ln Mn falls linearly: Pitt et al., Biomaterials
  2 (1981) 215.
"""

import math
from collections.abc import Mapping

from sojae_simulator.arrhenius import GAS_CONSTANT, ZERO_CELSIUS, arrhenius
from sojae_simulator.design import Design, number

WATER_MOLAR_MASS = 18.015
AMORPHOUS_DENSITY, CRYSTAL_DENSITY = 1.248, 1.290
REACTED_WATER = 0.6
"""Share of the moisture that hydrolyses an ester while the polymer is molten; each molecule cuts one chain."""
SCISSIONS, SCISSION_ENERGY, SCISSION_CELSIUS = 1.2e-6, 120_000.0, 225.0
"""mol/g of thermal cuts in one passage through the extruder at 225 °C, and J/mol."""
NETWORK_SPEED = 5_000.0
"""m/min of take-up that orient as much as a draw ratio of 2."""
CRYSTALLISING_SPEED, SPEED_WIDTH = 4_000.0, 500.0
"""m/min: above it polylactide crystallises in the spin line; how sharply."""
BEST_DRAW_CELSIUS, DRAW_WIDTH = 110.0, 45.0
STRENGTH, SHORTEST_STRONG_CHAIN = 5.5, 10_000.0
"""cN/dtex of a fully oriented fibre of endless chains, and g/mol (Mn) at which it holds nothing."""
MOST_CRYSTALLINE = 60.0
DIGESTED_BELOW, HYDROLYSIS, HYDROLYSIS_ENERGY, COMPOST_CELSIUS = 10_000.0, 0.12, 80_000.0, 58.0
"""g/mol (Mn), 1/d at 58 °C of an amorphous fibre, and J/mol."""
DIGESTION, MOST_DIGESTED = 0.035, 92.0
"""1/d, and percent of the carbon that becomes carbon dioxide; the rest becomes biomass."""

DEFAULTS: Mapping[str, object] = {
    "raw__molar_mass": 140_000.0,
    "raw__polymer_moisture": 60.0,
    "raw__d_isomer": 2.0,
    "composition__nucleating_agent_content": 0.0,
    "composition__plasticiser_content": 0.0,
    "process__melt_temperature": 222.0,
    "process__spinneret_holes": 24.0,
    "process__throughput_per_hole": 1.0,
    "process__take_up_speed": 1_000.0,
    "process__draw_ratio": 3.0,
    "process__draw_temperature": 100.0,
    "property__degradation_time": 90.0,
    "property__degradation_temperature": 58.0,
}
"""What stands in where a design leaves a value out."""


def fibre_property(design: Design) -> dict[str, float]:
    """Return the noiseless properties of a fibre, each under its template field's name and in that field's unit.

    `design` has the columns of the materials view that `DEFAULTS` lists. Strength is exactly tenacity times density,
    the diameter exactly that of a round filament of this density and titre.
    """
    stretch = network_stretch(design)
    oriented, crystalline = orientation(stretch), crystallinity(design)
    rho = density(crystalline)
    chains = spun_chain_mass(design)
    titre = linear_density(design)
    softer = number(design, DEFAULTS, "composition__plasticiser_content")
    tenacity = STRENGTH * (1.0 - SHORTEST_STRONG_CHAIN / chains) * (0.15 + 0.85 * oriented) * (1.0 - 0.02 * softer)
    filament = titre / number(design, DEFAULTS, "process__spinneret_holes")
    return {
        "linear_density": titre,
        "tenacity": tenacity,
        "tensile_strength": 0.1 * rho * tenacity,
        "elastic_modulus": (2.0 + 8.0 * oriented**2 * crystalline / 100.0) * (1.0 - 0.04 * softer),
        "elongation_at_break": (8.0 + 90.0 * math.exp(-1.2 * (stretch - 1.0))) * (1.0 + 0.03 * softer),
        "fibre_density": rho,
        "crystallinity": crystalline,
        "orientation_factor": oriented,
        "molar_mass_loss": 100.0 * (1.0 - 2.0 * chains / number(design, DEFAULTS, "raw__molar_mass")),
        "fibre_diameter": 2e7 * math.sqrt(filament * 1e-6 / (math.pi * rho)),
        "biodegradation": biodegradation(design),
    }


def spun_chain_mass(design: Design) -> float:
    """Return the number-average molar mass in g/mol after the extruder: 1/Mn = 1/Mn0 + cuts per gram.

    Mn is half of Mw, as in the most probable distribution. Water and heat cut; with 60 ppm at 222 °C a fifth is lost.
    """
    kelvin = number(design, DEFAULTS, "process__melt_temperature") + ZERO_CELSIUS
    water = number(design, DEFAULTS, "raw__polymer_moisture") * 1e-6 * REACTED_WATER / WATER_MOLAR_MASS
    heat = SCISSIONS * arrhenius(SCISSION_ENERGY / GAS_CONSTANT, kelvin, SCISSION_CELSIUS + ZERO_CELSIUS)
    return 1.0 / (2.0 / number(design, DEFAULTS, "raw__molar_mass") + water + heat)


def network_stretch(design: Design) -> float:
    """Return how far the network of chains is stretched: draw ratio times what the spin line does.

    A draw roll away from its best temperature stretches less: colder, the fibre voids; hotter, the chains slip back.
    """
    off = (number(design, DEFAULTS, "process__draw_temperature") - BEST_DRAW_CELSIUS) / DRAW_WIDTH
    drawn = 1.0 + (number(design, DEFAULTS, "process__draw_ratio") - 1.0) * math.exp(-0.5 * off**2)
    return drawn * (1.0 + number(design, DEFAULTS, "process__take_up_speed") / NETWORK_SPEED)


def orientation(stretch: float) -> float:
    """Return Hermans' factor of rods that turn with the network: 0 unstretched, 1 for endless stretch.

    ⟨cos²φ⟩ = λ³/(λ³ − 1)·(1 − arctan(√(λ³ − 1))/√(λ³ − 1)), f = (3⟨cos²φ⟩ − 1)/2.
    """
    cubed = stretch**3 - 1.0
    if cubed < 1e-9:
        return 0.0
    root = math.sqrt(cubed)
    return (3.0 * (cubed + 1.0) / cubed * (1.0 - math.atan(root) / root) - 1.0) / 2.0


def crystallinity(design: Design) -> float:
    """Return the crystallinity in %: oriented chains and nuclei crystallise, D units disturb.

    Above 4,000 m/min the spin line crystallises by itself, as in high-speed spinning; the step is set by this law.
    """
    oriented = orientation(network_stretch(design))
    speed = number(design, DEFAULTS, "process__take_up_speed")
    in_line = 1.0 / (1.0 + math.exp(-(speed - CRYSTALLISING_SPEED) / SPEED_WIDTH))
    nuclei = number(design, DEFAULTS, "composition__nucleating_agent_content")
    drive = 0.15 + 1.6 * oriented**2 + 0.25 * nuclei + 0.8 * in_line
    disturbed = math.exp(-0.06 * number(design, DEFAULTS, "raw__d_isomer"))
    return MOST_CRYSTALLINE * disturbed * (1.0 - math.exp(-drive))


def density(crystalline: float) -> float:
    """Return the density in g/cm³ of two phases, 1/ρ = X/ρc + (1 − X)/ρa, from the crystallinity in %."""
    share = crystalline / 100.0
    return 1.0 / (share / CRYSTAL_DENSITY + (1.0 - share) / AMORPHOUS_DENSITY)


def linear_density(design: Design) -> float:
    """Return the titre in dtex: mass per time of all holes over length per time, 1 g/m being 10,000 dtex."""
    mass = number(design, DEFAULTS, "process__throughput_per_hole") * number(
        design, DEFAULTS, "process__spinneret_holes"
    )
    length = number(design, DEFAULTS, "process__take_up_speed") * number(design, DEFAULTS, "process__draw_ratio")
    return 1e4 * mass / length


def biodegradation(design: Design) -> float:
    """Return the biodegradation in %: none until hydrolysis has cut the chains to 10,000 g/mol, then first order.

    Crystals keep water out: both rates fall with the crystallinity.
    """
    kelvin = number(design, DEFAULTS, "property__degradation_temperature") + ZERO_CELSIUS
    warmer = arrhenius(HYDROLYSIS_ENERGY / GAS_CONSTANT, kelvin, COMPOST_CELSIUS + ZERO_CELSIUS)
    open_to_water = 1.0 - 0.7 * crystallinity(design) / 100.0
    lag = max(0.0, math.log(spun_chain_mass(design) / DIGESTED_BELOW)) / (HYDROLYSIS * warmer * open_to_water)
    digesting = max(0.0, number(design, DEFAULTS, "property__degradation_time") - lag)
    return MOST_DIGESTED * (1.0 - math.exp(-DIGESTION * warmer * open_to_water * digesting))
