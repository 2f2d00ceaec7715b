"""What became of the simulated plant, derived again from the store, the log and HTTP."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sojae.adapters.onnx import ForwardModel
from sojae.adapters.plant_files import read_plant
from sojae.adapters.template_files import load_templates
from sojae.client import Client
from sojae.domain.model import Manifest
from sojae.domain.plant import Plant
from sojae_simulator.plant_build import PLANT_FILE

JSON = dict[str, Any]
CELSIUS, HOURS = 4.0, 0.1
"""How far a batch's process event may be from the ware's true trajectory: sensors have noise, and faults were planted."""
STILL_OPEN = dt.timedelta(minutes=10)
"""Event time behind the end of a batch by which its message must have come."""


def of_plant(line: JSON) -> bool:
    """Return whether a line of truth.jsonl is about the plant."""
    return str(line["kind"]).startswith("plant_")


def telemetry_is_stored_as_it_must_be(home: Path, truth: list[JSON]) -> None:
    """Every message once, live and historical; each planted sensor fault with its status and rule, all others accepted."""
    rows = pl.read_delta(str(home / "store" / "telemetry" / "sim-sinter"))
    [done] = [line for line in truth if line["kind"] == "plant_done"]
    sent = {topic: n for topic, n in done["messages"].items() if ".events." not in topic}
    assert dict(rows.group_by("topic").len().iter_rows()) == sent
    assert rows.select("topic_id", "partition", "offset").is_unique().all()
    faults = {(f["topic"], f["partition"], f["offset"]): f for f in truth if f["kind"] == "plant_fault"}
    for row in rows.iter_rows(named=True):
        fault = faults.pop((row["topic"], row["partition"], row["offset"]), {"status": "accepted", "rule": None})
        rules = [issue["rule"] for issue in row["issues"]]
        assert (row["status"], rules) == (fault["status"], [fault["rule"]] if fault["rule"] else []), fault
    assert faults == {}, "planted, acknowledged and not stored"


def batches_are_events(home: Path, truth: list[JSON]) -> int:
    """Each batch that has ended is one process event, near what its ware went through; return how many there are."""
    rows = pl.read_delta(str(home / "store" / "events")).filter(pl.col("producer").str.contains("/monitor/"))
    assert set(rows["status"]) <= {"accepted"}
    assert Counter(rows["sample_id"].to_list()).most_common(1)[0][1] == 1
    done = {line["batch"]: line for line in truth if line["kind"] == "plant_batch_done"}
    times = pl.read_delta(str(home / "store" / "telemetry" / "sim-sinter")).filter(status="accepted", lane="live")["t0"]
    latest = times.max()
    assert isinstance(latest, dt.datetime)
    over = {b for b, line in done.items() if dt.datetime.fromisoformat(line["end"]) + STILL_OPEN < latest}
    found = set(rows["sample_id"].to_list())
    assert over, "no batch has ended"
    assert over <= found <= set(done)
    records = pl.read_delta(str(home / "store" / "records" / "ceramic_electrode" / "process" / "1"))
    for record in records.filter(pl.col("sample_id").is_in(list(found))).iter_rows(named=True):
        true = done[record["sample_id"]]
        assert record["co_sinter_temperature"] == pytest.approx(true["true_mean_above"], abs=CELSIUS)
        assert record["co_sinter_time"] == pytest.approx(true["true_dwell_h"], abs=HOURS)
    return rows.height


def the_tour_s_batch_is(client: Client, home: Path, said: JSON, truth: list[JSON], manifest: Manifest) -> None:
    """Its forecasts and its score are on the stream, the measured value in the store, the truth in the simulator's account."""
    forecasts, score = _heard(client, said["plant"], said["batch"])
    told = [{name: forecast[name] for name in said["forecasts"][0]} for forecast in forecasts]
    assert [one for one in said["forecasts"] if one not in told] == []
    assert said["forecasts"][-1] == told[-1]
    assert {name: score[name] for name in said["score"]} == said["score"]
    assert [len(f["known"]) for f in forecasts] == sorted(len(f["known"]) for f in forecasts)
    last = forecasts[-1]
    assert score["error"] == pytest.approx(last["mean"] - score["measured"], abs=1e-12)
    assert score["inside"] is (last["lower"] <= score["measured"] <= last["upper"])
    table = pl.read_delta(str(home / "store" / "records" / said["project"] / "property" / "1"))
    own = table.filter(record_id=score["record_id"], institute=said["institute"])
    assert own[said["target"]].to_list() == [said["score"]["measured"]]
    [done] = [line for line in truth if line["kind"] == "plant_batch_done" and line["batch"] == said["batch"]]
    assert said["truth"]["true_property"] == done["true_property"]
    mean = _by_the_shelf_s_graph(home, said, manifest)
    assert last["lower"] < mean < last["upper"]


def _heard(client: Client, plant: str, batch: str) -> tuple[list[JSON], JSON]:
    forecasts: dict[str, JSON] = {}
    for event in client.stream(plant=plant, kind=("forecast", "score"), last_id=f"{plant}:"):
        data = event["data"]
        if event["event"] == "forecast" and data["batch"] == batch:
            forecasts.setdefault(data["id"], data)
        if event["event"] == "score" and data["batch"] == batch:
            return list(forecasts.values()), data
    raise AssertionError("the stream ended")


def _by_the_shelf_s_graph(home: Path, said: JSON, manifest: Manifest) -> float:
    """Return what the graph on the shelf gives for the whole batch, as its process event and the plan tell it."""
    plant = read_plant(PLANT_FILE, load_templates())
    records = pl.read_delta(str(home / "store" / "records" / said["project"] / "process" / "1"))
    [process] = records.filter(sample_id=said["batch"]).iter_rows(named=True)
    row = [_input(one.field, list(one.categories or ()), plant, process) for one in manifest.inputs]
    target = manifest.target(said["target"])
    graph = (home / "store" / "models" / said["project"] / manifest.version / target.file).read_bytes()
    forward = ForwardModel(graph, inputs=len(manifest.inputs), groups=len(manifest.groups))
    return float(forward.predict(np.asarray([row], np.float32))["mean"][0, 0])


def _input(key: str, categories: list[str], plant: Plant, process: JSON) -> float:
    stage, _, field = key.partition(".")
    value = process[field] if stage == "process" else plant.planned(stage).get(field)
    if isinstance(value, str):
        return float(categories.index(value)) if value in categories else -1.0
    return float("nan") if value is None else float(value)
