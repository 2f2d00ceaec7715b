"""The plant's part of the tour: which batch it shows, what it says of it, and which numbers it gives."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sojae.domain.errors import ServiceError
from sojae.domain.text import Text
from sojae_local import plant_tour
from sojae_local.plant_tour import PlantTour, read_truth
from sojae_local.truth_share import read_burst
from tests.gateway_parts import book

JSON = dict[str, Any]
LINE = {
    "plant": "sim-sinter", "target": "peak_power_density", "label": {"ko": "라인", "en": "The line"},
    "institute": "sim-ceramic-a", "project": "ceramic_electrode",
}  # fmt: skip


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.jsonl"
    lines = [
        {"kind": "run_started", "epoch": 1},
        {"kind": "plant_started", "plant": "sim-sinter"},
        {"kind": "plant_batch_done", "batch": "B1", "true_property": {"peak_power_density": 0.52}, "true_dwell_h": 5.0},
        {"kind": "plant_fault", "plant": "sim-sinter"},
        {"kind": "plant_property_sent", "batch": "B1", "record_id": "r1", "measured": {"peak_power_density": 0.5}},
        {"kind": "late", "topic": "t", "partition": 0, "offset": 1},
        {"kind": "burst_done", "epoch": 1, "messages": {"t": 2}, "projects": ["ceramic_electrode"]},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def event(kind: str, batch: str, n: int, known: Sequence[str] = (), **given: object) -> JSON:
    """Return the n-th forecast of a batch or its score, as the stream gives it; the interval is 1/n wide."""
    told = {
        "id": f"{batch}/{n}", "kind": kind, "plant": "sim-sinter", "asset": "kiln-1", "batch": batch,
        "at": f"2026-11-02T{n:02d}:00:00Z", "project": "ceramic_electrode", "target": "peak_power_density",
        "unit": "W/cm2", "model_version": 1, "mean": 0.5, "lower": 0.5 - 0.5 / n, "upper": 0.5 + 0.5 / n,
        "known": [f"process.{name}" for name in known], **given,
    }  # fmt: skip
    return {"id": "x", "event": kind, "data": told}


def score(batch: str, **given: object) -> JSON:
    return event("score", batch, 9, measured=0.5, inside=True, error=0.0, record_id="r1", **given)


def walk(truth: Path, *events: JSON, patience: float = 1e9) -> tuple[JSON | None, list[str]]:
    """Return the numbers, and what was said in English."""
    said: list[Text] = []

    def listen(_plant: str) -> Iterator[JSON]:
        yield from events

    facts = PlantTour(listen, said.append, book(), truth, 0.0, patience).show([LINE])
    assert all(text.ko and text.en != text.ko for text in said)
    return facts, [text.en for text in said]


def test_a_forecast_narrows_and_is_compared(truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lines while it runs, then the measured value, whether it was inside, and what only the simulator knows."""
    monkeypatch.setattr(plant_tour, "ENOUGH_SECONDS", 1e12)
    facts, said = walk(
        truth,
        event("forecast", "B1", 1),
        event("forecast", "B2", 1),
        event("forecast", "B1", 2, ["absolute_humidity"]),
        event("forecast", "B1", 3, ["absolute_humidity", "co_sinter_temperature"]),
        event("forecast", "B1", 4, ["absolute_humidity", "co_sinter_temperature"]),
        score("B1"),
    )
    assert facts is not None
    assert said[1:] == [
        "  batch B1 in kiln-1: peak_power_density = 0.5 (90 %: 0 – 1 W/cm²)",
        "  after 1.0 h more: peak_power_density = 0.5 (90 %: 0.25 – 0.75 W/cm²); it has told absolute humidity at co-sintering",
        "  after 1.0 h more: peak_power_density = 0.5 (90 %: 0.333 – 0.667 W/cm²); it has told co-sintering temperature",
        "  measured 0.5 W/cm²: inside the last interval; the simulator, which alone can know, gave it 0.52",
    ]
    assert [one["id"] for one in facts["forecasts"]] == ["B1/1", "B1/2", "B1/3", "B1/4"]
    assert (facts["batch"], facts["score"]["record_id"], facts["score"]["inside"]) == ("B1", "r1", True)
    assert facts["truth"] == {
        "true_property": {"peak_power_density": 0.52}, "true_dwell_h": 5.0, "record_id": "r1",
        "measured": {"peak_power_density": 0.5},
    }  # fmt: skip


def test_a_batch_that_was_never_forecast_is_not_shown(truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one whose forecast stood still, while there is time; another's lines come with its score."""
    monkeypatch.setattr(plant_tour, "ENOUGH_SECONDS", 1e12)
    facts, said = walk(
        truth,
        score("B0"),
        event("forecast", "B1", 1),
        score("B1"),
        event("forecast", "B2", 1),
        event("forecast", "B2", 5, ["absolute_humidity"]),
        score("B2"),
    )
    assert facts is not None
    assert facts["batch"] == "B2"
    assert [line[:12] for line in said[2:]] == ["  batch B2 i", "  after 4.0 ", "  measured 0"]


def test_when_time_is_short_any_score_is_enough(truth: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch that was running anyway."""
    monkeypatch.setattr(plant_tour, "ENOUGH_SECONDS", -1.0)
    monkeypatch.setattr(plant_tour, "FAIR_SECONDS", -1.0)
    facts, _ = walk(truth, event("forecast", "B1", 1), score("B1"))
    assert facts is not None
    assert facts["score"]["measured"] == 0.5


def test_a_plant_that_never_comes_to_a_score_is_said_so(truth: Path) -> None:
    """At the end of patience, or when the gateway ends the stream."""
    with pytest.raises(ServiceError, match="in vain"):
        walk(truth, event("forecast", "B1", 1), event("forecast", "B1", 2), patience=0.0)
    with pytest.raises(ServiceError, match="in vain"):
        walk(truth)


def test_only_a_simulated_plant_is_waited_for(truth: Path) -> None:
    """An engineer's own plant may be silent, or not there at all."""
    tour = PlantTour(lambda _: iter(()), lambda _: None, book(), truth, 0.0, 1e9)
    assert tour.show([]) is None
    assert tour.show([{**LINE, "plant": "my-line"}]) is None
    assert tour.show([{**LINE, "target": None}]) is None


def test_what_is_not_written_down_yet_is_empty(truth: Path) -> None:
    """A batch of another run, or a file that is not there."""
    assert read_truth(truth, "B7") == {}
    assert read_truth(truth.with_name("none"), "B1") == {}


def test_the_plant_s_lines_are_no_faults_of_the_laboratories(truth: Path) -> None:
    """They stand between the burst's lines, since the plant runs beside."""
    burst = read_burst(truth)
    assert burst is not None
    assert [fault["kind"] for fault in burst.faults] == ["late"]


def test_the_burst_names_the_projects_that_have_enough_for_a_model(truth: Path) -> None:
    """The tour waits for the models of no other."""
    burst = read_burst(truth)
    assert burst is not None
    assert burst.projects == ("ceramic_electrode",)
