"""One listener of the stream: from where on it is told of which plants and kinds, and what it has missed."""

from collections.abc import Mapping

import msgspec

from sojae_gateway.event_ring import EventRing, RingEvent
from sojae_gateway.plant_messages import PREFIXES, Kind, Letter
from sojae_gateway.stream_places import Places, PlacesText, TopicKey, TopicPlace, read_places

TAKEN_AT_ONCE = 100
TOPIC_OF: Mapping[Kind, Letter] = {"feature": "f", "forecast": "o", "score": "o", "alarm": "a"}


class TooSlow(Exception):  # noqa: N818 - not a fault of ours
    """The listener has fallen so far behind that what it needs next is no longer held."""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing of one partition: from the offset that was awaited (null: of another log) up to where it goes on."""

    plant: str
    topic: str
    partition: int
    awaited: int | None
    resumed: int


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Data of an event `gap`. `too_old`: no longer held here; `unknown`: the id names no place in what is read here."""

    reason: str
    lost: list[Lost]


class Listener:
    """Reads the ring for one client. `begin` comes first; then `take` gives what has come, ready to be sent."""

    def __init__(self, ring: EventRing, plants: frozenset[str], kinds: frozenset[Kind]) -> None:
        self._ring = ring
        self._kinds = kinds
        self._letters = frozenset(TOPIC_OF[kind] for kind in kinds)
        self._places = Places(plants)
        self._text = PlacesText(self._places)
        self._cursor = 0
        self._began = 0

    @property
    def place(self) -> str:
        """The id with which the listener may come back."""
        return str(self._text)

    def begin(self, last_id: str | None) -> bytes:
        """Begin behind the place of an id, or without one at what comes next; return the first block to be sent."""
        asked = None if last_id is None else read_places(last_id)
        self._began = self._ring.head
        self._cursor = self._began if last_id is None else self._ring.oldest - 1
        lost: list[Lost] = []
        reason = "too_old"
        for key, log in self._ring.logs.items():
            if key.plant not in self._places.plants:
                continue
            place = self._places.topics[key] = TopicPlace(log.tag, dict(log.next))
            if last_id is None or (asked is not None and key.plant not in asked.plants):
                continue
            known = None if asked is None else asked.topics.get(key, TopicPlace(log.tag))
            missing = self._go_back(key, place, known)
            lost += missing
            if known is None or known.tag != log.tag or any(_is_ahead(one, log) for one in missing):
                reason = "unknown"
        self._text = PlacesText(self._places)
        unknown = last_id is not None and asked is None
        return self._gap(reason, lost) if lost or unknown else f"id: {self.place}\n\n".encode()

    def take(self) -> bytes:
        """Return the next events, empty when there is none; raises TooSlow when they are no longer held."""
        if self._cursor + 1 < self._ring.oldest:
            raise TooSlow
        while self._cursor < self._ring.head:
            blocks = []
            for event in self._ring.after(self._cursor, TAKEN_AT_ONCE):
                self._cursor = event.number
                if event.key.plant in self._places.plants:
                    blocks.append(self._begins(event) if event.begins else self._step(event))
            if any(blocks):
                return b"".join(blocks)
        return b""

    def _go_back(self, key: TopicKey, place: TopicPlace, known: TopicPlace | None) -> list[Lost]:
        """Place a topic where the listener was, or at the first offset held; return what is missing of it."""
        lost = []
        for partition, floor in self._ring.floors(key).items():
            here = known is not None and known.tag == place.tag
            awaited = known.next.get(partition, 0) if here and known is not None else None
            held = awaited is not None and floor <= awaited <= place.next[partition]
            place.next[partition] = awaited if held and awaited is not None else floor
            if not held and key.letter in self._letters:
                lost.append(_lost(key, partition, awaited, floor))
        return lost

    def _begins(self, event: RingEvent) -> bytes:
        if event.number <= self._began:
            return b""
        place = self._places.topics.get(event.key)
        anew = place is not None and place.tag != event.tag
        if place is None or anew:
            place = self._places.topics[event.key] = TopicPlace(event.tag)
        awaited = None if anew else place.next.get(event.partition, 0)
        return self._jump(event, place, awaited, "unknown" if anew else "too_old")

    def _jump(self, event: RingEvent, place: TopicPlace, awaited: int | None, reason: str) -> bytes:
        place.next[event.partition] = event.offset
        self._text.moved(event.key.plant)
        if awaited == event.offset or event.key.letter not in self._letters:
            return b""
        return self._gap(reason, [_lost(event.key, event.partition, awaited, event.offset)])

    def _step(self, event: RingEvent) -> bytes:
        place = self._places.topics.get(event.key)
        if place is None or place.tag != event.tag:
            return b""
        awaited = place.next.get(event.partition, 0)
        if event.offset < awaited:
            return b""
        gap = b"" if event.offset == awaited else self._jump(event, place, awaited, "too_old")
        place.next[event.partition] = event.offset + 1
        self._text.moved(event.key.plant)
        if event.kind not in self._kinds:
            return gap
        return gap + b"id: %b\nevent: %b\ndata: %b\n\n" % (self.place.encode(), event.kind.encode(), event.data)

    def _gap(self, reason: str, lost: list[Lost]) -> bytes:
        told = msgspec.json.encode(Gap(reason=reason, lost=lost))
        return b"id: %b\nevent: gap\ndata: %b\n\n" % (self.place.encode(), told)


def _lost(key: TopicKey, partition: int, awaited: int | None, resumed: int) -> Lost:
    topic = f"{PREFIXES[key.letter]}{key.plant}"
    return Lost(plant=key.plant, topic=topic, partition=partition, awaited=awaited, resumed=resumed)


def _is_ahead(lost: Lost, log: TopicPlace) -> bool:
    return lost.awaited is not None and lost.awaited > log.next[lost.partition]
