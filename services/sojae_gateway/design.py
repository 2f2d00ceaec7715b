"""Which recipe gives a property: designs from the inverse graph, and the nearest measured records beside them."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from sojae.domain.text import Text
from sojae_gateway.access import Principal
from sojae_gateway.design_query import Query
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
    """One design; `distance` is to the nearest measured recipe, 1 = as far as those are from each other.

    `measured` is whether somebody has measured this very recipe, `measured_record` whose: `<institute>/<record_id>`.
    """

    inputs: dict[str, Shown]
    expected: dict[str, Expected]
    hit_probability: float
    distance: float
    library_row: int
    measured: bool
    measured_record: str | None


class Message(msgspec.Struct, frozen=True):
    """One sentence in both languages."""

    ko: str
    en: str


class DesignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Designs, best first; `reachable` is whether the best hits with at least `threshold`. `message` says it plainly.

    `units` are those of the inputs, `tolerances` those that were applied, `baseline` what measured records offer.
    """

    project: str
    model_version: str
    reachable: bool
    threshold: float
    message: Message
    units: dict[str, str]
    tolerances: dict[str, float]
    designs: list[Design]
    baseline: list[Nearest]
    store_version: int | None = None


def design(models: ProjectModels, query: Query, threshold: float, principal: Principal, today: dt.date) -> DesignAnswer:
    """Return the designs for a checked query, the nearest measured records, and whether the targets can be reached."""
    order = [t.name for t in models.manifest.targets]
    bounds = ([b.low for b in query.bounds], [b.high for b in query.bounds])
    found = models.inverse.query(*query.vectors(order), bounds, top_k=query.top_k)
    columns = [found[n].tolist() for n in ("design", "mean", "std", "hit_probability", "distance", "library_row")]
    recipes, seen = models.manifest.library.measured, Seen(models.measured, principal, today)
    designs = []
    for row, means, stds, probability, distance, library_row in zip(*columns, strict=True):
        measured = library_row < len(recipes)
        designs.append(
            Design(
                inputs=models.vocabulary.show_row(row),
                expected=_expected(models, means, stds),
                hit_probability=rounded(probability),
                distance=rounded(distance),
                library_row=library_row,
                measured=measured,
                measured_record=seen.name(recipes[library_row]) if measured else None,
            )
        )
    best = max((d.hit_probability for d in designs), default=0.0)
    return DesignAnswer(
        project=models.project,
        model_version=models.version,
        reachable=bool(designs) and best >= threshold,
        threshold=threshold,
        message=_message(len(designs), best, threshold),
        units=models.vocabulary.units(),
        tolerances={name: rounded(goal.tolerance) for name, goal in query.goals.items()},
        designs=designs,
        baseline=nearest_measured(models, query, principal, today),
    )


def _expected(models: ProjectModels, means: Sequence[float], stds: Sequence[float]) -> dict[str, Expected]:
    return {
        target.name: Expected(mean=rounded(mean), std=rounded(std), unit=target.unit)
        for target, mean, std in zip(models.manifest.targets, means, stds, strict=True)
    }


def _message(count: int, best: float, threshold: float) -> Message:
    if not count:
        text = Text(
            ko="조건을 지키는 설계가 없습니다. 고정값이나 범위를 넓히십시오",
            en="no design obeys the bounds; widen them, or fix fewer values",
        )
    elif best < threshold:
        text = Text(
            ko=f"이 목표는 도달할 수 없습니다. 가장 나은 설계의 적중 확률이 {best:.1%}로 기준 {threshold:.1%}보다 작습니다. 목표나 허용 오차를 바꾸십시오",
            en=f"the targets cannot be reached: the best design hits with a probability of {best:.1%}, below {threshold:.1%}; "
            "change the targets, or allow a wider tolerance",
        )
    else:
        text = Text(
            ko=f"가장 나은 설계의 적중 확률은 {best:.1%}입니다",
            en=f"the best design hits with a probability of {best:.1%}",
        )
    return Message(ko=text.ko, en=text.en)
