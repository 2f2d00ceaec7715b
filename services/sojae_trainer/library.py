"""The pre-scored library: measured and invented designs with what every model says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import Library, ModelInput, Rights
from sojae_trainer.clusters import cluster
from sojae_trainer.dataset import Templates
from sojae_trainer.designs import common_conditions, condition_grids, invent
from sojae_trainer.encoding import Encoder
from sojae_trainer.graph_inverse import ScoredLibrary
from sojae_trainer.plausible import keeps_rules
from sojae_trainer.served import Served
from sojae_trainer.space import Space

Matrix = NDArray[np.float64]

SCORE_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Recipes:
    """Training rows: the name of each record, its row of x [N, d], imputed, and who may see it."""

    records: tuple[str, ...]
    x: Matrix
    rights: tuple[Rights, ...]


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
    plausible = partial(keeps_rules, inputs=inputs, templates=templates)
    designs = invent(x, encoder, wanted, plausible, seed)
    scores = _scores([m for m, _ in models], designs.x)
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
            **scores,
            transforms=tuple(m.transform for m, _ in models),
            distance=distance.astype(np.float32),
            cost=np.zeros(len(designs.x), np.float32),
            cluster=cluster(coordinates, seed),
            grids=grids,
            ranges=np.array([r for _, r in models], np.float32),
            possible=np.array([_possible(m) for m, _ in models], np.float32),
        ),
        Library(
            rows=len(designs.x),
            measured=tuple(recipes.records[int(i)] for i in designs.measured),
            conditions={inputs[j].field: tuple(float(v) for v in values) for j, values in grids.items()},
            common={inputs[j].field: value for j, value in common_conditions(x, inputs, grids, plausible).items()},
            rights=tuple(recipes.rights[int(i)] for i in designs.measured),
        ),
    )


def _scores(models: Sequence[Served], x: Matrix) -> dict[str, NDArray[np.float32]]:
    """Return mean, std, centre and deviation of every design and target, each [R, t]."""
    columns: dict[str, list[Matrix]] = {"mean": [], "std": [], "centre": [], "deviation": []}
    for model in models:
        parts = [model.distribution(x[s : s + SCORE_ROWS]) for s in range(0, len(x), SCORE_ROWS)]
        centre, deviation = (np.concatenate(p) for p in zip(*parts, strict=True))
        told = model.read(centre, deviation)
        for name, values in (
            ("mean", told["mean"]),
            ("std", told["std"]),
            ("centre", centre),
            ("deviation", deviation),
        ):
            columns[name].append(values)
    return {name: np.column_stack(values).astype(np.float32) for name, values in columns.items()}


def _possible(model: Served) -> tuple[float, float]:
    low, high = model.possible.low, model.possible.high
    return -np.inf if low is None else low, np.inf if high is None else high
