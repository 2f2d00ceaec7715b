"""The baseline of every design: the measured records whose properties are nearest to what is wanted."""

from collections.abc import Mapping
from typing import Any

import msgspec
from numpy.typing import NDArray

from sojae_gateway.design_query import Query
from sojae_gateway.measured import Seen
from sojae_gateway.models import ProjectModels
from sojae_gateway.vocabulary import Shown, rounded

Outputs = Mapping[str, NDArray[Any]]


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """A measured record: what was measured of the targets, and how many tolerances it is off (root of the sum of squares).

    `inputs` is its recipe, `conditions` what it was tested under or exposed to.
    """

    record_id: str
    institute: str
    sample_id: str
    measured: dict[str, float]
    off_by_tolerances: float
    inputs: dict[str, Shown]
    conditions: dict[str, Shown]


def nearest_measured(models: ProjectModels, query: Query, obeying: Outputs, seen: Seen) -> list[Nearest]:
    """Return the `top_k` records that the models were trained on, obey the caller's bounds, and come nearest, nearest first.

    `obeying` is the whole library within the bounds: measured recipes are its first rows. Every wanted target must have
    been measured. A record is left out when the principal may not see it, or any of the records that its recipe is joined
    from. Conditions that the caller left open may be any.
    """
    library = models.manifest.library
    near: list[Nearest] = []
    for row, design in zip(obeying["library_row"].tolist(), obeying["design"], strict=True):
        if row >= len(library.measured) or not seen.recipe(library.measured[row], library.rights_of(row)):
            continue
        known, _ = seen.get(library.measured[row])
        if known is None:
            continue
        values = {name: known.of(goal.target) for name, goal in query.goals.items()}
        measured = {name: value for name, value in values.items() if value is not None}
        if len(measured) < len(values):
            continue
        off = sum(((measured[name] - goal.value) / goal.tolerance) ** 2 for name, goal in query.goals.items())
        recipe, conditions = models.vocabulary.show_row(design.tolist())
        near.append(
            Nearest(
                record_id=known.record_id,
                institute=known.owner,
                sample_id=known.sample_id,
                measured=measured,
                off_by_tolerances=rounded(off**0.5),
                inputs=recipe,
                conditions=conditions,
            )
        )
    return sorted(near, key=lambda n: (n.off_by_tolerances, n.record_id))[: query.top_k]
