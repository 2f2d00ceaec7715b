"""The law of the simulated capacitors: barium titanate with core–shell grains, fired in reducing gas with nickel.

Relations and their sources; where none is named, a constant is set by this law so that ordinary recipes give an X7R part
with grains of 120–460 nm and a permittivity of 2,000–4,000.
- The shell of a grain, where additives have gone in, has a broad, low peak; core and shell mix by their volumes and the
  logarithm of their permittivities (Lichtenecker): as modelled for such grains by Dean et al., Journal of Materials
  Chemistry A 4 (2016) 6896 (doi:10.1039/c5ta09573e).
- Boundaries of low permittivity in series with the grains lower that of fine ones: Frey et al., Ferroelectrics 206 (1998)
  337. Near a diffuse peak, 1/ε = (1 + (T − Tₘ)²/2δ²)/εₘ: Uchino and Nomura, Ferroelectrics 44 (1982) 55.
- Ageing is linear in the logarithm of time: Plessner, Proceedings of the Physical Society B 69 (1956) 1261.
- Oxygen vacancies go with the oxygen pressure to the power of −1/6: Chan, Sharma and Smyth, Journal of the American
  Ceramic Society 64 (1981) 556. Finer grains insulate better: Gong et al., Journal of the European Ceramic Society 34
  (2014) 1733.
- Breakdown goes with the grain to the power of −1/2: Tunkasiri and Rujijanagul, Journal of Materials Science Letters 15
  (1996) 1767. Life goes with field⁻ⁿ·exp(E/kT): Prokopowicz and Vaskas, report ECOM-90705-F (1969).
"""

import math
from collections.abc import Mapping

from sojae_simulator.arrhenius import BOLTZMANN_EV, GAS_CONSTANT, ZERO_CELSIUS, arrhenius
from sojae_simulator.design import Design, number

VACUUM_PERMITTIVITY = 8.8541878128e-12
ROOM_CELSIUS = 25.0
GROWTH, GROWTH_ENERGY, FIRING_CELSIUS, FIRING_HOURS = 0.45, 160_000.0, 1240.0, 2.0
"""What a grain gains on its powder, and J/mol, at the temperature and after the time of an ordinary firing."""
SHELL, SHELL_ENERGY = 13.5, 120_000.0
"""nm of shell in that firing with 0.02 of rare earth and 0.02 of magnesium, and J/mol of their diffusion."""
CORE_PERMITTIVITY, BOUNDARY_PERMITTIVITY, BOUNDARY = 4_200.0, 130.0, 1.2
"""Of a core of a well-formed tetragonal powder, of the boundary; nm of boundary at each grain."""
CURIE, CURIE_RISE, CURIE_WIDTH, CORE_SLOPE = 128.0, 0.24, 25.0, 0.0004
"""°C; how much the core gains at it, little in fine grains; K to either side in which that fades to 1/e; 1/K elsewhere."""
SHELL_PERMITTIVITY, SHELL_PEAK, SHELL_WIDTH = 1_900.0, 6.0, 100.0
"""Of the shell at its peak; °C of the peak with 0.02 of rare earth; K of its width."""
AGEING = 0.02
"""What each tenfold time after de-ageing takes off the permittivity."""
LOG_RESISTIVITY = 12.1
"""Of Ω·m, in an ordinary part: 2 µm, 0.3 mm² and 300 layers have some 30 GΩ."""
BREAKDOWN = 85.0
"""kV/mm of grains of 250 nm in a layer of 2 µm."""
LIFE_HOURS, LIFE_FIELD, LIFE_CELSIUS, FIELD_EXPONENT, LIFE_ENERGY = 150.0, 20.0, 150.0, 3.0, 1.3
"""h at that field in kV/mm and that temperature; exponent of the field; eV."""

DEFAULTS: Mapping[str, object] = {
    "raw__particle_size": 150.0,
    "raw__tetragonality": 1.0085,
    "composition__a_to_b_ratio": 1.006,
    "composition__rare_earth_content": 0.02,
    "composition__magnesium_content": 0.02,
    "composition__manganese_content": 0.003,
    "composition__sintering_aid_content": 1.2,
    "process__firing_temperature": 1240.0,
    "process__firing_time": 2.0,
    "process__log_oxygen_pressure": -9.5,
    "process__reoxidation_temperature": 1000.0,
    "property__electrode_area": 0.3,
    "property__dielectric_thickness": 2.0,
    "property__layer_count": 300.0,
    "property__ageing_time": 24.0,
    "property__life_test_temperature": 150.0,
    "property__life_test_field": 20.0,
}
"""What stands in where a design leaves a value out."""


def capacitor_property(design: Design) -> dict[str, float]:
    """Return the noiseless properties of a part, each under its template field's name and in that field's unit.

    `design` has the columns of the materials view that `DEFAULTS` lists. Capacitance is exactly that of the plates, the
    RC product exactly resistance times capacitance.
    """
    grain, thickness = grain_size(design), number(design, DEFAULTS, "property__dielectric_thickness")
    decades = math.log10(max(number(design, DEFAULTS, "property__ageing_time"), 0.1) / 24.0)
    permittivity = permittivity_at(design, ROOM_CELSIUS) * (1.0 - AGEING * decades)
    resistivity = math.pow(10.0, log_resistivity(design))
    # mm² over µm is 1 m; F are 10⁶ µF, Ω are 10⁻⁹ GΩ.
    plates = number(design, DEFAULTS, "property__electrode_area") * number(design, DEFAULTS, "property__layer_count")
    capacitance = 1e6 * VACUUM_PERMITTIVITY * permittivity * plates / thickness
    insulation = 1e-9 * resistivity * thickness / plates
    return {
        "grain_size": grain,
        "relative_permittivity": permittivity,
        "dissipation_factor": 0.5 + permittivity / 2_300.0,
        "capacitance_change_minus_55": capacitance_change(design, -55.0),
        "capacitance_change_85": capacitance_change(design, 85.0),
        "capacitance_change_125": capacitance_change(design, 125.0),
        "curie_temperature": curie_temperature(design),
        "insulation_resistance": insulation,
        "capacitance": capacitance,
        "rc_product": 1_000.0 * insulation * capacitance,
        "breakdown_field": BREAKDOWN * math.sqrt(250.0 / grain) * math.pow(2.0 / thickness, 0.3),
        "mean_time_to_failure": life_hours(design),
    }


def grain_size(design: Design) -> float:
    """Return the grain in nm: the powder, and what firing makes it gain.

    Rare earth, magnesium and barium in excess hold it back, a liquid of the sintering aid lets it go on.
    """
    driven = _hotter(design, GROWTH_ENERGY) * math.pow(_firing_hours(design), 0.3)
    excess = number(design, DEFAULTS, "composition__a_to_b_ratio") - 1.006
    held = 6.0 * (additives(design) - 0.03) + 30.0 * excess
    melted = 0.25 * (number(design, DEFAULTS, "composition__sintering_aid_content") - 1.2)
    return number(design, DEFAULTS, "raw__particle_size") * (1.0 + GROWTH * driven * math.exp(melted - held))


def additives(design: Design) -> float:
    """Return the moles of what makes the shell for each mole of perovskite; magnesium counts half."""
    magnesium = number(design, DEFAULTS, "composition__magnesium_content")
    return number(design, DEFAULTS, "composition__rare_earth_content") + 0.5 * magnesium


def shell_thickness(design: Design) -> float:
    """Return the thickness of the shell in nm: additives diffuse in, with the root of time and of what there is of them."""
    diffused = math.sqrt(_hotter(design, SHELL_ENERGY) * _firing_hours(design))
    return SHELL * diffused * math.sqrt(max(additives(design), 0.0) / 0.03)


def core_share(design: Design) -> float:
    """Return the share of the cores in the volume of the grains, 0 to 1."""
    core = max(0.0, 1.0 - 2.0 * shell_thickness(design) / grain_size(design))
    return core**3


def curie_temperature(design: Design) -> float:
    """Return the Curie temperature of the cores in °C: a little lower in fine grains, higher where c/a is large."""
    stretched = number(design, DEFAULTS, "raw__tetragonality") - 1.0085
    return CURIE - 400.0 / grain_size(design) + 500.0 * stretched


def permittivity_at(design: Design, celsius: float) -> float:
    """Return the relative permittivity at a temperature, 24 h after de-ageing: core and shell, then the boundaries."""
    share = core_share(design)
    inside = share * math.log(_core(design, celsius)) + (1.0 - share) * math.log(_shell(design, celsius))
    boundary = BOUNDARY / grain_size(design)
    return 1.0 / ((1.0 - boundary) / math.exp(inside) + boundary / BOUNDARY_PERMITTIVITY)


def capacitance_change(design: Design, celsius: float) -> float:
    """Return by how many percent the capacitance differs from that at 25 °C."""
    return 100.0 * (permittivity_at(design, celsius) / permittivity_at(design, ROOM_CELSIUS) - 1.0)


def log_resistivity(design: Design) -> float:
    """Return the logarithm of the resistivity in Ω·m.

    Manganese and magnesium bind the vacancies that the firing leaves; re-oxidation fills them, best at 1,020 °C: below
    it is slow, above it the nickel begins to oxidise.
    """
    firing = (number(design, DEFAULTS, "process__log_oxygen_pressure") + 9.5) / 6.0
    bound = 0.8 * (1.0 - math.exp(-number(design, DEFAULTS, "composition__manganese_content") / 0.003)) - 0.5
    bound += 8.0 * (number(design, DEFAULTS, "composition__magnesium_content") - 0.02)
    off = (number(design, DEFAULTS, "process__reoxidation_temperature") - 1020.0) / 90.0
    return LOG_RESISTIVITY + firing + bound - 0.3 * off**2 - 0.7 * math.log10(grain_size(design) / 250.0)


def life_hours(design: Design) -> float:
    """Return the mean time to failure in h in the life test: less at a higher field and temperature, more if it insulates."""
    kelvin = number(design, DEFAULTS, "property__life_test_temperature") + ZERO_CELSIUS
    colder = arrhenius(LIFE_ENERGY / BOLTZMANN_EV, LIFE_CELSIUS + ZERO_CELSIUS, kelvin)
    weaker = math.pow(LIFE_FIELD / number(design, DEFAULTS, "property__life_test_field"), FIELD_EXPONENT)
    return LIFE_HOURS * weaker * colder * math.pow(10.0, 0.8 * (log_resistivity(design) - LOG_RESISTIVITY))


def _core(design: Design, celsius: float) -> float:
    """Return the permittivity of the core: it rises towards the Curie temperature and falls beyond it."""
    formed = 1.0 - 40.0 * max(0.0, 1.0085 - number(design, DEFAULTS, "raw__tetragonality"))
    near = CURIE_RISE * math.exp(-abs(curie_temperature(design) - celsius) / CURIE_WIDTH)
    return CORE_PERMITTIVITY * formed * (1.0 + near) * (1.0 + CORE_SLOPE * (celsius - ROOM_CELSIUS))


def _shell(design: Design, celsius: float) -> float:
    """Return the permittivity of the shell: a broad peak, lower in temperature the more rare earth is in it."""
    peak = SHELL_PEAK - 400.0 * (number(design, DEFAULTS, "composition__rare_earth_content") - 0.02)
    return SHELL_PERMITTIVITY / (1.0 + 0.5 * ((celsius - peak) / SHELL_WIDTH) ** 2)


def _hotter(design: Design, energy: float) -> float:
    """Return how many times faster a process of that energy (J/mol) is than in an ordinary firing."""
    kelvin = number(design, DEFAULTS, "process__firing_temperature") + ZERO_CELSIUS
    return arrhenius(energy / GAS_CONSTANT, kelvin, FIRING_CELSIUS + ZERO_CELSIUS)


def _firing_hours(design: Design) -> float:
    """Return the time of firing, in that of an ordinary one."""
    return number(design, DEFAULTS, "process__firing_time") / FIRING_HOURS
