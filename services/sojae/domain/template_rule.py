"""A template's own rules: what one record, one specimen's chain of records, or a collection of specimens must keep to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from sojae.domain.schema_reader import Reader
from sojae.domain.text import Text

Severity = Literal["hard", "warn", "info"]
COLLECTION_FORMS = ("duplicate", "spread", "monotone", "control")
Scope = Literal["record", "lineage", "collection"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far values of `of` may lie apart where the columns `within` agree: (largest − smallest) / |mean| ≤ `relative`."""

    of: str
    within: tuple[str, ...]
    relative: float


@dataclass(frozen=True, slots=True)
class Monotone:
    """Values of `of` never go against `direction` while `along` rises, among rows that agree in `within`."""

    of: str
    along: str
    within: tuple[str, ...]
    direction: Literal["rising", "falling"]


@dataclass(frozen=True, slots=True)
class Control:
    """A reference sample, told by the columns of `where`, lies within ± `within` of `reference` in the column `of`."""

    of: str
    where: Mapping[str, object]
    reference: float
    within: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a template; what breaks it is a finding, null keeps it.

    Scope record: `sql` looks at one record's fields. Scope lineage: `sql` looks at one row of the materials view. Scope
    collection has no `sql` but one of four forms: rows that agree in all columns of `duplicate`, a `spread`, a series
    that is `monotone`, a `control` chart of a reference sample.
    """

    id: str
    sql: str
    severity: Severity
    message: Text
    scope: Scope = "record"
    hard_for: tuple[str, ...] | None = None
    source: str | None = None
    duplicate: tuple[str, ...] | None = None
    spread: Spread | None = None
    monotone: Monotone | None = None
    control: Control | None = None

    @property
    def says(self) -> str:
        """What the rule looks at, as people read it: its SQL, or its form."""
        if self.duplicate is not None:
            return f"no two rows alike in {', '.join(self.duplicate)}"
        if self.spread is not None:
            return f"{self.spread.of} within {', '.join(self.spread.within)}: ± {self.spread.relative:.12g} of the mean"
        if self.monotone is not None:
            one = self.monotone
            return f"{one.of} {one.direction} along {one.along} within {', '.join(one.within)}"
        if self.control is not None:
            where = ", ".join(f"{k} = {v}" for k, v in self.control.where.items())
            return f"{self.control.of} of {where}: {self.control.reference:.12g} ± {self.control.within:.12g}"
        return self.sql


def parse_rule(source: Mapping[str, object], reader: Reader) -> Rule:
    """Return the rule that an object of the attribute `rules` describes; raises TemplateError."""
    severity = reader.text(source, "severity")
    if severity not in ("hard", "warn"):
        raise reader.error(f"severity {severity!r} of rule {source.get('id')}", "hard or warn")
    scope = source.get("scope", "record")
    if scope not in ("record", "lineage", "collection"):
        raise reader.error(f"scope {scope!r} of rule {source.get('id')}", "record, lineage or collection")
    identity = reader.text(source, "id")
    if scope != "record" and severity == "hard":
        raise reader.error(f"severity 'hard' of rule {identity} of scope {scope}", "warn: it only flags what is stored")
    forms = [name for name in ("sql", *COLLECTION_FORMS) if source.get(name) is not None]
    if len(forms) != 1 or (scope == "collection") != (forms[0] != "sql"):
        raise reader.error(
            f"{', '.join(forms) or 'nothing'} of rule {identity}",
            " or ".join(f'"{form}"' for form in COLLECTION_FORMS) if scope == "collection" else "sql",
        )
    return Rule(
        id=identity,
        sql=reader.text(source, "sql") if scope != "collection" else "",
        severity=cast("Severity", severity),
        message=reader.label(source, default=identity, key="message"),
        scope=scope,
        hard_for=reader.strings(source, "hard_for"),
        source=reader.optional_text(source, "source"),
        duplicate=reader.strings(source, "duplicate"),
        spread=_spread(source, reader),
        monotone=_monotone(source, reader),
        control=_control(source, reader),
    )


def _spread(source: Mapping[str, object], reader: Reader) -> Spread | None:
    value = source.get("spread")
    if value is None:
        return None
    relative = value.get("relative") if isinstance(value, Mapping) else None
    if (
        not isinstance(value, Mapping)
        or not isinstance(relative, int | float)
        or isinstance(relative, bool)
        or relative <= 0
    ):
        raise reader.error(
            f"spread {value!r} of rule {source.get('id')}", '{"of": COLUMN, "within": [COLUMN, …], "relative": 0.2}'
        )
    return Spread(reader.text(value, "of"), reader.strings(value, "within") or (), float(relative))


def _monotone(source: Mapping[str, object], reader: Reader) -> Monotone | None:
    value = source.get("monotone")
    if value is None:
        return None
    direction = value.get("direction") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or direction not in ("rising", "falling"):
        raise reader.error(
            f"monotone {value!r} of rule {source.get('id')}",
            '{"of": COLUMN, "along": COLUMN, "within": [COLUMN, …], "direction": "rising" or "falling"}',
        )
    within = reader.strings(value, "within") or ()
    return Monotone(reader.text(value, "of"), reader.text(value, "along"), within, direction)


def _control(source: Mapping[str, object], reader: Reader) -> Control | None:
    value = source.get("control")
    if value is None:
        return None
    where = value.get("where") if isinstance(value, Mapping) else None
    numbers = [value.get(k) if isinstance(value, Mapping) else None for k in ("reference", "within")]
    if (
        not isinstance(value, Mapping)
        or not isinstance(where, Mapping)
        or not where
        or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
        or cast("float", numbers[1]) <= 0
    ):
        raise reader.error(
            f"control {value!r} of rule {source.get('id')}",
            '{"of": COLUMN, "where": {COLUMN: VALUE}, "reference": NUMBER, "within": NUMBER above 0}',
        )
    return Control(
        reader.text(value, "of"), dict(where), float(cast("float", numbers[0])), float(cast("float", numbers[1]))
    )
