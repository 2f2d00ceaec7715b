"""Keeping small services alive: start in the order of readiness, restart, give up, stop in order."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sojae.domain.errors import ServiceError
from sojae.domain.text import Text
from sojae.home import Home
from sojae_local import child, supervisor
from sojae_local.services import Service
from sojae_local.supervisor import Supervisor
from tests.tiny_services import Notes, eventually, install, is_gone, tiny


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    return install(tmp_path, monkeypatch)


@pytest.mark.usefixtures("notes")
class TestSupervisor:
    """Start, restart, give up, stop."""

    @pytest.fixture
    def said(self) -> list[Text]:
        return []

    @pytest.fixture
    def supervise(self, home: Home, said: list[Text]) -> Callable[..., Supervisor]:
        def build(*services: Service, **callbacks: Callable[..., None]) -> Supervisor:
            return Supervisor(services, home, dict(os.environ), report=said.append, **callbacks)

        return build

    async def test_each_starts_when_what_it_needs_is_ready(
        self, supervise: Callable[..., Supervisor], notes: Notes
    ) -> None:
        """The order in the list does not matter, the readiness does; and they stop in the reverse of the list."""
        ready: list[str] = []
        run = supervise(tiny("c", "good", "b"), tiny("b", "good", "a"), tiny("a"), on_ready=ready.append)

        async def done() -> int:
            await run.all_ready()
            return 7

        assert await run.keep_until(done()) == 7
        assert ready == notes.names("started") == ["a", "b", "c"]
        assert notes.names("stopped") == ["a", "b", "c"]
        assert all(is_gone(pid) for pid in notes.pids())

    async def test_a_child_knows_its_port_and_its_lifeline(
        self, supervise: Callable[..., Supervisor], notes: Notes, home: Home
    ) -> None:
        """What the launcher sets is in the environment, each with a port of its own, and its output in its log."""
        run = supervise(tiny("a"), tiny("b"))
        run.environment["SOJAE_KAFKA__BOOTSTRAP_SERVERS"] = "127.0.0.1:40001"

        async def done() -> int:
            await run.all_ready()
            return 0

        await run.keep_until(done())
        environments = [note["environment"] for note in notes.all() if note["what"] == "started"]
        assert {each["SOJAE_KAFKA__BOOTSTRAP_SERVERS"] for each in environments} == {"127.0.0.1:40001"}
        assert all(each["SOJAE_LIFELINE_FD"].isdigit() for each in environments)
        ports = {str(process.telemetry_port) for process in run.processes.values()}
        assert {each["SOJAE_TELEMETRY__PORT"] for each in environments} == ports
        assert len(ports) == 2
        assert (home.logs / "a.log").exists()

    async def test_a_killed_one_is_started_again_and_the_others_go_on(
        self, supervise: Callable[..., Supervisor], notes: Notes, said: list[Text]
    ) -> None:
        """kill -9 of one service: a new process of it, the same process of the other, and a word about it."""
        run = supervise(tiny("a"), tiny("b", "good", "a"))

        async def done() -> int:
            await run.all_ready()
            os.kill(run.processes["a"].pid, signal.SIGKILL)
            async with asyncio.timeout(20):
                while notes.names("serving") != ["a", "b", "a"]:  # noqa: ASYNC110 - the notes are a file
                    await asyncio.sleep(0.05)
            return 0

        await run.keep_until(done())
        assert notes.names("started") == ["a", "b", "a"]
        assert "a was ended by signal 9; it is started again in 0.25 s" in said[0].en

    async def test_one_that_dies_six_times_in_a_minute_ends_everything(
        self, supervise: Callable[..., Supervisor], notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Five times it is started again; then the error quotes its last line, and nothing is left."""
        monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.001)
        run = supervise(tiny("healthy"), tiny("sick", "crash"))
        with pytest.raises(ServiceError, match=r"sick ended with exit code 1 .* the disk is made of cheese") as caught:
            await run.keep_until(run.all_ready())
        assert notes.names("started").count("sick") == 6
        assert "the disk is made of cheese" in caught.value.text.ko
        assert notes.names("stopped") == ["healthy"]
        assert all(is_gone(pid) for pid in notes.pids())

    async def test_wrong_input_is_not_tried_again(self, supervise: Callable[..., Supervisor], notes: Notes) -> None:
        """Exit code 2 means that only a person can help: the first time is the last."""
        run = supervise(tiny("typo", "wrong"))
        with pytest.raises(ServiceError, match="SOJAE_X=1: expected 2"):
            await run.keep_until(run.all_ready())
        assert notes.names("started") == ["typo"]

    async def test_one_that_never_gets_ready_counts_as_dead(
        self, supervise: Callable[..., Supervisor], notes: Notes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is ended and started again, and in the end given up."""
        monkeypatch.setattr(child, "START_SECONDS", 1.5)
        monkeypatch.setattr(supervisor, "RESTARTS_PER_MINUTE", 1)
        run = supervise(tiny("slow", "unready"))
        with pytest.raises(ServiceError, match="slow was not ready in time"):
            await run.keep_until(run.all_ready())
        assert len(notes.pids()) == 2
        assert all(is_gone(pid) for pid in notes.pids())

    async def test_one_that_does_not_stop_is_killed(
        self, supervise: Callable[..., Supervisor], notes: Notes, said: list[Text]
    ) -> None:
        """It gets its seconds, not more, and the rest still stop cleanly."""
        run = supervise(tiny("a"), tiny("b", "stubborn", stop_seconds=0.5))

        async def done() -> int:
            await run.all_ready()
            return 0

        await run.keep_until(done())
        assert notes.names("refused") == ["b"]
        assert notes.names("stopped") == ["a"]
        assert "b did not end in time and was killed" in said[-1].en
        assert all(is_gone(pid) for pid in notes.pids())

    async def test_what_a_dead_one_left_running_goes_too(
        self, supervise: Callable[..., Supervisor], notes: Notes
    ) -> None:
        """A worker of a killed service is not left behind as an orphan."""
        run = supervise(tiny("a", "parent"))

        async def done() -> int:
            await run.all_ready()
            os.kill(run.processes["a"].pid, signal.SIGKILL)
            return 0

        await run.keep_until(done())
        (grandchild,) = [note["grandchild"] for note in notes.all() if note["what"] == "grandchild"]
        eventually(lambda: is_gone(grandchild), seconds=5)
        assert is_gone(grandchild)
