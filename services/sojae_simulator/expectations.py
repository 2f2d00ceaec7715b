"""What an event must be judged to be, worked out in plain Python: a second opinion that shares no code with the checks.

Bounds, requirements, sums and severities are read from the template; every cross-field rule is written out here by
hand, so that a wrong expression in a template, or a wrong evaluation of it, does not confirm itself.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sojae.domain.template import Field, Template
from sojae_simulator.projects.registry import PROJECTS

Values = Mapping[str, object]
Status = Literal["accepted", "quarantined", "duplicate"]

_FORMULA = re.compile(r"(?:[A-Z][a-z]?[0-9]*\.?[0-9]*|[()]|(?<=\))[0-9.]+)+")
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


CROSS_RULES: Mapping[tuple[str, str], Mapping[str, CrossRule]] = {
    (name, stage): {rule: CrossRule(*plain) for rule, plain in rules.items()}
    for name, project in PROJECTS.items()
    for stage, rules in project.rules.items()
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
    elif isinstance(value, str) and field.quantity == "formula" and not _FORMULA.fullmatch(value):
        yield Finding("formula", field.name, "hard")


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
