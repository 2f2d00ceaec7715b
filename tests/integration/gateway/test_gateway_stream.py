"""Plants over real HTTP: what holds now, what comes, coming back, and who is let go."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.client import Client, GatewayProblem
from sojae.domain.errors import ServiceError
from sojae.home import Home
from sojae_gateway.access import Principal
from sojae_gateway.app import _Server, build
from sojae_gateway.parts import Parts
from sojae_local.endpoint import Endpoint
from tests.fakes import Broker
from tests.gateway_app import no_broker, opened
from tests.plant_lines import PLANT, FakePlantFeed, alarm, feature, forecast, plant

FEATURES, FORECASTS, ALARMS = TOPICS = [f"sojae.{kind}.{PLANT}" for kind in ("features", "forecasts", "alarms")]
Event = dict[str, Any]


def broker() -> Broker:
    made = Broker()
    for topic in TOPICS:
        made.create(topic, partitions=2)
    return made


@contextmanager
def serving(
    folder: Path, made: Broker | None, *, prepare: Callable[[Parts], None] = lambda _: None, **settings: object
) -> Iterator[Client]:
    """Hold a gateway on a real socket, in a thread of its own, and a client of it."""
    with opened(str(folder / "store"), folder / "index", {PLANT: plant()}, **settings) as parts:
        prepare(parts)
        app = build(parts, no_broker if made is None else lambda: FakePlantFeed(made, TOPICS))
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            config = uvicorn.Config(app, log_config=None, lifespan="on", ws="none", timeout_graceful_shutdown=2)
            server = _Server(config, parts.streams.close)
            thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
            thread.start()
            with Client(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=10) as client:
                eventually(lambda: server.started)
                yield client
            server.handle_exit(signal.SIGTERM, None)
            thread.join(timeout=10)
            assert not thread.is_alive()


def eventually(look: Callable[[], object], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


def first(client: Client, count: int, **asked: Any) -> list[Event]:
    """Return so many events of a stream."""
    with closing(client.stream(**asked)) as events:
        return [next(events) for _ in range(count)]


def test_a_plant_is_shown_as_it_is(tmp_path: Path) -> None:
    """Windows, running batch, its forecasts, scores and alarms; a plant that nobody knows is a problem."""
    made = broker()
    made.send(FEATURES, feature(1))
    made.send(FORECASTS, forecast(1))
    made.send(FORECASTS, forecast(9, batch="B0", measured=490.0, inside=True, error=10.0, record_id="r"), partition=1)
    made.send(ALARMS, alarm(1))
    with serving(tmp_path, made) as client:
        state = eventually(lambda: (s := client.plant(PLANT))["open_alarms"] and s)
        kiln = state["assets"][0]
        assert (kiln["asset"], kiln["running"]["batch"], kiln["running"]["forecasts"][0]["mean"]) == (
            "kiln-1",
            "B1",
            500.0,
        )
        assert kiln["windows"][0]["channels"][0]["mean"] == 1450.0
        assert (state["scored"][0]["measured"], state["scored"][0]["inside"]) == (490.0, True)
        assert [a["id"] for a in state["open_alarms"]] == ["alarm-1"]
        assert client.plant(PLANT, windows=0)["assets"][0]["windows"] == []
        (line,) = client.plants()
        assert (line["plant"], line["institute"], line["note" if "note" in line else "live"]) == (PLANT, "kims", False)
        for path, refused in (("nowhere", 404), (f"{PLANT}?windows=999", 422), (f"{PLANT}?window=1", 400)):
            assert httpx.get(f"{client.url}/v1/plants/{path}").status_code == refused


def test_events_come_as_they_happen_and_by_kind(tmp_path: Path) -> None:
    """With id, name and data; a client that asks for scores hears of nothing else."""
    made = broker()
    made.send(FEATURES, feature(0))
    with serving(tmp_path, made) as client:
        eventually(lambda: client.plant(PLANT)["assets"][0]["windows"])
        with closing(client.stream(plant=PLANT)) as everything, closing(client.stream(kind=["score"])) as scores:
            taken: list[Event] = []
            told = threading.Thread(target=lambda: taken.extend(next(everything) for _ in range(3)))
            scored: list[Event] = []
            also = threading.Thread(target=lambda: scored.append(next(scores)))
            told.start()
            also.start()
            eventually(lambda: "sojae_streams_open 2.0" in httpx.get(f"{client.url}/metrics").text)
            made.send(FEATURES, feature(1))
            made.send(ALARMS, alarm(1), partition=1)
            made.send(FORECASTS, forecast(1, measured=1.0))
            told.join(10)
            also.join(10)
        assert sorted(e["event"] for e in taken) == ["alarm", "feature", "score"]
        assert [(e["event"], e["data"]["batch"]) for e in scored] == [("score", "B1")]
        assert all(e["id"].startswith(f"{PLANT}:") for e in taken)


def test_a_client_comes_back_where_it_was_after_a_restart(tmp_path: Path) -> None:
    """Every message comes once, although the gateway was stopped and another one reads Kafka again."""
    made = broker()
    for n in range(10):
        made.send(FEATURES, feature(n), partition=n % 2)
    with serving(tmp_path / "one", made) as client:
        begun = first(client, 4, last_id=f"{PLANT}:")
    for n in range(10, 14):
        made.send(FEATURES, feature(n), partition=n % 2)
    with serving(tmp_path / "two", made) as client:
        rest = first(client, 10, last_id=begun[-1]["id"])
    assert sorted(e["data"]["id"] for e in begun + rest) == sorted(f"kiln-1/{n}" for n in range(14))


def test_what_is_gone_is_a_gap(tmp_path: Path) -> None:
    """An id of another server: the gap comes first, then what is held."""
    made = broker()
    made.send(FEATURES, feature(0))
    with serving(tmp_path, made) as client:
        gap, event = first(client, 2, last_id="1234")
    assert (gap["event"], gap["data"]["reason"], event["data"]["id"]) == ("gap", "unknown", "kiln-1/0")


def test_a_quiet_stream_sends_comments_with_its_place(tmp_path: Path) -> None:
    """So that proxies keep it open, and a client that heard nothing may come back all the same."""
    with (
        serving(tmp_path, broker(), prepare=lambda parts: setattr(parts.streams, "quiet_seconds", 0.1)) as client,
        httpx.stream("GET", f"{client.url}/v1/stream") as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        heard = [next(lines) for _ in range(12)]
    assert heard[0] == "retry: 2000"
    assert heard.count(": nothing new") >= 2
    assert any(line.startswith(f"id: {PLANT}:f") for line in heard)


def test_clients_are_bounded(tmp_path: Path) -> None:
    """One more than allowed is told to come back later; when one leaves there is room again."""
    with serving(tmp_path, broker(), max_streams=1) as client:
        with httpx.stream("GET", f"{client.url}/v1/stream") as held:
            lines = held.iter_lines()  # kept: a generator that is let go closes the connection
            next(lines)
            with pytest.raises(GatewayProblem) as caught:
                first(client, 1)
            assert (caught.value.status, caught.value.rule) == (503, "too_many_streams")
        eventually(lambda: "sojae_streams_open 0.0" in httpx.get(f"{client.url}/metrics").text)
        with httpx.stream("GET", f"{client.url}/v1/stream") as held:
            assert held.status_code == 200


def test_a_client_that_takes_nothing_is_let_go(tmp_path: Path) -> None:
    """Its socket's buffers fill up, and after a while it counts no longer."""
    made = broker()

    def impatient(parts: Parts) -> None:
        parts.streams.send_seconds = 0.2

    with serving(tmp_path, made, prepare=impatient) as client, closing(socket.socket()) as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stalled.connect(("127.0.0.1", httpx.URL(client.url).port))
        stalled.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        eventually(lambda: "sojae_streams_open 1.0" in httpx.get(f"{client.url}/metrics").text)
        for n in range(8_000):
            made.send(FEATURES, feature(n, batch="B" * 2_000))
        eventually(lambda: "sojae_streams_dropped_total 1.0" in httpx.get(f"{client.url}/metrics").text)
        assert "sojae_streams_open 0.0" in httpx.get(f"{client.url}/metrics").text


def test_without_a_broker_everything_else_answers(tmp_path: Path) -> None:
    """The gateway is ready, and says why there is nothing of the plants."""
    with serving(tmp_path, None) as client:
        assert httpx.get(f"{client.url}/health/ready").status_code == 200
        told = eventually(lambda: (t := httpx.get(f"{client.url}/v1/plants").json())["note"] and t)
        assert "no broker" in told["note"]["en"]
        assert [line["live"] for line in told["plants"]] == [False]


def test_open_to_the_network_nobody_sees_plants(tmp_path: Path) -> None:
    """Anybody may ask, under any host's name; plants are their institutes' own, and nothing can be sent."""
    made = broker()
    made.send(FEATURES, feature(0))
    with serving(tmp_path, made, open=True) as client:
        anybody = {"Host": "sojae.example.org"}
        assert httpx.get(f"{client.url}/v1/plants", headers=anybody).json()["plants"] == []
        assert httpx.get(f"{client.url}/v1/plants/{PLANT}", headers=anybody).status_code == 404
        assert httpx.get(f"{client.url}/v1/stream?plant={PLANT}", headers=anybody).status_code == 404
        refused = httpx.post(f"{client.url}/v1/records", headers=anybody)
        assert refused.status_code in (403, 405)


def test_an_institute_hears_of_its_own_plants(tmp_path: Path) -> None:
    """A stream without a plant is of those that may be seen."""
    made = broker()
    made.send(FEATURES, feature(0))

    def stranger(parts: Parts) -> None:
        parts.principal = Principal("k", institute="kist")
        parts.streams.quiet_seconds = 0.1

    with serving(tmp_path, made, prepare=stranger) as client:
        with httpx.stream("GET", f"{client.url}/v1/stream", headers={"Last-Event-ID": f"{PLANT}:"}) as response:
            lines = response.iter_lines()
            heard = [next(lines) for _ in range(10)]
        assert not [line for line in heard if line.startswith(("event:", "data:")) or PLANT in line]


@pytest.mark.kafka
def test_a_process_with_a_real_broker(tmp_path: Path, broker: Endpoint) -> None:
    """The whole: plant file, topics of a real Kafka, a stream that goes on after kill -9, and an end within 2 s."""
    connection = Connection(broker.bootstrap_servers, run_id=broker.run_id if broker.kind == "mock" else None)
    name = f"p{os.getpid()}-{int(time.time())}"
    topics = [f"sojae.{kind}.{name}" for kind in ("features", "forecasts", "alarms")]
    home = Home(tmp_path / "home").prepare().path
    plants = tmp_path / "plants"
    plants.mkdir()
    (plants / f"{name}.toml").write_text(
        f'plant = "{name}"\ninstitute = "kims"\nproject = "ceramic_electrode"\n'
        '[channels.t0]\nunit = "Cel"\n[assets.kiln-1]\n',
        encoding="utf-8",
    )

    async def send(numbers: range) -> None:
        async with AiokafkaProducer(connection) as producer:
            for n in numbers:
                await producer.send(topics[0], "kiln-1", feature(n, name=name), {})

    def start(port: int) -> subprocess.Popen[bytes]:
        names = {
            "SOJAE_HOME": str(home),
            "SOJAE_PLANTS__PATH": str(plants),
            "SOJAE_GATEWAY__PORT": str(port),
            "SOJAE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        }
        return subprocess.Popen([sys.executable, "-m", "sojae_gateway"], env={**os.environ, **names})

    if broker.kind == "mock":
        pytest.skip("the mock's topic ids are known to its launcher only")
    create_topics(connection, topics, 4)
    asyncio.run(send(range(3)))
    with closing(socket.create_server(("127.0.0.1", 0))) as asked:
        port = asked.getsockname()[1]
    running = start(port)
    try:
        with Client(f"http://127.0.0.1:{port}", timeout_seconds=20) as client:
            eventually(lambda: answered(client) and client.plant(name)["assets"][0]["windows"], 40)
            begun = first(client, 2, last_id=f"{name}:")
            running.kill()
            running.wait()
            asyncio.run(send(range(3, 5)))
            running = start(port)
            eventually(lambda: answered(client), 40)
            with closing(client.stream(plant=name, last_id=begun[-1]["id"])) as events:
                rest = [next(events) for _ in range(3)]
                assert [e["data"]["id"] for e in begun + rest] == [f"kiln-1/{n}" for n in range(5)]
                running.send_signal(signal.SIGTERM)
                assert running.wait(timeout=3) == 0
    finally:
        running.kill()
        running.wait()


def answered(client: Client) -> bool:
    try:
        return bool(client.plants())
    except ServiceError:
        return False


def test_the_documents_example_is_an_id(tmp_path: Path) -> None:
    """What docs/reference/http.md shows as an id is read as one: here of another topic, so a gap."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
    example = page.partition("`sim-sinter:f")[2].partition("`")[0]
    with serving(tmp_path, broker()) as client:
        with httpx.stream(
            "GET", f"{client.url}/v1/stream", headers={"Last-Event-ID": f"{PLANT}:f{example}"}
        ) as response:
            lines = response.iter_lines()
            heard = [next(lines) for _ in range(5)]
        assert "event: gap" in heard
        assert json.loads(heard[4].removeprefix("data: "))["reason"] == "unknown"
