"""A workbook goes in through a real broker and ingest, comes back with its errors, is mended, and one cell is corrected."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest

from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.home import Home
from sojae.topics import PARTITIONS, events_topic
from sojae_local.endpoint import Endpoint
from tests.e2e.processes import SOJAE, environment
from tests.growing_table import rows_so_far
from tests.workbook_fill import filled_workbook

SPECIMENS = int(os.environ.get("WORKBOOK_SPECIMENS", "120"))
"""`make workbook-round-trip` takes 3,000: more than 10,000 rows over the four sheets."""

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


def test_a_workbook_goes_in_comes_back_and_is_mended(own_home: Home, own_broker: Endpoint, tmp_path: Path) -> None:
    """Once in, only what was missing is added, a changed cell is one correction, and the same again is nothing."""
    path, back = tmp_path / "lab.xlsx", tmp_path / "back.xlsx"
    records = filled_workbook(path, "high_entropy_alloy", SPECIMENS)
    _write(path, "yield_strength", {4: "fast", 5: 99_999.0})
    create_topics(Connection(own_broker.bootstrap_servers), [events_topic("kims")], PARTITIONS)
    ingest = subprocess.Popen([sys.executable, "-m", "sojae_ingest"], env=environment(own_home.path))
    try:
        first, seconds = _imported(own_home, path, "--errors", str(back))
        assert {k: first[k] for k in ("sent", "accepted", "quarantined", "unread", "unknown")} == {
            "sent": records - 1, "accepted": records - 2, "quarantined": 1, "unread": 1, "unknown": 0,
        }  # fmt: skip
        assert set(_errors(back)) == {4, 5}
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{records} rows in {seconds:.1f} s, {peak:.0f} MiB")  # noqa: T201 - what `make workbook-round-trip` is run for
        _write(back, "yield_strength", {4: 300.0, 5: 310.0})
        mended, _ = _imported(own_home, back)
        assert (mended["accepted"], mended["duplicates"], mended["quarantined"]) == (2, records - 2, 0)
        _write(back, "yield_strength", {4: 301.0})
        corrected, _ = _imported(own_home, back)
        assert (corrected["accepted"], corrected["duplicates"]) == (1, records - 1)
        again, _ = _imported(own_home, back)
        assert (again["accepted"], again["duplicates"]) == (0, records)
    finally:
        ingest.terminate()
        ingest.wait(timeout=30)
    rows = rows_so_far(own_home.store / "records" / "high_entropy_alloy" / "property" / "1")
    twice = rows.filter(rows["record_id"].is_duplicated()).sort("ingest_time")
    assert twice["yield_strength"].to_list() == [300.0, 301.0]
    assert rows["record_id"].n_unique() == SPECIMENS


def _imported(home: Home, path: Path, *options: str) -> tuple[dict[str, int], float]:
    began = time.monotonic()
    command = [SOJAE, "import", str(path), "--json", *options]
    done = subprocess.run(command, env=environment(home.path), capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode in (0, 3), done.stderr
    counts: dict[str, int] = json.loads(done.stdout)
    return counts, time.monotonic() - began


def _write(path: Path, key: str, cells: dict[int, object]) -> None:
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["property"]
    place = next(n for n, c in enumerate(sheet[2], start=1) if c.value == key)
    for row, value in cells.items():
        sheet.cell(row, place, value)  # type: ignore[arg-type]  # what a test writes
        for other in ("ultimate_tensile_strength",):
            sheet.cell(row, next(n for n, c in enumerate(sheet[2], start=1) if c.value == other)).value = None
    workbook.save(path)


def _errors(path: Path) -> dict[int, str]:
    sheet = openpyxl.load_workbook(path)["property"]
    place = next(n for n, c in enumerate(sheet[2], start=1) if c.value == "errors")
    return {
        row: str(sheet.cell(row, place).value) for row in range(3, sheet.max_row + 1) if sheet.cell(row, place).value
    }
