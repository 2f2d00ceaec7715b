"""A store that was damaged, before a real process: one sentence, exit code 1."""

import subprocess
import sys
from pathlib import Path

from sojae.adapters.events_table import DeltaEventsTable, events_uri
from sojae.home import Home
from tests.e2e.processes import environment


def test_damaged_events_are_one_sentence_at_the_start(tmp_path: Path) -> None:
    """It names the folder and what to do; there is no broker yet, and none is asked."""
    home = Home(tmp_path / "home").prepare()
    DeltaEventsTable(str(home.store))
    folder = Path(events_uri(str(home.store)))
    (folder / "_delta_log" / f"{0:020}.json").write_text("garbage", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "sojae_ingest"],
        env=environment(home.path) | {"SOJAE_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    said = ended.stderr.strip().splitlines()[-1]
    assert str(folder) in said
    assert "Restore the folder from a backup" in said
    assert "Traceback" not in ended.stderr
