"""Exact Shapley values over a few groups of inputs, as two constant matrices around a model."""

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Coalitions:
    """`masks` [2^g − 2, d]: which inputs are the row's own, the empty and the full set left out; `weights` [2^g, g].

    With v the answers for all sets (empty first, full last), v · weights are the Shapley values: they add up to
    v(full) − v(empty). Shapley, A value for n-person games (1953).
    """

    masks: NDArray[np.bool_]
    weights: NDArray[np.float32]


def coalitions(groups: list[tuple[int, ...]], inputs: int) -> Coalitions:
    """Return the coalitions of groups of inputs, in the order of binary numbers whose bit i is group i."""
    g = len(groups)
    masks = np.zeros((2**g, inputs), np.bool_)
    weights = np.zeros((2**g, g))
    for number in range(2**g):
        members = [i for i in range(g) if number >> i & 1]
        for i in range(g):
            if i in members:
                masks[number, list(groups[i])] = True
                weights[number, i] = _share(len(members) - 1, g)
            else:
                weights[number, i] = -_share(len(members), g)
    return Coalitions(masks[1:-1], weights.astype(np.float32))


def _share(others: int, g: int) -> float:
    """Return the weight of a set of `others` groups that one more group joins: |S|! (g − |S| − 1)! / g!."""
    return factorial(others) * factorial(g - others - 1) / factorial(g)
