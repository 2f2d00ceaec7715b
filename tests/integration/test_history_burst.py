"""A burst of history beside a live plant: it is all stored, raises nothing, and the live windows come in time."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer

from sojae.adapters.kafka_admin import create_topics
from sojae.home import Home
from sojae.topics import PARTITIONS, alarms_topic, features_topic, forecasts_topic, history_topic, telemetry_topic
from sojae_local.endpoint import Endpoint
from sojae_monitor.messages import FEATURE
from tests.e2e.processes import environment
from tests.faults.monitor_scenario import Line, read_topic
from tests.growing_table import rows_so_far
from tests.monitor_parts import PLANT, SECOND_US, START_US, TELEMETRY, log_of_plant, telemetry

ASSET = "kiln-1"
LIVE_SECONDS, RATE = 90, 5
"""Seconds of event time that the live kiln tells of, one a message, and how many messages a second."""
WINDOW = PLANT.windows.emit_panes
HISTORY = [(asset, value) for asset, value in log_of_plant(5, sorted(PLANT.assets)[1:], 600, 40)]

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_a_burst_of_history_fills_the_table_and_delays_no_live_window(broker: Endpoint, tmp_path: Path) -> None:
    """No window comes later than the live messages of one more window; hot history raises no alarm and no forecast."""
    line = Line("burst", Home(tmp_path / "home"), broker, "as shipped")
    create_topics(line.connection, [history_topic(line.name)], PARTITIONS)
    line.start()
    with ingest(line):
        line.until("it is ready", lambda: "partitions are placed" in line.logged)
        bursting = threading.Timer(3.0, burst, [line])
        bursting.start()
        live(line)
        bursting.join()
        windows = (LIVE_SECONDS - 1 - int(PLANT.windows.lateness_seconds)) // WINDOW
        line.until("all windows have come", lambda: len(line.read(features_topic(line.name))) >= windows)
        stored = line.home.store / "telemetry" / line.name
        line.until("all is stored", lambda: rows(stored) == LIVE_SECONDS + len(HISTORY), 0.5)
        line.stop()
    late = delays(line)
    assert len(late) == windows
    assert max(late) <= WINDOW, f"{late} messages of the live kiln went by before its window was there"
    assert line.read(alarms_topic(line.name)) == []
    assert line.read(forecasts_topic(line.name)) == []


@contextmanager
def ingest(line: Line) -> Iterator[None]:
    settings = environment(line.home.path) | {"SOJAE_KAFKA__BOOTSTRAP_SERVERS": line.endpoint.bootstrap_servers}
    with (line.home.logs / "ingest.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "sojae_ingest"], env=settings, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def burst(line: Line) -> None:
    """Send all history as fast as the broker takes it."""
    producer = Producer(line.connection.for_librdkafka() | {"partitioner": "murmur2_random"})
    for asset, value in HISTORY:
        producer.produce(history_topic(line.name), value, key=asset)
    assert producer.flush(20) == 0


def live(line: Line) -> None:
    """Send a cool kiln's seconds, evenly."""
    began = time.monotonic()
    for second in range(LIVE_SECONDS):
        samples = {"temperature": [900.0 + second] * 10, "humidity": [3.0] * 10}
        line.send([(ASSET, telemetry(ASSET, second, START_US + second * SECOND_US, samples))])
        time.sleep(max(0.0, began + (second + 1) / RATE - time.monotonic()))


def rows(stored: Path) -> int:
    return rows_so_far(stored).height


def delays(line: Line) -> list[int]:
    """Return for each window how many live messages came between the one that closed it and the window itself."""
    sent = {
        (TELEMETRY.decode(value)["t0"].timestamp() * SECOND_US, ms)
        for _, ms, _, value in read_topic(line.connection, telemetry_topic(line.name))
    }
    lateness_us = PLANT.windows.lateness_seconds * SECOND_US
    found = []
    for _, came_ms, _, value in read_topic(line.connection, features_topic(line.name)):
        end_us = FEATURE.decode(value)["end"].timestamp() * SECOND_US
        closing_ms = min(ms for t0_us, ms in sent if t0_us >= end_us + lateness_us)
        found.append(sum(closing_ms < ms < came_ms for _, ms in sent))
    return found
