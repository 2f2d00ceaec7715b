"""Wrong values as people and programs produce them: a unit not converted, a digit in the wrong place, a gap."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sojae.domain.template import Field, Template
from sojae_simulator.projects.high_entropy_alloy_law import ELEMENTS

Values = Mapping[str, object]
Conversion = Callable[[float], float]


def _times(factor: float) -> Conversion:
    return lambda value: value * factor


MISTAKEN_UNITS: Mapping[str, Mapping[str, Conversion]] = {
    "Cel": {"K": lambda celsius: celsius + 273.15, "[degF]": lambda celsius: 1.8 * celsius + 32.0},
    "h": {"min": _times(60.0), "s": _times(3600.0)},
    "d": {"h": _times(24.0)},
    "um": {"nm": _times(1e3), "mm": _times(1e-3)},
    "mL/min": {"L/min": _times(1e-3)},
    "L/min": {"mL/min": _times(1e3)},
    "W": {"mW": _times(1e3)},
    "cm2": {"mm2": _times(100.0)},
    "g/m3": {"kg/m3": _times(1e-3)},
    "MPa": {"GPa": _times(1e-3), "[psi]": _times(145.038), "kgf/mm2": _times(1.0 / 9.80665)},
    "GPa": {"MPa": _times(1e3)},
    "g/cm3": {"kg/m3": _times(1e3)},
    "V": {"mV": _times(1e3)},
    "W/cm2": {"mW/cm2": _times(1e3)},
    "Ohm.cm2": {"mOhm.cm2": _times(1e3), "Ohm.m2": _times(1e-4)},
    "1/s": {"1/min": _times(60.0)},
    "[ppm]{mass}": {"%{mass}": _times(1e-4)},
    "%": {"1": _times(0.01)},
    "%{mass}": {"1": _times(0.01)},
    "%{mol}": {"1": _times(0.01)},
    "N": {"kgf": _times(1.0 / 9.80665)},
}
"""For each unit of a template, units that a value may have been left in: what is then sent of a value."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One wrong value: what it was, what is sent, and how it came about."""

    field: str
    variant: str
    original: object
    sent: object

    def applied(self, values: Values) -> dict[str, object]:
        """Return the values with the wrong one in its place."""
        return {**values, self.field: self.sent}


def wrong_units(template: Template, values: Values) -> list[Slip]:
    """Return every way to send one value of an event in a mistaken unit."""
    slips = []
    for field, value in _numbers(template, values):
        for unit, convert in MISTAKEN_UNITS.get(field.unit or "", {}).items():
            slips.append(Slip(field.name, f"{field.unit} sent as {unit}", value, _written(convert(value))))
    for field, amounts in _maps(template, values):
        fractions = {element: _written(amount / 100.0) for element, amount in amounts.items()}
        slips.append(Slip(field.name, f"{field.unit} sent as 1", amounts, fractions))
        if set(amounts) <= set(ELEMENTS):
            slips.append(Slip(field.name, f"{field.unit} sent as %{{mass}}", amounts, _mass_percent(amounts)))
    return [slip for slip in slips if slip.sent != slip.original]


def digit_slips(template: Template, values: Values) -> list[Slip]:
    """Return every way to slip once in the digits of one number of an event."""
    slips = []
    for field, value in _numbers(template, values):
        slips += [Slip(field.name, variant, value, sent) for variant, sent in _slipped(value)]
    for field, amounts in _maps(template, values):
        for element, amount in amounts.items():
            slips += [
                Slip(field.name, f"{variant} of {element}", amounts, {**amounts, element: sent})
                for variant, sent in _slipped(amount)
            ]
    return slips


def gaps(template: Template, values: Values) -> list[Slip]:
    """Return every way to leave out one required value of an event."""
    return [
        Slip(field.name, "left out", values[field.name], None)
        for field in template.fields
        if field.required and values.get(field.name) is not None
    ]


def _numbers(template: Template, values: Values) -> Iterator[tuple[Field, float]]:
    for field in template.fields:
        value = values.get(field.name)
        if isinstance(value, float) and value != 0.0:
            yield field, value


def _maps(template: Template, values: Values) -> Iterator[tuple[Field, dict[str, float]]]:
    for field in template.fields:
        value = values.get(field.name)
        if field.kind == "map_double" and isinstance(value, Mapping):
            yield field, {str(component): float(amount) for component, amount in value.items()}


def _slipped(value: float) -> Iterator[tuple[str, float]]:
    yield "point one place to the right", _written(value * 10.0)
    yield "point one place to the left", _written(value / 10.0)
    digits = format(value, "f").rstrip("0").rstrip(".")
    for i, (first, second) in enumerate(itertools.pairwise(digits)):
        if first.isdigit() and second.isdigit() and first != second:
            yield f"{first}{second} typed as {second}{first}", float(digits[:i] + second + first + digits[i + 2 :])


def _mass_percent(amounts: Mapping[str, float]) -> dict[str, float]:
    masses = {element: amount * ELEMENTS[element].molar_mass for element, amount in amounts.items()}
    total = sum(masses.values())
    return {element: _written(100.0 * mass / total) for element, mass in masses.items()}


def _written(value: float) -> float:
    return float(format(value, ".6g"))
