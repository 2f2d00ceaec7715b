"""The gateway as a process: it listens, answers over a real socket, and ends when it is told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sojae.client import Client, GatewayProblem
from sojae.domain.errors import ServiceError, SettingsError
from sojae.home import Home
from sojae_gateway.app import bind
from sojae_gateway.settings import GatewaySettings
from tests.gateway_app import RECIPE
from tests.gateway_parts import Alloy, EventStore


def free_port() -> int:
    with closing(socket.socket()) as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def process(home: Path, store: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Hold a gateway process; it is killed when it does not end by itself."""
    names = {"SOJAE_HOME": str(home), "SOJAE_STORE__URI": store, "SOJAE_GATEWAY__PORT": str(port)}
    running = subprocess.Popen(
        [sys.executable, "-m", "sojae_gateway"], env={**os.environ, **names}, stderr=subprocess.PIPE
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def eventually(client: Client, running: subprocess.Popen[bytes]) -> dict[str, object]:
    """Return the first status that tells of a model; the process must live until then."""
    deadline, said = time.monotonic() + 60, "it has no model"
    while time.monotonic() < deadline:
        assert running.poll() is None, "the gateway has ended"
        try:
            status = client.status()
            if status["models"]:
                return status
        except ServiceError as error:
            said = str(error)
        time.sleep(0.1)
    raise AssertionError(f"the gateway did not answer within 60 s: {said}")


def test_a_process_answers_and_ends_when_told(published: EventStore, tmp_path: Path, made: list[Alloy]) -> None:
    """Status, prediction, all pages and a problem through the client; SIGTERM ends it with 0 within 5 s."""
    home, port = Home(tmp_path / "home").prepare().path, free_port()
    with process(home, published.uri, port) as running, closing(Client(f"http://127.0.0.1:{port}")) as client:
        assert eventually(client, running)["rows"] == {"accepted": len(made), "quarantined": 0, "duplicate": 0}
        answer = client.predict("high_entropy_alloy", [RECIPE], ["yield_strength.tension"])
        assert 300 < answer["rows"][0]["predictions"]["yield_strength.tension"]["mean"] < 700
        designs = client.design("high_entropy_alloy", {"yield_strength.tension": 430.0}, top_k=2)
        assert len(designs["designs"]) == 2
        assert [r["record_id"] for r in client.records(limit=30)] == [a.record_id for a in made]
        with pytest.raises(GatewayProblem) as caught:
            client.record("nothing")
        assert (caught.value.status, caught.value.rule) == (404, "unknown_record")
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=5) == 0


def test_a_second_gateway_on_the_port_ends_with_a_sentence(published: EventStore, tmp_path: Path) -> None:
    """Exit code 1, one line that names the setting, no stack trace."""
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with process(Home(tmp_path / "home").prepare().path, published.uri, other.getsockname()[1]) as running:
            _, said = running.communicate(timeout=30)
            assert running.returncode == 1
    assert b"SOJAE_GATEWAY__PORT" in said
    assert b"Traceback" not in said


def test_the_network_is_refused_until_there_are_keys() -> None:
    """Another host than this machine is a wrong setting."""
    with pytest.raises(SettingsError, match="SOJAE_GATEWAY__HOST"):
        bind(GatewaySettings(host="0.0.0.0"))


def test_an_open_gateway_may_listen_to_the_network() -> None:
    """Once it is said that anybody may read what is public."""
    with closing(bind(GatewaySettings(host="0.0.0.0", port=0, open=True))) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


def test_a_port_of_zero_is_asked_from_the_system() -> None:
    """The socket says which one it became."""
    with closing(bind(GatewaySettings(port=0))) as listener:
        assert listener.getsockname()[1] > 0
