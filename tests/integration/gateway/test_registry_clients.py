"""Stock serializers of the confluent-kafka package, with the gateway as their registry, on real topics, judged by ingest."""

import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from confluent_kafka import DeserializingConsumer, SerializingProducer
from confluent_kafka.schema_registry import (
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    record_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import StringSerializer

from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.home import Home
from sojae_local.endpoint import Endpoint
from tests.builders import framed, header
from tests.e2e.processes import environment, free_port, gateway
from tests.gateway_parts import book

TOPIC, OUTCOMES, PRODUCER = "sojae.events.kims", "sojae.outcomes.kims", "kims/furnace-1"
SUBJECT = "sojae.high_entropy_alloy.Property"
BY_RECORD_NAME = {"subject.name.strategy": record_subject_name_strategy}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "latest": {"auto.register.schemas": False, "use.latest.version": True},
    "looks-up": {"auto.register.schemas": False},
    "registers": {"auto.register.schemas": True},
}
"""The three ways in which a stock serializer comes to an id; each names the event that is sent so."""
VALUES: dict[str, object] = {"test_type": "tension", "test_temperature": 25.0, "yield_strength": 412.0}

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_stock_serializers_write_what_is_accepted_and_read_what_we_write(own_home: Home, own_broker: Endpoint) -> None:
    """With the newest schema, with one looked up, with one that registers itself, and one of our own: all are framed alike."""
    connection = Connection(own_broker.bootstrap_servers)
    create_topics(connection, [TOPIC, OUTCOMES], partitions=1)
    env = environment(own_home.path, SOJAE_GATEWAY__INDEX_SECONDS="0.05")
    with ingest(env), gateway(env, free_port()) as http, client(http) as registry:
        latest = registry.get_latest_version(SUBJECT)
        for seq, (event, config) in enumerate(CONFIGURATIONS.items()):
            schema = reordered(latest.schema) if event == "registers" else latest.schema
            send(connection, AvroSerializer(registry, schema, conf={**config, **BY_RECORD_NAME}), event, seq)
        ours = framed(book().get("high_entropy_alloy", "property"), VALUES, header(3, event_id="ours"))
        send(connection, lambda _record, _context: ours, "ours", 3)
        for event in (*CONFIGURATIONS, "ours"):
            assert status_of(http, event) == "accepted"
        read = received(connection, AvroDeserializer(registry), 4)
    assert [(r["header"]["event_id"], r["yield_strength"]) for r in read] == [
        (event, 412.0) for event in (*CONFIGURATIONS, "ours")
    ]
    assert read[0]["header"]["event_time"].tzinfo is not None


def test_the_stock_client_finds_everything_and_changes_nothing(own_home: Home) -> None:
    """Every call that it has for reading; what would change something is refused in its own words."""
    with gateway(environment(own_home.path), free_port()) as http, client(http) as registry:
        latest = registry.get_latest_version(SUBJECT)
        template = book().get("high_entropy_alloy", "property")
        number = template.schema_id
        assert json.loads(latest.schema.schema_str or "") == template.schema
        assert (latest.schema_id, latest.version, latest.subject) == (number, 1, SUBJECT)
        assert SUBJECT in registry.get_subjects()
        assert registry.get_subjects("sojae.high_", limit=2) == registry.get_subjects("sojae.high_")[:2]
        assert registry.get_versions(SUBJECT) == [1]
        assert registry.get_version(SUBJECT, 1) == latest
        assert registry.get_schema(number).schema_str == latest.schema.schema_str
        assert registry.get_subjects_by_schema_id(number) == [SUBJECT]
        assert [(v.subject, v.version) for v in registry.get_schema_versions(number)] == [(SUBJECT, 1)]
        assert registry.get_referenced_by(SUBJECT, 1) == []
        assert registry.get_schema_types() == ["AVRO"]
        assert registry.lookup_schema(SUBJECT, reordered(latest.schema)).schema_id == number
        assert registry.register_schema(SUBJECT, latest.schema) == number
        assert registry.get_compatibility() == registry.get_compatibility(SUBJECT) == "FULL_TRANSITIVE"
        assert registry.get_global_mode() == registry.get_mode(SUBJECT) == "READONLY"
        assert registry.test_compatibility(SUBJECT, latest.schema, "latest")
        assert registry.test_compatibility_all_versions(SUBJECT, latest.schema)
        other = Schema(json.dumps({**template.schema, "fields": template.schema["fields"][:1]}), "AVRO")  # type: ignore[index]  # a list
        assert not registry.test_compatibility_all_versions(SUBJECT, other)
        assert code(registry.register_schema, SUBJECT, other) == 42205
        assert code(registry.get_latest_version, "sojae.events.kims-value") == 40401
        assert code(registry.set_compatibility, SUBJECT, "NONE") == 405
        assert code(registry.delete_subject, SUBJECT) == 405


def client(http: httpx.Client) -> SchemaRegistryClient:
    """Return the stock client, with the gateway as its registry."""
    return SchemaRegistryClient({"url": f"{http.base_url}/registry"})


def reordered(schema: Schema) -> Schema:
    """Return the schema as another library writes it: other order, other blanks, full names."""
    plain = json.loads(schema.schema_str or "")
    plain["name"] = f"{plain.pop('namespace')}.{plain['name']}"
    return Schema(json.dumps(dict(reversed(plain.items())), indent=1), "AVRO")


def send(connection: Connection, serializer: Any, event: str, seq: int) -> None:
    """Send one event through a serializing producer."""
    producer = SerializingProducer(
        {**connection.for_librdkafka(), "key.serializer": StringSerializer(), "value.serializer": serializer}
    )
    whole = header(seq, event_id=event, record_id=event, event_time=dt.datetime.now(dt.UTC))
    failures: list[object] = []
    producer.produce(TOPIC, PRODUCER, {**VALUES, "header": whole}, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(20) == 0
    assert failures == [None]


def received(connection: Connection, deserializer: Any, count: int) -> list[Any]:
    """Return the first records of the topic."""
    settings = {"group.id": "a-stock-reader", "auto.offset.reset": "earliest", "value.deserializer": deserializer}
    consumer = DeserializingConsumer({**connection.for_librdkafka(), **settings})
    consumer.subscribe([TOPIC])
    read: list[Any] = []
    deadline = time.monotonic() + 30
    try:
        while len(read) < count:
            assert time.monotonic() < deadline, f"{len(read)} of {count} records"
            message = consumer.poll(0.5)
            if message is not None:
                assert message.error() is None
                read.append(message.value())
    finally:
        consumer.close()
    return read


def status_of(http: httpx.Client, event: str) -> str:
    """Return what became of an event, once it is stored."""
    deadline = time.monotonic() + 60
    while (answer := http.get(f"/v1/events/kims/{event}")).status_code == 404:
        assert time.monotonic() < deadline, "it was not stored"
        time.sleep(0.1)
    return str(answer.json()["event"]["status"])


def code(call: Any, *arguments: Any) -> int:
    """Return the error code with which a call is refused."""
    with pytest.raises(SchemaRegistryError) as caught:
        call(*arguments)
    assert caught.value.error_message
    return int(caught.value.error_code)


@contextmanager
def ingest(env: dict[str, str]) -> Iterator[None]:
    """Run ingest for the time of the block."""
    process = subprocess.Popen([sys.executable, "-m", "sojae_ingest"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.terminate()
        said = process.communicate(timeout=20)[1]
    assert "Traceback" not in said
