"""The columns of a template's workbook: key, labels, unit, choices and note of each, for who writes it and who reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sojae.domain.checks import LOTS, shown_bounds
from sojae.domain.rules import components
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, Kind, Template
from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit, with_unit
from sojae.domain.workbook_words import (
    FORMULA_NOTE,
    HEADER_NOTES,
    KEYED,
    LOT_NOTE,
    MAP_NOTE,
    NOTED,
    NOTES,
    ROW_KEY,
    SAMPLE,
    SUM_NOTE,
)

INFO_SHEET = "sojae"
"""The sheet that says which templates the others follow; by it a workbook is known."""

LABEL_ROW, KEY_ROW, UNIT_ROW = 1, 2, 3
FIRST_ROW = 4
ERRORS = "errors"
HEADER_KEYS = tuple(HEADER_NOTES)
"""Header fields that a workbook asks for; others may be added as columns `header.<field>`."""

FORMULA_BASES = ("at", "mass")
AMOUNT_UNITS = frozenset({"%{mass}", "%{at}", "%{mol}", "%{vol}"})
"""Units of fields that say how much of one component there is."""


@dataclass(frozen=True, slots=True)
class LayoutColumn:
    """One column: `key` names the field, `unit` is as people write it, `bounds` are the possible range in that unit."""

    key: str
    label: Text
    note: Text
    kind: Kind = "string"
    unit: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    bounds: Bounds | None = None


def layout(template: Template) -> tuple[LayoutColumn, ...]:
    """Return the columns of one stage's sheet, in order: identity, the template's fields, then the header's."""
    identity = [LayoutColumn(key, KEYED[key], NOTES[key], required=key == SAMPLE) for key in (SAMPLE, ROW_KEY)]
    fields = [column for field in template.fields for column in _of_field(template, field)]
    behind = [_column(f"header.{f.name}", f, HEADER_NOTES[f.name]) for f in header_asked(template)]
    return (*identity, *fields, *behind)


def header_asked(template: Template) -> list[Field]:
    """Return the header fields that people are asked for, in the order in which they are."""
    header = {field.name: field for field in template.header_fields}
    return [header[name] for name in HEADER_KEYS if name in header]


def known_components(template: Template, field: Field) -> tuple[str, ...]:
    """Return the components of a map that the template names: its list, else its example and its rules.

    Lots are asked for what the template's compositions are made of: the components of a map, or the fields of amounts.
    """
    if field.one_of is not None:
        return field.one_of
    example = tuple(field.example) if isinstance(field.example, Mapping) else ()
    more = components(template, field.name)
    if field.name == LOTS and not example:
        more = _made_of(template)
    return tuple(dict.fromkeys(str(name) for name in (*example, *more)))


def _made_of(template: Template) -> list[str]:
    maps = [f for f in template.fields if f.quantity == "composition"]
    amounts = [f.name for f in template.fields if f.role == "input" and f.unit in AMOUNT_UNITS]
    return [name for f in maps for name in known_components(template, f)] if maps else amounts


def takes_formula(field: Field) -> bool:
    """Return whether a map may be given as one chemical formula."""
    return field.quantity == "composition" and field.basis in FORMULA_BASES and field.one_of is None


def field_note(field: Field) -> Text:
    """Return what helps to fill a field in: ranges, standard, example, source and meaning, a line each."""
    found = {
        "usual": None if field.warn is None else with_unit(shown_bounds(field.warn, None), field.unit),
        "possible": None if field.hard is None else with_unit(shown_bounds(field.hard, None), field.unit),
        "standard": field.standard,
        "example": shown_example(field.example),
        "source": field.source,
    }
    lines = {name: value for name, value in found.items() if value}
    doc = [field.doc] if field.doc else []
    ko = [
        NOTED[name].ko.format(value.replace(" to ", "~", 1) if name in ("usual", "possible") else value)
        for name, value in lines.items()
    ]
    en = [NOTED[name].en.format(value) for name, value in lines.items()]
    return Text(ko="\n".join([*ko, *doc]), en="\n".join([*en, *doc]))


def shown_example(example: object) -> str:
    """Return an example as people write it, empty for none; a map as its components and their values."""
    if example is None:
        return ""
    if isinstance(example, Mapping):
        return ", ".join(f"{name} {shown_example(value)}" for name, value in example.items())
    if isinstance(example, bool):
        return "true" if example else "false"
    return format(example, ".12g") if isinstance(example, float) else str(example)


def _of_field(template: Template, field: Field) -> Iterator[LayoutColumn]:
    if field.kind not in ("map_double", "map_string"):
        yield _column(field.name, field, field_note(field))
        return
    if takes_formula(field):
        yield LayoutColumn(field.name, field.label, _with_sum(FORMULA_NOTE, field), required=field.required)
    is_lots = field.kind == "map_string"
    note = LOT_NOTE.format(key=field.name) if is_lots else _with_sum(MAP_NOTE, field)
    for component in known_components(template, field):
        label = Text(ko=f"{field.label.ko}: {component}", en=f"{field.label.en}: {component}")
        yield LayoutColumn(
            f"{field.name}.{component}", label, note, "string" if is_lots else "double", shown_unit(field.unit)
        )


def _with_sum(note: Text, field: Field) -> Text:
    """Return the note of a map's column with what its amounts must add up to, and what is known of the map."""
    own = field_note(field)
    total = None if field.sum is None else SUM_NOTE.format(of=with_unit(f"{field.sum.of:g}", field.unit))
    said = note.format(key=field.name)
    ko = [said.ko, *([total.ko] if total else []), *([own.ko] if own.ko else [])]
    en = [said.en, *([total.en] if total else []), *([own.en] if own.en else [])]
    return Text(ko="\n".join(ko), en="\n".join(en))


def _column(key: str, field: Field, note: Text) -> LayoutColumn:
    return LayoutColumn(
        key=key,
        label=field.label,
        note=note,
        kind=field.kind,
        unit=shown_unit(field.unit),
        required=field.required,
        choices=("true", "false") if field.kind == "boolean" else field.one_of or (),
        bounds=field.hard if field.kind in ("double", "long") else None,
    )
