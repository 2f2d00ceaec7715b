"""Where a listener of the stream is, as the text of an event's id: the offset awaited next in each partition.

An id names every plant in the listener's scope, and of each its topics: `sim-sinter:f3fa21c.0-123.2-99,o11aa22.1-12`
means that of its features (f; o forecasts, a alarms), in the topic told from an earlier one of its name by `3fa21c`, offset
123 of partition 0 and 99 of partition 2 come next. A partition that is left out begins at 0. So an id outlives the gateway.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from sojae_gateway.plant_messages import Letter

MAX_ID = 65_536
TAG_CHARACTERS = 6

_TOPIC = re.compile(r"(?P<letter>[foa])(?P<tag>[0-9a-f]{6})(?P<places>(?:\.[0-9]{1,6}-[0-9]{1,18})*)")


class TopicKey(NamedTuple):
    """One topic of one plant."""

    plant: str
    letter: Letter


@dataclass(slots=True)
class TopicPlace:
    """The offset awaited next in each partition of one topic; `tag` tells the topic from an earlier one of its name."""

    tag: str
    next: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Places:
    """Where a listener is in the topics of the plants that it listens to."""

    plants: frozenset[str]
    topics: dict[TopicKey, TopicPlace] = field(default_factory=dict)


class PlacesText:
    """Writes places as ids, again and again: only the plant that has moved is written anew."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._parts = {plant: _write(plant, places.topics) for plant in sorted(places.plants)}

    def moved(self, plant: str) -> None:
        """Take note that the listener has moved in a plant's topics."""
        self._parts[plant] = _write(plant, self._places.topics)

    def __str__(self) -> str:
        return ";".join(self._parts.values())


def read_places(text: str) -> Places | None:
    """Return the places that an id names, None when it is no id of ours."""
    if not text or len(text) > MAX_ID:
        return None
    places: dict[TopicKey, TopicPlace] = {}
    plants: set[str] = set()
    for part in text.split(";"):
        plant, colon, topics = part.partition(":")
        if not colon:
            return None
        plants.add(plant)
        for topic in topics.split(",") if topics else ():
            found = _TOPIC.fullmatch(topic)
            if found is None:
                return None
            places[TopicKey(plant, cast("Letter", found["letter"]))] = TopicPlace(
                found["tag"], _offsets(found["places"])
            )
    return Places(frozenset(plants), places)


def tag_of(topic_id: str) -> str:
    """Return six hexadecimal digits that tell a topic from an earlier one of the same name."""
    return hashlib.sha256(topic_id.encode()).hexdigest()[:TAG_CHARACTERS]


def _write(plant: str, topics: Mapping[TopicKey, TopicPlace]) -> str:
    keys: Iterable[Letter] = ("f", "o", "a")
    written = (_topic(letter, topics[key]) for letter in keys if (key := TopicKey(plant, letter)) in topics)
    return f"{plant}:{','.join(written)}"


def _topic(letter: Letter, place: TopicPlace) -> str:
    offsets = (f".{number}-{awaited}" for number, awaited in sorted(place.next.items()) if awaited)
    return f"{letter}{place.tag}{''.join(offsets)}"


def _offsets(text: str) -> dict[int, int]:
    pairs = (pair.split("-") for pair in text.split(".")[1:])
    return {int(number): int(awaited) for number, awaited in pairs}
