"""What a listener is told: everything once, in order, across restarts; and what it has missed, when it has."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from sojae_gateway.event_ring import EventRing
from sojae_gateway.plant_messages import Kind
from sojae_gateway.stream_listener import Listener, TooSlow
from sojae_gateway.stream_places import TopicKey

FEATURES, FORECASTS, ALARMS = TopicKey("line-1", "f"), TopicKey("line-1", "o"), TopicKey("line-1", "a")
ELSEWHERE = TopicKey("line-2", "f")
ALL: frozenset[Kind] = frozenset({"feature", "forecast", "score", "alarm"})
TAG = "aaaaaa"


def ring(*keys: TopicKey, most: int = 1_000, first: int = 0) -> EventRing:
    made = EventRing(max_events=most)
    for key in keys or (FEATURES, FORECASTS, ALARMS):
        made.begin(key, TAG, 0, first)
    return made


def add(held: EventRing, key: TopicKey, *offsets: int, partition: int = 0, kind: Kind | None = "feature") -> None:
    for offset in offsets:
        held.add(key, partition, offset, kind, f'"{key.letter}{partition}@{offset}"'.encode())


def listener(held: EventRing, last_id: str | None = None, kinds: frozenset[Kind] = ALL) -> tuple[Listener, list[Any]]:
    made = Listener(held, frozenset({"line-1"}), kinds)
    return made, blocks(made.begin(last_id))


def blocks(sent: bytes) -> list[tuple[str, str, Any]]:
    """Return (event, id, data) of each block; the event is empty where only the id is told."""
    found = []
    for block in sent.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((fields.get("event", ""), fields["id"], json.loads(fields.get("data", "null"))))
    return found


def data(sent: Sequence[tuple[str, str, Any]]) -> list[Any]:
    return [told for _, _, told in sent]


def test_without_a_place_the_stream_begins_now() -> None:
    """What came before is not told; an id is, so that one may come back to this moment."""
    held = ring()
    add(held, FEATURES, 0, 1)
    one, begun = listener(held)
    assert begun == [("", f"line-1:f{TAG}.0-2,o{TAG},a{TAG}", None)]
    assert one.take() == b""
    add(held, FEATURES, 2)
    assert blocks(one.take()) == [("feature", f"line-1:f{TAG}.0-3,o{TAG},a{TAG}", "f0@2")]


def test_a_listener_comes_back_behind_the_event_of_the_id() -> None:
    """What came meanwhile in any partition is told, and nothing twice."""
    held = ring()
    one, _ = listener(held)
    add(held, FEATURES, 0, 1)
    last_id = blocks(one.take())[-1][1]
    add(held, FORECASTS, 0, kind="forecast")
    add(held, FEATURES, 2)
    again, begun = listener(held, last_id)
    assert [event for event, _, _ in begun] == [""]
    assert data(blocks(again.take())) == ["o0@0", "f0@2"]


def test_ids_survive_a_restart_with_another_interleaving() -> None:
    """After any event and a restart that reads partitions in any order, exactly the others come."""
    draw = random.Random(5)
    for _ in range(30):
        places = [
            (key, partition, offset) for key in (FEATURES, FORECASTS) for partition in (0, 1) for offset in range(4)
        ]
        first, second = in_some_order(places, draw), in_some_order(places, draw)
        before, _ = read(first, None)
        cut = draw.randrange(len(before))
        after, begun = read(second, before[cut][1])
        assert [event for event, _, _ in begun] == [""]
        told = data(before[: cut + 1]) + data(after)
        assert sorted(told) == sorted(f"{key.letter}{partition}@{offset}" for key, partition, offset in places)


def in_some_order(places: Sequence[tuple[TopicKey, int, int]], draw: random.Random) -> list[tuple[TopicKey, int, int]]:
    """Return the places mixed, each partition's offsets in their order."""
    logs = sorted({(key, partition) for key, partition, _ in places})
    mixed = []
    while logs:
        key, partition = draw.choice(logs)
        mixed.append((key, partition, sum(one[:2] == (key, partition) for one in mixed)))
        if mixed[-1][2] == 3:
            logs.remove((key, partition))
    return mixed


def read(places: Sequence[tuple[TopicKey, int, int]], last_id: str | None) -> tuple[list[Any], list[Any]]:
    """Return what a listener is told by a gateway that reads in this order, live or from a place."""
    held = EventRing()
    for key in (FEATURES, FORECASTS):
        for partition in (0, 1):
            held.begin(key, TAG, partition, 0)
    if last_id is None:
        one, begun = listener(held)
    for key, partition, offset in places:
        add(held, key, offset, partition=partition)
    if last_id is not None:
        one, begun = listener(held, last_id)
    return blocks(one.take()), begun


def test_what_is_no_longer_held_is_a_gap() -> None:
    """It names the partition, the offset that was awaited, and the one from which it goes on."""
    held = ring(FEATURES, most=3)
    add(held, FEATURES, *range(10))
    one, begun = listener(held, f"line-1:f{TAG}.0-4")
    lost = {"plant": "line-1", "topic": "sojae.features.line-1", "partition": 0, "awaited": 4, "resumed": 7}
    assert begun == [("gap", f"line-1:f{TAG}.0-7", {"reason": "too_old", "lost": [lost]})]
    assert data(blocks(one.take())) == ["f0@7", "f0@8", "f0@9"]


@pytest.mark.parametrize("last_id", ["17", f"line-1:f{TAG}.0-99", "line-1:fbbbbbb.0-1"])
def test_an_unknown_place_is_a_gap(last_id: str) -> None:
    """Another server's id, a place beyond the log, another topic of the name: all that is held comes behind it."""
    held = ring(FEATURES)
    add(held, FEATURES, 0, 1)
    one, begun = listener(held, last_id)
    assert (begun[0][0], begun[0][2]["reason"]) == ("gap", "unknown")
    assert data(blocks(one.take())) == ["f0@0", "f0@1"]


def test_a_topic_made_anew_under_a_listener_is_a_gap() -> None:
    """Then comes what the new topic holds, although its offsets are smaller."""
    held = ring(FEATURES)
    one, _ = listener(held)
    add(held, FEATURES, 0, 1)
    one.take()
    held.begin(FEATURES, "bbbbbb", 0, 0)
    add(held, FEATURES, 0)
    gap, event = blocks(one.take())
    assert (gap[0], gap[2]["reason"], gap[2]["lost"][0]["awaited"]) == ("gap", "unknown", None)
    assert event == ("feature", "line-1:fbbbbbb.0-1", "f0@0")


def test_a_hole_in_the_log_is_a_gap() -> None:
    """Retention may pass a reader."""
    held = ring(FEATURES)
    one, _ = listener(held)
    add(held, FEATURES, 0)
    held.begin(FEATURES, TAG, 0, 5)
    add(held, FEATURES, 5)
    assert [(event, told) for event, _, told in blocks(one.take()) if event != "gap"] == [("feature", "f0@5")]
    one, begun = listener(held, f"line-1:f{TAG}.0-1")
    assert begun[0][2]["lost"][0]["resumed"] == 5


def test_a_place_that_just_goes_on_forgets_nothing() -> None:
    """A look that finds the same topic at the same offset changes nothing."""
    held = ring(FEATURES)
    add(held, FEATURES, 0, 1)
    held.begin(FEATURES, TAG, 0, 2)
    one, _ = listener(held, f"line-1:f{TAG}")
    assert data(blocks(one.take())) == ["f0@0", "f0@1"]


def test_a_partition_may_come_later() -> None:
    """From its first message on there is no gap; where more came than is read again, there is."""
    held = ring(FEATURES)
    one, _ = listener(held)
    held.begin(FORECASTS, TAG, 3, 0)
    add(held, FORECASTS, 0, partition=3, kind="score")
    held.begin(ALARMS, TAG, 0, 7)
    assert [event for event, _, _ in blocks(one.take())] == ["score", "gap"]


def test_others_plants_and_kinds_are_not_told() -> None:
    """What is left out moves the place all the same, so that the id stays young."""
    held = ring(FEATURES, FORECASTS, ELSEWHERE)
    one, _ = listener(held, kinds=frozenset({"score"}))
    add(held, ELSEWHERE, 0)
    add(held, FEATURES, 0)
    add(held, FORECASTS, 0, kind="forecast")
    add(held, FORECASTS, 1, kind=None)
    assert one.take() == b""
    assert one.place == f"line-1:f{TAG}.0-1,o{TAG}.0-2"
    add(held, FORECASTS, 2, kind="score")
    assert data(blocks(one.take())) == ["o0@2"]


def test_an_unreadable_message_is_no_gap() -> None:
    """Its offset has been read, though there is nothing to tell."""
    held = ring(FEATURES)
    one, _ = listener(held)
    add(held, FEATURES, 0, kind=None)
    add(held, FEATURES, 1)
    assert [event for event, _, _ in blocks(one.take())] == ["feature"]


def test_a_message_is_taken_once() -> None:
    """A place that was read before is not told again."""
    held = ring(FEATURES)
    one, _ = listener(held)
    add(held, FEATURES, 0, 1)
    assert held.add(FEATURES, 0, 1, "feature", b"again") is False
    assert data(blocks(one.take())) == ["f0@0", "f0@1"]


def test_a_slow_listener_is_told_so() -> None:
    """Rather than kept for, or given a hole without a word."""
    held = ring(FEATURES, most=3)
    one, _ = listener(held)
    add(held, FEATURES, *range(5))
    with pytest.raises(TooSlow):
        one.take()


def test_bytes_are_bounded_too() -> None:
    """Large messages are held fewer."""
    held = EventRing(max_bytes=100)
    held.begin(FEATURES, TAG, 0, 0)
    for offset in range(20):
        held.add(FEATURES, 0, offset, "feature", b"x" * 30)
    assert held.floors(FEATURES) == {0: 17}
