"""The gate: a graph that disagrees with its estimator never reaches the shelf."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojae.adapters.onnx import ForwardModel
from sojae.domain.errors import ModelError
from sojae_trainer.served import Served

MAX_RELATIVE_ERROR = 1e-3
"""Of |a − b| / max(|b|, 0.01·sd(y)). Correct exports differ by up to 7e-6 sd (trees summed in float32), so by 7e-4 of
the smallest denominator; exports known to be silently wrong differ by more than 0.1 (link left out, ties, centring)."""
FLOOR = 0.01
MAX_OTHER_ERROR = 1e-2
"""The same for what stands beside the mean: squares, roots and sums of float32 numbers."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The largest relative error of the mean and of everything else, over the rows that were asked."""

    mean: float
    others: float

    @property
    def good(self) -> bool:
        """Return whether the graph may be published."""
        return self.mean <= MAX_RELATIVE_ERROR and self.others <= MAX_OTHER_ERROR


def compare(content: bytes, served: Served, x: NDArray[np.float64], sd: float) -> Agreement:
    """Return how far a graph is from its estimator: ONNX on float32 x against the estimator on float64 x.

    That is what a caller's numbers meet. Raises ModelError when the graph cannot be loaded or run at all.
    """
    groups = served.coalitions.weights.shape[1]
    got = ForwardModel(content, inputs=x.shape[1], groups=groups).predict(x)
    expected = served.answer(x)
    scale = {"domain": 1.0, "support_weight": 1.0}
    errors = {name: _relative(got[name], values, scale.get(name, sd)) for name, values in expected.items()}
    mean = errors.pop("mean")
    return Agreement(mean, max(errors.values()))


def check(content: bytes, served: Served, x: NDArray[np.float64], sd: float) -> Agreement:
    """Return the agreement of a graph with its estimator; raises ModelError when it is not good enough."""
    agreement = compare(content, served, x, sd)
    if not agreement.good:
        raise ModelError(
            en=f"{served.learner}: the graph differs from its estimator by {agreement.mean:.2g} (mean) and "
            f"{agreement.others:.2g} (other outputs), allowed are {MAX_RELATIVE_ERROR:g} and {MAX_OTHER_ERROR:g}",
            ko=f"{served.learner}: 그래프가 추정기와 {agreement.mean:.2g}(평균), {agreement.others:.2g}(다른 출력)만큼 "
            f"다릅니다. 허용값은 {MAX_RELATIVE_ERROR:g}, {MAX_OTHER_ERROR:g}입니다",
        )
    return agreement


def _relative(got: NDArray[Any], expected: NDArray[np.float64], sd: float) -> float:
    if not np.isfinite(got).all():
        return float("inf")
    return float((np.abs(got - expected) / np.maximum(np.abs(expected), FLOOR * sd)).max())
