"""The columns of a template's workbook: key, labels, unit, choices and note of each, for who writes it and who reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sojae.domain.checks import shown_bounds
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, Template
from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit

INFO_SHEET = "sojae"
"""The sheet that says which templates the others follow; by it a workbook is known."""

LABEL_ROW, KEY_ROW, UNIT_ROW = 1, 2, 3
FIRST_ROW = 4
SAMPLE, ROW_KEY, ERRORS = "sample_id", "row_key", "errors"
HEADER_KEYS = (
    "event_time", "origin", "standard", "instrument", "calibrated_on", "operator", "references", "licence", "disclosure",
    "replicate_group", "comment",
)  # fmt: skip
"""Header fields that a workbook asks for; others may be added as columns `header.<field>`."""

KEYED = {
    SAMPLE: Text(ko="시편·로트 이름", en="Sample or lot"),
    ROW_KEY: Text(ko="행 구분", en="Row key"),
}
NOTES = {
    SAMPLE: Text(
        ko="필수. 원료는 로트, 나머지는 시편의 이름. 단계마다 같은 이름을 씁니다.",
        en="Required. The lot of a raw material, else the specimen; the same name in every stage.",
    ),
    ROW_KEY: Text(
        ko="한 시편을 여러 번 측정했을 때 행을 구별하는 값 (예: 1, 2). 고친 뒤에도 바꾸지 마십시오.",
        en="Tells several rows of one sample apart, as 1, 2; keep it when you correct a row.",
    ),
}
FORMULA_NOTE = Text(
    ko="화학식 하나로 쓰거나(예: Al0.3CoCrFeNi), 옆의 성분 열에 나누어 씁니다. 성분이 더 있으면 열을 만들고 키를 {key}.<성분>으로 쓰십시오.",
    en="One formula, as Al0.3CoCrFeNi, or its amounts in the columns beside it; for another component add a column with the key "
    "{key}.<component>.",
)
MAP_NOTE = Text(
    ko="성분이 더 있으면 열을 만들고 키를 {key}.<성분>으로 쓰십시오.",
    en="For another component add a column with the key {key}.<component>.",
)
FORMULA_BASES = ("at", "mass")


@dataclass(frozen=True, slots=True)
class LayoutColumn:
    """One column: `key` names the field, `unit` is as people write it, `bounds` are the possible range in that unit."""

    key: str
    label: Text
    note: Text
    unit: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    bounds: Bounds | None = None
    is_date: bool = False


def layout(template: Template) -> tuple[LayoutColumn, ...]:
    """Return the columns of one stage's sheet, in order: identity, the template's fields, then the header's."""
    identity = [LayoutColumn(key, KEYED[key], NOTES[key], required=key == SAMPLE) for key in (SAMPLE, ROW_KEY)]
    fields = [column for field in template.fields for column in _of_field(field)]
    header = {field.name: field for field in template.header_fields}
    behind = [
        _column(f"header.{name}", header[name], required=name == "origin") for name in HEADER_KEYS if name in header
    ]
    return (*identity, *fields, *behind)


def _of_field(field: Field) -> Iterator[LayoutColumn]:
    if field.kind == "map_double":
        known = field.one_of or (tuple(field.example) if isinstance(field.example, Mapping) else ())
        if field.quantity == "composition" and field.basis in FORMULA_BASES and field.one_of is None:
            yield LayoutColumn(field.name, field.label, FORMULA_NOTE.format(key=field.name), required=field.required)
        for component in known:
            label = Text(ko=f"{field.label.ko}: {component}", en=f"{field.label.en}: {component}")
            note = MAP_NOTE.format(key=field.name)
            yield LayoutColumn(f"{field.name}.{component}", label, note, shown_unit(field.unit))
    elif field.kind != "map_string":
        yield _column(field.name, field, required=field.required)


def _column(key: str, field: Field, *, required: bool) -> LayoutColumn:
    choices = ("true", "false") if field.kind == "boolean" else field.one_of or ()
    return LayoutColumn(
        key=key,
        label=field.label,
        note=_note(field),
        unit=shown_unit(field.unit),
        required=required,
        choices=choices,
        bounds=field.hard if field.kind in ("double", "long") else None,
        is_date=field.kind in ("date", "timestamp"),
    )


def _note(field: Field) -> Text:
    parts_ko, parts_en = [], []
    if field.warn is not None:
        usual = shown_bounds(field.warn, None)
        parts_ko.append(f"보통 {usual.replace(' to ', '~')}")
        parts_en.append(f"usual {usual}")
    if field.hard is not None:
        possible = shown_bounds(field.hard, None)
        parts_ko.append(f"가능 {possible.replace(' to ', '~')}")
        parts_en.append(f"possible {possible}")
    for label, value in (
        (Text(ko="표준", en="standard"), field.standard),
        (Text(ko="예", en="example"), field.example),
    ):
        if value is not None and not isinstance(value, Mapping):
            shown = format(value, ".12g") if isinstance(value, float) else str(value)
            parts_ko.append(f"{label.ko} {shown}")
            parts_en.append(f"{label.en} {shown}")
    if field.source is not None:
        parts_ko.append(f"출처: {field.source}")
        parts_en.append(f"source: {field.source}")
    doc = [field.doc] if field.doc else []
    return Text(ko="\n".join([*parts_ko, *doc]), en="\n".join([*parts_en, *doc]))
