"""Distance to what has been measured: the domain score, and the nearest records."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojae_trainer.onnx_builder import GraphBuilder

Matrix = NDArray[np.float64]

LEAST_SCALE = 0.2
"""Share of a column's range below which its scale never falls: a rare element or category must not outweigh the rest."""
DOMAIN_SHARE = 0.95
CHUNK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Space:
    """Training rows in standardised coordinates, and the distance that counts as 1.

    Coordinate = (z − mean) / max(sd, 0.2 · range), the range being that of the whole project. Distance 1 is that
    within which 95 % of the distinct training rows have their nearest other one; so a score ≤ 1 is as near to the data
    as the data are to each other.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    rows: NDArray[np.float32]
    unit: float

    @classmethod
    def of(cls, z: Matrix, ranges: NDArray[np.float64]) -> "Space":
        """Return the space of training rows z, shape [N, p], with the project's range of every column, shape [p]."""
        spread = np.maximum(z.std(axis=0), LEAST_SCALE * ranges)
        # A column that never changes has a deviation of rounding noise: it must not become an axis.
        mean, scale = z.mean(axis=0), np.where(spread > 1e-9 * np.abs(z).max(axis=0), spread, 1.0)
        rows = ((z - mean) / scale).astype(np.float32)
        distinct = np.unique(rows, axis=0).astype(np.float64)
        squares = _squares(distinct, distinct)
        np.fill_diagonal(squares, np.inf)
        nearest = np.sqrt(squares.min(axis=1)) if len(distinct) > 1 else np.ones(1)
        return cls(mean, scale, rows, max(float(np.quantile(nearest, DOMAIN_SHARE)), 1e-9))

    def squares(self, z: Matrix) -> Matrix:
        """Return squared distances to all training rows, shape [n, N]; distance 1 is the unit of the space."""
        return _squares((z - self.mean) / self.scale, self.rows.astype(np.float64)) / self.unit**2

    def distance(self, z: Matrix) -> NDArray[np.float64]:
        """Return the distance to the nearest training row, shape [n]."""
        starts = range(0, len(z), CHUNK_ROWS)
        parts = [np.sqrt(self.squares(z[s : s + CHUNK_ROWS]).min(axis=1)) for s in starts]
        return np.concatenate(parts) if parts else np.empty(0)

    def emit_squares(self, graph: GraphBuilder, z: str) -> str:
        """Return the name of the squared distances, float64 [n, N], for z float32 [n, p]."""
        centred = graph.add("Sub", graph.cast(z, np.float64), graph.constant(self.mean))
        here = graph.add("Div", centred, graph.constant(self.scale))
        rows = graph.cast(graph.constant(np.ascontiguousarray(self.rows.T)), np.float64)
        squares = emit_squared_distances(graph, here, rows, np.square(self.rows.astype(np.float64)).sum(axis=1))
        return graph.add("Mul", squares, graph.constant(np.array(1.0 / self.unit**2)))


def unrest(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the error grows with as the data get far, from squared distances: d² / (1 + d²), within [0, 1)."""
    return squares / (1.0 + squares)


def emit_unrest(graph: GraphBuilder, squares: str) -> str:
    """Return the name of `unrest` of squared distances to the nearest training row, float64 [n, 1]."""
    return graph.add("Div", squares, graph.add("Add", squares, graph.constant(np.array(1.0))))


def emit_squared_distances(graph: GraphBuilder, here: str, rows: str, norms: NDArray[np.float64]) -> str:
    """Return the name of ‖a‖² − 2ab + ‖b‖² ≥ 0, float64 [n, N], for a [n, p], and b given as [p, N] with its norms."""
    axis = graph.constant(np.array([1]))
    own = graph.add("ReduceSumSquare", here, axis, keepdims=1)
    cross = graph.add("Mul", graph.add("MatMul", here, rows), graph.constant(np.array(2.0)))
    squares = graph.add("Add", graph.add("Sub", own, cross), graph.constant(norms))
    return graph.add("Max", squares, graph.constant(np.array(0.0)))


def _squares(a: Matrix, b: Matrix) -> Matrix:
    squares = np.square(a).sum(axis=1)[:, None] - 2.0 * a @ b.T + np.square(b).sum(axis=1)
    return np.asarray(np.maximum(squares, 0.0), np.float64)
