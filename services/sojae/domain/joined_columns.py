"""The columns of a project's materials view: what rules over several stages may name."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import polars as pl

from sojae.domain.composition_check import ELEMENTS
from sojae.domain.frames import POLARS
from sojae.domain.template import Field, Template

ELEMENT = "el"
GROUPING = ("sample_id", "origin", "replicate_group")
"""Header columns that a collection may be grouped by, beside the institute, by which it always is."""


class Columns(NamedTuple):
    """The columns of a project's materials view that rules may name, and what begins a component's.

    Components that a template lists are among `types`; elements are not, since any may occur.
    """

    types: Mapping[str, pl.DataType]
    compositions: Mapping[str, str]

    def type_of(self, name: str) -> pl.DataType | None:
        """Return a column's type, None when there is none of that name."""
        return pl.Float64() if self.element_of(name) is not None else self.types.get(name)

    def element_of(self, name: str) -> str | None:
        """Return the beginning of a component's column, None when it is no such column."""
        prefix, _, symbol = name.rpartition("__")
        known = symbol in ELEMENTS or name in self.types
        return f"{prefix}__" if known and f"{prefix}__" in self.compositions.values() else None


def element_prefix(stage: str, field: Field) -> str:
    """Return how the columns of a composition's components begin; a second composition of a stage bears its field's name."""
    return f"{stage}__{ELEMENT}__" if field.name == "composition" else f"{stage}__{field.name}__{ELEMENT}__"


def is_composition(field: Field) -> bool:
    """Return whether a field becomes one column for each component: an element, or an ingredient that the template lists."""
    return field.quantity == "composition"


def components_of(field: Field) -> Collection[str]:
    """Return what a composition may be made of."""
    return ELEMENTS if field.one_of is None else field.one_of


def joined_columns(templates: Iterable[Template]) -> Columns:
    """Return what the rules of a project may name, from all versions of the templates of its stages."""
    types: dict[str, pl.DataType] = {}
    compositions: dict[str, str] = {}
    for template in templates:
        stage = template.key.stage
        for field in template.fields:
            if is_composition(field):
                prefix = element_prefix(stage, field)
                compositions[f"{stage}__{field.name}"] = prefix
                types |= {f"{prefix}{name}": pl.Float64() for name in field.one_of or ()}
            elif field.kind in POLARS:
                types[f"{stage}__{field.name}"] = POLARS[field.kind]
    return Columns(types, compositions)
