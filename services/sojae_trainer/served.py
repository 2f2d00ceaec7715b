"""A forward model as it is served, in numpy: the reference that its graph must agree with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import SUPPORT_ROWS
from sojae.domain.scale import Transform, inverse
from sojae.domain.schema_reader import Bounds
from sojae_trainer.encoding import Encoder
from sojae_trainer.learners import Fitted, Forest
from sojae_trainer.shapley import Coalitions
from sojae_trainer.space import Space, unrest
from sojae_trainer.uncertainty import QUANTILE, Spread

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Served:
    """One target's model: learner, scale, spread of the grouped error, and what explains an answer.

    An answer is normal on the learnt scale (`distribution`): mean, std, lower and upper are all read from it.
    `baseline` is a real recipe, a row of x: contributions say what a row does differently from it.
    """

    encoder: Encoder
    learner: str
    fitted: Fitted
    transform: Transform
    spread: Spread
    space: Space
    baseline: Vector
    coalitions: Coalitions
    possible: Bounds
    """What the field can be at all: an interval does not reach beyond it, unless the answer itself does."""

    def mean(self, x: NDArray[Any]) -> Vector:
        """Return the estimator's answer in the target's unit, shape [n]: what the parity gate compares with."""
        return inverse(self.transform, self.fitted.predict(self.encoder.encode(x)))

    def distribution(self, x: NDArray[Any]) -> tuple[Vector, Vector]:
        """Return centre and standard deviation of the normal answer on the learnt scale, each of shape [n]."""
        z = self.encoder.encode(x)
        voices = self.fitted.disagreement(z)
        uncertain = unrest(np.square(self.space.distance(z))) if voices is None else voices
        return self.fitted.predict(z), np.sqrt(self.spread.variance(uncertain))

    def read(self, centre: Vector, deviation: Vector) -> dict[str, Vector]:
        """Return mean, std, lower and upper of distributions in the target's unit, each of shape [n].

        std is half of what lies within one deviation to either side, lower to upper what lies within 1.645.
        """
        mean = inverse(self.transform, centre)
        ends = [
            (
                self._low(inverse(self.transform, centre - q * deviation), mean),
                self._high(inverse(self.transform, centre + q * deviation), mean),
            )
            for q in (1.0, QUANTILE)
        ]
        (near_low, near_high), (lower, upper) = ends
        return {"mean": mean, "std": 0.5 * (near_high - near_low), "lower": lower, "upper": upper}

    def answer(self, x: NDArray[Any]) -> dict[str, Matrix]:
        """Return all floating outputs of the forward graph by name, each of shape [n, …]."""
        z = self.encoder.encode(x)
        told = self.read(*self.distribution(x))
        return {
            **{name: values[:, None] for name, values in told.items()},
            "domain": self.space.distance(z)[:, None],
            "contributions": self.contributions(x, told["mean"]),
            "support_weight": self.support(z)[1],
        }

    def _low(self, lower: Vector, mean: Vector) -> Vector:
        low = self.possible.low
        return lower if low is None else np.maximum(lower, np.minimum(mean, low))

    def _high(self, upper: Vector, mean: Vector) -> Vector:
        high = self.possible.high
        return upper if high is None else np.minimum(upper, np.maximum(mean, high))

    def contributions(self, x: NDArray[Any], mean: Vector) -> Matrix:
        """Return what each group of inputs adds to the baseline's answer, shape [n, groups]."""
        start = self.baseline_mean
        mixed = np.where(self.coalitions.masks, x[:, None, :], self.baseline)
        inner = self.mean(mixed.reshape(-1, x.shape[1])).reshape(len(x), -1)
        values = np.column_stack([np.zeros(len(x)), inner - start, mean - start])
        return np.asarray(values @ self.coalitions.weights, np.float64)

    @property
    def baseline_mean(self) -> float:
        """Return the answer for the baseline recipe."""
        return float(self.mean(self.baseline[None])[0])

    def support(self, z: Matrix) -> tuple[NDArray[np.int64], Matrix]:
        """Return the places of the five training rows that speak most for an answer, and their weights, [n, 5] each.

        For trees the weight is the row's share of the answer (how often it shares a leaf); for others it falls with
        the distance as exp(−d²/2) and adds up to 1 over the five.
        """
        if isinstance(self.fitted, Forest):
            weights = leaf_weights(self.fitted, z)
            places = np.argsort(-weights, axis=1, kind="stable")[:, :SUPPORT_ROWS]
            return places, np.take_along_axis(weights, places, axis=1)
        squares = self.space.squares(z)
        places = np.argsort(squares, axis=1, kind="stable")[:, :SUPPORT_ROWS]
        near = np.take_along_axis(squares, places, axis=1)
        weights = np.exp(-0.5 * (near - near[:, :1]))
        return places, weights / weights.sum(axis=1, keepdims=True)


def leaf_weights(forest: Forest, z: Matrix) -> Matrix:
    """Return the share of each training row in each answer, [n, N]; rows add up to 1."""
    weights = np.zeros((len(z), len(forest.leaves)))
    for tree, leaves in zip(forest.estimator.apply(z).T, forest.leaves.T, strict=True):
        same = tree[:, None] == leaves[None, :]
        weights += same / same.sum(axis=1, keepdims=True)
    return np.asarray(weights / forest.leaves.shape[1], np.float64)
