"""Scales on which a positive, skewed property is learnt, and the way back."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sojae_trainer.onnx_builder import GraphBuilder

Transform = Literal["identity", "sqrt", "log"]
Array = NDArray[np.float64]

SKEWED = 0.5
CLEARLY_BETTER = 0.5
"""A logarithm must bring the skewness this much nearer to 0 than the root does: it costs more where values are small."""


def choose_transform(y: Array) -> Transform:
    """Return the scale for these values: the identity unless all are positive and skewed to the right by > 0.5."""
    if y.min() <= 0 or _skewness(y) <= SKEWED:
        return "identity"
    root, logarithm = abs(_skewness(np.sqrt(y))), abs(_skewness(np.log(y)))
    return "log" if logarithm + CLEARLY_BETTER < root else "sqrt"


def forward(transform: Transform, y: Array) -> Array:
    """Return the values on the scale that is learnt; where the scale has no place for a value, its edge."""
    if transform == "sqrt":
        return np.sqrt(np.maximum(y, 0.0))
    return np.log(np.maximum(y, np.finfo(np.float64).tiny)) if transform == "log" else y


def inverse(transform: Transform, t: Array) -> Array:
    """Return the values in the target's unit."""
    if transform == "sqrt":
        return np.square(np.maximum(t, 0.0))
    return np.exp(t) if transform == "log" else t


def standard_deviation(transform: Transform, t: Array, sd: Array) -> Array:
    """Return the standard deviation in the target's unit of a value that is normal (t, sd) on the learnt scale.

    Exact for the square, Var(T²) = 4t²σ² + 2σ⁴; first order for the exponential.
    """
    if transform == "sqrt":
        return sd * np.sqrt(4.0 * np.square(t) + 2.0 * np.square(sd))
    return np.exp(t) * sd if transform == "log" else sd


def emit_inverse(graph: GraphBuilder, transform: Transform, t: str) -> str:
    """Return the name of the values in the target's unit."""
    if transform == "sqrt":
        positive = graph.add("Relu", t)
        return graph.add("Mul", positive, positive)
    return graph.add("Exp", t) if transform == "log" else t


def emit_standard_deviation(graph: GraphBuilder, transform: Transform, t: str, sd: str) -> str:
    """Return the name of the standard deviation in the target's unit; see `standard_deviation`."""
    if transform == "sqrt":
        mean = graph.add("Mul", graph.constant(4.0), graph.add("Mul", t, t))
        own = graph.add("Mul", graph.constant(2.0), graph.add("Mul", sd, sd))
        return graph.add("Mul", sd, graph.add("Sqrt", graph.add("Add", mean, own)))
    return graph.add("Mul", graph.add("Exp", t), sd) if transform == "log" else sd


def _skewness(values: NDArray[Any]) -> float:
    centred = values - values.mean()
    sd = centred.std()
    return float((centred**3).mean() / sd**3) if sd > 0 else 0.0
