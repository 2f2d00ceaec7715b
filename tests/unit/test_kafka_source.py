"""What the consumer of events does where its library stumbles: nothing of the neighbours is lost, nothing comes twice."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from sojae.adapters import kafka
from sojae.adapters.kafka import AiokafkaSource
from sojae.adapters.kafka_connection import Connection
from sojae.ports import Message, Partition

SOUND, BAD, OTHER = (TopicPartition("sojae.events.kims", n) for n in range(3))


class Stumbling:
    """A consumer of partitions, of which one cannot be read: what a call has taken before it stumbles is gone with it."""

    def __init__(self, logs: Mapping[TopicPartition, int], bad: TopicPartition) -> None:
        self.logs, self.bad = logs, bad
        self.places = dict.fromkeys(logs, 0)

    def assignment(self) -> set[TopicPartition]:
        return set(self.logs)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.places[tp] = offset

    async def getmany(
        self, *tps: TopicPartition, timeout_ms: int = 0, max_records: int = 0
    ) -> dict[TopicPartition, list[object]]:
        found: dict[TopicPartition, list[object]] = {}
        for tp in tps or self.logs:
            first, end = self.places[tp], self.logs[tp]
            if tp == self.bad and first < end:
                raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
            if first < end:
                found[tp] = [record(offset) for offset in range(first, end)]
                self.places[tp] = end
        return found


def record(offset: int) -> SimpleNamespace:
    return SimpleNamespace(offset=offset, timestamp=1_000, key=None, value=b"%d" % offset, headers=())


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> AiokafkaSource:
    """A source placed at the beginning of three partitions of five messages, of which the second cannot be read."""

    def raw(_settings: object, partition: Partition, offset: int, limit: int) -> list[Message]:
        return [Message(*partition, n, 1_000, None, b"%d" % n) for n in range(offset, min(5, offset + limit))]

    monkeypatch.setattr(kafka, "read_raw", raw)
    monkeypatch.setattr(kafka, "REFETCH_SECONDS", 0.0)
    source = AiokafkaSource(Connection("127.0.0.1:1"), pattern="x", group_id="g")
    source._consumer = Stumbling({SOUND: 5, BAD: 5, OTHER: 5}, BAD)
    for tp in (SOUND, BAD, OTHER):
        source.seek(Partition(*tp), 0)
    return source


def offsets(batches: Mapping[Partition, Sequence[Message]]) -> dict[int, list[int]]:
    return {partition.number: [m.offset for m in messages] for partition, messages in batches.items()}


async def test_what_was_taken_before_a_stumble_comes_again(source: AiokafkaSource) -> None:
    """All of every partition, once; then nothing more."""
    assert offsets(await source.fetch(timeout_seconds=0, max_messages=100)) == {n: [0, 1, 2, 3, 4] for n in range(3)}
    assert await source.fetch(timeout_seconds=0, max_messages=100) == {}


async def test_a_partition_goes_on_behind_what_was_read_around(source: AiokafkaSource) -> None:
    """A few at a time, in their order."""
    first = offsets(await source.fetch(timeout_seconds=0, max_messages=2))
    assert first[1] == [0, 1]
    assert offsets(await source.fetch(timeout_seconds=0, max_messages=2)) == {1: [2, 3]}
    assert offsets(await source.fetch(timeout_seconds=0, max_messages=2)) == {1: [4]}


async def test_a_change_of_assignment_makes_it_void(source: AiokafkaSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns the partitions then places them; what was read is not handed over, and not skipped."""

    def raw(*_arguments: object) -> list[Message]:
        source.assignment_changed()
        return [Message(*Partition(*BAD), 0, 1_000, None, b"0")]

    monkeypatch.setattr(kafka, "read_raw", raw)
    assert await source.fetch(timeout_seconds=0, max_messages=100) == {}
    assert source._consumer.places[BAD] == 0  # type: ignore[union-attr]  # the fake of this file
