"""What an event must be judged to be, worked out in plain Python: a second opinion that shares no code with the checks.

Bounds, requirements, sums and severities are read from the template; every cross-field rule is written out here by
hand, so that a wrong expression in a template, or a wrong evaluation of it, does not confirm itself.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sojae.domain.template import Field, Template

Values = Mapping[str, object]
Status = Literal["accepted", "quarantined", "duplicate"]

ORIGIN = "experiment"
"""The origin of every simulated event: what is required must be there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding that an event must get."""

    rule: str
    field: str | None
    severity: str


@dataclass(frozen=True, slots=True)
class CrossRule:
    """A rule over several fields: the fields in the order of the template's expression, and whether values pass."""

    fields: tuple[str, ...]
    passes: Callable[..., bool]
    needs_all: bool = True

    def holds(self, values: Values) -> bool:
        """Return whether the rule holds; a rule that needs all its fields holds where one is absent."""
        given = [values.get(name) for name in self.fields]
        return (self.needs_all and None in given) or self.passes(*given)


def _sum_of_negatrode(bczyyb: float, nio: float, starch: float) -> bool:
    return abs(math.fsum((bczyyb, nio, starch)) - 100.0) <= 0.500000001


def _metalloids(composition: Mapping[str, float]) -> bool:
    return math.fsum(composition.get(element, 0.0) for element in ("C", "N", "O", "B")) <= 30.0


def _steps(second: float | None, first: float | None, *later: float | None) -> bool:
    celsius = (first, second, *later)
    return all(after is None or before is not None for before, after in itertools.pairwise(celsius))


def _hours(total: float | None, *steps: float | None) -> bool:
    return total is None or abs(total - math.fsum(h for h in steps if h is not None)) <= 1.000001


def _any_given(*values: object) -> bool:
    return any(value is not None for value in values)


def _type_given(strength: object, ultimate: object, elongation: object, test_type: object) -> bool:
    return test_type is not None or not _any_given(strength, ultimate, elongation)


CROSS_RULES: Mapping[tuple[str, str], Mapping[str, CrossRule]] = {
    ("ceramic_electrode", "raw"): {},
    ("ceramic_electrode", "composition"): {
        "mass_sum": CrossRule(("bczyyb", "nio", "starch"), _sum_of_negatrode),
        "positrode_given": CrossRule(("positrode_material", "positrode_formula"), _any_given, needs_all=False),
    },
    ("ceramic_electrode", "process"): {
        "sinter_order": CrossRule(
            ("positrode_sinter_temperature", "co_sinter_temperature"), lambda positrode, cell: bool(positrode < cell)
        ),
        "wait_order": CrossRule(
            ("press_to_sinter_days", "press_to_spray_days", "spray_to_sinter_days"),
            lambda whole, first, second: abs(whole - (first + second)) <= 0.500000001,
        ),
    },
    ("ceramic_electrode", "property"): {
        "resistance_given": CrossRule(
            ("ohmic_resistance", "polarisation_resistance", "total_resistance"), _any_given, needs_all=False
        ),
        "resistance_sum": CrossRule(
            ("total_resistance", "ohmic_resistance", "polarisation_resistance"),
            lambda total, ohmic, polarisation: abs(total - (ohmic + polarisation)) <= 0.010000001,
        ),
        "thickness_grain_ratio": CrossRule(
            ("thickness_to_grain_ratio", "electrolyte_grain_size", "electrolyte_thickness"),
            lambda ratio, grain, thickness: abs(ratio * grain - thickness) <= 0.02 * thickness,
        ),
        "grain_within_thickness": CrossRule(
            ("electrolyte_grain_size", "electrolyte_thickness"), lambda grain, thickness: bool(grain <= thickness)
        ),
        "ocv_below_nernst": CrossRule(
            ("ocv", "test_temperature"), lambda volts, celsius: bool(volts <= 1.258 - 1.29e-4 * (celsius + 273.15))
        ),
    },
    ("high_entropy_alloy", "raw"): {},
    ("high_entropy_alloy", "composition"): {"is_an_alloy": CrossRule(("composition",), _metalloids)},
    ("high_entropy_alloy", "process"): {
        "steps_in_order": CrossRule(
            tuple(f"heat_treatment_{step}_temperature" for step in (2, 1, 3, 4, 5)), _steps, needs_all=False
        ),
        "total_time": CrossRule(
            ("total_heat_treatment_time", *(f"heat_treatment_{step}_time" for step in (1, 2, 3, 4, 5))),
            _hours,
            needs_all=False,
        ),
    },
    ("high_entropy_alloy", "property"): {
        "strength_given": CrossRule(("yield_strength", "ultimate_tensile_strength"), _any_given, needs_all=False),
        "test_type_given": CrossRule(
            ("yield_strength", "ultimate_tensile_strength", "elongation", "test_type"), _type_given, needs_all=False
        ),
        "yield_below_ultimate": CrossRule(
            ("yield_strength", "ultimate_tensile_strength"), lambda yielded, broke: bool(yielded <= broke)
        ),
        "plastic_below_total": CrossRule(
            ("plastic_elongation", "elongation"), lambda plastic, total: bool(plastic <= total)
        ),
    },
}
"""The record rules of the templates, by project and stage."""


def expected_findings(template: Template, values: Values) -> tuple[Finding, ...]:
    """Return every finding that the values of one experiment must get, hard ones first; none for a clean event."""
    found = [finding for field in template.fields for finding in _of_field(field, values.get(field.name))]
    cross = CROSS_RULES[template.key.project, template.key.stage]
    for rule in template.rules:
        if rule.scope == "record" and not cross[rule.id].holds(values):
            lenient = rule.hard_for is not None and ORIGIN not in rule.hard_for
            found.append(Finding(rule.id, ", ".join(cross[rule.id].fields), "warn" if lenient else rule.severity))
    return tuple(sorted(found, key=lambda finding: finding.severity != "hard"))


def expected_status(findings: tuple[Finding, ...]) -> Status:
    """Return quarantined when any finding is hard, else accepted."""
    return "quarantined" if any(finding.severity == "hard" for finding in findings) else "accepted"


def _of_field(field: Field, value: object) -> Iterator[Finding]:
    if field.required and (value is None or (isinstance(value, str) and not value.strip())):
        yield Finding("required", field.name, "hard")
    if isinstance(value, float):
        yield from _of_number(field, value)
    elif isinstance(value, Mapping) and field.quantity == "composition":
        yield from _of_sum(field, [float(str(amount)) for amount in value.values()])
    elif isinstance(value, str) and field.one_of is not None and value not in field.one_of:
        yield Finding("category", field.name, "hard")


def _of_number(field: Field, value: float) -> Iterator[Finding]:
    for bounds, finding in (
        (field.hard, Finding("hard_range", field.name, "hard")),
        (field.warn, Finding("warn_range", field.name, "warn")),
    ):
        low, high = bounds or (None, None)
        if (low is not None and value < low) or (high is not None and value > high):
            yield finding
            return


def _of_sum(field: Field, amounts: list[float]) -> Iterator[Finding]:
    if field.sum is None:
        return
    off = abs(math.fsum(amounts) - field.sum.of)
    for limit, severity in ((field.sum.hard, "hard"), (field.sum.warn, "warn")):
        # A hair of tolerance, so that sums of decimals that meet a limit exactly do not exceed it in binary.
        if limit is not None and off > limit + 1e-9 * field.sum.of:
            lenient = field.sum.hard_for is not None and ORIGIN not in field.sum.hard_for
            yield Finding("composition_sum", field.name, "warn" if lenient else severity)
            return
