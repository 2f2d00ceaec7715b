"""The Avro schema of each stage of a drafted project, ready to be edited: what was guessed stands in the attribute `draft`."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from sojae.domain.draft_columns import Column
from sojae.domain.draft_fields import DraftField
from sojae.domain.draft_plan import Draft
from sojae.domain.rules import MAX_SQL_CHARACTERS
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import HEADER_TYPE, Stage
from sojae.domain.text import Text

STAGE_LABELS: Mapping[Stage, Text] = {
    "raw": Text(ko="원료", en="Raw material"),
    "composition": Text(ko="조성", en="Composition"),
    "process": Text(ko="공정", en="Process"),
    "property": Text(ko="물성", en="Property"),
}
VERSION = "1.0"
HEADER_VERSION = "1.0"
SUM_WARN, SUM_HARD = 0.005, 0.05
"""How far a composition's sum may be off, as a part of it, when the file's own rows are nearer."""

WIDEST_HARD = 0.2
_AVRO: Mapping[str, object] = {
    "double": "double",
    "long": "long",
    "string": "string",
    "boolean": "boolean",
    "date": {"type": "int", "logicalType": "date"},
    "map_double": {"type": "map", "values": "double"},
}


@dataclass(frozen=True, slots=True)
class DraftedFrom:
    """Whose project it is, and the file it was drafted from."""

    project: str
    institute: str
    file: str
    rows: int

    @property
    def source(self) -> str:
        """Where a field's range comes from."""
        return f"seen in {self.rows} rows of {self.file}"


def schema_of(draft: Draft, stage: Stage, origin: DraftedFrom) -> dict[str, object]:
    """Return the schema of one stage, as it is written to `<project>/<stage>/1.0.avsc`."""
    label = STAGE_LABELS[stage]
    return {
        "type": "record",
        "namespace": f"sojae.{origin.project}",
        "name": stage.capitalize(),
        "project": origin.project,
        "institute": origin.institute,
        "stage": stage,
        "version": VERSION,
        "label": {"ko": label.ko, "en": label.en},
        "doc": f"Drafted from {origin.file}: correct labels, units, ranges and roles before it is published.",
        "standards": [],
        "includes": {"header": HEADER_VERSION},
        "rules": _rules(draft, origin) if stage == "composition" else [],
        "fields": [
            {"name": "header", "type": HEADER_TYPE, "label": {"ko": "공통 머리", "en": "Header"}},
            *(_field(field, origin) for field in draft.of(stage)),
        ],
    }


def written(schema: Mapping[str, object]) -> str:
    """Return a schema as text, with one line for each field and rule."""
    lines = []
    for key, value in schema.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            inner = ",\n    ".join(json.dumps(item, ensure_ascii=False) for item in value)
            lines.append(f'  "{key}": [\n    {inner}\n  ]')
        else:
            lines.append(f'  "{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def label_of(field: DraftField) -> tuple[Text, bool]:
    """Return what a field is called, and whether both languages are more than the header as it stands in the file."""
    header = field.column.header
    if field.components or (field.name == "composition" and field.kind == "map_double"):
        return STAGE_LABELS["composition"], True
    shown = " ".join(header.bare.split()) or header.typed.strip()
    if not shown:
        place = field.name.rpartition("_")[2].lstrip("0")
        return Text(ko=f"{place}번째 열", en=f"Column {place}"), False
    if header.translated:
        return Text(ko=shown, en=" ".join(header.words).capitalize()), True
    return Text(ko=shown, en=shown), False


def _field(field: DraftField, origin: DraftedFrom) -> dict[str, object]:
    label, is_translated = label_of(field)
    said: dict[str, object] = {
        "name": field.name,
        "type": ["null", _AVRO[field.kind]],
        "default": None,
        "required": field.required or None,
        "quantity": field.quantity,
        "basis": field.basis if field.kind == "map_double" else None,
        "unit": field.unit,
        "sum": _sum(field),
        "one_of": list(field.one_of) or None,
        "label": {"ko": label.ko, "en": label.en},
        "warn": _bounds(field.warn),
        "hard": _bounds(field.hard),
        "role": field.role,
        "example": _example(field),
        "source": origin.source,
        "draft": [*(() if is_translated else ("label",)), *field.doubts] or None,
    }
    return {key: value for key, value in said.items() if value is not None or key == "default"}


def _bounds(bounds: Bounds | None) -> list[float | None] | None:
    return None if bounds is None else [bounds.low, bounds.high]


def _example(field: DraftField) -> object:
    first = next((n for n in field.column.numbers if n is not None), None)
    if field.kind == "double":
        return first
    if field.kind == "long":
        return None if first is None else int(first)
    return field.one_of[0] if field.one_of else None


def _sum(field: DraftField) -> dict[str, float] | None:
    if field.total is None:
        return None
    usually, worst = field.off
    found = {"of": field.total, "warn": _up(max(SUM_WARN * field.total, usually))}
    if worst <= WIDEST_HARD * field.total:
        found["hard"] = _up(max(SUM_HARD * field.total, 1.2 * worst))
    return found


def _rules(draft: Draft, origin: DraftedFrom) -> list[dict[str, object]]:
    """Return the rule that a mixture's amounts add up, which only flags: the file alone does not say what is impossible."""
    mixture = draft.mixture
    if mixture is None or mixture.total is None:
        return []
    names = [f.name for f in draft.of("composition") if not f.components and _is_in(f.column, mixture.columns)]
    within = _up(max(SUM_WARN * mixture.total, mixture.usually_off))
    total = f"{mixture.total:.12g}"
    sql = f"abs({' + '.join(f'coalesce({name}, 0)' for name in names)} - {total}) <= {within * (1 + 1e-9):.12g}"
    if len(sql) > MAX_SQL_CHARACTERS:
        return []
    return [
        {
            "id": "amounts_sum",
            "severity": "warn",
            "scope": "record",
            "sql": sql,
            "message": {
                "ko": f"성분의 합이 {total} ± {within:.12g}이(가) 아닙니다.",
                "en": f"The amounts do not add up to {total} within {within:.12g}.",
            },
            "source": origin.source,
        }
    ]


def _is_in(column: Column, columns: tuple[Column, ...]) -> bool:
    return any(column is one for one in columns)


def _up(value: float) -> float:
    """Return a number rounded up to two digits."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(format(math.ceil(value / step - 1e-9) * step, ".6g"))
