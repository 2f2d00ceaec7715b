"""The learners: two baselines, and three of different kind that can be served."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor
from sklearn.linear_model import RidgeCV

from sojae_trainer.gaussian_process import GaussianProcess, fit_gaussian_process
from sojae_trainer.space import CHUNK_ROWS

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

FOREST_TREES = 32
FOREST_LEAF = 2
FOREST_FEATURES = 0.6
BOOSTING = {
    "n_estimators": 50,
    "learning_rate": 0.15,
    "max_depth": 5,
    "subsample": 0.7,
    "max_features": 0.3,
    "min_samples_leaf": 3,
}
RIDGE_STRENGTHS = np.logspace(-2, 4, 13)
MAX_PROCESS_ROWS = 3000
"""Above this a Gaussian process is not tried: it keeps every row and solves n³."""


class Fitted(Protocol):
    """A learner after training, on the learnt scale."""

    @property
    def numbers(self) -> int:
        """How many numbers a graph must hold to answer as this does."""
        ...

    def predict(self, z: Matrix) -> Vector:
        """Return the answer, shape [n], for z of shape [n, p]."""
        ...

    def disagreement(self, z: Matrix) -> Vector | None:
        """Return the variance over members that vote, shape [n]; None where there is only one voice."""
        ...


class Learner(Protocol):
    """Fits z [n, p] and t [n], always the same way for the same seed."""

    def __call__(self, z: Matrix, t: Vector, seed: int) -> Fitted:
        """Return the fitted learner."""
        ...


@dataclass(frozen=True, slots=True)
class Mean:
    """The baseline that answers with the training mean."""

    value: float
    numbers: int = 1

    def predict(self, z: Matrix) -> Vector:
        """Return the mean for every row."""
        return np.full(len(z), self.value)

    def disagreement(self, z: Matrix) -> None:
        """Return None: there is one voice."""


@dataclass(frozen=True, slots=True)
class Ridge:
    """The linear baseline, in standardised columns clipped to the training range."""

    low: Vector
    high: Vector
    slope: Vector
    level: float

    @property
    def numbers(self) -> int:
        """Return the number of coefficients."""
        return len(self.slope) + 1

    def predict(self, z: Matrix) -> Vector:
        """Return the linear answer."""
        return self.level + np.clip(z, self.low, self.high) @ self.slope

    def disagreement(self, z: Matrix) -> None:
        """Return None: there is one voice."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Extremely randomised trees; the answer is a weighted mean of the training values that share a leaf."""

    estimator: ExtraTreesRegressor
    centre: float
    scale: float
    leaves: NDArray[np.int64]
    """Leaf of every training row in every tree, [N, trees]."""

    @property
    def numbers(self) -> int:
        """Return nodes plus the entries that name the training rows of each leaf."""
        return sum(int(tree.tree_.node_count) for tree in self.estimator.estimators_) + self.leaves.size

    def predict(self, z: Matrix) -> Vector:
        """Return the mean over trees."""
        return self.centre + self.scale * np.asarray(self.estimator.predict(z), np.float64)

    def disagreement(self, z: Matrix) -> Vector:
        """Return the variance over trees."""
        rows = z.astype(np.float32)
        answers = np.stack([tree.tree_.predict(rows)[:, 0] for tree in self.estimator.estimators_])
        return np.asarray(self.scale**2 * answers.var(axis=0), np.float64)


@dataclass(frozen=True, slots=True)
class Boosting:
    """Boosted trees."""

    estimator: GradientBoostingRegressor
    centre: float
    scale: float

    @property
    def numbers(self) -> int:
        """Return the number of nodes."""
        return sum(int(tree.tree_.node_count) for tree in self.estimator.estimators_[:, 0])

    def predict(self, z: Matrix) -> Vector:
        """Return the sum over trees."""
        return self.centre + self.scale * np.asarray(self.estimator.predict(z), np.float64)

    def disagreement(self, z: Matrix) -> None:
        """Return None: the sum over trees is one voice."""


@dataclass(frozen=True, slots=True)
class Process:
    """A Gaussian process."""

    process: GaussianProcess

    @property
    def numbers(self) -> int:
        """Return training rows times columns, plus weights."""
        return self.process.rows.size + len(self.process.rows)

    def predict(self, z: Matrix) -> Vector:
        """Return the process's mean."""
        parts = [self.process.predict(z[s : s + CHUNK_ROWS]) for s in range(0, len(z), CHUNK_ROWS)]
        return np.concatenate(parts) if parts else np.empty(0)

    def disagreement(self, z: Matrix) -> None:
        """Return None: there is one voice."""


def fit_mean(z: Matrix, t: Vector, seed: int) -> Fitted:
    """Return the training mean; `z` and `seed` play no part."""
    del z, seed
    return Mean(float(t.mean()))


def fit_ridge(z: Matrix, t: Vector, seed: int) -> Fitted:
    """Return the ridge regression whose strength has the least leave-one-out error in the training rows."""
    del seed
    centre, deviation = z.mean(axis=0), z.std(axis=0)
    spread = np.where(deviation > 1e-9 * np.abs(z).max(axis=0), deviation, 1.0)
    estimator = RidgeCV(RIDGE_STRENGTHS).fit((z - centre) / spread, t)
    slope = np.asarray(estimator.coef_, np.float64) / spread
    return Ridge(z.min(axis=0), z.max(axis=0), slope, float(estimator.intercept_ - centre @ slope))


def fit_forest(z: Matrix, t: Vector, seed: int) -> Fitted:
    """Return 32 extremely randomised trees with ≥ 2 rows a leaf, each grown on all rows."""
    centre, scale = _standard(t)
    estimator = ExtraTreesRegressor(
        FOREST_TREES, min_samples_leaf=FOREST_LEAF, max_features=FOREST_FEATURES, random_state=seed, n_jobs=1
    ).fit(z, (t - centre) / scale)
    return Forest(estimator, centre, scale, np.asarray(estimator.apply(z), np.int64))


def fit_boosting(z: Matrix, t: Vector, seed: int) -> Fitted:
    """Return 50 boosted trees of depth 5 on 70 % of the rows and 30 % of the columns each."""
    centre, scale = _standard(t)
    estimator = GradientBoostingRegressor(**BOOSTING, random_state=seed).fit(z, (t - centre) / scale)
    return Boosting(estimator, centre, scale)


def fit_process(z: Matrix, t: Vector, seed: int) -> Fitted:
    """Return a Gaussian process with a length scale for each column and a linear part."""
    return Process(fit_gaussian_process(z, t, seed))


BASELINES: Mapping[str, Learner] = {"mean": fit_mean, "ridge": fit_ridge}
LEARNERS: Mapping[str, Learner] = {
    "gaussian_process": fit_process,
    "gradient_boosting": fit_boosting,
    "extra_trees": fit_forest,
}


def learners_for(rows: int) -> Mapping[str, Learner]:
    """Return the learners that are tried on so many rows."""
    return {name: fit for name, fit in LEARNERS.items() if name != "gaussian_process" or rows <= MAX_PROCESS_ROWS}


def _standard(t: Vector) -> tuple[float, float]:
    return float(t.mean()), float(t.std()) or 1.0
