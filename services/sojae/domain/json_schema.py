"""The JSON Schema of a template's values, with which any program checks a record before it is sent."""

from collections.abc import Iterator, Mapping

from sojae.domain.composition_check import ELEMENTS, MAX_COMPONENTS
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, Kind, Template
from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WHAT_IT_IS = (
    "The values of one record as a laboratory or a plant sends them. `x-usual` is flagged outside; `x-rules` and the sums of "
    "compositions are beyond JSON Schema and are judged by Sojae. Data from literature, banks and computations may lack "
    "what is required."
)
DAY = r"^\d{4}-\d{2}-\d{2}$"
MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$"
NOT_BLANK = r"\S"

Schema = dict[str, object]

_TYPES: Mapping[Kind, str] = {
    "double": "number",
    "long": "integer",
    "string": "string",
    "boolean": "boolean",
    "date": "string",
    "timestamp": "string",
    "map_double": "object",
    "map_string": "object",
    "strings": "array",
}


def json_schema(template: Template) -> Schema:
    """Return the JSON Schema (draft 2020-12) of one template version's values, as JSON values.

    What is hard for a record by itself is asserted: types, possible ranges, categories, required fields, components.
    Labels, units (UCUM), usual ranges, roles, standards, sources and rules stand in annotations that begin with `x-`.
    """
    key = template.key
    doc = str(template.schema.get("doc") or "")
    return {
        "$schema": DIALECT,
        "$id": f"urn:sojae:template:{key}",
        "title": template.label.en,
        "description": f"{doc} {WHAT_IT_IS}".strip(),
        "x-label": said(template.label),
        "x-sha256": template.sha256,
        "type": "object",
        "properties": {field.name: _field(field) for field in template.fields},
        "required": [field.name for field in template.fields if field.required],
        "additionalProperties": False,
        "x-rules": [
            {"id": r.id, "scope": r.scope, "severity": r.severity, "says": r.says, "message": said(r.message)}
            for r in template.rules
        ],
    }


def said(text: Text) -> dict[str, str]:
    """Return a text as a JSON object by language."""
    return {"ko": text.ko, "en": text.en}


def _field(field: Field) -> Schema:
    kind = _TYPES[field.kind]
    return {
        "title": field.label.en,
        **({"description": field.doc} if field.doc else {}),
        "type": kind if field.required else [kind, "null"],
        **dict(_asserted(field)),
        **({"examples": [field.example]} if field.example is not None else {}),
        **dict(_annotated(field)),
    }


def _asserted(field: Field) -> Iterator[tuple[str, object]]:
    """Yield the keywords that refuse a value which the checks refuse."""
    if field.kind in ("double", "long"):
        yield from _limits(field.hard)
    elif field.kind == "string":
        if field.one_of is not None:
            yield "enum", [*field.one_of, *([] if field.required else [None])]
        elif field.required:
            yield "pattern", NOT_BLANK
    elif field.kind == "date":
        yield from (("format", "date"), ("pattern", DAY))
    elif field.kind == "timestamp":
        yield from (("format", "date-time"), ("pattern", MOMENT))
    elif field.kind == "strings":
        yield "items", {"type": "string"}
    elif field.kind == "map_string":
        yield "additionalProperties", {"type": "string", "pattern": NOT_BLANK}
    elif field.kind == "map_double":
        yield from _amounts(field)


def _limits(bounds: Bounds | None) -> Iterator[tuple[str, object]]:
    if bounds is not None and bounds.low is not None:
        yield "minimum", bounds.low
    if bounds is not None and bounds.high is not None:
        yield "maximum", bounds.high


def _amounts(field: Field) -> Iterator[tuple[str, object]]:
    is_composition = field.quantity == "composition"
    yield "additionalProperties", {"type": "number", **({"minimum": 0} if is_composition else {})}
    yield "maxProperties", MAX_COMPONENTS
    if is_composition:
        yield "propertyNames", {"enum": list(field.one_of or sorted(ELEMENTS))}


def _annotated(field: Field) -> Iterator[tuple[str, object]]:
    """Yield what is told and refuses nothing."""
    yield "x-label", said(field.label)
    if field.unit is not None:
        yield "x-unit", field.unit
        yield "x-unit-shown", shown_unit(field.unit)
    if field.warn is not None:
        yield "x-usual", list(field.warn)
    if field.sum is not None:
        yield "x-sum", {"of": field.sum.of, "usual": field.sum.warn, "possible": field.sum.hard}
    told = ("quantity", "basis", "split_by", "role", "standard", "source")
    yield from ((f"x-{name.replace('_', '-')}", value) for name in told if (value := getattr(field, name)) is not None)
