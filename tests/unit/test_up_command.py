"""What `sojae up` starts, and which tour it takes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sojae.home import Home
from sojae_local import commands
from sojae_local.up import Plan, show_address


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Plan]:
    """Record the plans instead of carrying them out."""
    plans: list[Plan] = []

    def remember(_home: Home, plan: Plan, *_rest: object) -> int:
        plans.append(plan)
        return 0

    monkeypatch.setattr(commands, "run_everything", remember)
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    return plans


def test_own_data_only(planned: list[Plan]) -> None:
    """Without the simulator nothing is simulated, and there is nothing to show around."""
    assert CliRunner().invoke(commands.up, ["--no-simulator"]).exit_code == 0
    assert [s.name for s in planned[0].services] == ["gateway", "trainer", "ingest"]
    assert planned[0].tour is show_address


def test_the_whole(planned: list[Plan]) -> None:
    """All services, the simulator last, and the guided tour."""
    assert CliRunner().invoke(commands.up, ["--tour-only"]).exit_code == 0
    assert [s.name for s in planned[0].services] == ["gateway", "trainer", "ingest", "simulator"]
    assert planned[0].tour_only
    assert planned[0].tour is not show_address
