"""Scales on which a positive, skewed property is learnt, and the way back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojae.domain.scale import Array, Transform
from sojae_trainer.onnx_builder import GraphBuilder

SKEWED = 0.5
CLEARLY_BETTER = 0.5
"""A logarithm must bring the skewness this much nearer to 0 than the root does: it costs more where values are small."""


def choose_transform(y: Array) -> Transform:
    """Return the scale for these values: the identity unless all are positive and skewed to the right by > 0.5."""
    if y.min() <= 0 or _skewness(y) <= SKEWED:
        return "identity"
    root, logarithm = abs(_skewness(np.sqrt(y))), abs(_skewness(np.log(y)))
    return "log" if logarithm + CLEARLY_BETTER < root else "sqrt"


def emit_forward(graph: GraphBuilder, transforms: Sequence[Transform], y: str) -> str:
    """Return the name of the values [t] of several targets, each on its own scale; see `forward`."""
    positive = graph.add("Max", y, graph.constant(float(np.finfo(np.float32).tiny)))
    found = y
    for transform, operator in (("sqrt", "Sqrt"), ("log", "Log")):
        if transform in transforms:
            learnt = graph.constant(np.array([one == transform for one in transforms]))
            found = graph.add("Where", learnt, graph.add(operator, positive), found)
    return found


def emit_inverse(graph: GraphBuilder, transform: Transform, t: str) -> str:
    """Return the name of the values in the target's unit."""
    if transform == "sqrt":
        positive = graph.add("Relu", t)
        return graph.add("Mul", positive, positive)
    return graph.add("Exp", t) if transform == "log" else t


def _skewness(values: NDArray[Any]) -> float:
    centred = values - values.mean()
    sd = centred.std()
    return float((centred**3).mean() / sd**3) if sd > 0 else 0.0
