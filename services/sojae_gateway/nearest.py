"""The baseline of every design: the measured records whose properties are nearest to what is wanted."""

import datetime as dt

import msgspec

from sojae_gateway.access import Principal
from sojae_gateway.design_query import Query
from sojae_gateway.measured import Seen
from sojae_gateway.models import ProjectModels
from sojae_gateway.vocabulary import Shown, rounded


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """A measured record: what was measured of the targets, and how many tolerances it is off (root of the sum of squares)."""

    record_id: str
    institute: str
    sample_id: str
    measured: dict[str, float]
    off_by_tolerances: float
    inputs: dict[str, Shown]


def nearest_measured(models: ProjectModels, query: Query, principal: Principal, today: dt.date) -> list[Nearest]:
    """Return the `top_k` records that the models were trained on, obey the bounds, and come nearest, nearest first.

    Every wanted target must have been measured. Records that the principal may not see are left out.
    """
    library = models.manifest.library
    order = [t.name for t in models.manifest.targets]
    bounds = ([b.low for b in query.bounds], [b.high for b in query.bounds])
    # The whole library that obeys the bounds: the measured recipes are its first rows.
    found = models.inverse.query(*query.vectors(order), bounds, top_k=library.rows)
    near: list[Nearest] = []
    seen = Seen(models.measured, principal, today)
    for row, recipe in zip(found["library_row"].tolist(), found["design"], strict=True):
        known, sight = seen.get(library.measured[row]) if row < len(library.measured) else (None, "nothing")
        if known is None or sight != "everything":
            continue
        values = {name: known.of(goal.target) for name, goal in query.goals.items()}
        measured = {name: value for name, value in values.items() if value is not None}
        if len(measured) < len(values):
            continue
        off = sum(((measured[name] - goal.value) / goal.tolerance) ** 2 for name, goal in query.goals.items())
        near.append(
            Nearest(
                record_id=known.record_id,
                institute=known.owner,
                sample_id=known.sample_id,
                measured=measured,
                off_by_tolerances=rounded(off**0.5),
                inputs=models.vocabulary.show_row(recipe.tolist()),
            )
        )
    return sorted(near, key=lambda n: (n.off_by_tolerances, n.record_id))[: query.top_k]
