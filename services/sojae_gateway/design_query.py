"""A request for designs, checked and told in the order of the models."""

import math
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from sojae.domain.model import TargetModel
from sojae.domain.text import Text
from sojae_gateway.bounds import Bound, read_bounds
from sojae_gateway.models import ProjectModels
from sojae_gateway.recipe import LARGEST, Value
from sojae_gateway.refusal import Refused, refused_value

MAX_DESIGNS = 50
DEFAULT_TOLERANCE = 0.05
"""Share of a target's observed range where the caller gives no tolerance, as in the graph."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a target should be, in its unit, and how far off is a hit; without tolerance, 5 % of the observed range."""

    value: float
    tolerance: float | None = None


class DesignRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted, and what designs must obey: `fixed` values, `lower` and `upper` bounds, test `conditions`.

    A condition that nothing is said of is held at a common value.
    """

    targets: dict[str, Wanted]
    fixed: dict[str, Value] = {}
    lower: dict[str, Value] = {}
    upper: dict[str, Value] = {}
    conditions: dict[str, Value] = {}
    top_k: Annotated[int, msgspec.Meta(ge=1, le=MAX_DESIGNS)] = 5


@dataclass(frozen=True, slots=True)
class Goal:
    """One target with the value that is wanted of it and the tolerance, both in its unit."""

    target: TargetModel
    value: float
    tolerance: float


Ends = tuple[list[float], list[float]]


@dataclass(frozen=True, slots=True)
class Query:
    """A checked request: goals by target name, the caller's bounds in the order of the inputs.

    `assumed` are the conditions, by place among the inputs, that the caller left open: they are held at these values.
    """

    goals: dict[str, Goal]
    bounds: list[Bound]
    top_k: int
    assumed: dict[int, float] = field(default_factory=dict)

    def vectors(self, models: ProjectModels) -> Ends:
        """Return value and tolerance of each target in the order of the models; NaN leaves a target free."""
        goals = [self.goals.get(target.name) for target in models.manifest.targets]
        return [g.value if g else math.nan for g in goals], [g.tolerance if g else math.nan for g in goals]

    def given(self) -> Ends:
        """Return lower and upper bounds of the inputs as the caller gave them."""
        return [b.low for b in self.bounds], [b.high for b in self.bounds]

    def searched(self) -> Ends:
        """Return lower and upper bounds of the inputs with what is assumed."""
        low, high = self.given()
        for place, value in self.assumed.items():
            low[place] = high[place] = value
        return low, high


def read_query(models: ProjectModels, request: DesignRequest) -> Query:
    """Return the query of a request; raises Refused naming the target or field that is wrong."""
    if not request.targets:
        text = Text(
            ko="targets: 목표 물성을 하나 이상 쓰십시오", en="targets: name at least one property and its value"
        )
        raise Refused("no_target", text, field="targets", expected=", ".join(t.name for t in models.manifest.targets))
    bounds, splits = read_bounds(models.vocabulary, request.fixed, (request.lower, request.upper), request.conditions)
    goals: dict[str, Goal] = {}
    for name, wanted in request.targets.items():
        target = _target(models, name, splits)
        if not abs(wanted.value) <= LARGEST:
            raise refused_value(
                "not_a_number", f"targets.{name}.value", wanted.value, f"a number in {target.unit or '1'}"
            )
        goals[target.name] = Goal(target, wanted.value, _tolerance(name, target, wanted.tolerance))
    return Query(goals, bounds, request.top_k)


def _target(models: ProjectModels, name: str, splits: dict[str, str]) -> TargetModel:
    """Return the one target that a name means; a condition such as `test_type` chooses among the splits of a field."""
    named = models.chosen([name])
    fitting = [t for t in named if all(splits.get(n, v) == v for n, v in t.split.items())]
    if len(fitting) == 1:
        return fitting[0]
    choice = ", ".join(t.name for t in named)
    where = f"targets.{name}"
    if not fitting:
        raise refused_value("target_split", where, ", ".join(f"{n} = {v}" for n, v in splits.items()), choice)
    text = Text(
        ko=f"{where}: 여러 물성을 뜻합니다. {choice} 가운데 하나를 쓰십시오",
        en=f"{where}: this means several properties; write one of {choice}",
    )
    raise Refused("ambiguous_target", text, field=where, got=name, expected=choice)


def _tolerance(name: str, target: TargetModel, given: float | None) -> float:
    if given is None:
        return DEFAULT_TOLERANCE * (target.high - target.low)
    if not 0 < given <= LARGEST:
        raise refused_value("tolerance", f"targets.{name}.tolerance", given, f"> 0 {target.unit or ''}".strip())
    return given
