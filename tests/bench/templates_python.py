"""The same checks, one record after another in plain Python: what a validation without columns costs."""

import math
import sys
from collections.abc import Mapping

from sojae.domain.checks import shown_bounds
from sojae.domain.header import STRICT_ORIGINS
from sojae.domain.issue import Issue
from sojae.domain.template import Field, Template
from sojae.domain.template_rule import Rule, Severity
from sojae_simulator.projects.plain_rule import PlainRule

Row = Mapping[str, object]


class PlainChecks:
    """Checks records of a template of numbers and texts; its rules are those that are written out by hand."""

    def __init__(self, template: Template, rules: Mapping[str, PlainRule]) -> None:
        self._fields = template.fields
        self._rules = [(rule, *rules[rule.id]) for rule in template.rules if rule.scope == "record"]

    def check(self, row: Row, origin: str) -> list[Issue]:
        """Return the findings of one record."""
        issues: list[Issue] = []
        for field in self._fields:
            value = row[field.name]
            if value is None:
                if field.required:
                    issues.append(_required(field, origin))
            elif isinstance(value, float):
                _check_number(field, value, issues)
            elif isinstance(value, str):
                _check_text(field, value, origin, issues)
        for rule, names, passes, needs_all in self._rules:
            values = [row[name] for name in names]
            if not (needs_all and None in values) and not passes(*values):
                issues.append(_broken(rule, names, values, origin))
        return issues


class TunedChecks:
    """The same, as fast as plain Python can be made: a clean record is only compared; the others are checked again."""

    def __init__(self, plain: PlainChecks, template: Template, rules: Mapping[str, PlainRule]) -> None:
        self._plain = plain
        self._numbers = [(f.name, f.required, *_inner(f)) for f in template.fields if f.kind == "double"]
        self._texts = [(f.name, f.required, frozenset(f.one_of or ())) for f in template.fields if f.kind == "string"]
        self._rules = [rules[rule.id] for rule in template.rules if rule.scope == "record"]

    def check(self, row: Row, origin: str) -> list[Issue]:
        """Return the findings of one record."""
        return [] if self._is_clean(row) else self._plain.check(row, origin)

    def _is_clean(self, row: Row) -> bool:
        for name, required, low, high in self._numbers:
            number = row[name]
            if required if number is None else not low <= number <= high:  # type: ignore[operator]  # a number by its field
                return False
        for name, required, choices in self._texts:
            text = row[name]
            if required if text is None else (choices and text not in choices) or not text:
                return False
        for names, passes, needs_all in self._rules:
            values = [row[name] for name in names]
            if not (needs_all and None in values) and not passes(*values):
                return False
        return True


def _inner(field: Field) -> tuple[float, float]:
    """Return the range outside of which a number has a finding; infinity is outside."""
    both = [b for b in (field.warn, field.hard) if b is not None]
    lows, highs = [b.low for b in both if b.low is not None], [b.high for b in both if b.high is not None]
    return max([-sys.float_info.max, *lows]), min([sys.float_info.max, *highs])


def _check_number(field: Field, value: float, issues: list[Issue]) -> None:
    if not math.isfinite(value):
        issues.append(Issue("non_finite", "hard", field.name, repr(value), "a finite number"))
    elif field.hard is not None and not _inside(field.hard, value):
        issues.append(_range("hard_range", "hard", field, value))
    elif field.warn is not None and not _inside(field.warn, value):
        issues.append(_range("warn_range", "warn", field, value))


def _check_text(field: Field, value: str, origin: str, issues: list[Issue]) -> None:
    if field.required and not value.strip():
        issues.append(_required(field, origin))
    if field.one_of is not None and value not in field.one_of:
        issues.append(Issue("category", "hard", field.name, value[:128], ", ".join(field.one_of)))


def _inside(bounds: tuple[float | None, float | None], value: float) -> bool:
    low, high = bounds
    return (low is None or value >= low) and (high is None or value <= high)


def _required(field: Field, origin: str) -> Issue:
    severity: Severity = "hard" if origin in STRICT_ORIGINS else "warn"
    return Issue("required", severity, field.name, None, field.unit or "a value")


def _range(name: str, severity: Severity, field: Field, value: float) -> Issue:
    bounds = field.hard if severity == "hard" else field.warn
    return Issue(name, severity, field.name, format(value, ".12g"), shown_bounds(bounds, field.unit))


def _broken(rule: Rule, names: tuple[str, ...], values: list[object], origin: str) -> Issue:
    lenient = rule.severity == "hard" and rule.hard_for is not None and origin not in rule.hard_for
    got = "; ".join(
        f"{n} = {format(v, '.12g') if isinstance(v, float) else str(v)[:64]}"
        for n, v in zip(names, values, strict=True)
    )
    return Issue(rule.id, "warn" if lenient else rule.severity, ", ".join(names), got[:512], rule.sql)
