"""The scale on which a property is learnt, and the way back: what the trainer computes and who reads its answers."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Transform = Literal["identity", "sqrt", "log"]
Array = NDArray[np.float64]


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
