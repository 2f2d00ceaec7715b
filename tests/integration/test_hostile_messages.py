"""Messages that no sender should send, on a real broker, through a real ingest process: quarantined, neighbours unaffected."""

import os
import subprocess
import sys
import time

import polars as pl
import pytest
from confluent_kafka import Producer

from sojae.adapters.avro import RecordCodec
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.kafka_raw import read_raw
from sojae.adapters.template_files import read_common
from sojae.home import Home
from sojae.ports import Partition
from sojae_local.endpoint import Endpoint
from tests.conftest import REPOSITORY
from tests.e2e.processes import environment
from tests.growing_table import rows_so_far

TOPIC, OUTCOMES = "sojae.events.kims", "sojae.outcomes.kims"

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_no_message_stops_the_others(own_home: Home, own_broker: Endpoint) -> None:
    """Impossible times, amounts without a sum, header names that are no text, a flood of findings: all stored, judged, told."""
    connection = Connection(own_broker.bootstrap_servers)
    create_topics(connection, [TOPIC, OUTCOMES], partitions=1)
    _send(own_broker.bootstrap_servers)
    process = subprocess.Popen(
        [sys.executable, "-m", "sojae_ingest"], env=environment(own_home.path), stderr=subprocess.PIPE, text=True
    )
    try:
        rows = _rows(own_home, process, 7)
        told = _outcomes(connection, process, 7)
    finally:
        process.terminate()
        said = process.communicate(timeout=60)[1]
    found = {
        r["offset"]: (r["status"], {i["rule"] for i in r["issues"]} - {"event_time_late"})
        for r in rows.iter_rows(named=True)
    }
    assert found[0] == found[6] == ("accepted", set())
    assert found[1] == ("accepted", {"broker_time"})
    assert found[2] == ("quarantined", {"unframed"})
    assert found[3][0] == "quarantined"
    assert "composition_sum" in found[3][1]
    assert found[4] == ("accepted", {"bad_headers"})
    assert found[5][0] == "quarantined"
    assert {"non_finite", "more_findings"} <= found[5][1]
    assert told == {n: found[n][0] for n in range(7)}
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_many_header_names_that_are_no_text_kill_no_process(broker: Endpoint) -> None:
    """The interpreter makes a call faster that it has seen often, and the library's half-made answer must not come through."""
    topic, count = "sojae.events.no-text", 300
    create_topics(Connection(broker.bootstrap_servers), [topic], partitions=1)
    _send(broker.bootstrap_servers, topic, str(count))
    program = f"""
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.kafka_raw import UNREADABLE_HEADERS, read_raw
from sojae.ports import Partition

found = read_raw(Connection({broker.bootstrap_servers!r}).for_librdkafka(), Partition({topic!r}, 0), 0, {count})
assert [m.value for m in found] == [b"%d" % n for n in range({count})]
assert all(m.headers == {{UNREADABLE_HEADERS: b""}} for m in found)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_header_names_that_are_no_text_cost_no_neighbour_a_message(own_home: Home, own_broker: Endpoint) -> None:
    """What was fetched of other partitions in the same moment is stored too, without a hole, and the stop is in time."""
    connection = Connection(own_broker.bootstrap_servers)
    create_topics(connection, ["sojae.events.kims", "sojae.events.no-text"], partitions=4)
    producer = Producer(connection.for_librdkafka())
    for number in range(4_000):
        producer.produce("sojae.events.kims", b"neighbour %d" % number, partition=number % 4)
        producer.poll(0)
    assert producer.flush(10) == 0
    _send(own_broker.bootstrap_servers, "sojae.events.no-text", "500")
    process = subprocess.Popen(
        [sys.executable, "-m", "sojae_ingest"], env=environment(own_home.path), stderr=subprocess.PIPE, text=True
    )
    try:
        rows = _rows(own_home, process, 4_500)
    finally:
        process.terminate()
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    places = rows.group_by("topic", "partition").agg(
        pl.len(), pl.col("offset").n_unique().alias("distinct"), pl.max("offset")
    )
    assert sorted(places.iter_rows()) == [
        *(("sojae.events.kims", n, 1_000, 1_000, 999) for n in range(4)),
        ("sojae.events.no-text", 0, 500, 500, 499),
    ]


def _send(*arguments: str) -> None:
    pure = {**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}  # its fast serializer takes no name that is not text
    command = [sys.executable, "-m", "tests.integration.hostile_sender", *arguments]
    subprocess.run(command, env=pure, cwd=REPOSITORY, check=True)


def _rows(home: Home, process: "subprocess.Popen[str]", count: int) -> pl.DataFrame:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, process.communicate()[1]
        rows = rows_so_far(home.store / "events")
        if rows.height >= count:
            return rows
        assert time.monotonic() < deadline, f"{rows.height} of {count} rows"
        time.sleep(0.3)


def _outcomes(connection: Connection, process: "subprocess.Popen[str]", count: int) -> dict[int, str]:
    codec, deadline = RecordCodec(read_common("outcome", "1.0")), time.monotonic() + 30
    while True:
        assert process.poll() is None, process.communicate()[1]
        told: dict[int, str] = {}
        for message in read_raw(connection.for_librdkafka(), Partition(OUTCOMES, 0), 0, 100):
            items = codec.decode(message.value or b"")["outcomes"]
            assert isinstance(items, list)
            told |= {item["offset"]: item["status"] for item in items}
        if len(told) >= count:
            return told
        assert time.monotonic() < deadline, told
