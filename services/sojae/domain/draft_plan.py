"""A draft of a project from the columns of a file: which fields of which stages, what tells rows apart, what is doubtful."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sojae.domain.draft_columns import Column
from sojae.domain.draft_fields import (
    Doubt,
    DraftField,
    composition_field,
    element_field,
    number_field,
    place_of,
    text_field,
    with_few_required,
)
from sojae.domain.draft_mixtures import TOTALS, Mixture, element_mixture, ingredient_mixture
from sojae.domain.draft_names import with_names
from sojae.domain.draft_words import DATE, RAW, says
from sojae.domain.errors import CommandError
from sojae.domain.quantity import basis_of
from sojae.domain.schema_reader import Bounds
from sojae.domain.spelling import near
from sojae.domain.template import STAGES, Stage
from sojae.domain.template_check import MAX_FIELDS

LEAST_VALUES = 3
"""How many different values a column must have to be guessed as the target."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Fields by stage, and what the mapping says beside them.

    `mixture` are ingredients with a field each whose sum is a rule. `key` are the columns that tell rows apart, `sample`
    the one that names the sample. `dropped` are columns that hold nothing.
    """

    fields: tuple[DraftField, ...]
    mixture: Mixture | None
    key: tuple[str, ...]
    sample: str | None
    references: tuple[Column, ...]
    event_time: Column | None
    dropped: tuple[str, ...]
    guessed_target: bool

    def stages(self) -> tuple[Stage, ...]:
        """Return the stages that have a field."""
        return tuple(stage for stage in STAGES if any(f.stage == stage for f in self.fields))

    def of(self, stage: Stage) -> tuple[DraftField, ...]:
        """Return the fields of a stage."""
        return tuple(f for f in self.fields if f.stage == stage)


def plan(columns: Sequence[Column], targets: Sequence[str], header_fields: Collection[str]) -> Draft:
    """Return the draft; without `targets` the last column of numbers that tells of a property is it, else the last one.

    Raises CommandError for a target that the file has not, or that is no column of numbers, and where there is none.
    """
    chosen = [_named(columns, name) for name in targets] or [_guessed(columns)]
    others = [c for c in columns if c not in chosen]
    elements = element_mixture(others)
    grouped = set() if elements is None else {c.name for c in elements.columns}
    ingredients = ingredient_mixture([c for c in others if c.name not in grouped])
    event_time = next((c for c in others if _is_time_of_event(c)), None)
    references = [c for c in others if c.kind == "reference"][:1]
    sample = next((c for c in others if c.kind == "identifier" and c.is_unique), None)
    apart = {*grouped, *(c.name for c in (event_time, sample, *references) if c is not None)}
    fields = [] if elements is None else [element_field(elements)]
    formula = next((c for c in others if c.kind == "formula"), None) if elements is None else None
    first_target = columns.index(chosen[0])
    for place, column in enumerate(columns):
        if column in chosen:
            fields.append(number_field(column, "property", "target", () if targets else ("target",)))
        elif column is formula:
            fields.append(composition_field(column))
        elif column.kind != "empty" and column.name not in apart:
            fields.append(_field(column, ingredients, is_behind=place > first_target))
    _check_sizes(fields)
    return Draft(
        fields=tuple(with_names(with_few_required(fields), header_fields)),
        mixture=ingredients,
        key=_key(columns, chosen, sample),
        sample=None if sample is None else sample.name,
        references=tuple(references),
        event_time=event_time,
        dropped=tuple(c.name for c in columns if c.kind == "empty"),
        guessed_target=not targets,
    )


def _check_sizes(fields: Sequence[DraftField]) -> None:
    """Return when no stage has more fields than a template may have; raises CommandError."""
    most = max(Counter(field.stage for field in fields).values())
    if most > MAX_FIELDS:
        raise CommandError(
            en=f"{most} columns of one stage, expected at most {MAX_FIELDS}; split the file",
            ko=f"한 단계의 열이 {most}개입니다. {MAX_FIELDS}개 이하여야 합니다. 파일을 나누십시오",
        )


def _field(column: Column, ingredients: Mixture | None, *, is_behind: bool) -> DraftField:
    """Return the field of a column that is no target; `is_behind`: it stands behind one, where measurements are."""
    if ingredients is not None and column in ingredients.columns:
        return _ingredient(column, ingredients.total)
    place = place_of(column)
    stage, role = place or (("property", "intermediate") if is_behind else ("process", "input"))
    if column.kind in ("text", "formula", "date", "reference"):
        return text_field(column, stage, "note")
    if column.kind == "identifier":
        return text_field(column, stage, "identifier")
    if not column.is_number:
        return text_field(column, stage, role)
    doubts: tuple[Doubt, ...] = ("measured",) if role == "intermediate" else () if place else ("stage",)
    return number_field(column, stage, role, doubts)


def _ingredient(column: Column, total: float | None) -> DraftField:
    """Return the field of one amount of a mixture: where all make 1 or 100, it is a share, and usually no more than all."""
    field = number_field(column, "composition", "input")
    if total not in TOTALS or field.warn is None or field.warn.high is None:
        return field
    doubts: list[Doubt] = [d for d in field.doubts if d not in ("unit", "basis")]
    if basis_of(field.unit or "1") is None:
        doubts.append("basis")
    return replace(field, warn=Bounds(field.warn.low, min(field.warn.high, total or 0.0)), doubts=tuple(doubts))


def _key(columns: Sequence[Column], chosen: Collection[Column], sample: Column | None) -> tuple[str, ...]:
    """Return the columns that tell one row from another: the sample's name, else everything that was not measured."""
    if sample is not None:
        return (sample.name,)
    told = [c for c in columns if c not in chosen and c.kind not in ("empty", "reference", "text")]
    recipe = [c for c in told if (place_of(c) or ("", ""))[1] != "intermediate"]
    return tuple(c.name for c in recipe or told or columns)


def _is_time_of_event(column: Column) -> bool:
    return column.kind == "date" and says(list(column.header.words), DATE) and not says(list(column.header.words), RAW)


def _guessed(columns: Sequence[Column]) -> Column:
    numbers = [c for c in columns if c.is_number and len(set(c.numbers) - {None}) >= LEAST_VALUES]
    told = [c for c in numbers if place_of(c) == ("property", "intermediate")]
    if not numbers:
        raise CommandError(
            en="no column of numbers that varies could be the target; name one with --target",
            ko="목표가 될 만한 숫자 열이 없습니다. --target으로 지정하십시오",
        )
    return (told or numbers)[-1]


def _named(columns: Sequence[Column], name: str) -> Column:
    by_name: Mapping[str, Column] = {**{c.header.typed: c for c in columns}, **{c.name: c for c in columns}}
    wanted = name.strip()
    found = by_name.get(wanted) or next((c for n, c in by_name.items() if n.casefold() == wanted.casefold()), None)
    if found is None:
        close = ", ".join(near(wanted, list(by_name))) or ", ".join(list(by_name)[:12])
        raise CommandError(
            en=f"--target {name!r}: the file has no such column; near it: {close}",
            ko=f"--target {name!r}: 파일에 없는 열입니다. 비슷한 것: {close}",
        )
    if not found.is_number:
        raise CommandError(
            en=f"--target {name!r}: got a column of {found.kind}, expected one of numbers",
            ko=f"--target {name!r}: 숫자 열이 아닙니다({found.kind}). 숫자 열을 지정하십시오",
        )
    return found
