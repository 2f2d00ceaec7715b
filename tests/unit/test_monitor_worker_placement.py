"""Where partitions are read on, and when their state is kept: a checkpoint never says more than what is acknowledged."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Self

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from sojae.domain.errors import BrokerError
from sojae.domain.plant import Plant
from sojae.ports import Partition
from sojae.topics import CHECKPOINTS
from sojae_monitor.agent import MonitorAgent
from sojae_monitor.checkpoints import checkpoint_key, checkpoint_message, read_checkpoint
from sojae_monitor.emitted import Checkpoint, Window
from sojae_monitor.messages import Outgoing
from sojae_monitor.metrics import MonitorMetrics
from sojae_monitor.outbox import Outbox
from sojae_monitor.placement import Placement, Sources
from sojae_monitor.stall import StallWatch
from tests.builders import book
from tests.monitor_parts import PLANT, CountingEngine, log_of_plant

TOPIC, TOPIC_ID = "sojae.telemetry.test-line", "topic-id"
P0 = Partition(TOPIC, 0)
LOG = [value for asset, value in log_of_plant(1, ["kiln-1"], 40, 40)]


class PickyEngine(CountingEngine):
    """Refuses checkpoints of another layout; `held` makes it say that it replays."""

    held = False

    @property
    def replaying(self) -> bool:
        return self.held

    @classmethod
    def restore(cls, plant: Plant, checkpoint: Checkpoint) -> Self:
        if b"layout" in bytes(checkpoint.state):
            raise ValueError("another layout")
        return super().restore(plant, checkpoint)


class Broker:
    """A log's bounds, checkpoints that are there, and what was sent; `held` keeps acknowledgements back."""

    def __init__(self, bounds: tuple[int, int] = (0, 100), kept: Checkpoint | None = None) -> None:
        self.bounds_of_log = bounds
        self.kept = kept
        self.sent: list[Outgoing] = []
        self.held: asyncio.Event | None = None
        self.error: BrokerError | None = None

    async def read(self, keys: Collection[str]) -> Mapping[str, Checkpoint]:
        return {} if self.kept is None else dict.fromkeys(keys, self.kept)

    async def topic_ids(self, topics: Sequence[str]) -> Mapping[str, str]:
        return dict.fromkeys(topics, TOPIC_ID)

    async def bounds(self, partitions: Collection[Partition]) -> Mapping[Partition, tuple[int, int]]:
        return dict.fromkeys(partitions, self.bounds_of_log)

    async def enqueue(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]
    ) -> "asyncio.Task[tuple[int, int]]":
        self.sent.append(Outgoing(topic, key, value, headers))
        return asyncio.create_task(self._acknowledge())

    async def _acknowledge(self) -> tuple[int, int]:
        if self.held is not None:
            await self.held.wait()
        if self.error is not None:
            raise self.error
        return 0, 0

    def topics(self) -> list[str]:
        return [message.topic for message in self.sent]


class NoForecasts:
    def forecast(self, plant: Plant, window: Window) -> Outgoing | None:
        return None

    def ended(self, plant: Plant, batch: str) -> None:
        """Nothing was forecast."""


def checkpoint(position: int, resume: int, state: bytes = b"{}") -> Checkpoint:
    return Checkpoint(topic_id=TOPIC_ID, partition=0, position=position, resume=resume, state=msgspec.Raw(state))


def worker(broker: Broker) -> tuple[MonitorAgent, Placement]:
    metrics = MonitorMetrics(CollectorRegistry())
    sources = Sources(broker, broker.topic_ids, broker.bounds, PickyEngine)
    placement = Placement({TOPIC: PLANT}, sources, metrics)
    return MonitorAgent(placement, Outbox(broker), NoForecasts(), book, metrics), placement


def messages(begin: int, end: int, partition: Partition = P0) -> list[SimpleNamespace]:
    return [SimpleNamespace(tp=partition, offset=n, timestamp=1.79e9, value=LOG[n]) for n in range(begin, end)]


@pytest.mark.parametrize(
    ("bounds", "kept", "start"),
    [
        ((0, 100), None, 0),
        ((30, 100), None, 30),
        ((0, 100), checkpoint(50, 40), 40),
        ((40, 100), checkpoint(50, 40), 40),
        ((41, 100), checkpoint(50, 40), 41),  # retention has passed what the open panes need
        ((0, 49), checkpoint(50, 40), 0),  # the log was set back
        ((20, 100), checkpoint(50, 40, b'{"layout":"other"}'), 20),
    ],
)
async def test_a_partition_begins_at_its_checkpoint_if_the_log_has_it(
    bounds: tuple[int, int], kept: Checkpoint | None, start: int
) -> None:
    """Else, or when the checkpoint is of another layout, at the log's beginning; the engine expects just that message."""
    agent, placement = worker(Broker(bounds, kept))
    assert await agent.place([P0]) == {P0: start}
    assert placement.followed[P0].engine.next_offset == start
    assert placement.ready


async def test_placing_again_forgets_what_was_followed() -> None:
    """State and position are rebuilt together, and a partition that left us is not fed."""
    agent, placement = worker(Broker())
    await agent.place([P0])
    await agent.work(messages(0, 7))
    assert await agent.place([P0]) == {P0: 0}
    assert await agent.place([]) == {}
    await agent.work(messages(0, 7))
    assert placement.followed == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topic-id:0", b"{cut"),
        ("topic-id:0", None),
        ("topic-id:1", checkpoint_message(checkpoint(5, 3)).value),
        ("topic-id:0", checkpoint_message(checkpoint(3, 5)).value),
    ],
)
def test_a_damaged_checkpoint_is_none(key: str, value: bytes | None) -> None:
    """Cut short, empty, of another partition, or with its replay behind its position."""
    assert read_checkpoint(key, value) is None


def test_a_checkpoint_comes_back_from_its_message() -> None:
    """Key and topic say which partition of which incarnation."""
    sent = checkpoint_message(checkpoint(9, 4))
    assert (sent.topic, sent.key) == (CHECKPOINTS, checkpoint_key(TOPIC_ID, 0))
    assert read_checkpoint(sent.key, sent.value) == checkpoint(9, 4)


async def test_a_checkpoint_is_sent_after_the_acknowledgements_of_what_came_before_it() -> None:
    """Else a crash between the two would lose windows for ever."""
    broker = Broker()
    agent, _ = worker(broker)
    await agent.place([P0])
    broker.held = asyncio.Event()
    await agent.work(messages(0, 12))
    keeping = asyncio.create_task(agent.keep())
    for _ in range(5):
        await asyncio.sleep(0)
    assert CHECKPOINTS not in broker.topics()
    broker.held.set()
    await keeping
    assert broker.topics() == ["sojae.features.test-line"] * 2 + [CHECKPOINTS]
    kept = read_checkpoint(broker.sent[-1].key, broker.sent[-1].value)
    assert kept is not None
    assert kept.position == 12


async def test_a_message_that_is_not_acknowledged_leaves_no_checkpoint() -> None:
    """The worker ends instead."""
    broker = Broker()
    agent, _ = worker(broker)
    await agent.place([P0])
    broker.error = BrokerError(en="away", ko="없음")
    await agent.work(messages(0, 12))
    with pytest.raises(BrokerError):
        await agent.keep()
    assert CHECKPOINTS not in broker.topics()


async def test_no_checkpoint_while_a_replay_goes_on_nor_when_nothing_moved() -> None:
    """Half a replay holds panes without the samples before them."""
    broker = Broker()
    agent, placement = worker(broker)
    await agent.place([P0])
    await agent.keep()
    engine = placement.followed[P0].engine
    assert isinstance(engine, PickyEngine)
    engine.held = True
    await agent.work(messages(0, 3))
    await agent.keep()
    assert broker.topics() == []
    engine.held = False
    await agent.keep()
    await agent.keep()
    assert broker.topics() == [CHECKPOINTS]


async def test_an_error_in_a_batch_ends_the_worker_with_nothing_acknowledged() -> None:
    """Faust alone would go on with the next batch."""
    broker = Broker()
    agent, placement = worker(broker)
    await agent.place([P0])
    placement.followed[P0].engine.feed = None  # type: ignore[method-assign, assignment]
    acknowledged: list[object] = []

    class Stream:
        async def noack_take(self, take: int, within: float):
            yield [SimpleNamespace(message=m) for m in messages(0, 3)]

        async def ack(self, event: object) -> None:
            acknowledged.append(event)

    with pytest.raises(TypeError):
        await agent.follow(Stream(), 500, 0.02)
    with pytest.raises(TypeError):
        await agent.failed()
    assert acknowledged == []


@pytest.mark.parametrize("cancelled", [False, True])
async def test_what_was_fed_and_not_sent_is_in_no_checkpoint(cancelled: bool) -> None:
    """Even when the timer comes between the failure of a batch and the end of the worker: its windows would be lost."""
    broker = Broker()
    agent, placement = worker(broker)
    await agent.place([P0])
    stuck = asyncio.Event()

    async def refuse(*_: object) -> "asyncio.Task[tuple[int, int]]":
        await stuck.wait()
        raise BrokerError(en="away", ko="없음")

    agent._outbox = Outbox(SimpleNamespace(enqueue=refuse))
    working = asyncio.create_task(agent.work(messages(0, 12)))
    await asyncio.sleep(0)
    keeping = asyncio.create_task(agent.keep())
    await asyncio.sleep(0)
    agent._outbox = Outbox(broker)
    stuck.set()
    if cancelled:
        working.cancel()
    assert isinstance((await asyncio.gather(working, keeping, return_exceptions=True))[0], BaseException)
    assert CHECKPOINTS not in broker.topics()
    assert P0 not in placement.followed


async def test_a_partition_that_stands_still_ends_the_worker() -> None:
    """Only after the patience, and not while it moves or is at the log's end."""
    agent, placement = worker(Broker())
    await agent.place([P0])
    moments = iter([0.0, 50.0, 70.0, 100.0, 131.0])
    watch = StallWatch(placement, Broker().bounds, 60.0, lambda: next(moments))
    watch.look({P0: 10})
    watch.look({P0: 10})
    await agent.work(messages(0, 5))
    watch.look({P0: 10})
    watch.look({P0: 10})
    with pytest.raises(BrokerError, match="message 5 does not come"):
        watch.look({P0: 10})


async def test_what_is_on_its_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending waits for acknowledgements when many are out."""
    monkeypatch.setattr("sojae_monitor.outbox.MAX_WAITING", 3)
    broker = Broker()
    outbox = Outbox(broker)
    for n in range(10):
        await outbox.put(Outgoing("topic", str(n), b""))
    assert len(outbox.take()) <= 3
    assert len(broker.sent) == 10
