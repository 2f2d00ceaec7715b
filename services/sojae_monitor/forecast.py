"""The property that a running batch will have, by the shelf's forward graph: what is not known yet widens the interval."""

import logging
import math
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sojae.adapters.onnx import ForwardModel
from sojae.domain.errors import ModelError, UserInputError
from sojae.domain.model import ModelInput, TargetModel, input_row
from sojae.domain.plant import Plant
from sojae.domain.scale import forward, inverse
from sojae.topics import forecasts_topic
from sojae_monitor.beliefs import Belief, beliefs
from sojae_monitor.emitted import Window
from sojae_monitor.identifiers import named_id
from sojae_monitor.messages import FORECAST, Outgoing
from sojae_monitor.metrics import MonitorMetrics
from sojae_monitor.scores import Scores
from sojae_monitor.shelf_models import ShelfModels

log = logging.getLogger(__name__)

POINTS = 32
POINTS_EACH = 4
"""Points at which the graph is asked when inputs are open, at least; and pairs of them for each open input."""

NORMAL = NormalDist()

Array = NDArray[np.float64]


class Forecasts:
    """Forecasts running batches with the model that stands on the shelf now."""

    def __init__(self, models: ShelfModels, scores: Scores, metrics: MonitorMetrics) -> None:
        self._models = models
        self._scores = scores
        self._metrics = metrics

    def forecast(self, plant: Plant, window: Window) -> Outgoing | None:
        """Return the forecast after a window of a running batch; None, counted, when there is no model of the target."""
        found = None if plant.forecast is None else self._models.of(plant.project, plant.forecast.target)
        if found is None or window.batch is None:
            self._metrics.no_forecast("no_model")
            return None
        believed = beliefs(plant, window.asset, window.so_far)
        try:
            mean, lower, upper = predicted(found.graph, found.inputs, found.target, believed)
        except (ModelError, UserInputError) as error:
            log.warning("%s/%s: no forecast of %s: %s", plant.plant, window.asset, window.batch, error)
            mean = lower = upper = math.nan
        if not all(map(math.isfinite, (mean, lower, upper))):
            self._metrics.no_forecast("no_number")
            return None
        known = sorted({one.field for one in found.inputs} & {key for key, b in believed.items() if b.told})
        record: dict[str, object] = {
            "id": named_id("forecast", plant.plant, window.asset, window.batch, window.end_us, found.version),
            "kind": "forecast",
            "plant": plant.plant,
            "asset": window.asset,
            "batch": window.batch,
            "at": window.end_us,
            "project": plant.project,
            "target": found.target.name,
            "unit": found.target.unit or "1",
            "model_version": found.version,
            "mean": mean,
            "lower": lower,
            "upper": upper,
            "known": known,
        }
        self._scores.made(record)
        self._metrics.forecast()
        return Outgoing(forecasts_topic(plant.plant), window.asset, FORECAST.encode(record))

    def ended(self, plant: Plant, batch: str) -> None:
        """Note that a batch has ended: its last forecast is what the laboratory's value is compared with."""
        self._scores.ended(plant.plant, batch)


def predicted(
    graph: ForwardModel, inputs: Sequence[ModelInput], target: TargetModel, believed: Mapping[str, Belief]
) -> tuple[float, float, float]:
    """Return mean, lower and upper of the 90 % interval, in the target's unit.

    The graph is asked at points of the open inputs. On the scale on which its answers are normal, the variance is the
    mean of its variances plus the variance of its means (law of total variance); nothing open gives its own interval.
    """
    values = {one.field: believed[one.field] for one in inputs if one.field in believed}
    opened = [field for field, belief in values.items() if belief.open]
    shares = quantile_shares(len(opened))
    rows = []
    for point in shares:
        row: dict[str, object] = {
            f: b.value if isinstance(b.value, str) else b.quantile(0.5) for f, b in values.items()
        }
        row |= {f: values[f].quantile(float(share)) for f, share in zip(opened, point, strict=True)}
        rows.append(input_row(inputs, row))
    answer = graph.predict(rows, ("mean", "lower", "upper"))
    mean, lower, upper = (np.asarray(answer[name][:, 0], np.float64) for name in ("mean", "lower", "upper"))
    if not opened:
        return float(mean[0]), float(lower[0]), float(upper[0])
    return _combined(target, mean, lower, upper)


@cache
def quantile_shares(inputs: int) -> Array:
    """Return evenly spread points of the open unit cube of `inputs` dimensions, as rows; always the same.

    The additive recurrence of Roberts (2018), steps of the powers of 1/φ with φ^(d+1) = φ + 1, each point with its mirror
    image. As quantiles of normals they are then turned and stretched to mean 0, variance 1 and covariance 0, so that a
    graph that is linear in the open inputs gets its variance exactly.
    """
    if inputs == 0:
        return np.empty((1, 0))
    root = 2.0
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (inputs + 1))
    steps = root ** -np.arange(1.0, inputs + 1)
    half = (0.5 + np.outer(np.arange(1, max(POINTS // 2, POINTS_EACH * inputs) + 1), steps)) % 1.0
    normal = np.vectorize(NORMAL.inv_cdf)(np.concatenate([half, 1.0 - half]))
    stretched = normal @ np.linalg.inv(np.linalg.cholesky(np.cov(normal.T, bias=True).reshape(inputs, inputs))).T
    shares: Array = np.vectorize(NORMAL.cdf)(stretched)
    return shares


def _combined(target: TargetModel, mean: Array, lower: Array, upper: Array) -> tuple[float, float, float]:
    centre = forward(target.transform, mean)
    # One side may be cut off at what the property can be at all; the other is then the whole reach.
    reach = np.maximum(forward(target.transform, upper) - centre, centre - forward(target.transform, lower))
    deviation = reach / target.interval_quantile
    total = math.sqrt(float(np.mean(np.square(deviation)) + np.var(centre)))
    middle = float(np.mean(centre))
    ends = np.array([middle, middle - target.interval_quantile * total, middle + target.interval_quantile * total])
    found = inverse(target.transform, ends)
    return float(found[0]), float(found[1]), float(found[2])
