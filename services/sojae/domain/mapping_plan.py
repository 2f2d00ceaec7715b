"""What a mapping file says, checked: which column becomes which field of which record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sojae.domain.errors import MappingError
from sojae.domain.spelling import near
from sojae.domain.template import Field, Template

Parse = Literal["number", "integer", "text", "boolean", "date", "formula", "list", "doi", "reference"]
PARSES: tuple[Parse, ...] = ("number", "integer", "text", "boolean", "date", "formula", "list", "doi", "reference")

Interval = Literal["low", "middle", "high"]
INTERVALS: tuple[Interval, ...] = ("low", "middle", "high")
"""Which number of a cell such as `15-25` a column takes."""

NOT_MAPPED = frozenset(
    "event_id record_id template_version institute producer epoch seq content sample_id as_reported repairs".split()
)
"""Header fields that the import makes itself, or that have a setting of their own in the mapping."""


class Templates(Protocol):
    """Where a mapping looks up the templates that it names."""

    def get(self, project: str, stage: str, version: str | None = None) -> Template:
        """Return a template, the newest version when none is named; raises TemplateError when there is none."""
        ...

    def projects(self) -> list[str]:
        """Return the projects that have at least one template."""
        ...


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """One column → one field: how its cells are read, and in which unit (a UCUM code) they are.

    `where` names rows in which the column means this field, by other columns and their words. `ends` are the fields of a
    template that take the two ends of an interval in a cell; `is_end` marks the plan of one of them.
    """

    name: str
    field: Field
    parse: Parse
    in_header: bool = False
    component: str | None = None
    unit: str | None = None
    target_unit: str | None = None
    is_difference: bool = False
    values: Mapping[str, str] | None = None
    format: str | None = None
    separator: str = ";"
    interval: Interval | None = None
    ends: tuple[Field, Field] | None = None
    is_end: bool = False
    pattern: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    nulls: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """The field, and the component where the field is a map: what a finding names."""
        return self.field.name if self.component is None else f"{self.field.name}.{self.component}"


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """One record of each row: its template, what identifies it, and the columns that fill it.

    `once`: many rows tell of the same thing (a raw lot); it is sent once.
    """

    name: str
    template: Template
    key: tuple[str, ...]
    sample_id: str | None
    once: bool
    columns: tuple[ColumnPlan, ...]
    constants: Mapping[str, object] = field(default_factory=dict)

    @property
    def slot(self) -> str:
        """What tells this record from the row's others in its record_id: the stage, and the name where it is another."""
        stage = self.template.key.stage
        return stage if self.name == stage else f"{stage}/{self.name}"


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A whole mapping; `defaults` are header fields of every event, `institute` may still be given by the caller.

    `skip` names rows that are no records, by column and its words.
    """

    where: str
    project: str
    source: str | None
    institute: str | None
    sheet: str | None
    header_row: int
    timezone: str
    defaults: Mapping[str, object]
    skip: Mapping[str, tuple[str, ...]]
    records: tuple[RecordPlan, ...]

    def named_by(self) -> frozenset[str]:
        """Return the columns by which rows are called: those of the keys and of the samples."""
        return frozenset(name for r in self.records for name in (*r.key, *([r.sample_id] if r.sample_id else [])))

    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns that a file must have, each once."""
        names: list[str] = []
        for record in self.records:
            names += [*record.key, *([record.sample_id] if record.sample_id else []), *(c.name for c in record.columns)]
            names += [name for c in record.columns for name, _ in c.where]
        return tuple(dict.fromkeys(names))


def refuse(where: str, got: str, expected: str, known: Sequence[str] = (), meant: str = "") -> MappingError:
    """Return the error that says where in the mapping file what was got, what was expected, and what comes near."""
    close = near(meant or got, known)
    en, ko = (f"; near it: {', '.join(close)}", f". 비슷한 것: {', '.join(close)}") if close else ("", "")
    return MappingError(
        en=f"{where}: got {got}, expected {expected}{en}; correct the mapping file",
        ko=f"{where}: {got}입니다. {expected}이어야 합니다{ko}. 매핑 파일을 고치십시오",
    )
