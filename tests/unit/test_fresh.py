"""`sojae fresh`: forgets what is ours, refuses what is not."""

from pathlib import Path

import pytest

from sojae.domain.errors import StateError
from sojae.home import FOLDERS, MARKER_NAME, Home
from sojae_local.fresh import forget


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").prepare()
    (home.store / "events").mkdir()
    (home.store / "events" / "part.parquet").write_bytes(b"rows")
    home.run_file.write_text("{}", encoding="utf-8")
    return home


def test_state_is_gone_and_other_things_stay(home: Home) -> None:
    """The four folders and run.json go; a file that somebody put beside them does not; the home can be used again."""
    (home.path / "notes.txt").write_text("mine", encoding="utf-8")
    assert str(home.path) in forget(home).en
    assert not any((home.path / folder).exists() for folder in (*FOLDERS, "run.json"))
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
def test_a_home_in_use_is_refused(home: Home, name: str) -> None:
    """What runs there would lose its files under its feet."""
    with home.locked(name), pytest.raises(StateError, match="already runs"):
        forget(home)
    assert (home.store / "events" / "part.parquet").exists()


def test_a_damaged_marker_is_mended(home: Home) -> None:
    """The error about a damaged marker names this way out."""
    (home.path / MARKER_NAME).write_bytes(b"")
    forget(home)
    assert home.prepare().logs.is_dir()
