"""Units as people read them: °C for `Cel`, wt% for `%{mass}`; a unit that needs no other form stands as its UCUM code."""

SHOWN: dict[str, str] = {
    "1": "",
    "Cel": "°C",
    "[degF]": "°F",
    "[in_i]": "in",
    "Ao": "Å",
    "um": "µm",
    "um/s": "µm/s",
    "ug": "µg",
    "ug/g": "µg/g",
    "m2": "m²",
    "cm2": "cm²",
    "m3": "m³",
    "m2/g": "m²/g",
    "g/m3": "g/m³",
    "kg/m3": "kg/m³",
    "g/cm3": "g/cm³",
    "N/mm2": "N/mm²",
    "W/m2": "W/m²",
    "W/cm2": "W/cm²",
    "mW/cm2": "mW/cm²",
    "A/cm2": "A/cm²",
    "mA/cm2": "mA/cm²",
    "mg/cm2": "mg/cm²",
    "Ohm": "Ω",
    "Ohm.m": "Ω·m",
    "Ohm.cm2": "Ω·cm²",
    "mOhm.cm2": "mΩ·cm²",
    "mOhm.cm2/h": "mΩ·cm²/h",
    "%{mass}": "wt%",
    "%{at}": "at%",
    "%{mol}": "mol%",
    "%{vol}": "vol%",
    "%{RH}": "%RH",
    "[ppm]{mass}": "wt ppm",
    "[ppm]{at}": "at ppm",
    "[ppm]{vol}": "vppm",
    "[psi]": "psi",
    "10*3.[psi]": "ksi",
    "mm[Hg]": "mmHg",
    "1/s": "1/s",
    "/min": "rpm",
    "%{w/v}": "w/v%",
    "[pH]": "pH",
    "g/(10.min)": "g/10 min",
    "kg{CO2e}/kg": "kg CO₂e/kg",
    "{KRW}/kg": "KRW/kg",
    "mm2": "mm²",
    "kJ/m2": "kJ/m²",
    "W/(m2.nm)": "W/(m²·nm)",
    "kJ/(m2.nm)": "kJ/(m²·nm)",
    "GOhm": "GΩ",
    "Ohm.F": "Ω·F",
    "uF": "µF",
}
"""UCUM code → how people write it; `1`, a number without a unit, is nothing."""


def shown_unit(code: str | None) -> str:
    """Return a unit as people write it, empty for none and for a number without one."""
    return "" if code is None else SHOWN.get(code, code)


def with_unit(number: str, code: str | None) -> str:
    """Return a number and its unit, `1450 °C`; the number alone where it has none."""
    unit = shown_unit(code)
    return f"{number} {unit}" if unit else number
