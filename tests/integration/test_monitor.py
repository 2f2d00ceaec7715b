"""The monitor as it is shipped, on a real broker and a real store: a plant's day in a few seconds."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psutil
import pyarrow as pa
import pytest
from confluent_kafka import Producer

from sojae.adapters.delta import PinnedTable
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.shelf import ModelShelf, open_store
from sojae.domain.template import RecordsKey
from sojae.home import Home
from sojae.topics import PARTITIONS, alarms_topic, features_topic, forecasts_topic, history_topic, telemetry_topic
from sojae_local.endpoint import Endpoint
from sojae_monitor.scores import read_forecast
from tests.conftest import REPOSITORY
from tests.faults.monitor_scenario import Line
from tests.monitor_model import model
from tests.monitor_parts import PLANT, log_of_plant
from tests.unit.test_monitor_worker_store import NOW, SCHEMA

ASSETS = sorted(PLANT.assets)
SECONDS, BATCH_SECONDS = 100, 40
WEIGHTS = {
    "process.co_sinter_time": 10.0,
    "process.absolute_humidity": 100.0,
    "process.positrode_sinter_temperature": 0.1,
}
LOG = list(log_of_plant(2, ASSETS, SECONDS, BATCH_SECONDS))

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def line(broker: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """A monitor that has followed a plant with a model on the shelf."""
    line = Line("shipped", Home(tmp_path_factory.mktemp("shipped") / "home"), broker, "as shipped")
    ModelShelf(open_store(line.home.store)).publish(*model(PLANT.project, WEIGHTS))
    line.start()
    try:
        line.until("it is ready", lambda: "partitions are placed" in line.logged)
        line.send(LOG)
        expected = line.expected()
        line.until("all is sent", lambda: expected.keys() <= line.found()[0].keys(), 0.3)
        yield line
    finally:
        line.kill()


def forecasts_of(line: Line, kind: str) -> list[dict[str, object]]:
    found = [read_forecast(value) for _, value in line.read(forecasts_topic(line.name))]
    return [record for record in found if record is not None and record["kind"] == kind]


def url(line: Line) -> str:
    (address,) = re.findall(r"metrics and health on (http://\S+)", line.logged)
    return str(address)


def test_windows_events_and_alarms_are_those_of_the_engine(line: Line) -> None:
    """Once each, without a fault."""
    verdict = line.verdict()
    assert verdict.sound, verdict
    assert verdict.repeats == 0
    assert len(line.read(alarms_topic(line.name))) > 0


def test_every_window_of_a_running_batch_has_a_forecast(line: Line) -> None:
    """Humidity is told by the first window, so what stays open is the time, and the plan's value fills in the rest."""
    windows = len(line.read(features_topic(line.name)))
    made = forecasts_of(line, "forecast")
    assert windows / 2 < len(made) <= windows
    for record in made:
        assert record["known"] == ["process.absolute_humidity"]
        assert record["mean"] == pytest.approx(10.0 * 5.0 + 100.0 * 3.0 + 0.1 * 900.0, abs=40.0)
        half = (record["upper"] - record["lower"]) / 2  # type: ignore[operator]
        assert half > 1.645 * 10.0 * 1.4


def test_a_laboratory_value_is_scored_when_it_comes(line: Line) -> None:
    """Against the last forecast of its batch."""
    last = max(
        (one for one in forecasts_of(line, "forecast") if str(one["batch"]).endswith("-1")), key=lambda one: one["at"]
    )
    table = PinnedTable.create_or_open(RecordsKey(PLANT.project, "property", 1).uri(str(line.home.store)), SCHEMA)
    row = {
        "institute": line.plant.institute,
        "sample_id": last["batch"],
        "record_id": "r-1",
        "event_id": "e-1",
        "retracted": False,
        "ingest_time": NOW,
        "topic_id": "t",
        "partition": 0,
        "offset": 1,
        "peak_power_density": last["mean"] + 1.0,  # type: ignore[operator]
    }
    table.append(pa.Table.from_pylist([row], SCHEMA), {"test": 1})
    line.until("it is scored", lambda: len(forecasts_of(line, "score")) > 0)
    (score,) = forecasts_of(line, "score")
    assert (score["batch"], score["at"], score["inside"]) == (last["batch"], last["at"], True)
    assert score["error"] == pytest.approx(-1.0)


def test_a_burst_of_history_is_not_read(line: Line) -> None:
    """Old samples, hot as they may be, raise no alarm and give no window."""
    create_topics(line.connection, [history_topic(line.name)], PARTITIONS)
    before = line.found()
    producer = Producer(line.connection.for_librdkafka())
    for asset, value in LOG:
        producer.produce(history_topic(line.name), value, key=asset)
    assert producer.flush(10) == 0
    time.sleep(1.5)
    assert line.found() == before


def test_a_header_that_is_no_text_stops_nothing(line: Line) -> None:
    """aiokafka cannot read such a message: it is read around, and followed like the others."""
    program = f"""
import asyncio
from aiokafka import AIOKafkaProducer
from tests.integration.hostile_sender import NoText

async def send():
    producer = AIOKafkaProducer(bootstrap_servers={line.endpoint.bootstrap_servers!r})
    await producer.start()
    for partition in range({PARTITIONS}):
        await producer.send_and_wait({telemetry_topic(line.name)!r}, b"x", partition=partition, headers=[(NoText("a"), b"v")])
    await producer.stop()

asyncio.run(send())
"""
    pure = {"AIOKAFKA_NO_EXTENSIONS": "1", "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", program], env=pure, cwd=REPOSITORY, check=True)
    line.sent += PARTITIONS
    line.until("it is passed", lambda: line.committed() == line.sent)
    assert "a header name is not UTF-8" in line.logged


def test_it_serves_metrics_and_health_and_nothing_else(line: Line) -> None:
    """Faust's own web server stays away."""
    assert httpx.get(f"{url(line)}/health/ready").status_code == 200
    metrics = httpx.get(f"{url(line)}/metrics").text
    assert 'sojae_batches_ended_total{complete="yes"}' in metrics
    assert "sojae_scores_sent_total 1.0" in metrics
    assert line.process is not None
    listening = [c for c in psutil.Process(line.process.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [c.laddr.port for c in listening] == [int(url(line).rsplit(":", 1)[1])]


def test_a_stop_keeps_a_last_checkpoint(line: Line) -> None:
    """So a start after it repeats nothing, and the exit code is 0."""
    assert line.process is not None
    line.process.terminate()
    assert line.process.wait(timeout=60) == 0, line.logged
    before = line.found()
    line.start()
    line.until("it is ready again", lambda: line.logged.count("partitions are placed") == 2)
    time.sleep(1.0)
    assert line.found() == before
