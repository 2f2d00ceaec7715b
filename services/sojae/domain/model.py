"""What stands on the model shelf beside the graphs: the manifest that a caller needs, and the card that judges."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sojae.domain.errors import UserInputError
from sojae.domain.scale import Transform
from sojae.domain.text import Text

INVERSE_FILE = "inverse.onnx"
CARD_FILE = "card.json"
MANIFEST_FILE = "manifest.json"
UNKNOWN_CATEGORY = -1.0
SUPPORT_ROWS = 5
NOMINAL = 0.9
"""Share of new records that an interval is made to hold."""


def record_name(institute: str, record_id: str) -> str:
    """Return how models name a record: `<institute>/<record_id>`, since a record_id is its institute's own."""
    return f"{institute}/{record_id}"


class ModelInput(msgspec.Struct, frozen=True, kw_only=True):
    """One column of `x`, in the field's unit; a category is its place in `categories`, −1 for any other.

    `imputed` is what the graph puts in the place of NaN; `low` and `high` are the range of the training rows; `levels`
    are the values of a field that takes only a few; `whole` is whether it only ever holds whole numbers: then designs do.
    """

    field: str
    label: Text
    role: Literal["input", "condition"]
    kind: Literal["number", "component", "category"]
    imputed: float
    low: float
    high: float
    unit: str | None = None
    categories: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    whole: bool = False


class InputGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs that share one column of `contributions`, as places in the list of inputs."""

    name: str
    label: Text
    inputs: tuple[int, ...]


class TargetModel(msgspec.Struct, frozen=True, kw_only=True):
    """One forward graph: what it answers, and the records that its `support` output points into.

    Records are named `<institute>/<record_id>`.
    `baseline` is the answer for the recipe of `baseline_record`; the contributions of a row add up to its mean less
    the baseline. An answer is normal on the transformed scale: its mean is where it is centred, lower and upper lie
    `interval_quantile` of its deviations to either side, std is half of what lies within one deviation to either side,
    and a hit probability is its share within the tolerance. No deviation is below `noise_floor`. `interval_random` and
    `interval_grouped` are the half-widths, on that scale, that hold 90 % of the errors by kind of split if one must do
    for all recipes.
    """

    name: str
    field: str
    label: Text
    unit: str | None
    file: str
    learner: str
    transform: Transform
    training_rows: tuple[str, ...]
    low: float
    high: float
    interval_random: float
    interval_grouped: float
    baseline: float
    baseline_record: str
    split: dict[str, str] = {}
    noise_floor: float = 0.0
    interval_quantile: float = 1.645


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a training row: the strictest disclosure and the latest embargo of all records that it is made of."""

    disclosure: str | None = None
    embargo_until: dt.date | None = None


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """What the inverse graph chooses from; row i < len(measured) is the recipe of the record measured[i].

    Who may see that recipe is told by `rights[i]`, where there is none its owner only. `conditions` holds the grid of
    every numeric condition: bounds that hold no grid value are met by the nearest one; `common` what every
    condition commonly is, values that go together, of a category its place. Without prices every design costs 0, and `max_cost` has no effect.
    """

    rows: int
    measured: tuple[str, ...]
    conditions: dict[str, tuple[float, ...]]
    common: dict[str, float] = {}
    rights: tuple[Rights, ...] = ()
    priced: bool = False

    def rights_of(self, row: int) -> Rights:
        """Return what holds for a measured recipe."""
        return self.rights[row] if row < len(self.rights) else Rights()


class Holdout(msgspec.Struct, frozen=True, kw_only=True):
    """Records that the models have never seen: whole groups, drawn with a seed."""

    by: str
    share: float
    seed: int
    groups: tuple[str, ...]
    records: tuple[str, ...]


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """What the models were built from; the same dataset gives the same graphs to the last byte.

    `records` counts the property records of the view, `rows` those that were trained on.
    """

    rows: int
    left_out: dict[str, int]
    materials_version: int | None
    events_version: int | None
    templates: dict[str, str]
    records: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller needs to use the graphs of one version; `files` has the SHA-256 of each, in hex."""

    project: str
    created: dt.datetime
    inputs: tuple[ModelInput, ...]
    groups: tuple[InputGroup, ...]
    targets: tuple[TargetModel, ...]
    library: Library
    dataset: Dataset
    software: dict[str, str]
    holdout: Holdout | None = None
    version: str = ""
    files: dict[str, str] = {}
    format: Literal[1] = 1

    def target(self, name: str) -> TargetModel:
        """Return the target of that name; raises UserInputError that lists the known ones."""
        for target in self.targets:
            if target.name == name:
                return target
        known = ", ".join(t.name for t in self.targets)
        raise UserInputError(
            en=f"project {self.project} has no model of {name!r}; it has {known}",
            ko=f"{self.project} 프로젝트에 {name!r} 모델이 없습니다. 있는 것: {known}",
        )


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Out-of-fold error in the target's unit: pooled, and per fold."""

    mae: float
    r2: float
    mae_by_fold: tuple[float, ...]


class LearnerScore(msgspec.Struct, frozen=True, kw_only=True):
    """One learner on the same folds as the others.

    `numbers` counts what its graph must hold; `parity` is the largest relative error of the graph against the
    estimator, None when the learner never came to the gate.
    """

    name: str
    random: Score
    grouped: Score
    numbers: int
    parity: float | None = None
    served: bool = False


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """The 90 % intervals: nominal share, and what share of left-out rows fell inside, by kind of split."""

    nominal: float
    coverage_random: float
    coverage_grouped: float
    mean_width_random: float
    mean_width_grouped: float


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """How much the grouped error grows when one input is shuffled, in the target's unit: mean and sd over folds."""

    field: str
    mean: float
    spread: float


class TargetCard(msgspec.Struct, frozen=True, kw_only=True):
    """How good the model of one target is.

    `nested_random` and `nested_grouped` are the errors of the whole procedure, the learner being chosen anew inside
    each fold; the verdicts compare the grouped one with the baselines on the same folds.
    """

    name: str
    label: Text
    unit: str | None
    rows: int
    groups: int
    grouped_by: str
    copied_rows: int
    transform: str
    baselines: tuple[LearnerScore, ...]
    learners: tuple[LearnerScore, ...]
    chosen: str
    nested_random: Score
    nested_grouped: Score
    better_than_mean_grouped: bool
    better_than_ridge_grouped: bool
    verdict: Text
    interval: Interval
    importance: tuple[Importance, ...]
    limits: tuple[Text, ...]


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A field that no model answers or uses, and why."""

    field: str
    reason: Text


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What the models of one version were made of, and how far they can be trusted."""

    project: str
    dataset: Dataset
    targets: tuple[TargetCard, ...]
    skipped_targets: tuple[Skipped, ...]
    ignored_inputs: tuple[Skipped, ...]
    library_rows: int
    library_unmeasured: int
    limits: tuple[Text, ...]
    holdout: Holdout | None = None


def input_row(inputs: Sequence[ModelInput], values: Mapping[str, object]) -> list[float]:
    """Return one row of `x` from values by field; what is left out, None or an unknown category becomes imputed.

    An amount that is left out is 0 where another component is given. Raises UserInputError on a field that no input
    has, and on a value that is no finite number.
    """
    known = {i.field for i in inputs}
    for field in values:
        if field not in known:
            raise UserInputError(
                en=f"{field}: the model has no such input; it has {', '.join(sorted(known))}",
                ko=f"{field}: 모델에 없는 입력입니다. 있는 것: {', '.join(sorted(known))}",
            )
    mixture = any(i.kind == "component" and values.get(i.field) is not None for i in inputs)
    return [_coded(i, values.get(i.field), mixture=mixture) for i in inputs]


def output_row(inputs: Sequence[ModelInput], row: Sequence[float]) -> dict[str, float | str | None]:
    """Return the values by field that one row of `x` stands for; an unknown category is None."""
    values: dict[str, float | str | None] = {}
    for one, value in zip(inputs, row, strict=True):
        if one.kind == "category":
            place = round(value)
            values[one.field] = one.categories[place] if 0 <= place < len(one.categories) else None
        else:
            values[one.field] = float(value)
    return values


def _coded(one: ModelInput, value: object, *, mixture: bool) -> float:
    if value is None:
        return 0.0 if one.kind == "component" and mixture else one.imputed
    if one.kind == "category":
        text = str(value)
        return float(one.categories.index(text)) if text in one.categories else UNKNOWN_CATEGORY
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        unit = f" in {one.unit}" if one.unit else ""
        raise UserInputError(
            en=f"{one.field}: got {value!r}, expected a finite number{unit}",
            ko=f"{one.field}: {value!r}입니다. 유한한 수{f'({one.unit})' if one.unit else ''}이어야 합니다",
        )
    return float(value)
