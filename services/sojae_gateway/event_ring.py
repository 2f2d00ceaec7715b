"""The last events of all plants, in the order in which they came: what a listener who comes back is given."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sojae_gateway.plant_messages import Kind
from sojae_gateway.stream_places import TopicKey, TopicPlace

RING_EVENTS = 10_000
RING_BYTES = 64_000_000
FORGOTTEN = ""
"""The tag of events whose topic was made anew, or read anew: their offsets say nothing any more."""


@dataclass(frozen=True, slots=True)
class RingEvent:
    """One message at its place. Without a kind it is none: unreadable, or (`begins`) reading begins here, perhaps anew."""

    number: int
    key: TopicKey
    tag: str
    partition: int
    offset: int
    kind: Kind | None = None
    data: bytes = b""
    begins: bool = False


class EventRing:
    """Holds at most so many events and bytes; `head` is the number of the newest event, `oldest` of the first one held."""

    def __init__(self, max_events: int = RING_EVENTS, max_bytes: int = RING_BYTES) -> None:
        self._events: deque[RingEvent] = deque()
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._bytes = 0
        self.head = 0
        self.logs: dict[TopicKey, TopicPlace] = {}

    @property
    def oldest(self) -> int:
        """The number of the first event held; one more than `head` when none is."""
        return self.head - len(self._events) + 1

    def begin(self, key: TopicKey, tag: str, partition: int, first: int) -> None:
        """Take note that a partition is read from `first` on; unless it just goes on, what was held of it is forgotten."""
        log = self.logs.get(key)
        if log is not None and log.tag == tag and log.next.get(partition) == first:
            return
        if log is None or log.tag != tag:
            log = self.logs[key] = TopicPlace(tag)
        for at, event in enumerate(self._events):
            if event.key == key and (event.tag != tag or event.partition == partition):
                self._events[at] = replace(event, tag=FORGOTTEN, begins=False)
        log.next[partition] = first
        self._append(RingEvent(self.head + 1, key, tag, partition, first, begins=True))

    def add(self, key: TopicKey, partition: int, offset: int, kind: Kind | None, data: bytes) -> bool:
        """Take one message; False, and nothing is taken, when this place was read before."""
        log = self.logs[key]
        if offset < log.next.get(partition, 0):
            return False
        log.next[partition] = offset + 1
        self._append(RingEvent(self.head + 1, key, log.tag, partition, offset, kind, data))
        return True

    def after(self, number: int, limit: int) -> Iterator[RingEvent]:
        """Yield at most so many events behind a number, as far as they are held."""
        start = max(0, number + 1 - self.oldest)
        # By place: a deque is near at both ends, and whoever listens is near the newest.
        return (self._events[at] for at in range(start, min(start + limit, len(self._events))))

    def floors(self, key: TopicKey) -> Mapping[int, int]:
        """Return for each partition of a topic the first offset from which on nothing is missing here."""
        log = self.logs[key]
        floors = dict(log.next)
        for event in self._events:
            if event.key == key and event.tag == log.tag:
                floors[event.partition] = min(floors[event.partition], event.offset)
        return floors

    def _append(self, event: RingEvent) -> None:
        self.head = event.number
        self._events.append(event)
        self._bytes += len(event.data)
        while len(self._events) > self._max_events or (self._bytes > self._max_bytes and len(self._events) > 1):
            self._bytes -= len(self._events.popleft().data)
