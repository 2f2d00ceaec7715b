"""Which inputs matter: how the grouped error grows when one input is shuffled, and the groups that contributions use."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import Importance, InputGroup, ModelInput
from sojae.domain.scale import inverse
from sojae.domain.text import Text
from sojae_trainer.encoding import Encoder
from sojae_trainer.evaluation import Problem, Validation, fold_count

Matrix = NDArray[np.float64]

MAX_GROUPS = 6
"""Contributions are exact Shapley values, so a graph answers 2^groups recipes for each row that it explains."""

STAGE_LABELS = {
    "raw": Text(ko="원료", en="Raw material"),
    "composition": Text(ko="조성", en="Composition"),
    "process": Text(ko="공정", en="Process"),
    "property": Text(ko="시험 조건", en="Test conditions"),
}


def permutation_importance(
    problem: Problem, validation: Validation, name: str, x: Matrix, encoder: Encoder
) -> list[Importance]:
    """Return the importance of every input for one learner: its fold models answer left-out rows with it shuffled."""
    growth = np.zeros((fold_count(validation.folds), x.shape[1]))
    for k, model in enumerate(validation.answers[name].models):
        rows = np.flatnonzero(validation.folds == k)
        order = np.random.default_rng(problem.seed + k).permutation(len(rows))
        shuffled = np.repeat(x[rows][None], x.shape[1] + 1, axis=0)
        for j in range(x.shape[1]):
            shuffled[j, :, j] = x[rows][order, j]
        answers = inverse(problem.transform, model.predict(encoder.encode(shuffled.reshape(-1, x.shape[1]))))
        errors = np.abs(answers.reshape(-1, len(rows)) - problem.y[rows]).mean(axis=1)
        growth[k] = errors[:-1] - errors[-1]
    return [
        Importance(field=one.field, mean=float(growth[:, j].mean()), spread=float(growth[:, j].std()))
        for j, one in enumerate(encoder.inputs)
    ]


def contribution_groups(
    inputs: Sequence[ModelInput], importances: Sequence[Sequence[Importance]]
) -> tuple[InputGroup, ...]:
    """Return at most six groups: one a stage, and the most important single inputs taken out of theirs.

    Importance is the mean over targets, each as a share of its largest. The components of a composition stay together:
    one amount does not change alone.
    """
    weight = np.zeros(len(inputs))
    for one in importances:
        values = np.maximum([i.mean for i in one], 0.0)
        weight += values / (values.max() or 1.0)
    stage = [one.field.split(".", 1)[0] for one in inputs]
    alone: list[int] = []
    for j in sorted(range(len(inputs)), key=lambda j: (-weight[j], j)):
        if inputs[j].kind != "component" and _count(stage, [*alone, j]) <= MAX_GROUPS:
            alone.append(j)
    groups = []
    for name, label in STAGE_LABELS.items():
        rest = tuple(j for j in range(len(inputs)) if stage[j] == name and j not in alone)
        singles = [j for j in range(len(inputs)) if stage[j] == name and j in alone]
        groups += [InputGroup(name=inputs[j].field, label=inputs[j].label, inputs=(j,)) for j in singles]
        if rest:
            groups.append(InputGroup(name=name, label=label, inputs=rest))
    return tuple(groups)


def _count(stage: Sequence[str], alone: Sequence[int]) -> int:
    return len(alone) + len({s for j, s in enumerate(stage) if j not in alone})
