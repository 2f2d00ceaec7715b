"""Invents plausible designs from measured ones: mixed, crossed by stage, moved a little, and snapped to real levels."""

from collections.abc import Callable, Mapping, Sequence
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
RECORD_SHARE, COMMON_SHARE = 0.4, 0.3
"""Designs under the conditions of a measured record, and under the common ones; the others mix conditions freely."""
LEAST_COMMON = 0.2
"""Share of the rows from which a value counts as the common one; below it the median does."""
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


def common_conditions(
    x: Matrix, inputs: Sequence[ModelInput], grids: Mapping[int, NDArray[np.float64]], plausible: Plausible
) -> dict[int, float]:
    """Return the value of every condition that designs are held at when nobody says another: common ones that go together.

    They are those of one row of `x` (numbers put on their grid) that is plausible, has no unknown category, and shares
    most with the most common values of each condition, the common ones counting more; without one, these values themselves.
    """
    rows = x.copy()
    for j, grid in grids.items():
        rows[:, j] = grid[np.abs(x[:, j, None] - grid).argmin(axis=1)]
    conditions = [j for j, one in enumerate(inputs) if one.role == "condition"]
    typical = {
        j: _typical(x[:, j], rows[:, j], lowest=0.0 if inputs[j].kind == "category" else -np.inf) for j in conditions
    }
    score, away, known = np.zeros(len(x)), np.zeros(len(x)), np.ones(len(x), np.bool_)
    for j, (value, share) in typical.items():
        score += share * (rows[:, j] == value)
        away += np.abs(rows[:, j] - value) / max(inputs[j].high - inputs[j].low, 1e-30)
        known &= (rows[:, j] >= 0) | (inputs[j].kind != "category")
    order = np.lexsort((away, -score))
    good = order[(known & plausible(rows))[order]]
    return {j: float(rows[good[0], j] if len(good) else value) for j, (value, _) in typical.items()}


def _typical(values: NDArray[np.float64], on_grid: NDArray[np.float64], *, lowest: float) -> tuple[float, float]:
    """Return the most common value ≥ `lowest` and its share of the rows; where none is common, that nearest to the median."""
    distinct, counts = np.unique(on_grid, return_counts=True)
    if (distinct >= lowest).any():
        distinct, counts = distinct[distinct >= lowest], counts[distinct >= lowest]
    place = counts.argmax()
    if counts[place] < LEAST_COMMON * len(values):
        place = np.abs(distinct - np.median(values)).argmin()
    return float(distinct[place]), float(counts[place]) / len(values)


def invent(x: Matrix, encoder: Encoder, wanted: int, plausible: Plausible, seed: int) -> Designs:
    """Return the distinct rows of `x` (imputed) followed by about `wanted` designs that differ from all of them.

    Fewer where the space of levels has no more. Components are mixed convexly, so their sums stay those of real
    recipes; every number stays within its observed range and is rounded to four digits, or snapped where only a few
    values occur, or whole where all are; categories come from one parent; conditions from a measured record or the grid.
    """
    sources = _distinct(x)
    measured = x[sources].astype(np.float32).astype(np.float64)
    rng = np.random.default_rng(seed)
    inventor = _Inventor.of(measured, encoder, _Conditions.of(x, encoder.inputs, plausible))
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
class _Conditions:
    """The grid of every numeric condition, and what every condition commonly is."""

    grids: dict[int, NDArray[np.float64]]
    common: dict[int, float]

    @classmethod
    def of(cls, x: Matrix, inputs: Sequence[ModelInput], plausible: Plausible) -> "_Conditions":
        told = x.astype(np.float32).astype(np.float64)
        grids = condition_grids(told, inputs)
        return cls(grids, common_conditions(told, inputs, grids, plausible))


@dataclass(frozen=True, slots=True)
class _Inventor:
    measured: Matrix
    inputs: Sequence[ModelInput]
    near: NDArray[np.int64]
    conditions: "_Conditions"
    stages: list[list[int]]

    @classmethod
    def of(cls, measured: Matrix, encoder: Encoder, conditions: "_Conditions") -> "_Inventor":
        inputs = encoder.inputs
        z = encoder.encode(measured)
        squares = Space.of(z, encoder.ranges).squares(z)
        near = np.argsort(squares, axis=1, kind="stable")[:, : NEIGHBOURS + 1]
        names = [one.field.split(".", 1)[0] for one in inputs]
        stages = [[j for j, n in enumerate(names) if n == name] for name in dict.fromkeys(names)]
        return cls(measured, inputs, near, conditions, stages)

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
        """Give designs the conditions of a record, or the common ones with at most one other, or any."""
        draw = rng.uniform(size=len(x))
        common, joint = draw < COMMON_SHARE, (draw >= COMMON_SHARE) & (draw < COMMON_SHARE + RECORD_SHARE)
        places = [j for j, one in enumerate(self.inputs) if one.role == "condition"]
        other = rng.integers(2 * len(places) or 1, size=len(x))
        for k, j in enumerate(places):
            free = rng.choice(self.conditions.grids.get(j, np.unique(self.measured[:, j])), len(x))
            x[:, j] = np.where(joint, parents[:, j], free)
            x[:, j] = np.where(common & (other != k), self.conditions.common[j], x[:, j])

    def _on_levels(self, x: Matrix) -> Matrix:
        x = _round(x)
        for j, one in enumerate(self.inputs):
            levels = self.conditions.grids.get(j, np.asarray(one.levels))
            if one.kind == "number" and len(levels) and not one.field.startswith("composition."):
                x[:, j] = levels[np.abs(x[:, j, None] - levels).argmin(axis=1)]
            elif one.kind != "category":
                x[:, j] = np.clip(np.rint(x[:, j]) if one.whole else x[:, j], one.low, one.high)
        return x.astype(np.float32).astype(np.float64)


def _distinct(x: Matrix) -> NDArray[np.int64]:
    """Return the first place of every design that differs from those before it in four digits."""
    return np.sort(np.unique(_round(x), axis=0, return_index=True)[1]).astype(np.int64)


def _round(x: Matrix) -> Matrix:
    """Return x to four significant digits."""
    size = np.floor(np.log10(np.maximum(np.abs(x), 1e-30)))
    unit = 10.0 ** (size - DIGITS + 1)
    return np.asarray(np.round(x / unit) * unit + 0.0, np.float64)
