"""How people write units, and the UCUM code that each spelling stands for; nothing outside this table is guessed."""

SPELLINGS: dict[str, tuple[str, ...]] = {
    # temperature: a bare C is the coulomb and a bare F the farad, so neither is taken for a degree
    "Cel": ("degC", "deg C", "°C", "℃", "° C", "oC", "Celsius", "celsius", "섭씨"),
    "K": ("kelvin", "Kelvin", "켈빈"),
    "[degF]": ("degF", "deg F", "°F", "℉", "Fahrenheit", "화씨"),
    # length, area, volume, mass
    "um": ("µm", "μm", "micron", "microns", "마이크로미터"),
    "Ao": ("Å", "angstrom", "Angstrom", "Ang"),
    "[in_i]": ("in", "inch", "inches"),
    "cm2": ("sq cm", "cm^2"),
    "L": ("l", "liter", "litre"),
    "ug": ("µg", "μg"),
    # time
    "s": ("sec", "second", "seconds", "초"),
    "min": ("mins", "minute", "minutes", "분"),
    "h": ("hr", "hrs", "hour", "hours", "시간"),
    "d": ("day", "days", "일"),
    "/min": ("rpm", "RPM", "1/min"),
    # a rate is a difference over time, so it is told in kelvin
    "K/min": ("°C/min", "℃/min", "degC/min", "deg C/min"),
    "K/h": ("°C/h", "℃/h", "degC/h", "°C/hr"),
    "K/s": ("°C/s", "℃/s", "degC/s"),
    # pressure and strength
    "[psi]": ("psi",),
    "10*3.[psi]": ("ksi",),
    "mm[Hg]": ("mmHg", "Torr", "torr"),
    "10*-3.mm[Hg]": ("mTorr", "mtorr"),
    # the grammar would read m1/2 as half a metre
    "MPa.m0.5": (
        "MPa.m1/2",
        "MPa·m1/2",
        "MPa·m^1/2",
        "MPa.m^0.5",
        "MPa·m^0.5",
        "MPa m^0.5",
        "MPa·m½",
        "MPa√m",
        "MPa·√m",
        "MPa m1/2",
    ),
    "N/mm2": ("N/mm^2",),
    # fractions: weight, atom, mole and volume percent are different quantities
    "%": ("percent", "퍼센트"),
    "%{mass}": ("wt%", "wt.%", "wt %", "wt. %", "weight%", "weight %", "mass%", "mass %", "w/w%", "질량%", "중량%"),
    "%{at}": ("at%", "at.%", "at %", "at. %", "atomic%", "atomic %", "원자%"),
    "%{mol}": ("mol%", "mol.%", "mol %", "mole%", "mole %", "몰%"),
    "%{vol}": ("vol%", "vol.%", "vol %", "volume%", "volume %", "v/v%", "부피%"),
    "%{w/v}": ("w/v%", "% w/v", "w/v %", "%w/v"),
    "%{RH}": ("%RH", "RH%", "% RH"),
    "%{phr}": ("phr", "PHR"),
    "[pH]": ("pH",),
    "g/(10.min)": ("g/10 min", "g/10min"),
    "kg{CO2e}/kg": ("kg CO₂e/kg", "kgCO2e/kg", "kg CO2e/kg", "kgCO₂e/kg"),
    "{KRW}/kg": ("KRW/kg", "원/kg"),
    "[ppm]": ("ppm",),
    "[ppb]": ("ppb",),
    "[ppm]/K": ("ppm/K", "ppm/°C", "ppm/℃"),
    "[ppm]{mass}": ("wppm", "ppmw", "ppm wt", "wt ppm", "mass ppm"),
    "[ppm]{at}": ("appm", "at ppm"),
    "[ppm]{vol}": ("vppm", "ppmv"),
    "1{mass}": ("mass fraction", "weight fraction", "wt fraction"),
    "1{at}": ("atomic fraction", "at fraction"),
    "1{mol}": ("mole fraction", "mol fraction"),
    "1{vol}": ("volume fraction", "vol fraction"),
    # numbers without a unit; a hardness scale belongs to the field, not to the unit
    "1": ("", "-", "none", "None", "dimensionless", "unitless", "HV", "Hv", "HRC", "무차원"),
    # electricity, flow, density
    "Ohm": ("ohm", "ohms", "Ω"),
    "L/min": ("SLPM", "slpm", "lpm", "LPM"),
    "mL/min": ("SCCM", "sccm", "cc/min"),
    "mL": ("cc",),
    "g/cm3": ("g/cc", "g/cm^3"),
    "mol/L": ("M", "molar"),
    "mmol/L": ("mM",),
    "C": ("coulomb",),
    "mA.h/g": ("mAh/g",),
    "mA.h": ("mAh",),
    "W.h/kg": ("Wh/kg",),
    "eV/{atom}": ("eV/atom",),
    # what stands behind the stroke is meant as a whole, which the grammar would not do; mK is the millikelvin
    "W/(m.K)": ("W/mK", "W/m·K", "W/m.K", "W/m K", "W/m-K"),
    "J/(mol.K)": ("J/molK", "J/mol·K", "J/mol.K", "J/mol K", "J/mol-K"),
    "J/(g.K)": ("J/gK", "J/g·K", "J/g.K", "J/g K", "J/g-K"),
    "J/(kg.K)": ("J/kgK", "J/kg·K", "J/kg.K", "J/kg K", "J/kg-K"),
    "[den]": ("den", "denier", "데니어"),
    "gf/[den]": ("g/den", "gf/den", "gpd"),
}
"""UCUM code → spellings that stand for it as a whole."""

SYMBOLS: dict[str, str] = {
    "Ω": "Ohm",
    "ohm": "Ohm",
    "µ": "u",
    "μ": "u",
    "²": "2",
    "³": "3",
    "⁻": "-",
    "−": "-",
    "–": "-",
    "¹": "1",
    "⁴": "4",
    "⁶": "6",
    "·": ".",
    "⋅": ".",
    "×": ".",
    "^": "",
}
"""Signs inside a unit, as `Ω·cm²` or `W/cm^2`, and how UCUM writes them; units are compared in NFC, so one Ω is enough."""

COMMON = tuple(
    "m cm mm nm kg g mg m2 m3 mL mol mmol Pa kPa MPa GPa bar N kN J kJ eV W mW W/cm2 mW/cm2 W/m2 V mV kV A mA A/cm2 mA/cm2 "
    "Ohm.cm2 Ohm.m mOhm.cm2 S/cm S/m Hz g/m3 kg/m3 mol/L m2/g mg/cm2 K/min 1/s um/s kJ/mol kgf cN/dtex ug/g mOhm.cm2/h".split()
)
"""Codes that people use most: an unknown unit is compared with these too, to name what comes near."""

PRODUCT = "*"
"""Between two units people write `Ω*cm2`; in UCUM an asterisk belongs to `10*` alone."""
