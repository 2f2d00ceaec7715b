"""A template's own rules: what one record, one specimen's chain of records, or a collection of specimens must keep to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from sojae.domain.schema_reader import Reader
from sojae.domain.text import Text

Severity = Literal["hard", "warn", "info"]
Scope = Literal["record", "lineage", "collection"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far values of `of` may lie apart where the columns `within` agree: (largest − smallest) / |mean| ≤ `relative`."""

    of: str
    within: tuple[str, ...]
    relative: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a template; what breaks it is a finding, null keeps it.

    Scope record: `sql` looks at one record's fields. Scope lineage: `sql` looks at one row of the materials view. Scope
    collection has no `sql` but one of two forms: rows that agree in all columns of `duplicate`, or a `spread`.
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

    @property
    def says(self) -> str:
        """What the rule looks at, as people read it: its SQL, or its form."""
        if self.duplicate is not None:
            return f"no two rows alike in {', '.join(self.duplicate)}"
        if self.spread is not None:
            return f"{self.spread.of} within {', '.join(self.spread.within)}: ± {self.spread.relative:.12g} of the mean"
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
    forms = [name for name in ("sql", "duplicate", "spread") if source.get(name) is not None]
    if len(forms) != 1 or (scope == "collection") != (forms[0] != "sql"):
        raise reader.error(
            f"{', '.join(forms) or 'nothing'} of rule {identity}",
            '"duplicate" or "spread"' if scope == "collection" else "sql",
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
