"""The simulated plant and ingest as processes on a real broker: every telemetry message stored once, faults as planted."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sojae_local.endpoint import Endpoint
from sojae_simulator.truth import FILE_NAME
from tests.e2e.processes import environment
from tests.growing_table import rows_so_far

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

PLANT = "sim-sinter"
SETTINGS = {
    "SOJAE_SIMULATOR__ONCE": "true",
    "SOJAE_SIMULATOR__PROJECTS": "ceramic_electrode",
    "SOJAE_SIMULATOR__SPECIMENS": "1",
    "SOJAE_SIMULATOR__BURST_RATE": "0",
    "SOJAE_SIMULATOR__SEED": "3",
    "SOJAE_SIMULATOR__FAULT_SCALE": "2",
    "SOJAE_SIMULATOR_PLANT__SPEED": "0",
    "SOJAE_INGEST__GROUP_ID": "sojae-ingest-plant",
}


def test_telemetry_is_stored_once_and_judged_as_planted(broker: Endpoint, tmp_path: Path) -> None:
    """Live and history in one table; the status and the finding of each fault are those of truth.jsonl, others have none."""
    env = environment(tmp_path / "home", SOJAE_KAFKA__BOOTSTRAP_SERVERS=broker.bootstrap_servers, **SETTINGS)
    done = subprocess.run(
        [sys.executable, "-m", "sojae_simulator"], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    lines = [json.loads(line) for line in (tmp_path / "home" / FILE_NAME).read_text(encoding="utf-8").splitlines()]
    (end,) = [line for line in lines if line["kind"] == "plant_done"]
    sent = {topic: count for topic, count in end["messages"].items() if topic.endswith(PLANT)}
    rows = _stored(env, tmp_path / "home" / "store" / "telemetry" / PLANT, sum(sent.values()))
    assert dict(rows.group_by("topic").len().iter_rows()) == sent
    assert rows.unique(["topic", "partition", "offset"]).height == rows.height
    assert {r["lane"]: r["historical"] for r in rows.iter_rows(named=True)} == {"live": False, "history": True}
    faults = {(f["topic"], f["partition"], f["offset"]): f for f in lines if f["kind"] == "plant_fault"}
    assert len(faults) > 20
    for row in rows.iter_rows(named=True):
        fault = faults.pop((row["topic"], row["partition"], row["offset"]), {"status": "accepted", "rule": None})
        found = [issue["rule"] for issue in row["issues"]]
        assert (row["status"], found) == (fault["status"], [fault["rule"]] if fault["rule"] else []), fault
    assert faults == {}
    assert Counter(m["kind"] for marks in rows.filter(status="accepted")["marks"] for m in marks)["start"] >= 3


def _stored(env: dict[str, str], table: Path, count: int) -> pl.DataFrame:
    """Return the rows once ingest has stored so many; it is ended in order."""
    process = subprocess.Popen([sys.executable, "-m", "sojae_ingest"], env=env, stderr=subprocess.PIPE, text=True)
    rows, deadline = pl.DataFrame(), time.monotonic() + 60
    said: Any = ""
    try:
        while rows.height < count:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline, f"{rows.height} of {count} rows"
            time.sleep(0.3)
            rows = rows_so_far(table)
    finally:
        process.terminate()
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return rows
