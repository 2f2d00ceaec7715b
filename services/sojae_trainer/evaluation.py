"""Random and grouped cross-validation side by side, the learner being chosen inside each fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import Score
from sojae.domain.scale import Transform, inverse
from sojae_trainer.grouping import Labels, assign_folds
from sojae_trainer.learners import BASELINES, Fitted, Learner, learners_for
from sojae_trainer.space import Space, unrest

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Rows = NDArray[np.bool_] | NDArray[np.int64]

FOLDS = 5
"""With fewer groups than this there is one fold for each of them: leave one group out."""
MAX_WORSE = 1.02
"""A smaller graph may cost this much of the error, even where one standard error would allow more."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be learnt: z [n, p] with the project's range of every column, values y and t on the learnt scale, and
    the group of each row.
    """

    z: Matrix
    ranges: Vector
    y: Vector
    t: Vector
    transform: Transform
    groups: Labels
    seed: int


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Answers for rows that the learner did not see: on the learnt scale, with their unrest, and the fold models.

    `numbers` is how many of them the first fold model's graph would hold.
    """

    t: Vector
    unrest: Vector
    numbers: int
    models: Sequence[Fitted]


@dataclass(frozen=True, slots=True)
class Validation:
    """One kind of split: fold of each row, answers by learner, the learner chosen for each fold, and its answers."""

    folds: Labels
    answers: Mapping[str, OutOfFold]
    choices: Sequence[str]
    nested: Vector
    order: Sequence[str]
    """Learners by preference on all folds: what is trained on all rows and served is the first."""


def validate(problem: Problem, *, grouped: bool) -> Validation:
    """Return the cross-validation of all learners and baselines, grouped or with shuffled single rows.

    Five folds, or one for each group where there are fewer groups. The choice for fold k is made on rows outside it
    alone: models trained without folds k and k ± 1 answer for the neighbour fold. One such model serves two choices, so
    five folds cost ten fits a learner. Of two folds, the other one is halved.
    """
    labels = problem.groups if grouped else np.arange(len(problem.t))
    folds = assign_folds(labels, min(FOLDS, len(np.unique(labels))), problem.seed)
    count = fold_count(folds)
    learners = learners_for(len(problem.t))
    distance = _distances(problem, folds)
    everyone = {**BASELINES, **learners}
    answers = {name: _out_of_fold(problem, folds, fit, unrest(np.square(distance))) for name, fit in everyone.items()}
    inner_errors = _neighbour_errors if count > 2 else _half_errors
    inner = {name: inner_errors(problem, folds, fit) for name, fit in learners.items()}
    numbers = {name: answers[name].numbers for name in learners}
    choices = [preferred({n: e[k] for n, e in inner.items()}, numbers)[0] for k in range(count)]
    nested = np.select([folds == k for k in range(count)], [answers[name].t for name in choices])
    errors = {name: fold_errors(problem, answers[name].t, folds) for name in learners}
    return Validation(folds, answers, choices, nested, preferred(errors, numbers))


def without_models(validation: Validation) -> Validation:
    """Return the validation without its fold models, which take far more memory than what they answered."""
    answers = {name: replace(one, models=()) for name, one in validation.answers.items()}
    return replace(validation, answers=answers)


def preferred(errors: Mapping[str, Vector], numbers: Mapping[str, int]) -> list[str]:
    """Return the learners, best first: the smallest graph among those within one standard error, and 2 %, of the
    least error.

    `errors` are mean absolute errors by fold, the same folds for each; the standard error is that of the difference to
    the best over the folds, so what is hard about a fold cancels out. The others follow by their error.
    """
    best = min(errors, key=lambda name: float(errors[name].mean()))
    within = []
    for name, values in errors.items():
        difference = values - errors[best]
        standard_error = float(difference.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        if difference.mean() <= standard_error and values.mean() <= MAX_WORSE * errors[best].mean():
            within.append(name)
    first = min(within, key=lambda name: numbers[name])
    return [first, *sorted((n for n in errors if n != first), key=lambda name: float(errors[name].mean()))]


def score(problem: Problem, t: Vector, folds: Labels) -> Score:
    """Return the error of out-of-fold answers in the target's unit."""
    residuals = problem.y - inverse(problem.transform, t)
    total = float(np.square(problem.y - problem.y.mean()).sum())
    return Score(
        mae=float(np.abs(residuals).mean()),
        r2=1.0 - float(np.square(residuals).sum()) / total if total > 0 else 0.0,
        mae_by_fold=tuple(float(e) for e in fold_errors(problem, t, folds)),
    )


def fold_errors(problem: Problem, t: Vector, folds: Labels) -> Vector:
    """Return the mean absolute error in each fold, in the target's unit."""
    errors = np.abs(problem.y - inverse(problem.transform, t))
    return np.array([errors[folds == k].mean() for k in range(fold_count(folds))])


def fold_count(folds: Labels) -> int:
    """Return how many folds there are; each has a row."""
    return int(folds.max()) + 1


def _out_of_fold(problem: Problem, folds: Labels, fit: Learner, far: Vector) -> OutOfFold:
    t, uncertain = np.empty_like(problem.t), far.copy()
    models = []
    for k in range(fold_count(folds)):
        inside, outside = folds != k, folds == k
        model = fit(problem.z[inside], problem.t[inside], problem.seed)
        t[outside] = model.predict(problem.z[outside])
        voices = model.disagreement(problem.z[outside])
        if voices is not None:
            uncertain[outside] = voices
        models.append(model)
    return OutOfFold(t, uncertain, models[0].numbers, models)


def _distances(problem: Problem, folds: Labels) -> Vector:
    """Return the distance of every row to the nearest one outside its fold."""
    distance = np.empty_like(problem.t)
    for k in range(fold_count(folds)):
        space = Space.of(problem.z[folds != k], problem.ranges)
        distance[folds == k] = space.distance(problem.z[folds == k])
    return distance


def _neighbour_errors(problem: Problem, folds: Labels, fit: Learner) -> list[Vector]:
    """Return for each fold k the errors in folds k − 1 and k + 1 of models that saw neither that fold nor k."""
    count = fold_count(folds)
    errors: list[list[float]] = [[] for _ in range(count)]
    for k in range(count):
        other = (k + 1) % count
        inside = (folds != k) & (folds != other)
        model = fit(problem.z[inside], problem.t[inside], problem.seed)
        for asked, judged in ((k, other), (other, k)):
            errors[asked].append(_mean_error(problem, model, folds == judged))
    return [np.array(e) for e in errors]


def _half_errors(problem: Problem, folds: Labels, fit: Learner) -> list[Vector]:
    """Return for each of two folds the errors in the halves of the other one, each of a model that saw its other half."""
    errors = []
    for k in range(2):
        outside = np.flatnonzero(folds != k)
        half = assign_folds(np.arange(len(outside)), 2, problem.seed)
        parts = [outside[half == h] for h in range(2)]
        models = [fit(problem.z[part], problem.t[part], problem.seed) for part in parts]
        errors.append(np.array([_mean_error(problem, models[h], parts[1 - h]) for h in range(2)]))
    return errors


def _mean_error(problem: Problem, model: Fitted, rows: Rows) -> float:
    """Return the mean absolute error of a model in some rows, in the target's unit."""
    answer = inverse(problem.transform, model.predict(problem.z[rows]))
    return float(np.abs(problem.y[rows] - answer).mean())
