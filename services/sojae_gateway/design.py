"""Which recipe gives a property: designs from the inverse graph, and the nearest measured records beside them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from numpy.typing import NDArray

from sojae_gateway.access import Principal
from sojae_gateway.conditions import assumed_conditions
from sojae_gateway.design_query import Query
from sojae_gateway.design_words import Message, Reach, assumed_message, moved_messages, said
from sojae_gateway.measured import Seen
from sojae_gateway.models import ProjectModels
from sojae_gateway.nearest import Nearest, nearest_measured
from sojae_gateway.vocabulary import Shown, rounded


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a model expects of a design, in the target's unit."""

    mean: float
    std: float
    unit: str | None


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """One design: `inputs` is the recipe, `conditions` the test and exposure that `expected` holds for.

    `distance` is to the nearest measured recipe, 1 = as far as those are from each other; `measured` is whether somebody
    has measured this very recipe, `measured_record` whose: `<institute>/<record_id>`.
    """

    inputs: dict[str, Shown]
    conditions: dict[str, Shown]
    expected: dict[str, Expected]
    hit_probability: float
    distance: float
    library_row: int
    measured: bool
    measured_record: str | None


class DesignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Designs, best first; `reachable` is whether the best hits with at least `threshold`. `message` says it plainly.

    `reach` is the range of what designs under these bounds are expected to have, by wanted target. `units` are those of
    the inputs, `tolerances` those that were applied, `baseline` what measured records offer; `warnings` say which
    conditions were assumed.
    """

    project: str
    model_version: str
    reachable: bool
    threshold: float
    message: Message
    warnings: list[Message]
    units: dict[str, str]
    tolerances: dict[str, float]
    reach: dict[str, Reach]
    designs: list[Design]
    baseline: list[Nearest]
    store_version: int | None = None


def design(models: ProjectModels, query: Query, threshold: float, principal: Principal, today: dt.date) -> DesignAnswer:
    """Return the designs for a checked query, the nearest measured records, and whether the targets can be reached."""
    seen, library = Seen(models.measured, principal, today), models.manifest.library
    obeying = models.inverse.query(*query.vectors(models), query.given(), top_k=library.rows)
    assumed = assumed_conditions(models.manifest.inputs, query.bounds, library.common, obeying["design"])
    query = replace(query, assumed=assumed)
    designs = _designs(models, _found(models, query, seen), seen)
    best = max((d.hit_probability for d in designs), default=0.0)
    reachable = bool(designs) and best >= threshold
    reach = _reach(models, query)
    means = [{name: expected.mean for name, expected in d.expected.items()} for d in designs]
    return DesignAnswer(
        project=models.project,
        model_version=models.version,
        reachable=reachable,
        threshold=threshold,
        message=said(query, means, (best, threshold), reach),
        warnings=[*assumed_message(models, query), *moved_messages(models, query)],
        units=models.vocabulary.units(),
        tolerances={name: rounded(goal.tolerance) for name, goal in query.goals.items()},
        reach=reach,
        designs=designs,
        baseline=nearest_measured(models, query, obeying, seen),
    )


def _found(models: ProjectModels, query: Query, seen: Seen) -> dict[str, NDArray[Any]]:
    """Return the best rows of the library, without the measured recipes that the principal may not see."""
    library, count = models.manifest.library, query.top_k
    while True:
        found = models.inverse.query(*query.vectors(models), query.searched(), top_k=count)
        rows = found["library_row"].tolist()
        shown = [
            place
            for place, row in enumerate(rows)
            if row >= len(library.measured) or seen.recipe(library.measured[row], library.rights_of(row))
        ]
        if len(shown) >= query.top_k or len(rows) < count:
            return {name: values[shown[: query.top_k]] for name, values in found.items()}
        count *= 4


def _designs(models: ProjectModels, found: Mapping[str, NDArray[Any]], seen: Seen) -> list[Design]:
    columns = [found[n].tolist() for n in ("design", "mean", "std", "hit_probability", "distance", "library_row")]
    recipes = models.manifest.library.measured
    designs = []
    for row, means, stds, probability, distance, library_row in zip(*columns, strict=True):
        measured = library_row < len(recipes)
        recipe, conditions = models.vocabulary.show_row(row)
        designs.append(
            Design(
                inputs=recipe,
                conditions=conditions,
                expected=_expected(models, means, stds),
                hit_probability=rounded(probability),
                distance=rounded(distance),
                library_row=library_row,
                measured=measured,
                measured_record=seen.name(recipes[library_row]) if measured else None,
            )
        )
    return designs


def _expected(models: ProjectModels, means: Sequence[float], stds: Sequence[float]) -> dict[str, Expected]:
    return {
        target.name: Expected(mean=rounded(mean), std=rounded(std), unit=target.unit)
        for target, mean, std in zip(models.manifest.targets, means, stds, strict=True)
    }


def _reach(models: ProjectModels, query: Query) -> dict[str, Reach]:
    """Return from where to where the expected means of all designs under the bounds go, by wanted target."""
    free = [float("nan")] * len(models.manifest.targets)
    means = models.inverse.query(free, free, query.searched(), top_k=models.manifest.library.rows)["mean"]
    if not len(means):
        return {}
    places = {target.name: place for place, target in enumerate(models.manifest.targets)}
    return {
        name: Reach(
            low=rounded(float(means[:, places[name]].min())),
            high=rounded(float(means[:, places[name]].max())),
            unit=goal.target.unit,
        )
        for name, goal in query.goals.items()
    }
