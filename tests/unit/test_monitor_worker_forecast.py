"""What a running batch is believed to be, and how what is not known yet widens the interval."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from sojae.domain.errors import ModelError
from sojae_monitor.beliefs import Belief, beliefs
from sojae_monitor.forecast import Forecasts, predicted, quantile_shares
from sojae_monitor.messages import FORECAST
from sojae_monitor.metrics import MonitorMetrics
from sojae_monitor.scores import Scores
from sojae_monitor.shelf_models import ShelfModels, TargetGraph
from tests.monitor_model import QUANTILE, number, target
from tests.monitor_parts import PLANT, START_US, window

INPUTS = (
    number("process.co_sinter_temperature"),
    number("process.co_sinter_time"),
    number("process.absolute_humidity"),
    number("process.spray_layers"),
)


class Linear:
    """A graph that adds up its weighted inputs on the scale it has learnt, with a deviation of 3 there."""

    def __init__(self, weights: Sequence[float], transform: str = "identity") -> None:
        self.weights = np.array(weights)
        self.back = {"identity": lambda t: t, "sqrt": np.square, "log": np.exp}[transform]
        self.asked: list[list[float]] = []

    def predict(self, x: Sequence[Sequence[float]], outputs: Sequence[str] = ()) -> Mapping[str, np.ndarray]:
        self.asked = [list(row) for row in x]
        centre = (np.array(x) @ self.weights).reshape(-1, 1)
        ends = {"mean": centre, "lower": centre - QUANTILE * 3.0, "upper": centre + QUANTILE * 3.0}
        return {name: self.back(ends[name]) for name in outputs}


def ask(graph: Linear, believed: Mapping[str, Belief], transform: str = "identity") -> tuple[float, float, float]:
    return predicted(graph, INPUTS, target(transform=transform), believed)  # type: ignore[arg-type]


def test_before_the_first_window_everything_is_the_plan_s() -> None:
    """With the plan's spread where it has one; an asset's own values are no guess."""
    believed = beliefs(PLANT, "kiln-1", {})
    assert believed["process.co_sinter_temperature"] == Belief(1475.0, 22.0)
    assert believed["process.co_sinter_furnace"] == Belief("kiln-1")
    assert not any(one.told for one in believed.values())


def test_a_mean_is_told_by_the_first_window_and_a_mean_above_after_ten_minutes() -> None:
    """Until then the plan stands."""
    early = beliefs(PLANT, "kiln-1", {"humidity": {"mean": 2.5}, "temperature": {"mean_above": 1402.0, "dwell_h": 0.1}})
    assert early["process.absolute_humidity"] == Belief(2.5, told=True)
    assert early["process.co_sinter_temperature"] == Belief(1475.0, 22.0)
    later = beliefs(PLANT, "kiln-1", {"temperature": {"mean_above": 1468.0, "dwell_h": 0.17}})
    assert later["process.co_sinter_temperature"] == Belief(1468.0, told=True)


def test_a_channel_without_a_number_tells_nothing() -> None:
    """NaN is no reading."""
    assert beliefs(PLANT, "kiln-1", {"humidity": {"mean": math.nan}})["process.absolute_humidity"] == Belief(3.0, 1.5)


def test_a_dwell_is_the_plan_s_and_at_least_the_dwell_so_far() -> None:
    """What has been passed cannot come back, and what is far beyond the plan is all there is to say."""
    belief = beliefs(PLANT, "kiln-1", {"temperature": {"dwell_h": 5.5}})["process.co_sinter_time"]
    assert not belief.told
    lows = [belief.quantile(share) for share in (0.001, 0.5, 0.999)]
    assert lows[0] >= 5.5
    assert lows == sorted(lows)
    assert Belief(5.0, 1.5).quantile(0.5) == 5.0
    assert Belief(5.0, 1.5, at_least=40.0).quantile(0.3) == 40.0
    assert Belief(5.0, at_least=6.0).quantile(0.5) == 6.0


def test_a_minimum_is_at_most_what_was_seen() -> None:
    """The other way round."""
    assert Belief(5.0, 1.5, at_most=4.0).quantile(0.9) <= 4.0


def test_with_nothing_open_the_interval_is_the_graph_s_own() -> None:
    """One row is asked."""
    graph = Linear([1.0, 1.0, 1.0, 0.0])
    told = {one.field: Belief(10.0, told=True) for one in INPUTS[:3]}
    assert ask(graph, told) == (30.0, 30.0 - QUANTILE * 3.0, 30.0 + QUANTILE * 3.0)
    assert len(graph.asked) == 1


def test_an_open_input_adds_its_variance() -> None:
    """Of a linear graph: the sum of squares, exactly."""
    believed = {
        "process.co_sinter_temperature": Belief(1475.0, 4.0),
        "process.co_sinter_time": Belief(5.0, 2.0),
        "process.absolute_humidity": Belief(3.0, told=True),
    }
    mean, lower, upper = ask(Linear([1.0, 3.0, 1.0, 0.0]), believed)
    total = math.sqrt(3.0**2 + 4.0**2 + (3.0 * 2.0) ** 2)
    assert mean == pytest.approx(1493.0, abs=1e-9)
    assert (upper - lower) / (2 * QUANTILE) == pytest.approx(total, rel=1e-6)


def test_the_interval_narrows_as_the_batch_tells() -> None:
    """From the plan to the last window."""
    stories: list[dict[str, dict[str, float]]] = [
        {},
        {"humidity": {"mean": 3.0}},
        {"humidity": {"mean": 3.0}, "temperature": {"mean_above": 1475.0, "dwell_h": 1.0}},
        {"humidity": {"mean": 3.0}, "temperature": {"mean_above": 1475.0, "dwell_h": 6.0}},
    ]
    widths = []
    for so_far in stories:
        _, lower, upper = ask(Linear([1.0, 10.0, 5.0, 0.0]), beliefs(PLANT, "kiln-1", so_far))  # type: ignore[arg-type]
        widths.append(upper - lower)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.6 * widths[0]


@pytest.mark.parametrize("transform", ["sqrt", "log"])
def test_variances_add_on_the_scale_that_was_learnt(transform: str) -> None:
    """There the graph's answers are normal; a spread that tends to nothing leads to the graph's own interval."""
    graph = Linear([0.01, 0.0, 0.0, 0.0], transform)
    sure = ask(graph, {"process.co_sinter_temperature": Belief(1475.0)}, transform)
    nearly = ask(graph, {"process.co_sinter_temperature": Belief(1475.0, 1e-4)}, transform)
    assert nearly == pytest.approx(sure, rel=1e-4)
    wide = ask(graph, {"process.co_sinter_temperature": Belief(1475.0, 200.0)}, transform)
    assert wide[1] < sure[1]
    assert wide[2] > sure[2]


@pytest.mark.parametrize("inputs", [1, 2, 5, 20])
def test_points_are_normals_without_correlation(inputs: int) -> None:
    """Mean 0, variance 1, covariance 0, inside the cube and none twice."""
    shares = quantile_shares(inputs)
    normal = np.vectorize(Belief(0.0, 1.0).quantile)(shares)
    assert np.abs(normal.mean(axis=0)).max() < 1e-9
    assert np.abs(np.cov(normal.T, bias=True) - np.eye(inputs)).max() < 1e-6
    assert ((shares > 0.0) & (shares < 1.0)).all()
    assert len({tuple(row) for row in shares}) == len(shares)


class Shelf(ShelfModels):
    def __init__(self, graph: TargetGraph | None) -> None:
        self.graph = graph

    def of(self, project: str, target: str) -> TargetGraph | None:
        return self.graph


class Broken(Linear):
    def predict(self, x: Sequence[Sequence[float]], outputs: Sequence[str] = ()) -> Mapping[str, np.ndarray]:
        raise ModelError(en="broken", ko="고장")


def forecasts(graph: Linear | None) -> tuple[Forecasts, CollectorRegistry]:
    registry = CollectorRegistry()
    found = None if graph is None else TargetGraph(7, graph, INPUTS, target())  # type: ignore[arg-type]
    return Forecasts(Shelf(found), Scores({"test-line": PLANT}), MonitorMetrics(registry)), registry


def test_a_forecast_names_what_the_batch_has_told_and_the_model() -> None:
    """The same window and model give the same bytes."""
    made, _ = forecasts(Linear([1.0, 1.0, 1.0, 0.0]))
    one = window("kiln-1", START_US, batch="B-1", so_far={"humidity": {"mean": 2.5}})
    message = made.forecast(PLANT, one)
    assert message is not None
    assert message == made.forecast(PLANT, one)
    record = FORECAST.decode(message.value)
    assert (record["kind"], record["model_version"], record["known"]) == ("forecast", 7, ["process.absolute_humidity"])
    assert (record["unit"], message.topic, message.key) == ("mW/cm2", "sojae.forecasts.test-line", "kiln-1")


@pytest.mark.parametrize(("graph", "reason"), [(None, "no_model"), (Broken([0, 0, 0, 0]), "no_number")])
def test_no_forecast_is_counted_and_ends_nothing(graph: Linear | None, reason: str) -> None:
    """No model yet, or one that fails at run time."""
    made, registry = forecasts(graph)
    assert made.forecast(PLANT, window("kiln-1", START_US, batch="B-1")) is None
    assert registry.get_sample_value("sojae_forecasts_left_out_total", {"reason": reason}) == 1.0
