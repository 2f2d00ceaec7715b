"""What `sojae up` starts, and which tour it takes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sojae.domain.errors import SettingsError, SojaeError, TemplateError
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
    assert planned[0].plants is None


def test_own_plants_only(planned: list[Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where plant files are named, the monitor follows them, with the simulator or without."""
    (tmp_path / "plants").mkdir()
    monkeypatch.setenv("SOJAE_PLANTS__PATH", str(tmp_path / "plants"))
    assert CliRunner().invoke(commands.up, ["--no-simulator"]).exit_code == 0
    assert [s.name for s in planned[0].services] == ["gateway", "trainer", "ingest", "monitor"]
    assert planned[0].plants == tmp_path / "plants"


def test_what_is_open_is_not_toured(planned: list[Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that shows what is public only would leave the tour waiting for ever."""
    monkeypatch.setenv("SOJAE_GATEWAY__OPEN", "true")
    assert CliRunner().invoke(commands.up, []).exit_code == 0
    assert planned[0].tour is show_address


def test_the_whole(planned: list[Plan]) -> None:
    """All services, the simulator last, so that it stops first; its plant's files; and the guided tour."""
    assert CliRunner().invoke(commands.up, ["--tour-only"]).exit_code == 0
    assert [s.name for s in planned[0].services] == ["gateway", "trainer", "ingest", "monitor", "simulator"]
    assert planned[0].plants is not None
    assert [p.name for p in planned[0].plants.glob("*.toml")] == ["sim-sinter.toml"]
    assert planned[0].tour_only
    assert planned[0].tour is not show_address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOJAE_SIMULATOR__SPECIMENS", "0"),
        ("SOJAE_INGEST__FLUSH_ROWS", "many"),
        ("SOJAE_TRAINER__GROWTH", "-1"),
        ("SOJAE_LANGUAGE", "de"),
        ("SOJAE_STORE__URI", "/proc/x"),
        ("SOJAE_STORE__URI", "ftp://somewhere"),
    ],
)
def test_a_wrong_value_of_any_service_is_seen_before_anything_starts(
    planned: list[Plan], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """One sentence that names the setting, exit code 2, nothing run."""
    monkeypatch.setenv(name, value)
    error = CliRunner().invoke(commands.up, []).exception
    assert isinstance(error, SettingsError)
    assert (error.exit_code, f"{name}='{value}'" in error.text.en, name in error.text.ko) == (2, True, True)
    assert planned == []


@pytest.mark.parametrize(("host", "code"), [("192.0.2.7", 1), ("0.0.0.0", 0), ("127.0.0.1", 0)])
def test_health_must_be_told_where_the_launcher_asks(
    planned: list[Plan], monkeypatch: pytest.MonkeyPatch, host: str, code: int
) -> None:
    """On another address no process would ever be ready, and each would be started again without end."""
    monkeypatch.setenv("SOJAE_TELEMETRY__HOST", host)
    done = CliRunner().invoke(commands.up, [])
    assert (isinstance(done.exception, SettingsError), len(planned)) == (bool(code), 1 - code)


def test_a_broken_template_is_seen_before_anything_starts(
    planned: list[Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the services alone would see it."""
    folder = tmp_path / "templates" / "x_lab_alloys" / "property"
    folder.mkdir(parents=True)
    (folder / "1.0.avsc").write_text("{", encoding="utf-8")
    monkeypatch.setenv("SOJAE_TEMPLATES__PATH", str(tmp_path / "templates"))
    error = CliRunner().invoke(commands.up, []).exception
    assert isinstance(error, TemplateError)
    assert "1.0.avsc" in error.text.en
    assert planned == []


@pytest.mark.parametrize("name", ["SOJAE_TEMPLATES__PATH", "SOJAE_PLANTS__PATH"])
def test_a_folder_that_is_not_there_is_seen_before_anything_starts(
    planned: list[Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Of templates or of plants."""
    monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    error = CliRunner().invoke(commands.up, []).exception
    assert isinstance(error, SojaeError)
    assert (error.exit_code, "nowhere" in error.text.en) == (2, True)
    assert planned == []
