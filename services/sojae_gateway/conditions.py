"""What test and exposure designs are meant for when the caller leaves it open: never what the search would like."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import ModelInput
from sojae_gateway.bounds import Bound

ENOUGH_DESIGNS = 50
"""Designs from which a choice can be made; conditions for which there are fewer are taken only where there are no others."""


def assumed_conditions(
    inputs: Sequence[ModelInput], bounds: Sequence[Bound], common: Mapping[str, float], designs: NDArray[Any]
) -> dict[int, float]:
    """Return the value of each condition that nothing bounds, by its place among the inputs.

    `designs` [n, d] are all that obey the bounds. Taken are the conditions of those that share most values with the common
    ones: where the caller has fixed some, not every common value needs to go with them.
    """
    places = [
        place
        for place, (one, bound) in enumerate(zip(inputs, bounds, strict=True))
        if one.role == "condition" and one.field in common and bound.open
    ]
    if not places or not len(designs):
        return {}
    found, counts = np.unique(designs[:, places], axis=0, return_counts=True)
    wanted = np.array([common[inputs[place].field] for place in places], np.float32)
    shared = np.isclose(found, wanted, rtol=1e-6).sum(axis=1)
    enough = counts >= min(ENOUGH_DESIGNS, counts.max())
    best = np.lexsort((counts, shared, enough))[-1]
    return {place: float(format(value, ".6g")) for place, value in zip(places, found[best].tolist(), strict=True)}
