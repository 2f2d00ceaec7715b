"""The processes that `monitor` measures: the monitor, and a plain Faust agent that does the same sample by sample.

Each prints, as JSON, the CPU seconds (user and system, all threads) between its first partition placed and its last
message. Run as `python -m tests.bench.monitor_workers {monitor,plain} MESSAGES`.
"""

import asyncio
import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any, cast

import click
import faust
from mode import CrashingSupervisor

from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_connection import Connection
from sojae.home import find_home
from sojae.surroundings import Surroundings
from sojae_monitor.agent import MonitorAgent
from sojae_monitor.app import Parts, serve
from sojae_monitor.faust_app import SETTINGS
from sojae_monitor.outbox import Acknowledgement, acknowledged
from sojae_monitor.transport import PlacedConsumer, PlacedTransport
from tests.bench.monitor_load import SECOND_US

PLAIN_TOPIC, PLAIN_OUT = "bench.samples", "bench.features"
LIMIT, REFERENCE_KELVIN, Q_OVER_R = 1400.0, 1475.0 + 273.15, 150_000.0 / 8.314_462_618
PANES, EMIT = 60, 10
POLL_SECONDS = 0.2


def cpu_seconds() -> float:
    """Return the CPU seconds of this process so far."""
    spent = os.times()
    return spent.user + spent.system


class TimedConsumer(PlacedConsumer):
    """Notes the CPU seconds when partitions are placed for the first time."""

    begun = 0.0

    async def perform_seek(self) -> None:
        await super().perform_seek()
        TimedConsumer.begun = TimedConsumer.begun or cpu_seconds()
        TimedTransport.agent = cast("MonitorAgent", cast("PlacedTransport", self.transport).placing)


class TimedTransport(PlacedTransport):
    Consumer = TimedConsumer
    agent: MonitorAgent | None = None


async def monitor(messages: int) -> float:
    """Return the CPU seconds in which the monitor follows so many messages."""
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(Surroundings.read(), Parts(transport=TimedTransport), stop))

    def followed() -> int:
        agent = TimedTransport.agent
        return 0 if agent is None else sum(f.engine.next_offset for f in agent._placement.followed.values())

    await _until(lambda: serving.done() or followed() >= messages)
    spent = cpu_seconds() - TimedConsumer.begun
    stop.set()
    await serving
    return spent


async def plain(messages: int) -> float:
    """Return the CPU seconds in which a plain agent follows so many samples."""
    home = find_home(os.environ)
    run = home.live_run()
    assert run is not None
    connection = Connection(run.bootstrap_servers)
    app = faust.App("bench-plain", broker=f"kafka://{run.bootstrap_servers}", datadir=str(home.index), **SETTINGS)
    app.finalize()
    seen, begun = 0, 0.0
    sent: list[Acknowledgement] = []
    async with AiokafkaProducer(connection) as producer:

        async def follow(stream: Any) -> None:
            nonlocal seen, begun
            assets: dict[tuple[str, int], Channel] = {}
            async for value in stream:
                if seen == 0:
                    begun = cpu_seconds()
                seen += 1
                sample = json.loads(value)
                key = (sample["asset"], sample["channel"])
                channel = assets.setdefault(key, Channel())
                told = channel.add(sample["t"], sample["v"], dose=sample["channel"] == 0)
                if told is not None:
                    sent.append(
                        await producer.enqueue(PLAIN_OUT, sample["asset"], json.dumps([key, told]).encode(), {})
                    )

        source = app.topic(PLAIN_TOPIC, value_type=bytes, key_type=bytes, key_serializer="raw", value_serializer="raw")
        app.agent(source, name="plain", concurrency=1, supervisor_strategy=CrashingSupervisor)(follow)
        await app.start()
        await _until(lambda: seen >= messages)
        await acknowledged(sent)
        spent = cpu_seconds() - begun
        await app.stop()
    return spent


class Channel:
    """Panes of one channel of one asset: the features of the monitor, told every ten panes over the last sixty."""

    def __init__(self) -> None:
        self.panes: list[list[float]] = []
        self.pane = -1

    def add(self, t: int, value: float, *, dose: bool) -> list[float] | None:
        """Take one sample; return the window's features when it is the first of a pane that ends one."""
        told = None
        pane = t // SECOND_US
        if pane != self.pane:
            if self.pane >= 0 and pane % EMIT == 0:
                told = self._window()
            self.pane = pane
            self.panes = [*self.panes[1 - PANES :], [0.0, 0.0, 0.0, 0.0, 0.0, math.inf, -math.inf, 0.0, 0.0]]
        sums, at = self.panes[-1], t / SECOND_US
        sums[0] += 1
        sums[1] += value
        sums[2] += at
        sums[3] += at * at
        sums[4] += at * value
        sums[5] = min(sums[5], value)
        sums[6] = max(sums[6], value)
        sums[7] += value > LIMIT
        if dose:
            sums[8] += math.exp(-Q_OVER_R * (1.0 / (value + 273.15) - 1.0 / REFERENCE_KELVIN))
        return told

    def _window(self) -> list[float]:
        count, total, times, squares, products = (sum(p[i] for p in self.panes) for i in range(5))
        spread = count * squares - times * times
        slope = (count * products - times * total) / spread if spread else 0.0
        low, high = min(p[5] for p in self.panes), max(p[6] for p in self.panes)
        return [count, total / count, low, high, slope, sum(p[7] for p in self.panes), sum(p[8] for p in self.panes)]


async def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - what it waits for has no event
        await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    work = {"monitor": monitor, "plain": plain}[sys.argv[1]]
    click.echo(json.dumps({"cpu_seconds": asyncio.run(work(int(sys.argv[2])))}))
