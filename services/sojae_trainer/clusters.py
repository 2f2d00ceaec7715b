"""Groups of like designs, so that an answer does not hold one design five times."""

import numpy as np
from numpy.typing import NDArray

from sojae_trainer.space import CHUNK_ROWS

Matrix = NDArray[np.float64]

CLUSTERS = 64
STEPS = 5


def cluster(coordinates: Matrix, seed: int) -> NDArray[np.int64]:
    """Return the cluster of each row by a few steps of k-means (Lloyd) from random rows, numbered from 0."""
    rng = np.random.default_rng(seed)
    centres = coordinates[np.sort(rng.permutation(len(coordinates))[:CLUSTERS])].copy()
    nearest = _nearest(coordinates, centres)
    for _ in range(STEPS):
        for k in range(len(centres)):
            inside = nearest == k
            if inside.any():
                centres[k] = coordinates[inside].mean(axis=0)
        nearest = _nearest(coordinates, centres)
    return np.unique(nearest, return_inverse=True)[1].astype(np.int64)


def _nearest(rows: Matrix, centres: Matrix) -> NDArray[np.int64]:
    parts = []
    for start in range(0, len(rows), CHUNK_ROWS):
        part = rows[start : start + CHUNK_ROWS]
        parts.append((np.square(centres).sum(axis=1) - 2.0 * part @ centres.T).argmin(axis=1))
    return np.concatenate(parts).astype(np.int64)
