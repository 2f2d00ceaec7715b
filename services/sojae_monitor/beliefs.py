"""What is believed of a running batch's inputs: told by the batch, planned, or planned with what is already certain.

The rule. A field that a channel feeds is *known* once the batch has told it: a mean after the first window that has a
good sample; a mean above the limit once the channel has been above it for ten minutes. Minimum, maximum, dwell and dose
are known only at the end: until then they are the plan's, within the part of its spread that what has happened leaves
open (a dwell is at least the dwell so far). All other fields are the asset's or the plan's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from sojae.domain.plant import BatchFeature, Planned, Plant

SETTLED_HOURS = 10 / 60
"""Time above the limit after which the mean above it is taken as told."""

Value = float | str
SoFar = Mapping[str, Mapping[BatchFeature, float]]


@dataclass(frozen=True, slots=True)
class Belief:
    """One input: a value, or a normal distribution about it, cut off below `at_least` and above `at_most`."""

    value: Value
    spread: float = 0.0
    told: bool = False
    at_least: float = -math.inf
    at_most: float = math.inf

    @property
    def open(self) -> bool:
        """Whether anything but one value is believed."""
        return self.spread > 0.0 and not isinstance(self.value, str)

    def quantile(self, share: float) -> float:
        """Return the number below which `share` (0 < share < 1) of what is believed lies."""
        assert not isinstance(self.value, str), "a category has no quantiles"
        if not self.open:
            return min(max(self.value, self.at_least), self.at_most)
        plan = NormalDist(self.value, self.spread)
        low, high = plan.cdf(self.at_least), plan.cdf(self.at_most)
        within = low + share * (high - low)
        if not 0.0 < within < 1.0 or high - low < SMALLEST_SHARE:  # the plan has been left far behind
            return self.at_least if math.isfinite(self.at_least) else self.at_most
        return min(max(plan.inv_cdf(within), self.at_least), self.at_most)


SMALLEST_SHARE = 1e-6


def beliefs(plant: Plant, asset: str, so_far: SoFar) -> dict[str, Belief]:
    """Return what is believed of a batch's inputs, by `<stage>.<field>`; what nobody has said is left out."""
    believed = {key: Belief(p.value, p.spread) for key, p in plant.plan.items()}
    believed |= {f"process.{field}": Belief(value) for field, value in plant.assets[asset].values.items()}
    for name, channel in plant.channels.items():
        for field, feature in channel.fields.items():
            key = f"process.{field}"
            belief = _of_feature(feature, so_far.get(name, {}), plant.plan.get(key))
            if belief is not None:
                believed[key] = belief
    return believed


def _of_feature(feature: BatchFeature, so_far: Mapping[BatchFeature, float], plan: Planned | None) -> Belief | None:
    value = so_far.get(feature, math.nan)
    if not math.isfinite(value):
        return None
    if feature == "mean" or (feature == "mean_above" and so_far.get("dwell_h", 0.0) >= SETTLED_HOURS):
        return Belief(value, told=True)
    if feature == "mean_above" or plan is None or isinstance(plan.value, str):
        return None
    if feature == "minimum":
        return Belief(plan.value, plan.spread, at_most=value)
    return Belief(plan.value, plan.spread, at_least=value)
