"""One target, studied: its rows, its two cross-validations, and what matters for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import sklearn
from numpy.typing import NDArray

from sojae.domain.model import Importance, ModelInput
from sojae.domain.scale import forward
from sojae_trainer.dataset import Target, record_names
from sojae_trainer.encoding import Encoder
from sojae_trainer.evaluation import Problem, Validation, validate, without_models
from sojae_trainer.features import imputed, matrix
from sojae_trainer.grouping import Grouping, group_rows
from sojae_trainer.importance import permutation_importance
from sojae_trainer.transform import choose_transform


@dataclass(frozen=True, slots=True)
class Study:
    """What is known of one target before anything is served: `x` [n, d] is imputed, `records` name its rows.

    `places` are the rows of the project's frame that have the target.
    """

    target: Target
    places: NDArray[np.int64]
    records: tuple[str, ...]
    x: NDArray[np.float64]
    problem: Problem
    grouping: Grouping
    random: Validation
    grouped: Validation
    importance: tuple[Importance, ...]


def study(frame: pl.DataFrame, target: Target, inputs: Sequence[ModelInput], keys: Sequence[str], seed: int) -> Study:
    """Return the study of a target on the rows of the frame that have it, in the frame's order.

    `keys` are the grouping keys, best first.
    """
    wanted = target.rows(frame)
    rows = frame.filter(wanted)
    encoder = Encoder(tuple(inputs))
    x = imputed(matrix(rows, inputs), inputs)
    y = rows[target.column].cast(pl.Float64).to_numpy()
    grouping = group_rows(rows, keys, np.column_stack([x, y]))
    transform = choose_transform(y)
    problem = Problem(
        z=encoder.encode(x),
        ranges=encoder.ranges,
        y=y,
        t=forward(transform, y),
        transform=transform,
        groups=grouping.labels,
        seed=seed,
    )
    # Parameters are constants of this package: checking them anew for every tree takes a fifth of the time.
    with sklearn.config_context(skip_parameter_validation=True):
        random, grouped = without_models(validate(problem, grouped=False)), validate(problem, grouped=True)
        importance = permutation_importance(problem, grouped, grouped.order[0], x, encoder)
    records = record_names(rows)
    return Study(
        target,
        wanted.arg_true().to_numpy().astype(np.int64),
        records,
        x,
        problem,
        grouping,
        random,
        without_models(grouped),
        tuple(importance),
    )
