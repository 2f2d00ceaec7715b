"""What the supervisor decides without running anything: the list of services, and which line explains an end."""

from pathlib import Path

import pytest

from sojae_local.log_files import ROLL_BYTES, LogFile, open_log
from sojae_local.services import BROKER, SERVICES, broker_service

ALL = (broker_service(Path("endpoint.json"), mock=False), *SERVICES)


def test_they_stop_in_the_order_of_the_design() -> None:
    """First who makes events, then who stores them, last the broker."""
    assert [service.name for service in reversed(ALL)] == [
        "simulator",
        "monitor",
        "ingest",
        "trainer",
        "gateway",
        "broker",
    ]


def test_every_service_waits_only_for_services_that_exist() -> None:
    """A mistyped name would be waited for without end; nobody waits for one that stops before it."""
    names = [service.name for service in ALL]
    for position, service in enumerate(ALL):
        assert service.depends <= set(names[:position])


def test_the_broker_can_be_asked_to_be_the_mock() -> None:
    """The launcher has tried the real one already."""
    assert broker_service(Path("e"), mock=True).arguments == ("broker", "--endpoint-file", "e", "--mock")
    assert broker_service(Path("e"), mock=False).name == BROKER


class TestLogFile:
    """The line that explains an end."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "ingest.log"
        path.write_text("an earlier run\n", encoding="utf-8")
        return path

    def write(self, path: Path, text: str) -> LogFile:
        log, file = open_log(path)
        with file:
            file.write(text.encode())
        return log

    def test_the_last_line_is_that_of_this_run(self, path: Path) -> None:
        """Blank lines are no lines, and what an earlier run wrote explains nothing."""
        assert self.write(path, "").last_line() == ""
        assert self.write(path, "Traceback\nValueError: 온도\n\n").last_line() == "ValueError: 온도"

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("12:00 INFO a\n12:01 ERROR it ends\n", "12:01 ERROR it ends"),
            (
                "12:01 ERROR it ends\njava.lang.X: locked\n\tat kafka.Kafka.main\n",
                "12:01 ERROR it ends: java.lang.X: locked",
            ),
            (
                "12:01 ERROR it ends\nX: outer\n\tat a.b\nCaused by: Y: inner\n\t... 3 more\n",
                "12:01 ERROR it ends: Caused by: Y: inner",
            ),
            ("12:00 ERROR early\n12:01 ERROR late\n", "12:01 ERROR late"),
            ("only this\n", "only this"),
        ],
    )
    def test_an_error_explains_more_than_the_stack_below_it(self, path: Path, text: str, line: str) -> None:
        """Kafka's reason stands above its stack trace, the innermost cause inside it."""
        assert self.write(path, text).last_error() == line

    def test_a_long_log_is_rolled_over(self, path: Path) -> None:
        """The old one is kept once; the new one begins empty."""
        path.write_bytes(b"x" * (ROLL_BYTES + 1))
        log = self.write(path, "new\n")
        assert (log.start, path.read_text(encoding="utf-8")) == (0, "new\n")
        assert path.with_name("ingest.log.1").stat().st_size == ROLL_BYTES + 1

    def test_a_log_that_is_gone_has_no_last_line(self, path: Path) -> None:
        """Somebody may have wiped the folder."""
        log = self.write(path, "text\n")
        path.unlink()
        assert log.last_line() == ""
