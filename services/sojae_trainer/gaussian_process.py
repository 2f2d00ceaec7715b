"""A Gaussian process with one length scale for each column (Matérn 3/2) and a linear part, in double precision."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

SEARCH_ROWS = 150
"""Rows on which length scales are sought: their likelihood costs n³, and a sample of the rows says nearly the same."""
SEARCH_STEPS = 40
JITTER = 1e-6
PRIOR_WIDTH = 1.5
LENGTH_REACH = 4.0
SIGNAL_BOUNDS, NOISE_BOUNDS = (-6.0, 4.0), (-9.0, 2.0)
"""Bounds of logarithms, lengths relative to their prior: with noise ≥ 1e-4 the kernel can always be factored."""


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """A fitted process; `rows` are the training rows, clipped, standardised and rounded to float32.

    t(z) = mean + scale · (k(s, rows) · weights + s · slope), s = (clip(z, low, high) − centre) / spread;
    k(a, b) = signal · (1 + √3 r) exp(−√3 r), r² = Σ ((a − b) · inverse_lengths)². Clipping keeps the linear part from
    running away: beyond the training range the answer is that at its edge.
    """

    low: Vector
    high: Vector
    centre: Vector
    spread: Vector
    inverse_lengths: Vector
    signal: float
    rows: NDArray[np.float32]
    weights: Vector
    slope: Vector
    mean: float
    scale: float

    def predict(self, z: Matrix) -> Vector:
        """Return the answer on the learnt scale, shape [n], for z of shape [n, p]."""
        s = (np.clip(z, self.low, self.high) - self.centre) / self.spread
        kernel = _matern(s * self.inverse_lengths, self.rows.astype(np.float64) * self.inverse_lengths)
        return self.mean + self.scale * (self.signal * kernel @ self.weights + s @ self.slope)


def fit_gaussian_process(z: Matrix, t: Vector, seed: int) -> GaussianProcess:
    """Return the process fitted to z [n, p] and t [n]: scales by maximum a posteriori on ≤ 150 rows, weights on all.

    Eq. 2.25 and 5.9 of Rasmussen and Williams, Gaussian Processes for Machine Learning (2006).
    """
    centre, deviation = z.mean(axis=0), z.std(axis=0)
    spread = np.where(deviation > 1e-9 * np.abs(z).max(axis=0), deviation, 1.0)
    rows = ((z - centre) / spread).astype(np.float32)
    s = rows.astype(np.float64)
    mean, scale = float(t.mean()), float(t.std()) or 1.0
    target = (t - mean) / scale
    sample = np.sort(np.random.default_rng(seed).permutation(len(s))[:SEARCH_ROWS])
    theta = _search(s[sample], target[sample])
    p = s.shape[1]
    inverse_lengths = np.exp(-theta[:p])
    signal, linear, noise = np.exp(theta[p:])
    kernel = signal * _matern(s * inverse_lengths, s * inverse_lengths) + linear / p * s @ s.T
    kernel[np.diag_indices(len(s))] += noise + JITTER
    weights = cho_solve(cho_factor(kernel, lower=True), target)
    slope = linear / p * (s.T @ weights)
    return GaussianProcess(
        low=z.min(axis=0),
        high=z.max(axis=0),
        centre=centre,
        spread=spread,
        inverse_lengths=inverse_lengths,
        signal=float(signal),
        rows=rows,
        weights=weights,
        slope=slope,
        mean=mean,
        scale=scale,
    )


def _search(s: Matrix, target: Vector) -> Vector:
    """Return the logarithms of length scales, signal, linear and noise variance with the highest posterior."""
    n, p = s.shape
    squares = np.square(s.T[:, :, None] - s.T[:, None, :]).reshape(p, n * n)
    products = s @ s.T / p
    centre = np.concatenate([np.full(p, 0.5 * np.log(p) + 0.5), [0.0, -1.0, -2.0]])
    width = np.concatenate([np.ones(p), np.full(3, PRIOR_WIDTH)])

    def loss(theta: Vector) -> tuple[float, Vector]:
        value, gradient = _negative_log_likelihood(theta, squares, products, target)
        away = (theta - centre) / width
        return value + 0.5 * float(away @ away), gradient + away / width

    reach = [(c - LENGTH_REACH, c + LENGTH_REACH) for c in centre[:p]]
    bounds = [*reach, SIGNAL_BOUNDS, SIGNAL_BOUNDS, NOISE_BOUNDS]
    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": SEARCH_STEPS})
    return np.asarray(found.x, np.float64)


def _negative_log_likelihood(theta: Vector, squares: Matrix, products: Matrix, target: Vector) -> tuple[float, Vector]:
    """Return the value and its gradient over the logarithms; `squares` has one row of n² differences a column of s."""
    n, p = len(target), len(squares)
    precision = np.exp(-2.0 * theta[:p])
    signal, linear, noise = np.exp(theta[p:])
    root = np.sqrt(3.0 * (precision @ squares).reshape(n, n))
    decay = np.exp(-root)
    smooth = signal * (1.0 + root) * decay
    kernel = smooth + linear * products
    kernel[np.diag_indices(n)] += noise + JITTER
    factor = cho_factor(kernel, lower=True, check_finite=False)
    alpha = cho_solve(factor, target, check_finite=False)
    weight: Any = np.outer(alpha, alpha) - cho_solve(factor, np.eye(n), check_finite=False)
    value = 0.5 * float(target @ alpha) + float(np.log(np.diag(factor[0])).sum())
    lengths = -1.5 * signal * precision * (squares @ (weight * decay).ravel())
    others = [
        -0.5 * (weight * smooth).sum(),
        -0.5 * linear * (weight * products).sum(),
        -0.5 * noise * np.trace(weight),
    ]
    return value, np.concatenate([lengths, others])


def _matern(a: Matrix, b: Matrix) -> Matrix:
    squares = np.square(a).sum(axis=1)[:, None] - 2.0 * a @ b.T + np.square(b).sum(axis=1)
    root = np.sqrt(3.0 * np.maximum(squares, 0.0))
    return np.asarray((1.0 + root) * np.exp(-root), np.float64)
