"""How far off an answer may be: intervals from out-of-fold residuals, and a standard deviation that knows the place."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from sojae.domain.model import Interval
from sojae_trainer.evaluation import FOLDS, Problem
from sojae_trainer.grouping import Labels
from sojae_trainer.transform import inverse

Vector = NDArray[np.float64]

NOMINAL = 0.9
LEAST_VARIANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance on the learnt scale = level + slope · min(unrest, ceiling); unrest is the variance over trees, or
    d² / (1 + d²) with the distance d to the data.
    """

    level: float
    slope: float
    ceiling: float

    def variance(self, unrest: Vector) -> Vector:
        """Return the variance of the error, shape [n]."""
        return self.level + self.slope * np.minimum(unrest, self.ceiling)


def half_width(residuals: NDArray[Any]) -> float:
    """Return the half-width that holds 90 % of new residuals: the ⌈0.9 (n + 1)⌉-th smallest size (split conformal)."""
    sizes = np.sort(np.abs(residuals))
    place = min(int(np.ceil(NOMINAL * (len(sizes) + 1))), len(sizes))
    return float(sizes[place - 1])


def fit_spread(residuals: Vector, unrest: Vector) -> Spread:
    """Return the spread whose variance is nearest to the squared grouped residuals, level and slope ≥ 0."""
    squares = np.square(residuals)
    typical = float(unrest.mean()) or 1.0
    design = np.column_stack([np.ones_like(unrest), unrest / typical])
    level, slope = np.asarray(nnls(design, squares)[0], np.float64).tolist()
    floor = LEAST_VARIANCE * float(squares.mean()) + np.finfo(np.float32).tiny
    return Spread(max(level, floor), slope / typical, float(unrest.max()))


def intervals(problem: Problem, random: tuple[Vector, Labels], grouped: tuple[Vector, Labels]) -> Interval:
    """Return coverage and mean width of the 90 % intervals, each measured on folds that its half-width did not see.

    `random` and `grouped` are out-of-fold answers on the learnt scale with their folds.
    """
    coverage_random, width_random = _measured(problem, *random)
    coverage_grouped, width_grouped = _measured(problem, *grouped)
    return Interval(
        nominal=NOMINAL,
        coverage_random=coverage_random,
        coverage_grouped=coverage_grouped,
        mean_width_random=width_random,
        mean_width_grouped=width_grouped,
    )


def _measured(problem: Problem, t: Vector, folds: Labels) -> tuple[float, float]:
    residuals = problem.t - t
    half = np.empty_like(t)
    for k in range(FOLDS):
        half[folds == k] = half_width(residuals[folds != k])
    width = inverse(problem.transform, t + half) - inverse(problem.transform, t - half)
    return float((np.abs(residuals) <= half).mean()), float(width.mean())
