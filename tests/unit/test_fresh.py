"""`sojae fresh`: forgets what is ours, refuses what is not."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sojae.adapters.events_table import DeltaEventsTable
from sojae.domain.errors import CommandError, StateError
from sojae.home import FOLDERS, MARKER_NAME, Home, LockName
from sojae.ports import Position
from sojae_local import commands
from sojae_local.fresh import Going, forget, going
from sojae_local.truth_share import TRUTH
from tests.builders import events, header


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").prepare()
    (home.store / "events").mkdir()
    (home.store / "events" / "part.parquet").write_bytes(b"rows")
    home.run_file.write_text("{}", encoding="utf-8")
    (home.path / TRUTH).write_text("{}\n", encoding="utf-8")
    return home


def test_state_is_gone_and_other_things_stay(home: Home) -> None:
    """The four folders, run.json and truth.jsonl go; a file that somebody put beside them does not; the home can be used again."""
    (home.path / "notes.txt").write_text("mine", encoding="utf-8")
    assert str(home.path) in forget(home).en
    assert not any((home.path / folder).exists() for folder in (*FOLDERS, "run.json", TRUTH))
    assert (home.path / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert home.prepare().store.is_dir()


def test_a_home_that_was_never_made_is_no_error(tmp_path: Path) -> None:
    """There is nothing to forget, and nothing is made."""
    assert "nothing to forget" in forget(Home(tmp_path / "never")).en
    assert not (tmp_path / "never").exists()


def test_a_folder_without_marker_is_left_alone(tmp_path: Path) -> None:
    """A mistyped SOJAE_HOME must never cost anybody a folder called `store`."""
    (tmp_path / "store").mkdir()
    with pytest.raises(StateError, match=r"nothing was removed"):
        forget(Home(tmp_path))
    assert (tmp_path / "store").is_dir()


@pytest.mark.parametrize("name", ["up", "broker"])
def test_a_home_in_use_is_refused(home: Home, name: LockName) -> None:
    """What runs there would lose its files under its feet."""
    with home.locked(name), pytest.raises(StateError, match="already runs"):
        forget(home)
    assert (home.store / "events" / "part.parquet").exists()


def test_a_damaged_marker_is_mended(home: Home) -> None:
    """The error about a damaged marker names this way out."""
    (home.path / MARKER_NAME).write_bytes(b"")
    forget(home)
    assert home.prepare().logs.is_dir()


def test_what_goes_is_counted_by_institute(tmp_path: Path) -> None:
    """Who asks for it must see that an own import is among it."""
    home = Home(tmp_path / "home").prepare()
    rows = [header(0), header(1, institute="my-lab") | {"topic": "sojae.events.my-lab"}, header(2)]
    DeltaEventsTable(str(home.store)).append(events(rows), [Position("id", 0, 2)])
    found = going(home)
    assert found is not None
    assert found.messages == {"kims": 2, "my-lab": 1}
    assert found.size_bytes > 1_000
    assert "3 stored events (kims 2, my-lab 1)" in found.sentence().en
    assert "3개" in found.sentence().ko


def test_a_store_that_cannot_be_read_goes_all_the_same(home: Home) -> None:
    """It may be the reason why somebody wants to begin afresh."""
    (home.store / "events" / "_delta_log").mkdir()
    (home.store / "events" / "_delta_log" / "00000000000000000000.json").write_text("no json", encoding="utf-8")
    found = going(home)
    assert found is not None
    assert found.messages is None
    assert "cannot be read" in found.sentence().en


def test_in_an_empty_home_there_is_nothing_to_ask_about(tmp_path: Path) -> None:
    """A home that was never made, or only made."""
    assert going(Home(tmp_path / "never")) is None
    assert going(Home(tmp_path / "home").prepare()) is None


def test_many_institutes_are_cut() -> None:
    """Twelve are named; the sum is of all."""
    found = Going(Path("home"), 1, {f"lab-{n:02}": 1 for n in range(20)}).sentence().en
    assert "20 stored events (lab-00 1, " in found
    assert "lab-11 1, …)" in found


def test_without_a_terminal_it_must_be_meant(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that does not say --yes removes nothing, and ends with 2."""
    monkeypatch.setenv("SOJAE_HOME", str(home.path))
    error = CliRunner().invoke(commands.fresh, []).exception
    assert isinstance(error, CommandError)
    assert (error.exit_code, "--yes" in error.text.en, "--yes" in error.text.ko) == (2, True, True)
    assert home.store.exists()
    assert CliRunner().invoke(commands.fresh, ["--yes"]).exit_code == 0
    assert not home.store.exists()


@pytest.mark.parametrize(("answer", "left"), [("y", False), ("n", True), ("", True)])
def test_at_a_terminal_it_asks(home: Home, monkeypatch: pytest.MonkeyPatch, answer: str, left: bool) -> None:
    """Only a yes removes."""
    monkeypatch.setenv("SOJAE_HOME", str(home.path))
    monkeypatch.setattr(commands, "_is_terminal", lambda: True)
    done = CliRunner().invoke(commands.fresh, [], input=f"{answer}\n")
    assert "There is no way back" in done.stdout
    assert done.exit_code == int(left)
    assert home.store.exists() is left
