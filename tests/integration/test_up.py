"""`sojae up` with small services of its kind: real processes, real signals, and a real broker where there is one."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sojae.domain.errors import BrokerError
from sojae.home import Home, RunInfo
from sojae_local.free_ports import LOOPBACK, free_ports
from sojae_local.mock_broker import MockBroker
from sojae_local.running_broker import kafka_parts
from tests.tiny_services import DRIVER, GOOD, Notes, eventually, install, is_gone


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    return install(tmp_path, monkeypatch)


@pytest.mark.kafka
class TestUp:
    """The launcher as a process, with a broker."""

    @pytest.fixture
    def port(self) -> int:
        return free_ports(1)[0]

    @pytest.fixture
    def launch(self, home: Home, notes: Notes, port: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
        """Return a function that starts the launcher; at the end of the test nothing of it may run any more."""
        started: list[subprocess.Popen[str]] = []

        def run(
            *services: str, tour: tuple[float, int] = (0, 0), only: bool = False, given: str = "", **more: str
        ) -> subprocess.Popen[str]:
            seconds, code = tour
            arguments = [home.path, port, seconds, code, "only" if only else "-", *(services or GOOD)]
            clean = {name: value for name, value in os.environ.items() if not name.startswith("SOJAE_")}
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", DRIVER, *map(str, arguments)],
                    env=clean | {"SOJAE_KAFKA__BOOTSTRAP_SERVERS": given} | more,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            return started[-1]

        yield run
        for process in started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        eventually(lambda: all(is_gone(pid) for pid in notes.pids()), seconds=12)

    @pytest.fixture
    def real(self) -> None:
        """Skip, saying why, where the jars of Kafka cannot be had."""
        try:
            kafka_parts()
        except BrokerError as exc:
            pytest.skip(exc.text.en)

    @pytest.fixture
    def given(self) -> Iterator[str]:
        """Return the address of a mock, for tests that are about the services and need no broker of their own."""
        mock = MockBroker()
        yield mock.start().bootstrap_servers
        mock.stop()

    @staticmethod
    def running(home: Home, notes: Notes, serving: int = len(GOOD)) -> RunInfo:
        """Return what run.json says once so many services have come up."""
        eventually(lambda: len(notes.names("serving")) >= serving and home.live_run() is not None)
        run = home.live_run()
        assert run is not None
        return run

    @staticmethod
    def pids(run: RunInfo) -> list[int]:
        """Return the ids of all processes of a run, the Java process below the broker's included."""
        own = [process.pid for name, process in run.processes.items() if name != "up"]
        return own + [below.pid for pid in own for below in psutil.Process(pid).children(recursive=True)]

    def test_ctrl_c_stops_everything_in_order(self, home: Home, notes: Notes, launch: Callable[..., Any]) -> None:
        """Within 10 s nothing runs, run.json is gone, the exit code is 0, and nobody was killed."""
        process = launch()
        run = self.running(home, notes)
        assert set(run.processes) == {"up", "broker", "gateway", "ingest", "simulator"}
        everything = self.pids(run)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=15)
        assert time.monotonic() - begun < 10
        assert (process.returncode, errors) == (0, "")
        assert notes.names("stopped") == ["simulator", "ingest", "gateway"]
        assert "was killed" not in output
        assert all(is_gone(pid) for pid in everything)
        assert home.read_run() is None

    def test_a_second_run_goes_on_with_the_same_broker(
        self, home: Home, notes: Notes, launch: Callable[..., Any]
    ) -> None:
        """The run id of a real broker, and its address, are those of the first run; a mock has new ones."""
        runs = []
        for serving in (len(GOOD), 2 * len(GOOD)):
            process = launch()
            runs.append(self.running(home, notes, serving))
            process.terminate()
            assert process.wait(15) == 0
        first, second = runs
        same = (first.run_id, first.bootstrap_servers) == (second.run_id, second.bootstrap_servers)
        assert same == (first.broker == "real")

    def test_nothing_outlives_a_killed_launcher(self, home: Home, notes: Notes, launch: Callable[..., Any]) -> None:
        """After kill -9 all end by themselves, also one that ignores SIGTERM, and Java; then the home is free."""
        process = launch(*GOOD, "deaf:stubborn:")
        run = self.running(home, notes, len(GOOD) + 1)
        everything = self.pids(run)
        process.kill()
        eventually(lambda: all(is_gone(pid) for pid in everything), seconds=12)
        assert home.live_run() is None
        assert notes.names("refused") == ["deaf"]
        assert sorted(notes.names("stopped")) == ["gateway", "ingest", "simulator"]

    def test_a_new_launcher_waits_for_the_rest_of_a_killed_one(
        self, home: Home, notes: Notes, launch: Callable[..., Any]
    ) -> None:
        """Started at once after kill -9, it comes up without a word about a home in use."""
        process = launch()
        self.running(home, notes)
        process.kill()
        process = launch()
        run = self.running(home, notes, 2 * len(GOOD))
        assert run.processes["up"].pid == process.pid
        process.terminate()
        output, errors = process.communicate(timeout=15)
        assert (process.returncode, errors) == (0, "")
        assert "started again" not in output

    def test_a_second_ctrl_c_kills_at_once(
        self, home: Home, notes: Notes, launch: Callable[..., Any], given: str
    ) -> None:
        """Three services that ignore SIGTERM would take three seconds; the second Ctrl-C does not wait for them."""
        process = launch("x:stubborn:", "y:stubborn:", "z:stubborn:", given=given)
        everything = self.pids(self.running(home, notes, 3))
        process.send_signal(signal.SIGINT)
        eventually(lambda: notes.names("refused") == ["z"])
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=15)
        assert time.monotonic() - begun < 1
        assert process.returncode == 130
        assert all(is_gone(pid) for pid in everything)

    @pytest.mark.parametrize("code", [0, 1])
    def test_tour_only_ends_with_the_code_of_the_tour(
        self, home: Home, notes: Notes, launch: Callable[..., Any], port: int, given: str, code: int
    ) -> None:
        """The tour sees the gateway's address once all are ready; after it, all is gone."""
        process = launch(tour=(0, code), only=True, given=given)
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (code, "")
        assert f"touring http://{LOOPBACK}:{port}" in output
        assert sorted(notes.names("stopped")) == ["gateway", "ingest", "simulator"]
        assert home.read_run() is None

    def test_a_tour_that_is_cut_off_is_no_success(
        self, home: Home, notes: Notes, launch: Callable[..., Any], given: str
    ) -> None:
        """Ctrl-C during a tour that was all that was asked for gives 130."""
        process = launch(tour=(60, 0), only=True, given=given)
        self.running(home, notes)
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 130

    def test_a_taken_port_is_named_before_anything_starts(
        self, home: Home, notes: Notes, launch: Callable[..., Any], port: int
    ) -> None:
        """The sentence names the port and the setting; exit code 1, no stack trace, no process."""
        with socket.create_server((LOOPBACK, port)):
            process = launch()
            output, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"Port {port}" in errors
        assert "SOJAE_GATEWAY__PORT" in errors
        assert "Traceback" not in errors
        assert (output, notes.all(), home.read_run()) == ("", [], None)

    def test_a_second_launcher_is_refused(
        self, home: Home, notes: Notes, launch: Callable[..., Any], given: str
    ) -> None:
        """It is told the pid of the first, which goes on undisturbed."""
        first = launch(given=given)
        run = self.running(home, notes)
        second = launch(given=given)
        _, errors = second.communicate(timeout=30)
        assert second.returncode == 1
        assert f"process {first.pid}" in errors
        assert "Traceback" not in errors
        assert home.live_run() == run

    @pytest.mark.usefixtures("real")
    def test_a_killed_broker_comes_back_where_it_was(
        self, home: Home, notes: Notes, launch: Callable[..., Any]
    ) -> None:
        """After kill -9 of the broker it has the same address and run id, and the services go on."""
        process = launch()
        before = self.running(home, notes)
        os.kill(before.processes["broker"].pid, signal.SIGKILL)
        eventually(lambda: home.live_run().processes["broker"].pid != before.processes["broker"].pid)
        eventually(lambda: answers(home.live_run().processes["broker"].telemetry_port))
        after = home.live_run()
        assert (after.run_id, after.bootstrap_servers) == (before.run_id, before.bootstrap_servers)
        assert after.processes["ingest"] == before.processes["ingest"]
        process.terminate()
        assert process.wait(15) == 0

    def test_without_network_there_is_a_mock_that_cannot_come_back(
        self, home: Home, notes: Notes, launch: Callable[..., Any], tmp_path: Path
    ) -> None:
        """The warning reaches the terminal; when the mock dies, its messages are lost, so everything stops and says so."""
        closed = f"http://{LOOPBACK}:{free_ports(1)[0]}"
        process = launch(XDG_CACHE_HOME=str(tmp_path / "cache"), HTTPS_PROXY=closed, https_proxy=closed)
        run = self.running(home, notes)
        assert run.broker == "mock"
        os.kill(run.processes["broker"].pid, signal.SIGKILL)
        output, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "Warning: a mock broker takes the place of Kafka" in output
        assert "came back as another one" in errors
        assert home.read_run() is None

    def test_a_given_broker_is_used(self, home: Home, notes: Notes, launch: Callable[..., Any], given: str) -> None:
        """No broker is started; the services get the given address."""
        process = launch(given=given)
        run = self.running(home, notes)
        assert (run.broker, run.bootstrap_servers) == ("given", given)
        assert "broker" not in run.processes
        started = [note["environment"] for note in notes.all() if note["what"] == "started"]
        assert {each["SOJAE_KAFKA__BOOTSTRAP_SERVERS"] for each in started} == {given}
        process.terminate()
        assert process.wait(15) == 0

    def test_the_end_of_one_service_ends_all_with_its_last_line(
        self, home: Home, notes: Notes, launch: Callable[..., Any], given: str
    ) -> None:
        """The reason reaches the terminal in one sentence, and the exit code is 1."""
        process = launch("gateway:good:broker", "ingest:wrong:broker", given=given)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "ingest ended with exit code 2" in errors
        assert "SOJAE_X=1: expected 2" in errors
        assert "Traceback" not in errors
        assert home.read_run() is None


def answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(b"GET /health/ready HTTP/1.0\r\n\r\n")
            return b"200" in connection.recv(64)
    except OSError:
        return False
