"""Invents plausible designs from measured ones: mixed, crossed by stage, moved a little, and snapped to real levels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import ModelInput
from sojae_trainer.encoding import Encoder
from sojae_trainer.space import Space

Matrix = NDArray[np.float64]

NEIGHBOURS = 10
LOCAL_SHARE = 0.5
CROSSED_SHARE = 0.5
MOVED_SHARE = 0.5
MOVE = 0.15
"""Standard deviation of a move, as a share of the input's range."""
JOINT_CONDITIONS_SHARE = 0.5
GRID_QUANTILES = (0.05, 0.275, 0.5, 0.725, 0.95)
MAX_COMMON = 10
COMMON_COVER = 0.7
DIGITS = 4
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Designs:
    """Designs as rows of x: first the distinct measured recipes, then what nobody has measured.

    `measured[i]` is the row of the training matrix that design i was read from.
    """

    x: Matrix
    measured: NDArray[np.int64]


Plausible = Callable[[Matrix], NDArray[np.bool_]]


def condition_grids(x: Matrix, inputs: Sequence[ModelInput]) -> dict[int, NDArray[np.float64]]:
    """Return for every numeric condition the values that invented designs take.

    Its levels where it takes only a few; else the ten most common values where those are 70 % of the rows; else five
    quantiles.
    """
    grids = {}
    for j, one in enumerate(inputs):
        if one.role == "condition" and one.kind == "number":
            values, counts = np.unique(x[:, j], return_counts=True)
            common = np.argsort(-counts, kind="stable")[:MAX_COMMON]
            covered = counts[common].sum() >= COMMON_COVER * len(x)
            quantiles = np.quantile(x[:, j], GRID_QUANTILES, method="nearest")
            grids[j] = np.unique(one.levels or (values[common] if covered else quantiles))
    return grids


def invent(x: Matrix, encoder: Encoder, wanted: int, plausible: Plausible, seed: int) -> Designs:
    """Return the distinct rows of `x` (imputed) followed by about `wanted` designs that differ from all of them.

    Fewer where the space of levels has no more. Components are mixed convexly, so their sums stay those of real
    recipes; every number stays within its observed range and is rounded to four digits, or snapped where only a few
    values occur; categories come from one parent; conditions from a measured record or the grid.
    """
    sources = _distinct(x)
    measured = x[sources].astype(np.float32).astype(np.float64)
    rng = np.random.default_rng(seed)
    inventor = _Inventor.of(measured, encoder)
    kept = measured
    for _ in range(ROUNDS):
        missing = wanted + len(measured) - len(kept)
        if missing <= 0:
            break
        fresh = inventor.batch(rng, int(1.3 * missing) + 64)
        both = np.vstack([kept, fresh[plausible(fresh)]])
        kept = both[_distinct(both)]
    return Designs(kept[: wanted + len(measured)], sources)


@dataclass(frozen=True, slots=True)
class _Inventor:
    measured: Matrix
    inputs: Sequence[ModelInput]
    near: NDArray[np.int64]
    grids: dict[int, NDArray[np.float64]]
    stages: list[list[int]]

    @classmethod
    def of(cls, measured: Matrix, encoder: Encoder) -> "_Inventor":
        inputs = encoder.inputs
        z = encoder.encode(measured)
        squares = Space.of(z, encoder.ranges).squares(z)
        near = np.argsort(squares, axis=1, kind="stable")[:, : NEIGHBOURS + 1]
        names = [one.field.split(".", 1)[0] for one in inputs]
        stages = [[j for j, n in enumerate(names) if n == name] for name in dict.fromkeys(names)]
        return cls(measured, inputs, near, condition_grids(measured, inputs), stages)

    def batch(self, rng: np.random.Generator, count: int) -> Matrix:
        rows = self._parents(rng, count)
        share = rng.uniform(0.0, 1.0, (count, 1))
        first, second, third = (self.measured[p] for p in rows)
        mixed = share * first + (1.0 - share) * second
        categorical = [j for j, one in enumerate(self.inputs) if one.kind == "category"]
        mixed[:, categorical] = np.where(share > 0.5, first, second)[:, categorical]
        for stage in self.stages:
            crossed = rng.uniform(size=count) < CROSSED_SHARE / 2
            mixed[:, stage] = np.where(crossed[:, None], third[:, stage], mixed[:, stage])
        self._move(rng, mixed)
        self._set_conditions(rng, mixed, third)
        return self._on_levels(mixed)

    def _parents(self, rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], ...]:
        n = len(self.measured)
        first, any_other, third = rng.integers(n, size=(3, count))
        neighbour = self.near[first, rng.integers(self.near.shape[1], size=count)]
        local = rng.uniform(size=count) < LOCAL_SHARE
        return first, np.where(local, neighbour, any_other), third

    def _move(self, rng: np.random.Generator, x: Matrix) -> None:
        """Move numbers of raw material and process; amounts, which must add up, are only ever mixed."""
        for j, one in enumerate(self.inputs):
            if one.kind == "number" and not one.field.startswith(("composition.", "property.")):
                moved = rng.uniform(size=len(x)) < MOVED_SHARE
                x[:, j] += moved * rng.normal(0.0, MOVE * (one.high - one.low), len(x))

    def _set_conditions(self, rng: np.random.Generator, x: Matrix, parents: Matrix) -> None:
        free = rng.uniform(size=len(x)) >= JOINT_CONDITIONS_SHARE
        for j, one in enumerate(self.inputs):
            if one.role == "condition":
                values = self.grids.get(j, np.unique(self.measured[:, j]))
                x[:, j] = np.where(free, rng.choice(values, len(x)), parents[:, j])

    def _on_levels(self, x: Matrix) -> Matrix:
        x = _round(x)
        for j, one in enumerate(self.inputs):
            levels = self.grids.get(j, np.asarray(one.levels))
            if one.kind == "number" and len(levels) and not one.field.startswith("composition."):
                x[:, j] = levels[np.abs(x[:, j, None] - levels).argmin(axis=1)]
            elif one.kind != "category":
                x[:, j] = np.clip(x[:, j], one.low, one.high)
        return x.astype(np.float32).astype(np.float64)


def _distinct(x: Matrix) -> NDArray[np.int64]:
    """Return the first place of every design that differs from those before it in four digits."""
    return np.sort(np.unique(_round(x), axis=0, return_index=True)[1]).astype(np.int64)


def _round(x: Matrix) -> Matrix:
    """Return x to four significant digits."""
    size = np.floor(np.log10(np.maximum(np.abs(x), 1e-30)))
    unit = 10.0 ** (size - DIGITS + 1)
    return np.asarray(np.round(x / unit) * unit + 0.0, np.float64)
