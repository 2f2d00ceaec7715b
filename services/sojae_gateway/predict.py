"""Which property a recipe gives: one answer for every row and target, with what it rests on."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import TargetModel, input_row
from sojae.domain.text import Text
from sojae_gateway.access import Principal
from sojae_gateway.measured import Seen
from sojae_gateway.models import ProjectModels
from sojae_gateway.recipe import Recipe, Value, Warn, read_recipe, warn
from sojae_gateway.refusal import Refused
from sojae_gateway.vocabulary import Shown, rounded

Outputs = Mapping[str, NDArray[Any]]


class PredictRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recipes by field, in template units; `targets` names properties, all of them when it is left out."""

    rows: list[dict[str, Value]]
    targets: list[str] | None = None


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """A measured record that speaks for an answer, and how much."""

    record_id: str
    weight: float
    institute: str
    sample_id: str | None = None
    measured: float | None = None


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """How far the recipe is from measured ones; 1 is as far as those are from each other."""

    distance: float
    inside: bool


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One property of one recipe in the target's unit; `lower` to `upper` is the 90 % interval for a new group, and `std`
    the deviation of the same distribution.

    `contributions` add up to `mean` less `baseline`, which is the answer for the recipe of `baseline_record` (`<institute>/<record_id>`).
    """

    mean: float
    std: float
    lower: float
    upper: float
    unit: str | None
    domain: Domain
    contributions: dict[str, float]
    baseline: float
    baseline_record: str | None
    support: list[Support]


class PredictedRow(msgspec.Struct, frozen=True, kw_only=True):
    """The answers for one recipe; `imputed` are inputs that it left open and the values that stood in for them.

    `warnings` say what is odd about it, and which property that was asked for has no model for what it says.
    """

    predictions: dict[str, Prediction]
    imputed: dict[str, Shown]
    ignored: list[str]
    unseen: list[str]
    warnings: list[Warn]


class PredictAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answers, in the order of the rows."""

    project: str
    model_version: str
    rows: list[PredictedRow]
    store_version: int | None = None


def read_rows(models: ProjectModels, request: PredictRequest, max_rows: int) -> list[Recipe]:
    """Return the recipes of a request; raises Refused when there are none, too many, or one is wrong."""
    count = len(request.rows)
    if not 1 <= count <= max_rows:
        text = Text(
            ko=f"rows: {count}개입니다. 1~{max_rows}개를 보내십시오", en=f"rows: got {count}, send 1 to {max_rows}"
        )
        raise Refused("row_count", text, field="rows", got=str(count), expected=f"1 to {max_rows}")
    return [read_recipe(models.vocabulary, row, f"rows[{i}].") for i, row in enumerate(request.rows)]


def predict(
    models: ProjectModels,
    recipes: Sequence[Recipe],
    targets: Sequence[TargetModel],
    principal: Principal,
    today: dt.date,
) -> list[PredictedRow]:
    """Return the answers for checked recipes; a recipe that names a split (`test_type`) gets its targets only."""
    x = np.array([input_row(models.manifest.inputs, r.values) for r in recipes], np.float32)
    outputs = {target.name: models.forward[target.name].predict(x) for target in targets}
    answer = _Answer(models, principal, today)
    return [answer.row(i, recipe, targets, outputs) for i, recipe in enumerate(recipes)]


class _Answer:
    """Turns the outputs of graphs into answers for one principal."""

    def __init__(self, models: ProjectModels, principal: Principal, today: dt.date) -> None:
        self._models = models
        self._seen = Seen(models.measured, principal, today)

    def row(
        self, i: int, recipe: Recipe, targets: Sequence[TargetModel], outputs: Mapping[str, Outputs]
    ) -> PredictedRow:
        fitting = [t for t in targets if all(recipe.splits.get(n, v) == v for n, v in t.split.items())]
        return PredictedRow(
            predictions={t.name: self._prediction(t, outputs[t.name], i, strange=recipe.strange) for t in fitting},
            imputed=self._imputed(recipe),
            ignored=recipe.ignored,
            unseen=recipe.unseen,
            warnings=[*recipe.warnings, *_unanswered(f"rows[{i}]", recipe, targets, fitting)],
        )

    def _imputed(self, recipe: Recipe) -> dict[str, Shown]:
        inputs = self._models.manifest.inputs
        row = input_row(inputs, recipe.values)
        mixed = any(i.kind == "component" and i.field in recipe.values for i in inputs)
        left = {
            one.field: value
            for one, value in zip(inputs, row, strict=True)
            if one.field not in recipe.values and not (mixed and one.kind == "component")
        }
        decoded = {
            field: _category(self._models, field, value)
            if self._models.vocabulary.inputs[field].kind == "category"
            else value
            for field, value in left.items()
        }
        return self._models.vocabulary.show(decoded)

    def _prediction(self, target: TargetModel, out: Outputs, i: int, *, strange: bool) -> Prediction:
        groups = self._models.manifest.groups
        distance = float(out["domain"][i, 0])
        return Prediction(
            mean=rounded(float(out["mean"][i, 0])),
            std=rounded(float(out["std"][i, 0])),
            lower=rounded(float(out["lower"][i, 0])),
            upper=rounded(float(out["upper"][i, 0])),
            unit=target.unit,
            domain=Domain(distance=rounded(distance), inside=distance <= 1.0 and not strange),
            contributions={g.name: rounded(float(v)) for g, v in zip(groups, out["contributions"][i], strict=True)},
            baseline=rounded(target.baseline),
            baseline_record=self._seen.name(target.baseline_record),
            support=self._support(target, out["support"][i], out["support_weight"][i]),
        )

    def _support(self, target: TargetModel, places: NDArray[Any], weights: NDArray[Any]) -> list[Support]:
        """Return the records that speak for an answer, as far as the principal may see them."""
        found = []
        for place, weight in zip(places.tolist(), weights.tolist(), strict=True):
            if not 0 <= place < len(target.training_rows) or weight <= 0:
                continue
            name = target.training_rows[place]
            known, sight = self._seen.get(name)
            if sight == "nothing":
                continue
            found.append(
                Support(
                    record_id=name.partition("/")[2],
                    weight=rounded(weight),
                    institute=name.partition("/")[0],
                    sample_id=None if known is None else known.sample_id,
                    measured=known.of(target) if known is not None and sight == "everything" else None,
                )
            )
        return found


def _unanswered(
    where: str, recipe: Recipe, targets: Sequence[TargetModel], fitting: Sequence[TargetModel]
) -> Iterator[Warn]:
    """Yield a warning for every property that was asked for and has no model for what the row says (`test_type`)."""
    answered = {target.field for target in fitting}
    for field in dict.fromkeys(t.field for t in targets if t.field not in answered):
        there = [t for t in targets if t.field == field]
        said = {name: recipe.splits[name] for t in there for name in t.split if name in recipe.splits}
        names = ", ".join(f"{name} = {value}" for name, value in said.items())
        yield warn("no_model", f"{where}.{next(iter(said))}", names, ", ".join(t.name for t in there))


def _category(models: ProjectModels, field: str, code: float) -> str | None:
    categories = models.vocabulary.inputs[field].categories
    place = round(code)
    return categories[place] if 0 <= place < len(categories) else None
