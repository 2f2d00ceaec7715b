"""The simulator and its load as processes, on the broker of the tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from sojae import ports
from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.template_files import load_templates
from sojae.home import Home
from sojae.ports import Stored
from sojae.topics import PARTITIONS
from sojae_ingest.judgement import Head, RecordKey, judge
from sojae_local.endpoint import Endpoint
from sojae_simulator.app import topics_of
from sojae_simulator.laws import LAWS
from sojae_simulator.truth import FILE_NAME

pytestmark = pytest.mark.kafka

Position = tuple[str, int, int]
Line = dict[str, object]
Found = tuple[str, str | None, str]
Verdict = tuple[str, frozenset[Found]]
WITH_PLANT = {"SOJAE_SIMULATOR__ONCE": "true", "SOJAE_SIMULATOR__BURST_RATE": "0", "SOJAE_SIMULATOR__SPECIMENS": "80"}
ONCE = WITH_PLANT | {"SOJAE_SIMULATOR_PLANT__ENABLED": "false"}


def environment(home: Path, **settings: str) -> dict[str, str]:
    return {**os.environ, "SOJAE_HOME": str(home), **settings}


def run(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def truth_of(home: Path) -> list[Line]:
    return [json.loads(line) for line in (home / FILE_NAME).read_text(encoding="utf-8").splitlines()]


def last_run(lines: list[Line]) -> list[Line]:
    start = max(i for i, line in enumerate(lines) if line["kind"] == "run_started")
    return lines[start:]


class Reader:
    """Reads whole partitions of topics, from where they ended when it was made."""

    def __init__(self, servers: str, topics: list[str]) -> None:
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "simulator-test"})
        known = self._consumer.list_topics(timeout=10).topics
        self._partitions = [TopicPartition(t, p) for t in topics for p in range(PARTITIONS)]
        self._starts = {(tp.topic, tp.partition): self._end(tp) if tp.topic in known else 0 for tp in self._partitions}

    def _end(self, partition: TopicPartition) -> int:
        return int(self._consumer.get_watermark_offsets(partition, timeout=10)[1])

    def read(self) -> dict[Position, Message]:
        ends = {(tp.topic, tp.partition): self._end(tp) for tp in self._partitions}
        missing = sum(ends[place] - start for place, start in self._starts.items())
        self._consumer.assign([TopicPartition(t, p, start) for (t, p), start in self._starts.items()])
        found: dict[Position, Message] = {}
        deadline = time.monotonic() + 30
        while len(found) < missing and time.monotonic() < deadline:
            for message in self._consumer.consume(1_000, timeout=0.5):
                assert message.error() is None
                found[str(message.topic()), int(message.partition() or 0), int(message.offset() or 0)] = message
        self._consumer.close()
        assert len(found) == missing
        return found


class NothingSeen:
    """A store without events; see `sojae_ingest.judgement.Seen`."""

    def sequences(self, keys: Sequence[tuple[str, int, int]]) -> Mapping[tuple[str, int, int], Stored]:
        return {}

    def heads(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Head]:
        return {}


def judged(messages: Mapping[Position, Message]) -> dict[Position, Verdict]:
    """Return status and findings (rule, field, severity) of each message, as ingest judges it."""
    book = load_templates()
    received = [
        (port_message(position, message), f"id of {position[0]}") for position, message in sorted(messages.items())
    ]
    decoded = FastavroDecoder(lambda: book).decode([m.value for m, _ in received])
    return {
        (one.message.topic, one.message.partition, one.message.offset): (
            one.status,
            frozenset((issue.rule, issue.field, issue.severity) for issue in one.issues),
        )
        for one in judge(received, decoded, NothingSeen())
    }


def port_message(position: Position, message: Message) -> ports.Message:
    return ports.Message(*position, message.timestamp()[1], message.key(), message.value())


def test_every_message_is_judged_as_truth_says(broker: Endpoint, broker_home: Home) -> None:
    """Event by event, status and all findings are those of truth.jsonl, and what it does not list is clean."""
    reader = Reader(broker.bootstrap_servers, topics_of(list(LAWS)))
    done = run(broker_home.path, "sojae_simulator", SOJAE_SIMULATOR__SEED="5", SOJAE_SIMULATOR__FAULT_SCALE="3", **ONCE)
    assert (done.returncode, done.stdout) == (0, "")
    lines, messages = last_run(truth_of(broker_home.path)), reader.read()
    faults = {(line["topic"], line["partition"], line["offset"]): line for line in lines if "offset" in line}
    assert len(faults) > 40
    expected: dict[Position, Verdict] = {
        position: ("accepted", frozenset[Found]()) for position in messages if position not in faults
    }
    for (topic, partition, offset), line in faults.items():
        findings = [dict(f) for f in line["findings"]]  # type: ignore[attr-defined]  # a JSON list
        named = frozenset((f["rule"], f["field"], f["severity"]) for f in findings)
        expected[str(topic), int(str(partition)), int(str(offset))] = (str(line["status"]), named)
    assert judged(messages) == expected
    assert lines[-1]["messages"] == dict(Counter(topic for topic, _, _ in messages))


def test_a_second_run_takes_a_larger_epoch_and_new_draws(broker: Endpoint, broker_home: Home) -> None:
    """The file goes on, the epoch grows, and no event is sent again."""
    for _ in range(2):
        assert run(broker_home.path, "sojae_simulator", **ONCE).returncode == 0
    lines = truth_of(broker_home.path)
    epochs = [int(str(line["epoch"])) for line in lines if line["kind"] == "run_started"]
    ids = [line["event_id"] for line in lines if "offset" in line and line["kind"] != "repeated_message"]
    assert epochs == sorted(set(epochs))
    assert len(ids) == len(set(ids))


def test_sigterm_ends_the_trickle_in_order(broker: Endpoint, broker_home: Home) -> None:
    """Told to end, the process writes its totals and leaves with 0 within seconds."""
    before = len(truth_of(broker_home.path)) if (broker_home.path / FILE_NAME).exists() else 0
    settings = {**ONCE, "SOJAE_SIMULATOR__ONCE": "false", "SOJAE_SIMULATOR__SPECIMENS": "2"}
    process = subprocess.Popen([sys.executable, "-m", "sojae_simulator"], env=environment(broker_home.path, **settings))
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            lines = truth_of(broker_home.path)[before:] if (broker_home.path / FILE_NAME).exists() else []
            if any(line["kind"] == "burst_done" for line in lines):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()
        process.wait()
    assert truth_of(broker_home.path)[-1]["kind"] == "run_done"


def test_the_load_writes_down_exactly_what_the_topic_holds(broker: Endpoint, broker_home: Home, tmp_path: Path) -> None:
    """Each message of the topic has one line, with its position and identity, and there is no line besides."""
    reader = Reader(broker.bootstrap_servers, ["sojae.events.sim-load"])
    record = tmp_path / "acknowledged.jsonl"
    done = run(broker_home.path, "sojae_simulator.load", "--count", "20000", "--record", str(record))
    assert done.returncode == 0
    assert json.loads(done.stdout)["acknowledged"] == 20_000
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    messages = reader.read()
    book = load_templates()
    decoded = FastavroDecoder(lambda: book).decode([message.value() for message in messages.values()])
    headers = {position: one.header for position, one in zip(messages, decoded, strict=True)}
    names = ("producer", "epoch", "seq", "event_id")
    assert {(x["topic"], x["partition"], x["offset"]): tuple(x[n] for n in names) for x in lines} == {
        p: tuple(h[n] for n in names) for p, h in headers.items()
    }
    assert len(lines) == 20_000


@pytest.mark.parametrize("module", ["sojae_simulator", "sojae_simulator.load"])
def test_without_a_broker_there_is_one_plain_sentence(tmp_path: Path, module: str) -> None:
    """Exit code 1, what to do, and no stack trace."""
    arguments = ["--record", str(tmp_path / "x.jsonl")] if module.endswith("load") else []
    done = run(tmp_path / "home", module, *arguments)
    assert done.returncode == 1
    assert "sojae up" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    """A mistyped name ends the process with 2 and the nearest known name."""
    done = run(tmp_path / "home", "sojae_simulator", SOJAE_SIMULATOR__SPECIMEN="3")
    assert done.returncode == 2
    assert "SOJAE_SIMULATOR__SPECIMENS" in done.stderr
