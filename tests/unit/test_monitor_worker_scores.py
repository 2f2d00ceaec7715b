"""The last forecast of a batch meets the laboratory's value: once, whichever comes first, and over restarts."""

import msgspec
import pytest

from sojae.domain.plant import Planned
from sojae_monitor.identifiers import named_id
from sojae_monitor.messages import FORECAST
from sojae_monitor.scores import LabValue, Scores, read_forecast
from tests.monitor_parts import PLANT, SECOND_US, START_US

PLANTS = {"test-line": PLANT}


def forecast(batch: str = "B-1", at: int = START_US, mean: float = 500.0) -> dict[str, object]:
    return {
        "id": named_id("forecast", batch, at),
        "kind": "forecast",
        "plant": "test-line",
        "asset": "kiln-1",
        "batch": batch,
        "at": at,
        "project": "ceramic_electrode",
        "target": "peak_power_density",
        "unit": "mW/cm2",
        "model_version": 3,
        "mean": mean,
        "lower": mean - 50.0,
        "upper": mean + 50.0,
        "known": ["process.absolute_humidity"],
    }


def lab(sample: str = "B-1", value: object = 520.0, event: str = "e-1", **given: object) -> LabValue:
    fields = {"peak_power_density": value, "test_temperature": 600.0, **given}
    return LabValue("test-firm", sample, (), "r-1", event, fields)


def given(scores: Scores) -> list[dict[str, object]]:
    return [read_forecast(message.value) or {} for message in scores.due()]


def ended(*forecasts: dict[str, object]) -> Scores:
    scores = Scores(PLANTS)
    for one in forecasts:
        scores.made(one)
    scores.ended("test-line", "B-1")
    return scores


def test_a_score_compares_the_last_forecast_with_the_measured_value() -> None:
    """Inside or not, and by how much the forecast was off."""
    scores = ended(forecast(), forecast(at=START_US + 60 * SECOND_US, mean=600.0))
    scores.measured("test-line", [lab()])
    (record,) = given(scores)
    assert (record["kind"], record["measured"], record["inside"], record["error"]) == ("score", 520.0, False, 80.0)
    assert (record["at"], record["record_id"], record["mean"]) == (START_US + 60 * SECOND_US, "r-1", 600.0)


def test_a_value_waits_until_its_batch_has_ended() -> None:
    """Telemetry may come after it, and the last forecast counts."""
    scores = Scores(PLANTS)
    scores.measured("test-line", [lab()])
    assert given(scores) == []
    scores.made(forecast())
    assert given(scores) == []
    scores.ended("test-line", "B-1")
    assert len(given(scores)) == 1
    assert given(scores) == []


def test_a_value_is_scored_once_over_restarts() -> None:
    """What the topic holds says what was done; the same value again has the same id."""
    scores = ended(forecast())
    scores.measured("test-line", [lab()])
    (record,) = given(scores)
    again = Scores(PLANTS)
    for one in (forecast(), record):
        again.restore(one)
    again.measured("test-line", [lab(), lab(event="e-2", value=530.0)])
    (corrected,) = given(again)
    assert corrected["measured"] == 530.0
    assert corrected["id"] != record["id"]


def test_a_batch_from_before_the_restart_is_scored_by_its_forecast_in_the_topic() -> None:
    """Order in the topic is by asset only, so the later window wins."""
    scores = Scores(PLANTS)
    scores.restore(forecast(at=START_US + SECOND_US, mean=510.0))
    scores.restore(forecast(mean=900.0))
    scores.measured("test-line", [lab()])
    (record,) = given(scores)
    assert record["mean"] == 510.0


@pytest.mark.parametrize(
    "value",
    [
        lab(sample="B-2"),
        lab()._replace(institute="another-firm"),
        lab(value=None),
        lab(value=float("nan")),
    ],
)
def test_other_records_give_no_score(value: LabValue) -> None:
    """Another sample, another institute's sample of that name, or no number."""
    scores = ended(forecast())
    scores.measured("test-line", [value])
    assert given(scores) == []


@pytest.mark.parametrize(("temperature", "scored"), [(600.0, True), (598.0, True), (550.0, False), (None, True)])
def test_only_a_value_under_the_plan_s_conditions_is_scored(temperature: float | None, scored: bool) -> None:
    """The model was asked at the planned test temperature."""
    plan = {**PLANT.plan, "property.test_temperature": Planned(value=600.0)}
    scores = Scores({"test-line": msgspec.structs.replace(PLANT, plan=plan)})
    scores.restore(forecast())
    scores.measured("test-line", [lab(test_temperature=temperature)])
    assert len(given(scores)) == int(scored)


def test_a_sample_cut_from_the_batch_counts_as_it() -> None:
    """Its parents name the batch."""
    scores = ended(forecast())
    scores.measured("test-line", [lab(sample="cell-1")._replace(parents=("@other-firm/B-1", "B-1"))])
    assert [record["batch"] for record in given(scores)] == ["B-1"]


def test_memory_is_bounded() -> None:
    """The oldest batch and the oldest waiting value are forgotten first."""
    scores = Scores(PLANTS, limit=2)
    for n in range(3):
        scores.restore(forecast(f"B-{n}"))
    scores.measured("test-line", [lab(f"B-{n}", event=f"e-{n}") for n in (1, 0, 2)])
    assert [record["batch"] for record in given(scores)] == ["B-2"]


def test_a_message_that_is_no_forecast_is_passed_over() -> None:
    """Whatever somebody has written there."""
    assert read_forecast(b"\x00nonsense") is None
    assert read_forecast(None) is None
    assert read_forecast(FORECAST.encode(forecast())) is not None
