"""The plants that the gateway knows: what holds now, what came last, and who may ask."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from sojae.domain.plant import Plant
from sojae.domain.text import Text
from sojae.ports import Message, Placed
from sojae.topics import institute_of
from sojae_gateway.access import Principal, Subject, visible
from sojae_gateway.event_ring import EventRing
from sojae_gateway.plant_board import PlantBoard
from sojae_gateway.plant_messages import Kind, PlantMessages, kind_of, letter_of
from sojae_gateway.refusal import Refused, shorten
from sojae_gateway.stream_places import TopicKey, tag_of

NO_PLANTS = Text(
    ko="설비가 없습니다. SOJAE_PLANTS__PATH에 설비 파일 폴더를 지정하십시오",
    en="there are no plants: name a folder of plant files in SOJAE_PLANTS__PATH",
)


class Plants:
    """Fed by one task, read by all routes, in the event loop alone.

    `trouble` says why nothing comes, if so; `caught_up` is true once everything that lay there at the start is read.
    """

    def __init__(self, plants: Mapping[str, Plant], ring: EventRing | None = None) -> None:
        self.plants = plants
        self.boards = {name: PlantBoard(plant) for name, plant in plants.items()}
        self.ring = EventRing() if ring is None else ring
        self.trouble: Text | None = None
        self.caught_up = False
        self._ends: dict[tuple[TopicKey, int], int] = {}
        self._messages = PlantMessages()
        self._arrived = asyncio.Event()

    def begin(self, placed: Sequence[Placed]) -> None:
        """Take note of partitions that are read from now on; the first call, even with none, tells that the broker is there."""
        for one in placed:
            key = _key(one.partition.topic)
            self.ring.begin(key, tag_of(one.topic_id), one.partition.number, one.first)
            if not self.caught_up:
                self._ends[key, one.partition.number] = one.end
        self._catch_up()

    def take(self, message: Message) -> Kind | None:
        """Take one message, and return what it was: None when it could not be read, or was read before."""
        key = _key(message.topic)
        try:
            said = self._messages.read(message.topic, message.value)
        except ValueError:
            self.ring.add(key, message.partition, message.offset, None, b"")
            self._catch_up()
            return None
        kind = kind_of(said)
        if not self.ring.add(key, message.partition, message.offset, kind, msgspec.json.encode(said)):
            return None
        self.boards[key.plant].take(said, _time(message.timestamp_ms))
        self._catch_up()
        return kind

    def wake(self) -> None:
        """Tell all listeners that something has come."""
        self._arrived.set()
        self._arrived = asyncio.Event()

    async def arrived(self, seconds: float) -> None:
        """Return when something has come, or after so many seconds."""
        try:
            await asyncio.wait_for(self._arrived.wait(), seconds)
        except TimeoutError:
            return

    def seen_by(self, principal: Principal, today: dt.date) -> list[Plant]:
        """Return the plants of which a principal may see all: its institute's own; the operator's are all."""
        return [p for p in self.plants.values() if visible(principal, _subject(p), today) == "everything"]

    def one(self, name: str, principal: Principal, today: dt.date) -> Plant:
        """Return a plant; raises Refused when there is none, or the principal may not see it."""
        found = {plant.plant: plant for plant in self.seen_by(principal, today)}.get(name)
        if found is None:
            text = Text(
                ko=f"{shorten(name)}: 없는 설비이거나 볼 수 없습니다. /v1/plants에 볼 수 있는 설비가 있습니다",
                en=f"{shorten(name)}: no such plant, or you may not see it; /v1/plants lists those that you may",
            )
            raise Refused("unknown_plant", text, field="plant", got=shorten(name))
        return found

    def note(self, principal: Principal, today: dt.date) -> Text | None:
        """Return why there is less to see than one might expect, None when all is well.

        What troubles the broker names where it is: only who may see a plant is told.
        """
        if not self.plants:
            return NO_PLANTS
        return self.trouble if self.seen_by(principal, today) else None

    def _catch_up(self) -> None:
        if not self.caught_up:
            behind = (self.ring.logs[key].next.get(number, 0) < end for (key, number), end in self._ends.items())
            self.caught_up = not any(behind)


def _subject(plant: Plant) -> Subject:
    """Return a plant as access sees it: nothing discloses it, so it is its institute's own."""
    return Subject(owner=plant.institute, status="accepted", project=plant.project)


def _key(topic: str) -> TopicKey:
    return TopicKey(institute_of(topic), letter_of(topic))


def _time(timestamp_ms: int | None) -> dt.datetime | None:
    return None if timestamp_ms is None else dt.datetime.fromtimestamp(timestamp_ms / 1000, tz=dt.UTC)
