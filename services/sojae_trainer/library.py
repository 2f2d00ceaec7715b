"""The pre-scored library: measured and invented designs with what every model says of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import Library, ModelInput
from sojae_trainer.clusters import cluster
from sojae_trainer.dataset import Templates
from sojae_trainer.designs import condition_grids, invent
from sojae_trainer.encoding import Encoder
from sojae_trainer.graph_inverse import ScoredLibrary
from sojae_trainer.plausible import keeps_rules
from sojae_trainer.served import Served
from sojae_trainer.space import Space

Matrix = NDArray[np.float64]

SCORE_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Recipes:
    """Training rows: the name of each record, and its row of x [N, d], imputed."""

    records: tuple[str, ...]
    x: Matrix


@dataclass(frozen=True, slots=True)
class Shelved:
    """The library as the inverse graph holds it, and what the manifest says of it."""

    scored: ScoredLibrary
    manifest: Library


def build_library(
    recipes: Recipes,
    models: Sequence[tuple[Served, tuple[float, float]]],
    inputs: Sequence[ModelInput],
    templates: Templates,
    wanted: int,
    seed: int,
) -> Shelved:
    """Return the library over training rows (what is held out may not be among them); models come with their ranges."""
    encoder, x = Encoder(tuple(inputs)), recipes.x
    designs = invent(x, encoder, wanted, lambda rows: keeps_rules(rows, inputs, templates), seed)
    mean, std = (np.column_stack(parts) for parts in zip(*(_scores(m, designs.x) for m, _ in models), strict=True))
    z = encoder.encode(designs.x)
    space = Space.of(encoder.encode(x), encoder.ranges)
    grids = condition_grids(x, inputs)
    recipe_columns = [k for k, j in enumerate(encoder.origin) if inputs[j].role == "input"]
    coordinates = ((z - space.mean) / space.scale)[:, recipe_columns]
    distance = space.distance(z)
    distance[: len(designs.measured)] = 0.0
    return Shelved(
        ScoredLibrary(
            design=designs.x.astype(np.float32),
            mean=mean.astype(np.float32),
            std=std.astype(np.float32),
            distance=distance.astype(np.float32),
            cost=np.zeros(len(designs.x), np.float32),
            cluster=cluster(coordinates, seed),
            grids=grids,
            ranges=np.array([r for _, r in models], np.float32),
        ),
        Library(
            rows=len(designs.x),
            measured=tuple(recipes.records[int(i)] for i in designs.measured),
            conditions={inputs[j].field: tuple(float(v) for v in values) for j, values in grids.items()},
        ),
    )


def _scores(model: Served, x: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    parts = [model.mean_and_std(x[s : s + SCORE_ROWS]) for s in range(0, len(x), SCORE_ROWS)]
    means, deviations = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(deviations)
