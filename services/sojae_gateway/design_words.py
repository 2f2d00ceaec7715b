"""What an answer about designs says in words: whether the targets can be reached, what can, and what was assumed."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from sojae.domain.card_lines import short_number
from sojae.domain.model import ModelInput
from sojae_gateway.design_query import Goal, Query
from sojae_gateway.models import ProjectModels

Means = Mapping[str, float]


class Message(msgspec.Struct, frozen=True):
    """One sentence in both languages."""

    ko: str
    en: str


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """The least and the greatest mean that any design under the bounds is expected to have."""

    low: float
    high: float
    unit: str | None


def said(query: Query, means: Sequence[Means], chances: tuple[float, float], reach: Mapping[str, Reach]) -> Message:
    """Return whether the targets can be reached and, where not, what can.

    `means` are those of the designs by target, `chances` the best hit probability and the threshold.
    """
    best, threshold = chances
    if not means:
        return Message(
            ko="조건을 지키는 설계가 없습니다. 고정값이나 범위를 넓히십시오",
            en="no design obeys the bounds; widen them, or fix fewer values",
        )
    if best >= threshold:
        return Message(
            ko=f"가장 나은 설계의 적중 확률은 {best:.1%}입니다",
            en=f"the best design hits with a probability of {best:.1%}",
        )
    nearest = min(means, key=lambda one: sum(_off(goal, one[name]) for name, goal in query.goals.items()))
    there = ", ".join(f"{name} = {_number(nearest[name], reach[name].unit)}" for name in query.goals)
    ranges = {name: (short_number(r.low), _number(r.high, r.unit)) for name, r in reach.items()}
    ko = ", ".join(f"{name}은(는) {low}~{high}" for name, (low, high) in ranges.items())
    en = ", ".join(f"{name} from {low} to {high}" for name, (low, high) in ranges.items())
    if all(_off(goal, nearest[name]) <= 1 for name, goal in query.goals.items()):
        return Message(
            ko=f"{there}(으)로 예측되는 설계가 있지만 모델이 그만큼 확실하지 않습니다. 적중 확률 {best:.1%}이(가) 기준 {threshold:.1%}보다 "
            "작습니다. 허용 오차를 넓히십시오",
            en=f"there is a design expected at {there}, but the models are not that sure: it hits with a probability of {best:.1%}, "
            f"below {threshold:.1%}; allow a wider tolerance",
        )
    return Message(
        ko=f"이 목표는 도달할 수 없습니다. 가장 나은 설계의 적중 확률이 {best:.1%}로 기준 {threshold:.1%}보다 작습니다. 이 조건에서 {ko}까지 "
        f"가능하고, 가장 가까운 설계의 기대값은 {there}입니다. 목표나 범위, 허용 오차를 바꾸십시오",
        en=f"the targets cannot be reached: the best design hits with a probability of {best:.1%}, below {threshold:.1%}. Under these "
        f"bounds designs reach {en}; the nearest is expected at {there}. Change the targets, the bounds or the tolerance",
    )


def assumed_message(models: ProjectModels, query: Query) -> Iterator[Message]:
    """Yield one sentence that names the conditions which were assumed, none without any."""
    inputs = models.manifest.inputs
    held = ", ".join(
        f"{models.vocabulary.name_of(inputs[place].field)} = {_shown(inputs[place], value)}"
        for place, value in query.assumed.items()
    )
    if held:
        yield Message(
            ko=f"주지 않은 조건은 학습 자료에서 흔한 값으로 두었습니다: {held}. 다른 조건이 필요하면 conditions에 쓰십시오",
            en=f"conditions that were not given are held at common values of the training data: {held}; write others "
            "in `conditions`",
        )


def moved_messages(models: ProjectModels, query: Query) -> Iterator[Message]:
    """Yield a sentence for every condition that was fixed between the values for which there are designs."""
    for one, bound in zip(models.manifest.inputs, query.bounds, strict=True):
        grid = models.manifest.library.conditions.get(one.field, ())
        if bound.low != bound.high or not grid:
            continue
        met = min(grid, key=lambda value: abs(value - bound.low))
        if abs(met - bound.low) > 1e-6 * max(abs(met), 1.0):
            name = models.vocabulary.name_of(one.field)
            yield Message(
                ko=f"{name} = {_shown(one, bound.low)}에 대한 설계는 없어 가장 가까운 {_shown(one, met)}의 설계를 보입니다. 정확한 값은 "
                "predict로 물으십시오",
                en=f"there are no designs for {name} = {_shown(one, bound.low)}: these are for {_shown(one, met)}, the nearest; "
                "ask predict for the exact value",
            )


def _off(goal: Goal, mean: float) -> float:
    return abs(mean - goal.value) / goal.tolerance


def _shown(one: ModelInput, value: float) -> str:
    if one.kind == "category":
        return one.categories[round(value)] if value >= 0 else "–"
    return _number(value, one.unit)


def _number(value: float, unit: str | None) -> str:
    return f"{short_number(value)} {unit}" if unit and unit != "1" else short_number(value)
