"""The state folder: found, claimed, refused when it is not ours, locked, and described by run.json."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojae.domain.errors import BrokerError, StateError
from sojae.home import FOLDERS, MARKER_NAME, Home, ProcessInfo, RunInfo, bootstrap_servers, find_home, is_alive

RUN = RunInfo(
    launcher="up",
    run_id="0a6b1f62-8c34-4a41-9d53-1d5ad6a7c0a1",
    broker="real",
    bootstrap_servers="127.0.0.1:40001",
    started_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    gateway_url="http://127.0.0.1:8600",
    processes={"up": ProcessInfo(17), "ingest": ProcessInfo(18, 40003)},
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def checkout(folder: Path, name: str = "sojae") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n', encoding="utf-8")
    return folder


class TestFindHome:
    """Environment, then checkout, then the user's data folder."""

    def test_the_environment_wins_over_the_checkout(self, tmp_path: Path) -> None:
        """SOJAE_HOME is taken even inside a checkout."""
        start = checkout(tmp_path / "checkout")
        assert find_home({"SOJAE_HOME": str(tmp_path / "there")}, start) == Home(tmp_path / "there")

    def test_a_relative_name_is_seen_from_the_working_folder(self, tmp_path: Path) -> None:
        """A relative SOJAE_HOME becomes absolute, so that children started elsewhere mean the same folder."""
        assert find_home({"SOJAE_HOME": "state"}, tmp_path).path == tmp_path / "state"

    def test_a_folder_deep_in_the_checkout_finds_its_root(self, tmp_path: Path) -> None:
        """The checkout is looked for upwards."""
        deep = checkout(tmp_path) / "docs" / "tutorials"
        deep.mkdir(parents=True)
        assert find_home({}, deep).path == tmp_path / ".sojae"

    def test_an_empty_name_counts_as_none(self, tmp_path: Path) -> None:
        """SOJAE_HOME= is the same as no SOJAE_HOME."""
        assert find_home({"SOJAE_HOME": ""}, checkout(tmp_path)).path == tmp_path / ".sojae"

    @pytest.mark.parametrize("content", ['[project]\nname = "other"\n', "[project", 'project = "sojae"\n', ""])
    def test_another_project_is_no_checkout(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
    ) -> None:
        """A pyproject.toml of somebody else's, or a broken one, leads to the user's data folder."""
        (tmp_path / "pyproject.toml").write_text(content, encoding="utf-8")
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        assert find_home({}, tmp_path).path == tmp_path / "data" / "sojae"


class TestPrepare:
    """The folder is made and marked; what is not ours is left alone."""

    def test_a_new_folder_gets_its_marker_and_its_parts(self, tmp_path: Path) -> None:
        """kafka, store, index and logs exist afterwards, also several levels down."""
        home = Home(tmp_path / "a" / "b").prepare()
        assert sorted(entry.name for entry in home.path.iterdir()) == sorted([MARKER_NAME, *FOLDERS])

    def test_a_second_time_keeps_what_is_there(self, home: Home) -> None:
        """Preparing is for every start, not for the first alone."""
        (home.store / "kept").write_text("rows", encoding="utf-8")
        assert (home.prepare().store / "kept").read_text(encoding="utf-8") == "rows"

    def test_a_folder_of_somebody_else_is_refused_and_untouched(self, tmp_path: Path) -> None:
        """A folder with contents and no marker is not ours."""
        (tmp_path / "thesis.docx").write_text("years of work", encoding="utf-8")
        with pytest.raises(StateError, match=r"thesis\.docx.*SOJAE_HOME"):
            Home(tmp_path).prepare()
        assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.docx"]

    def test_a_file_in_place_of_the_folder_is_named(self, tmp_path: Path) -> None:
        """The sentence says which file stands in the way, also when it is a parent."""
        (tmp_path / "file").write_text("", encoding="utf-8")
        for path in (tmp_path / "file", tmp_path / "file" / "home"):
            with pytest.raises(StateError, match=rf"{tmp_path}/file is a file"):
                Home(path).prepare()

    def test_a_file_in_place_of_a_part_is_named(self, home: Home) -> None:
        """A file called `store` inside the home is found too."""
        home.store.rmdir()
        home.store.write_text("", encoding="utf-8")
        with pytest.raises(StateError, match=r"store is a file"):
            home.prepare()

    @pytest.mark.parametrize("marker", [b"", b"sojae-home 99\n", b"\xff\xfe"])
    def test_a_broken_marker_is_refused(self, home: Home, marker: bytes) -> None:
        """Empty, of a later layout, or not even text: none of them is taken for ours."""
        (home.path / MARKER_NAME).write_bytes(marker)
        with pytest.raises(StateError, match="marker"):
            home.prepare()

    def test_a_folder_that_cannot_be_made_is_a_plain_error(self) -> None:
        """What the system refuses comes back as one sentence in both languages."""
        with pytest.raises(StateError) as caught:
            Home(Path("/proc/sojae")).prepare()
        assert "/proc/sojae" in caught.value.text.en
        assert "/proc/sojae" in caught.value.text.ko


class TestLock:
    """One `sojae up` per home."""

    def test_a_second_one_is_told_the_pid_of_the_first(self, home: Home) -> None:
        """The refusal names the process that holds the home."""
        with home.locked("up"), pytest.raises(StateError, match=rf"\b{os.getpid()}\b"):
            home.locked("up", patience_seconds=0).__enter__()

    def test_it_is_free_after_the_block(self, home: Home) -> None:
        """A stop leaves the home to the next one."""
        with home.locked("up"):
            assert home.is_locked("up")
        assert not home.is_locked("up")
        with home.locked("up", patience_seconds=0):
            pass

    def test_the_broker_and_the_launcher_do_not_exclude_each_other(self, home: Home) -> None:
        """`sojae up` holds one lock while its `sojae broker` holds the other."""
        with home.locked("up"), home.locked("broker", patience_seconds=0):
            assert home.is_locked("broker")


class TestRun:
    """run.json, and what a second terminal makes of it."""

    def test_what_is_written_is_read(self, home: Home) -> None:
        """Nothing is lost on the way through the file, and no temporary file stays."""
        home.write_run(RUN)
        assert home.read_run() == RUN
        assert not list(home.path.glob("*.tmp"))

    def test_without_a_run_there_is_none(self, tmp_path: Path) -> None:
        """A home that was never used, or does not exist, runs nothing."""
        assert Home(tmp_path / "never").live_run() is None

    def test_a_run_is_live_while_its_launcher_holds_the_lock(self, home: Home) -> None:
        """The lock, not the file, tells that something runs: the system frees it when the launcher dies."""
        home.write_run(RUN)
        assert home.live_run() is None
        with home.locked("broker"):
            assert home.live_run() is None
        with home.locked("up"):
            assert home.live_run() == RUN

    @pytest.mark.parametrize("content", [b"", b"{}", b'{"launcher": "cat"', b"\xff"])
    def test_a_damaged_file_is_a_plain_error(self, home: Home, content: bytes) -> None:
        """run.json is never half-written by us, so a damaged one is said, not guessed at."""
        home.run_file.write_bytes(content)
        with pytest.raises(StateError, match=r"run\.json is damaged"):
            home.read_run()

    def test_clearing_twice_is_fine(self, home: Home) -> None:
        """A clean stop may meet a run.json that is gone already."""
        home.write_run(RUN)
        home.clear_run()
        home.clear_run()
        assert home.read_run() is None


def test_a_dead_process_that_nobody_reaped_is_not_alive() -> None:
    """A process of ours lives, one that has ended does not, be it reaped or not."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert is_alive(os.getpid())
    assert not is_alive(ended.pid)
    ended.wait()
    assert not is_alive(ended.pid)


class TestBootstrapServers:
    """Setting, then live run, then an error that says what to do."""

    def test_the_setting_wins(self, home: Home) -> None:
        """A broker given by setting is used even when another one runs here."""
        home.write_run(RUN)
        with home.locked("up"):
            assert bootstrap_servers("kafka.example.org:9092", home) == "kafka.example.org:9092"

    def test_the_live_run_comes_next(self, home: Home) -> None:
        """A second terminal finds the first."""
        home.write_run(RUN)
        with home.locked("up"):
            assert bootstrap_servers(None, home) == "127.0.0.1:40001"

    def test_a_stale_run_is_no_answer(self, home: Home) -> None:
        """Both languages name the command that starts one."""
        home.write_run(RUN)
        with pytest.raises(BrokerError) as caught:
            bootstrap_servers(None, home)
        assert "`sojae up`" in caught.value.text.en
        assert "`sojae up`" in caught.value.text.ko


def test_a_damaged_run_file_of_nobody_does_not_lock_the_home(tmp_path: Path) -> None:
    """Nobody runs, so nothing runs: the next start writes it anew."""
    home = Home(tmp_path / "home").prepare()
    home.run_file.write_bytes(b"{not json")
    assert home.live_run() is None
    with home.locked("up"), pytest.raises(StateError):
        home.live_run()
