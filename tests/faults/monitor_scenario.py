"""A plant's log written in parts, a monitor that is killed between them, and what an uninterrupted run would have sent."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.kafka_admin import create_topics, topic_ids
from sojae.adapters.kafka_connection import Connection
from sojae.domain.plant import Plant
from sojae.home import Home
from sojae.topics import PARTITIONS, alarms_topic, events_topic, features_topic, forecasts_topic, telemetry_topic
from sojae_local.endpoint import Endpoint
from sojae_monitor.emitted import Sample
from sojae_monitor.engine import Engine
from sojae_monitor.messages import ALARM, FEATURE, alarm_message, feature_message
from sojae_monitor.process_event import ProcessEvents
from tests.builders import book
from tests.e2e.processes import environment
from tests.monitor_parts import PLANT_TOML

HERE = Path(__file__).parent
PATIENCE_SECONDS = 40.0
DECODER = FastavroDecoder(book)

Sent = dict[str, set[bytes]]
"""Distinct bytes by id: more than one is a conflict."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the topics hold against an uninterrupted run; sound when all but `repeats` is zero."""

    missing: int
    extra: int
    different: int
    conflicting: int
    repeats: int

    @property
    def sound(self) -> bool:
        return (self.missing, self.extra, self.different, self.conflicting) == (0, 0, 0, 0)


@dataclass(slots=True)
class Line:
    """One plant on a broker, with its own topics, group and institute, and the monitor that follows it."""

    name: str
    home: Home
    endpoint: Endpoint
    variant: str
    checkpoint_seconds: float = 0.5
    instance: str = "monitor-0"
    session_seconds: float = 30.0
    plant: Plant = field(init=False)
    process: subprocess.Popen[bytes] | None = None
    sent: int = 0

    def __post_init__(self) -> None:
        text = PLANT_TOML.replace('"test-line"', f'"{self.name}"').replace('"test-firm"', f'"firm-{self.name}"')
        folder = self.home.prepare().path / "plants"
        folder.mkdir(exist_ok=True)
        (folder / f"{self.name}.toml").write_text(text, encoding="utf-8")
        self.plant = msgspec.toml.decode(text, type=Plant)
        made = [make(self.name) for make in (telemetry_topic, features_topic, forecasts_topic, alarms_topic)]
        create_topics(self.connection, [*made, events_topic(self.plant.institute)], PARTITIONS)

    @property
    def connection(self) -> Connection:
        mock = self.endpoint.run_id if self.endpoint.kind == "mock" else None
        return Connection(self.endpoint.bootstrap_servers, run_id=mock)

    @property
    def command(self) -> list[str]:
        """The monitor as users run it, or one of those that the kill tests compare."""
        if self.variant == "as shipped":
            return ["-m", "sojae_monitor"]
        return [str(HERE / "monitor_process.py"), self.variant]

    @property
    def logged(self) -> str:
        return self._log.read_text(encoding="utf-8")

    @property
    def _log(self) -> Path:
        return self.home.logs / f"{self.name}-{self.instance}.log"

    def start(self) -> None:
        settings = {
            **environment(self.home.path),
            "SOJAE_KAFKA__BOOTSTRAP_SERVERS": self.endpoint.bootstrap_servers,
            "SOJAE_PLANTS__PATH": str(self.home.path / "plants"),
            "SOJAE_MONITOR__PLANTS": self.name,
            "SOJAE_MONITOR__GROUP_ID": f"monitor-{self.name}",
            "SOJAE_MONITOR__CHECKPOINT_SECONDS": str(self.checkpoint_seconds),
            "SOJAE_MONITOR__INSTANCE_ID": self.instance,
            "SOJAE_MONITOR__SESSION_TIMEOUT_SECONDS": str(self.session_seconds),
        }
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, *self.command], env=settings, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0, self.logged

    def send(self, messages: Iterable[tuple[str, bytes]]) -> None:
        producer = Producer(self.connection.for_librdkafka() | {"partitioner": "murmur2_random", "linger.ms": 2})
        for asset, value in messages:
            producer.produce(telemetry_topic(self.name), value, key=asset)
            self.sent += 1
        assert producer.flush(10) == 0

    def committed(self) -> int:
        """Return how many messages the group has committed in Kafka; −1 while the broker is not ready to tell."""
        consumer = Consumer(self.connection.for_librdkafka() | {"group.id": f"monitor-{self.name}"})
        try:
            tps = [TopicPartition(telemetry_topic(self.name), p) for p in range(PARTITIONS)]
            return sum(max(0, tp.offset) for tp in consumer.committed(tps, timeout=5))
        except KafkaException:
            return -1
        finally:
            consumer.close()

    def until(self, what: str, is_so: Callable[[], bool], pause_seconds: float = 0.1) -> None:
        """Wait for something, with a dead monitor started again as its launcher would."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"{self.name}: {what}: waited in vain"
            if self.process is not None and self.process.poll() is not None:
                self.start()
            time.sleep(pause_seconds)

    def read(self, topic: str) -> list[tuple[bytes, bytes]]:
        return [(key, value) for _, _, key, value in read_topic(self.connection, topic)]

    def found(self) -> tuple[Sent, Counter[str]]:
        """Return what the monitor has sent by id, and how often each."""
        return by_id(
            self.read(features_topic(self.name)),
            self.read(events_topic(self.plant.institute)),
            self.read(alarms_topic(self.name)),
        )

    def expected(self) -> Sent:
        """Return what one engine per partition makes of the whole log in one go."""
        identity = topic_ids(self.connection, [telemetry_topic(self.name)])[telemetry_topic(self.name)]
        samples: dict[int, list[Sample]] = {p: [] for p in range(PARTITIONS)}
        for (partition, offset), timestamp_ms, _, value in read_topic(self.connection, telemetry_topic(self.name)):
            samples[partition].append(Sample(offset, timestamp_ms, value))
        features, events, alarms = [], [], []
        for partition, log in samples.items():
            emitted = Engine(self.plant, identity, partition).feed(log)
            makes = ProcessEvents(self.plant, identity, partition)
            features += [feature_message(self.plant, w) for w in emitted.windows]
            alarms += [alarm_message(self.plant, a) for a in emitted.alarms]
            process = book().get(self.plant.project, "process")
            events += [makes.message(b, process) for b in emitted.batches if b.complete]
        parts = ([(m.key.encode(), m.value) for m in sent] for sent in (features, events, alarms))
        return by_id(*parts)[0]

    def verdict(self) -> Verdict:
        found, times = self.found()
        expected = self.expected()
        shared = found.keys() & expected.keys()
        return Verdict(
            missing=len(expected.keys() - found.keys()),
            extra=len(found.keys() - expected.keys()),
            different=sum(not found[i] <= expected[i] for i in shared),
            conflicting=sum(len(values) > 1 for values in found.values()),
            repeats=sum(times.values()) - len(times),
        )


def by_id(
    features: Iterable[tuple[bytes, bytes]],
    events: Iterable[tuple[bytes, bytes]],
    alarms: Iterable[tuple[bytes, bytes]],
) -> tuple[Sent, Counter[str]]:
    """Return bytes by id; an event's id has its sequence number, so that one that was found twice is seen."""
    sent: Sent = {}
    times: Counter[str] = Counter()
    said = [(f"feature {FEATURE.decode(v)['id']}", v) for _, v in features]
    said += [(f"event {key.decode()} {_event_id(v)}", v) for key, v in events]
    said += [(f"alarm {ALARM.decode(v)['id']} {ALARM.decode(v)['state']}", v) for _, v in alarms]
    for name, value in said:
        sent.setdefault(name, set()).add(value)
        times[name] += 1
    return sent, times


def _event_id(value: bytes) -> str:
    return str(DECODER.decode([value])[0].header["event_id"])


def read_topic(connection: Connection, topic: str) -> list[tuple[tuple[int, int], int, bytes, bytes]]:
    """Return ((partition, offset), timestamp in ms, key, value) of all that a topic holds now."""
    consumer = Consumer(connection.for_librdkafka() | {"group.id": "reader", "enable.auto.commit": False})
    try:
        tps = [TopicPartition(topic, p, 0) for p in range(PARTITIONS)]
        ends: Mapping[int, int] = {tp.partition: _end(consumer, tp) for tp in tps}
        consumer.assign([TopicPartition(topic, p, 0) for p, end in ends.items() if end > 0])
        found = []
        while len(found) < sum(ends.values()):
            for m in consumer.consume(1_000, timeout=0.2):
                assert m.error() is None, m.error()
                if m.offset() < ends[m.partition()]:
                    found.append(((m.partition(), m.offset()), m.timestamp()[1], m.key(), m.value()))
        return sorted(found)
    finally:
        consumer.close()


def _end(consumer: Consumer, tp: TopicPartition) -> int:
    """Return the offset behind the last; a partition that was just made may not have its leader yet."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return int(consumer.get_watermark_offsets(tp, timeout=5)[1])
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
