"""From the stages of a specimen to one flat design, in the columns of the materials view."""

import math
from collections.abc import Iterable, Mapping, Sequence

from sojae.adapters.template_files import TemplateBook
from sojae.domain.template import Field, Stage

Values = Mapping[str, object]
Weighted = tuple[Values, float]

MODEL_ROLES = ("input", "condition")


def design_of(
    book: TemplateBook,
    project: str,
    stages: Mapping[Stage, Values],
    lots: Sequence[Weighted],
) -> dict[str, object]:
    """Return what a model sees of a specimen: fields with role input or condition, property fields with condition only.

    `stages` holds the values of composition, process and property; `lots` the values of each raw lot and the amount
    of it that the composition gives. Numbers of lots are averaged by amount, words are those of the largest lot that
    has one. Absent values are left out; a composition map becomes one column an element.
    """
    design: dict[str, object] = {}
    for stage, values in stages.items():
        roles = ("condition",) if stage == "property" else MODEL_ROLES
        for field in _fields(book, project, stage, roles):
            design.update(_columns(stage, field, values.get(field.name)))
    for field in _fields(book, project, "raw", MODEL_ROLES):
        design.update(_columns("raw", field, combined([(v.get(field.name), a) for v, a in lots])))
    return design


def combined(values: Sequence[tuple[object, float]]) -> object:
    """Return one value for several lots: the mean of numbers weighted by amount, else the value of the largest lot."""
    known = [(value, amount) for value, amount in values if value is not None and amount > 0]
    if not known:
        return None
    numbers = [(value, amount) for value, amount in known if isinstance(value, float)]
    if len(numbers) == len(known):
        return math.fsum(v * a for v, a in numbers) / math.fsum(a for _, a in numbers)
    return max(known, key=lambda pair: pair[1])[0]


def _fields(book: TemplateBook, project: str, stage: Stage, roles: Sequence[str]) -> Iterable[Field]:
    return (field for field in book.get(project, stage).fields if field.role in roles)


def _columns(stage: Stage, field: Field, value: object) -> dict[str, object]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {f"{stage}__el__{component}": amount for component, amount in value.items()}
    return {f"{stage}__{field.name}": value}
