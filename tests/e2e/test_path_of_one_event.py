"""The path of one event, through real processes: the steps of the path, in their order.

`sojae up --tour-only` runs everything once; then each number of its JSON line is derived again from the store, the shelf
and HTTP, and every message is compared with what the simulator wrote down.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import polars as pl
import pytest

from sojae.adapters.onnx import ForwardModel, InverseModel
from sojae.adapters.template_files import load_templates
from sojae.client import Client
from sojae.domain.model import INVERSE_FILE, MANIFEST_FILE, Manifest, TargetModel, record_name
from sojae.home import Home
from sojae_gateway.settings import GatewaySettings
from sojae_gateway.vocabulary import rounded
from sojae_local.running_broker import running_broker
from tests.e2e import duck, plant
from tests.e2e.inverse import hit_rates
from tests.e2e.processes import environment, free_port, gateway, last_json, left_behind, run

JSON = dict[str, Any]
Place = tuple[str, int, int]
NOT_FAULTS = {"run_started", "burst_done", "run_done"}

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(420)]


def test_the_path_of_one_event(tmp_path: Path) -> None:
    """What is sent is stored once and rightly judged, learnt from, and answered over HTTP as the tour said."""
    home, port = tmp_path / "home", free_port()
    env = environment(home, SOJAE_GATEWAY__PORT=str(port))
    toured = run(["up", "--tour-only"], env, 300)
    assert toured.returncode == 0, toured.stdout + toured.stderr
    tour = last_json(toured.stdout)["tour"]
    assert tour["broker"] in ("real", "mock")
    assert left_behind(home) == []

    truth = _step_1_what_was_sent(home, tour)
    batches = _step_2_the_plant_is_followed(home, truth)
    _step_3_is_stored_as_it_must_be(home, tour, truth, batches)
    _step_4_models_say_what_the_tour_said(home, tour)
    with gateway(env, port) as client:
        before = _step_5_http_says_what_the_store_holds(client, home, tour)
        _step_6_recipes_that_are_found_hold(client)
    with gateway(env, port) as client:
        assert _step_5_http_says_what_the_store_holds(client, home, tour) == before
    _step_5_the_plant_s_batch_is_told_again(env, port, home, tour, truth)
    _another_reader_sees_the_same(home)


def _step_1_what_was_sent(home: Path, tour: JSON) -> list[JSON]:
    """The simulator's own account: the burst of the run that the tour saw."""
    lines = [json.loads(line) for line in (home / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    [burst] = [line for line in lines if line["kind"] == "burst_done"]
    assert (burst["epoch"], sum(burst["messages"].values())) == (tour["epoch"], tour["messages"])
    faults = [line for line in lines if _is_fault(line)]
    planted = Counter(line["kind"] for line in faults[: sum(burst["faults"].values())])
    assert planted == {kind: share["planted"] for kind, share in tour["faults"].items()}
    return lines


def _is_fault(line: JSON) -> bool:
    return line["kind"] not in NOT_FAULTS and not plant.of_plant(line)


def _step_2_the_plant_is_followed(home: Path, truth: list[JSON]) -> int:
    """Its samples are stored, and each batch has become one event; return how many events the monitor sent."""
    plant.telemetry_is_stored_as_it_must_be(home, truth)
    return plant.batches_are_events(home, truth)


def _step_3_is_stored_as_it_must_be(home: Path, tour: JSON, truth: list[JSON], batches: int) -> None:
    """Every message once; planted faults with their status and findings, all others accepted without any."""
    rows = pl.read_delta(str(home / "store" / "events"))
    stored: dict[Place, JSON] = {(r["topic"], r["partition"], r["offset"]): r for r in rows.iter_rows(named=True)}
    assert len(stored) == rows.height
    ends = [line for line in truth if line["kind"] in ("run_done", "plant_done")]
    assert len(ends) == 2
    assert rows.height == sum(n for line in ends for t, n in line["messages"].items() if ".events." in t) + batches
    expected = {(f["topic"], f["partition"], f["offset"]): f for f in truth if _is_fault(f)}
    for place, row in stored.items():
        fault = expected.pop(place, {"status": "accepted", "findings": []})
        found = sorted((i["rule"], i["field"], i["severity"]) for i in row["issues"])
        wanted = sorted((f["rule"], f["field"], f["severity"]) for f in fault["findings"])
        assert (row["status"], found) == (fault["status"], wanted), (place, fault)
    assert expected == {}, "planted, acknowledged and not stored"
    at_tour = pl.read_delta(str(home / "store" / "events"), version=tour["events"]["store_version"])
    assert dict(at_tour.group_by("status").len().iter_rows()) == tour["events"]["rows"]
    for kind, share in tour["faults"].items():
        visible = [f for f in truth if f["kind"] == kind and f["visible"]][: share["visible"]]
        assert share["seen"] == len(visible), kind
    assert tour["hard_range_slips"]["seen"] == tour["hard_range_slips"]["planted"]


def _step_4_models_say_what_the_tour_said(home: Path, tour: JSON) -> None:
    """The graphs on the shelf give every number of the tour's prediction and design; what was measured is in the store."""
    assert set(tour["projects"]) == {"ceramic_electrode", "high_entropy_alloy"}
    book = load_templates()
    for project, said in tour["projects"].items():
        shelf = home / "store" / "models" / project / said["model_version"]
        manifest = msgspec.json.decode((shelf / MANIFEST_FILE).read_bytes(), type=Manifest)
        target = manifest.target(said["target"])
        assert (said["rows"], said["unit"]) == (
            len(set(target.training_rows)),
            book.get(project, "property").field(target.field).unit,
        )
        inverse = InverseModel(
            (shelf / INVERSE_FILE).read_bytes(), inputs=len(manifest.inputs), targets=len(manifest.targets)
        )
        wanted = [said["design"]["wanted"] if t.name == target.name else float("nan") for t in manifest.targets]
        assert manifest.library.rows - len(manifest.library.measured) >= 2_000
        held = [manifest.library.common.get(one.field, float("nan")) for one in manifest.inputs]
        found = inverse.query(wanted, _tolerances(manifest), (held, held), top_k=manifest.library.rows)
        _the_design_is(said["design"], found, manifest, target)
        open_ends = [float("nan")] * len(manifest.inputs)
        found = inverse.query(wanted, _tolerances(manifest), (open_ends, open_ends), top_k=manifest.library.rows)
        record = record_name(said["prediction"]["institute"], said["prediction"]["record_id"])
        recipe = found["library_row"].tolist().index(manifest.library.measured.index(record))
        forward = ForwardModel(
            (shelf / target.file).read_bytes(), inputs=len(manifest.inputs), groups=len(manifest.groups)
        )
        shown = [rounded(value) for value in found["design"][recipe].tolist()]
        _the_prediction_is(said["prediction"], forward.predict(np.asarray([shown])))
        assert said["prediction"]["measured"] in _measured(home, project, said["prediction"], target)


def _the_design_is(
    said: JSON, found: Mapping[str, np.ndarray[Any, Any]], manifest: Manifest, target: TargetModel
) -> None:
    """The best of the library's designs, by the graph alone."""
    place = found["library_row"].tolist().index(said["library_row"])
    column = manifest.targets.index(target)
    for name, value in (("mean", found["mean"][place][column]), ("std", found["std"][place][column])):
        assert float(value) == pytest.approx(said[name], rel=1e-3), name
    assert float(found["hit_probability"][place]) == pytest.approx(said["hit_probability"], rel=1e-3)
    assert float(found["hit_probability"].max()) == pytest.approx(said["hit_probability"], rel=1e-3)
    assert float(found["distance"][place]) == pytest.approx(said["distance"], rel=1e-3, abs=1e-6)
    assert said["measured"] is (said["library_row"] < len(manifest.library.measured))
    assert said["reachable"] is (
        said["hit_probability"] >= GatewaySettings.model_fields["reachable_probability"].default
    )


def _the_prediction_is(said: JSON, forward: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """What the graph gives for the recipe of the record, in the digits in which HTTP shows it and takes it back."""
    for name in ("mean", "std", "lower", "upper"):
        assert float(forward[name][0, 0]) == pytest.approx(said[name], rel=1e-3), name
    assert said["lower"] < said["mean"] < said["upper"]


def _measured(home: Path, project: str, said: JSON, target: TargetModel) -> list[float]:
    """Return what the store's statements about the record say was measured; a correction may have come after the tour."""
    table = pl.read_delta(str(home / "store" / "records" / project / "property" / "1"))
    own = table.filter(record_id=said["record_id"], institute=said["institute"], **target.split)
    return own[target.field].to_list()


def _step_5_http_says_what_the_store_holds(client: httpx.Client, home: Path, tour: JSON) -> JSON:
    """Counts, quarantine, records and a prediction; returned, so that a restarted gateway can be compared."""
    events = pl.read_delta(str(home / "store" / "events"))
    status = client.get("/v1/status").json()
    assert status["rows"] == dict(events.group_by("status").len().iter_rows())
    quarantine = _all_pages(client, "/v1/quarantine")
    assert len(quarantine) == status["rows"]["quarantined"]
    records = _all_pages(client, "/v1/records", project="high_entropy_alloy", stage="property")
    table = pl.read_delta(str(home / "store" / "records" / "high_entropy_alloy" / "property" / "1"))
    assert {r["record_id"] for r in records} == set(table["record_id"].to_list())
    strengths = {r["record_id"]: r["values"].get("yield_strength") for r in records}
    assert strengths == dict(table.select("record_id", "yield_strength").iter_rows())
    answers = {}
    for project, said in tour["projects"].items():
        answers[project] = client.get(f"/v1/projects/{project}/models/latest").json()["version"]
        assert answers[project] >= said["model_version"]
    return {"status": status, "quarantine": quarantine, "records": records, "models": answers}


def _step_5_the_plant_s_batch_is_told_again(
    env: Mapping[str, str], port: int, home: Path, tour: JSON, truth: list[JSON]
) -> None:
    """From the log, by a gateway that has just started beside the broker."""
    said = tour["plant"]
    version = str(said["forecasts"][-1]["model_version"]).zfill(6)
    manifest = home / "store" / "models" / said["project"] / version / MANIFEST_FILE
    plants = {"SOJAE_PLANTS__PATH": str(plant.PLANT_FILE.parent)}
    with running_broker(Home(home)), gateway(dict(env) | plants, port), Client(f"http://127.0.0.1:{port}") as client:
        shown = client.plant(said["plant"])
        assert said["score"]["id"] in [one["id"] for one in shown["scored"]]
        read = msgspec.json.decode(manifest.read_bytes(), type=Manifest)
        plant.the_tour_s_batch_is(client, home, said, truth, read)


def _step_6_recipes_that_are_found_hold(client: httpx.Client) -> None:
    """In at least 32 of 40 queries one of the first five designs is within ±5 % of the range, by the law without noise."""
    book = load_templates()
    for project in ("ceramic_electrode", "high_entropy_alloy"):
        rates = hit_rates(client, project, book, queries=40, seed=1)
        print(project, rates)  # noqa: T201 - shown by pytest when the test fails
        assert rates.designs >= 0.8, rates


def _another_reader_sees_the_same(home: Path) -> None:
    """DuckDB counts the same statuses and sums every numeric column to the same."""
    connection = duck.connect()
    store = home / "store"
    frame = pl.read_delta(str(store / "events"))
    assert duck.counts_by_status(connection, str(store / "events")) == dict(frame.group_by("status").len().iter_rows())
    tables = [store / "events", store / "ledger", *(p.parent for p in (store / "records").rglob("_delta_log"))]
    for table in tables:
        expected = duck.numeric_sums_of_frame(pl.read_delta(str(table)))
        assert duck.numeric_sums(connection, str(table)) == pytest.approx(expected, rel=1e-9), table


def _all_pages(client: httpx.Client, path: str, **wanted: str) -> list[JSON]:
    rows: list[JSON] = []
    cursor = None
    while True:
        page = client.get(path, params=wanted | ({"cursor": cursor} if cursor else {})).json()
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            return rows


def _tolerances(manifest: Manifest) -> list[float]:
    return [0.05 * (t.high - t.low) for t in manifest.targets]
