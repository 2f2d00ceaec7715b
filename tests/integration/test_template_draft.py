"""A project drafted from a file nobody has described: imported, stored, learnt from and asked over HTTP, with no edit and no code."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.home import Home
from sojae.topics import PARTITIONS, events_topic
from sojae_local.endpoint import Endpoint
from tests.e2e.processes import environment, free_port, gateway, run
from tests.odd_file import TARGET, OddLaw, odd_file

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

INSTITUTE, ROWS, SEED = "test-lab", 120, 7
PATIENCE_SECONDS = 90.0
PUBLISHED = {
    "concrete/Concrete_data.csv": 3 * 1030,
    "photo_pce10/data.csv": 2 * 1040,
}
"""File → records: three stages of one, two of the other, which has no header."""


def test_a_drafted_project_works_as_the_eight_do(own_home: Home, own_broker: Endpoint, tmp_path: Path) -> None:
    """Odd headers, a name twice, a row of units: predictions follow the law of the file, and designs come near the wish."""
    file, project = tmp_path / "odd.csv", "x_test_lab_odd_steel"
    odd_file(file, ROWS, SEED)
    env = _drafted(file, tmp_path / "drafts", own_home, "Odd steel", "--target", TARGET)
    mapping = tmp_path / "drafts" / "odd_steel.toml"
    with _ingest(own_broker, env):
        assert _imported(env, file, mapping) == {"sent": 3 * ROWS, "accepted": 3 * ROWS, "quarantined": 0, "unread": 0}
        _eventually(lambda: run(["train", "--once", "--project", project], env, PATIENCE_SECONDS).returncode == 0)
    law = OddLaw.drawn(SEED)
    recipe = {"t_sinter": 1150, "sintering_time": 4, "select_value": "cast"}
    rows = [{**recipe, "composition": {"Fe": 90.0 - cr, "Cr": cr, "Ni": 10.0}} for cr in (12.0, 22.0)]
    with gateway(env, free_port()) as client:
        said = client.post(f"/v1/projects/{project}/predict", json={"rows": rows}).json()
        low, high = (row["predictions"]["tensile_strength"]["mean"] for row in said["rows"])
        truth = [law.strength(cr, 1150, 4, "cast") for cr in (12.0, 22.0)]
        assert [low, high] == pytest.approx(truth, abs=15)
        assert high - low == pytest.approx(truth[1] - truth[0], rel=0.2)
        wish = {"targets": {"tensile_strength": {"value": 750, "tolerance": 15}}, "top_k": 3}
        designs = client.post(f"/v1/projects/{project}/design", json=wish).json()["designs"]
        assert len(designs) == 3
        for design in designs:
            made = design["inputs"]
            assert sum(made["composition"].values()) == pytest.approx(100, abs=0.6)
            strength = law.strength(
                made["composition"]["Cr"], made["t_sinter"], made["sintering_time"], made["select_value"]
            )
            assert strength == pytest.approx(750, abs=40)


def test_published_files_are_imported_by_their_drafts(
    shared_data: Path, own_home: Home, own_broker: Endpoint, tmp_path: Path
) -> None:
    """Every record of both is accepted."""
    drafts = tmp_path / "drafts"
    env = [_drafted(shared_data / name, drafts, own_home, Path(name).parent.name) for name in PUBLISHED][-1]
    with _ingest(own_broker, env):
        for name, records in PUBLISHED.items():
            counts = _imported(env, shared_data / name, drafts / f"{Path(name).parent.name}.toml")
            assert counts == {"sent": records, "accepted": records, "quarantined": 0, "unread": 0}


def _drafted(file: Path, output: Path, home: Home, project: str, *options: str) -> dict[str, str]:
    """Return the environment in which the project that is drafted from a file is known."""
    asked = ["--institute", INSTITUTE, "--project", project, "--output", str(output), *options]
    done = run(["template", "draft", str(file), *asked], environment(home.path), PATIENCE_SECONDS)
    assert done.returncode == 0, done.stderr
    checked = run(["template", "check", str(output)], environment(home.path), PATIENCE_SECONDS)
    assert checked.returncode == 0, checked.stdout
    return environment(home.path, SOJAE_TEMPLATES__PATH=str(output))


@contextmanager
def _ingest(broker: Endpoint, env: Mapping[str, str]) -> Iterator[None]:
    create_topics(Connection(broker.bootstrap_servers), [events_topic(INSTITUTE)], PARTITIONS)
    with ExitStack() as stack:
        process = subprocess.Popen([sys.executable, "-m", "sojae_ingest"], env=dict(env))
        stack.callback(process.wait, timeout=30)
        stack.callback(process.terminate)
        yield


def _imported(env: Mapping[str, str], file: Path, mapping: Path) -> dict[str, int]:
    done = run(["import", str(file), "--mapping", str(mapping), "--json"], env, PATIENCE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout)
    return {name: counts[name] for name in ("sent", "accepted", "quarantined", "unread")}


def _eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, "not as expected in time"
        time.sleep(0.5)
