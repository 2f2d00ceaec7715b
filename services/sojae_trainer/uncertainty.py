"""How far off an answer may be: one normal distribution for interval, standard deviation and hit probability."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from sojae.domain.model import NOMINAL, Interval
from sojae.domain.scale import inverse
from sojae_trainer.evaluation import OutOfFold, Problem, fold_count
from sojae_trainer.grouping import Labels

Vector = NDArray[np.float64]

QUANTILE = NormalDist().inv_cdf(0.5 + NOMINAL / 2)
"""An interval reaches so many standard deviations to either side: 1.645 for 90 %."""
LEAST_VARIANCE = 1e-6
NEAREST_SHARE, LEAST_NEAREST = 0.1, 20
"""The noise floor is what is left of the error in the tenth of the rows, and in at least 20, that were known best."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance on the learnt scale = level + slope · min(unrest, ceiling); unrest is the variance over trees, or
    d² / (1 + d²) with the distance d to the data. The error of an answer is normal with it.
    """

    level: float
    slope: float
    ceiling: float

    @property
    def noise_floor(self) -> float:
        """Return the standard deviation of the error where most is known: no answer has a smaller one."""
        return float(np.sqrt(self.level))

    def variance(self, unrest: Vector) -> Vector:
        """Return the variance of the error, shape [n]."""
        return self.level + self.slope * np.minimum(unrest, self.ceiling)


def half_width(residuals: NDArray[Any]) -> float:
    """Return the half-width that holds 90 % of new residuals: the ⌈0.9 (n + 1)⌉-th smallest size (split conformal)."""
    sizes = np.sort(np.abs(residuals))
    place = min(int(np.ceil(NOMINAL * (len(sizes) + 1))), len(sizes))
    return float(sizes[place - 1])


def fit_spread(residuals: Vector, unrest: Vector) -> Spread:
    """Return the spread whose ±1.645 deviations hold 90 % of out-of-fold residuals, from these and their unrest.

    Its shape is the variance nearest to the squared residuals, level and slope ≥ 0; its size the conformal quantile of
    the sizes that would just hold each residual. The level never falls below the noise floor: the deviation that the
    best known tenth of the rows, by unrest, shows in the same way.
    """
    squares = np.square(residuals)
    typical = float(unrest.mean()) or 1.0
    design = np.column_stack([np.ones_like(unrest), unrest / typical])
    level, slope = (float(one) for one in np.asarray(nnls(design, squares)[0], np.float64))
    nearest = np.argsort(unrest, kind="stable")[: max(LEAST_NEAREST, int(NEAREST_SHARE * len(unrest)))]
    best = min(half_width(residuals[nearest]), half_width(residuals)) / QUANTILE
    least = LEAST_VARIANCE * float(squares.mean()) + float(np.finfo(np.float32).tiny)
    floor = max(best**2, least)
    level = max(level, floor)  # else a row of no unrest could ask for an endless size
    size = _size(squares / QUANTILE**2, level, slope / typical * unrest, floor)
    return Spread(max(size * level, floor), size * slope / typical, float(unrest.max()))


def _size(needed: Vector, level: float, grown: Vector, floor: float) -> float:
    """Return the size at which max(size · level, floor) + size · grown is at least `needed` in 90 % of the rows."""
    whole = needed / (level + grown)
    above_floor = np.maximum(needed - floor, 0.0) / np.maximum(grown, np.finfo(np.float32).tiny)
    return half_width(np.where(whole * level >= floor, whole, above_floor))


def intervals(problem: Problem, random: tuple[OutOfFold, Labels], grouped: tuple[OutOfFold, Labels]) -> Interval:
    """Return coverage and mean width of the 90 % intervals, each measured on folds that its spread did not see.

    `random` and `grouped` are out-of-fold answers with their folds.
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


def _measured(problem: Problem, answers: OutOfFold, folds: Labels) -> tuple[float, float]:
    residuals = problem.t - answers.t
    half = np.empty_like(residuals)
    for k in range(fold_count(folds)):
        inside, outside = folds != k, folds == k
        variance = fit_spread(residuals[inside], answers.unrest[inside]).variance(answers.unrest[outside])
        half[outside] = QUANTILE * np.sqrt(variance)
    width = inverse(problem.transform, answers.t + half) - inverse(problem.transform, answers.t - half)
    return float((np.abs(residuals) <= half).mean()), float(width.mean())
