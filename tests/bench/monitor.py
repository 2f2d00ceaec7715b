"""Samples per CPU second of the monitor, against a plain Faust agent, on a real broker: `make bench-monitor`."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click
from confluent_kafka import Producer

from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.home import Home
from sojae.topics import PARTITIONS, telemetry_topic
from sojae_local.running_broker import running_broker
from tests.bench.monitor_load import CHANNELS, PLANT, PLANT_TOML, single_samples, telemetry
from tests.bench.monitor_workers import PLAIN_OUT, PLAIN_TOPIC
from tests.e2e.processes import environment

GOALS = {"samples_per_s_core_100": 600_000, "samples_per_s_core_1000": 3_000_000, "ratio_plain_faust": 50}
MESSAGES = {"samples_per_s_core_100": (60_000, 10), "samples_per_s_core_1000": (20_000, 100)}
PLAIN_MESSAGES = 40_000
QUEUED = 100_000


def measured(share: float) -> dict[str, float]:
    """Return each measure; `share` of the messages are sent."""
    plain = int(PLAIN_MESSAGES * share)
    rate = plain / _spent("plain", plain, PLAIN_TOPIC, single_samples(plain))
    click.echo(f"plain Faust agent: {rate:,.0f} samples/s/core")
    found: dict[str, float] = {}
    for name, (whole, each) in MESSAGES.items():
        messages = int(whole * share)
        found[name] = (
            messages * each * CHANNELS / _spent("monitor", messages, telemetry_topic(PLANT), telemetry(messages, each))
        )
        click.echo(f"{name}: {found[name]:,.0f} samples/s/core")
    return {**found, "ratio_plain_faust": found["samples_per_s_core_100"] / rate}


def _spent(what: str, messages: int, topic: str, load: Iterable[tuple[str, bytes]]) -> float:
    """Return the CPU seconds of one process over a topic that is full when it starts, on a broker of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").prepare()
        (home.path / "plants").mkdir()
        (home.path / "plants" / f"{PLANT}.toml").write_text(PLANT_TOML, encoding="utf-8")
        with running_broker(home) as endpoint:
            create_topics(Connection(endpoint.bootstrap_servers), [topic, PLAIN_OUT], PARTITIONS)
            _send(endpoint.bootstrap_servers, topic, load)
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.monitor_workers", what, str(messages)],
                env=environment(home.path, SOJAE_PLANTS__PATH=str(home.path / "plants")),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
    return float(json.loads(done.stdout.splitlines()[-1])["cpu_seconds"])


def _send(servers: str, topic: str, load: Iterable[tuple[str, bytes]]) -> None:
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "partitioner": "murmur2_random",
            "compression.type": "zstd",
            "batch.size": 262_144,
            "linger.ms": 20,
            "queue.buffering.max.messages": QUEUED,
        }
    )
    for number, (key, value) in enumerate(load):
        producer.produce(topic, value, key=key)
        if number % (QUEUED // 10) == 0:
            producer.flush()
    producer.flush()


def main() -> None:
    """Measure, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the messages, for a quick look")
    found = measured(parser.parse_args().share)
    units = {"ratio_plain_faust": "1"}
    measures = {
        name: {"value": round(value, 1), "unit": units.get(name, "1/s"), "goal": GOALS[name]}
        for name, value in found.items()
    }
    click.echo(json.dumps({"bench": "monitor", "measures": measures}))


if __name__ == "__main__":
    main()
