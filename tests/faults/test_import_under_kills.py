"""An import while ingest processes are frozen and killed: its report is right, and the store holds each row once."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest

from sojae.home import Home
from sojae_local.endpoint import Endpoint
from tests.faults.scenario import Plan, Sinks, environment_of, play

ROWS = 1_200
PLAN = Plan(
    seconds=12,
    events=0,
    rate=0,
    session_seconds=2.0,
    stops=1,
    kills=3,
    kills_before_kafka_commit=1,
    leave_every_seconds=4.0,
)
SOJAE = str(Path(sys.executable).parent / "sojae")
MAPPING = """
project = "high_entropy_alloy"
source = "kill-test"
key = ["sample"]
sample_id = "sample"

[defaults]
institute = "sim-import"
origin = "experiment"
disclosure = "L0"

[[columns]]
name = "formula"
field = "composition.composition"
parse = "formula"

[[columns]]
name = "route"
field = "process.processing_route"

[[columns]]
name = "T"
field = "property.test_temperature"
unit = "Cel"

[[columns]]
name = "test"
field = "property.test_type"

[[columns]]
name = "YS"
field = "property.yield_strength"
unit = "MPa"
"""

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_an_import_survives_kills_and_adds_nothing_twice(own_home: Home, own_broker: Endpoint, tmp_path: Path) -> None:
    """Every row becomes its three records once, whatever happens to ingest; the same file again adds nothing."""
    table, mapping = _file(tmp_path / "alloys.csv"), tmp_path / "alloys.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    env = environment_of(own_home, own_broker, PLAN) | {"SOJAE_INGEST__FLUSH_ROWS": "150"}
    sinks, over = Sinks("sound", env, own_home.logs), threading.Event()
    nurse = threading.Thread(target=_nurse, args=(sinks, own_home, over))
    try:
        sinks.start("a")
        sinks.start("b")
        with subprocess.Popen(
            [SOJAE, "import", str(table), "--mapping", str(mapping), "--json"],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        ) as running:
            print(*play(PLAN, sinks, own_home, seed=4), sep="\n")  # noqa: T201 - shown by pytest when the test fails
            nurse.start()
            said, _ = running.communicate(timeout=120)
        report = json.loads(said.splitlines()[-1])
        assert running.returncode == 0, said
        assert (report["sent"], report["accepted"], report["quarantined"], report["duplicates"]) == (
            3 * ROWS,
            3 * ROWS,
            0,
            0,
        )
        again = subprocess.run(
            [SOJAE, "import", str(table), "--mapping", str(mapping), "--json"],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        report = json.loads(again.stdout.splitlines()[-1])
        assert (report["accepted"], report["duplicates"]) == (0, 3 * ROWS)
    finally:
        over.set()
        if nurse.is_alive():
            nurse.join()
        sinks.kill_all()
    _check_store(own_home)


def _nurse(sinks: Sinks, home: Home, over: threading.Event) -> None:
    """Start again who has died, until the test is over."""
    while not over.is_set():
        sinks.tend(home)
        if not sinks.running:
            sinks.start("a")


def _check_store(home: Home) -> None:
    events = pl.read_delta(str(home.store / "events"))
    places = events.select("topic", "partition", "offset")
    assert places.n_unique() == places.height == 6 * ROWS
    assert events.filter(pl.col("status") == "accepted").select("record_id").n_unique() == 3 * ROWS
    accepted = events.filter((pl.col("status") == "accepted") & (pl.col("stage") == "property"))
    assert accepted["sample_id"].n_unique() == accepted.height == ROWS


def _file(path: Path) -> Path:
    lines = ["sample,formula,route,T,test,YS"]
    lines += [f"시료-{n},Al{0.1 + n / 10_000:g}Co1Fe1Ni1,cast,25,tension,{300 + n / 10:g}" for n in range(ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
