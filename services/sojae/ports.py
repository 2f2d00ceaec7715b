"""What the services need of the outside world; adapters implement it, tests have fakes of it."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import pyarrow as pa

from sojae.domain.issue import Issue
from sojae.domain.order import Place
from sojae.domain.template import Template


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the broker holds it; the timestamp is in Unix milliseconds, None where it is no possible time."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message after decoding: its template, header and values, or the findings that say why not."""

    template: Template | None = None
    header: Mapping[str, object] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()


class Decoder(Protocol):
    """Turns framed messages into headers and values; never raises for what a message holds."""

    def decode(self, messages: Sequence[bytes | None]) -> list[Decoded]:
        """Return one Decoded for each message, in order."""
        ...


class Encoder(Protocol):
    """Turns a header and values into a framed message."""

    def encode(self, template: Template, header: Mapping[str, object], values: Mapping[str, object]) -> bytes:
        """Return the framed bytes; raises TemplateError when the values do not fit the schema."""
        ...


class Assignment(Protocol):
    """Is told when partitions come and go."""

    async def revoked(self, partitions: Sequence[Partition]) -> None:
        """Forget the partitions: somebody else may own them from now on."""
        ...

    async def assigned(self, partitions: Sequence[Partition]) -> None:
        """Place the partitions at the positions that the store holds."""
        ...


class EventSource(Protocol):
    """A group consumer whose positions come from us, never from the broker's committed offsets."""

    async def start(self, assignment: Assignment) -> None:
        """Join the group; `assignment` hears of every change."""
        ...

    async def fetch(self, *, timeout_seconds: float, max_messages: int) -> Mapping[Partition, Sequence[Message]]:
        """Return what has arrived, per partition in offset order; empty after the timeout."""
        ...

    def seek(self, partition: Partition, offset: int) -> bool:
        """Read the partition from that offset next; False when it is no longer ours."""
        ...

    async def bounds(self, partitions: Sequence[Partition]) -> Mapping[Partition, tuple[int, int]]:
        """Return for each partition the first offset that the log still holds, and the one after its last."""
        ...

    async def topic_ids(self, topics: Sequence[str]) -> Mapping[str, str]:
        """Return for each topic what tells it from an earlier one of the same name."""
        ...

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell the broker how far the store is, for lag tools; partitions no longer owned are left out."""
        ...

    async def stop(self) -> None:
        """Leave the group and close the connection."""
        ...


class Position(NamedTuple):
    """Where a flush ends in one partition of one incarnation of a topic."""

    topic_id: str
    partition: int
    offset: int


class Stored(NamedTuple):
    """What is stored under one (producer, epoch, seq): the first event_id, and whether all of it is in quarantine."""

    event_id: str
    quarantined: bool


class Bound(NamedTuple):
    """How much is read at once: rows, and bytes of their columns."""

    rows: int
    bytes: int


class Feed(Protocol):
    """The rows of a table, by version and as a whole."""

    def changes(self, after: int, upto: int, columns: Sequence[str], bound: Bound | None = None) -> pa.Table:
        """Return the rows of the versions (after, upto] in the one order; compactions add none.

        Raises RangeTooLarge when they are more than the bound, ChangesGone when the log no longer reaches back.
        """
        ...

    def snapshot(self, columns: Sequence[str], where: Mapping[str, str]) -> Iterator[pa.Table]:
        """Yield the rows of the pinned version that hold these values, in the one order, in bounded batches."""
        ...


class EventsTable(Feed, Protocol):
    """The table `events`, through one pinned handle."""

    @property
    def table_id(self) -> str:
        """What tells this table from an earlier one at the same place."""
        ...

    @property
    def version(self) -> int:
        """The version that the handle is pinned to."""
        ...

    def refresh(self) -> int:
        """Move the handle to the newest version and return it."""
        ...

    def stored(self, topic_id: str, partition: int) -> int | None:
        """Return the last offset that the pinned version holds of a partition; None when it holds none."""
        ...

    def append(self, rows: pa.Table, positions: Sequence[Position]) -> int:
        """Commit rows and positions as one, and return the new version.

        Raises CommitRefused when another writer has moved one of the positions since the pinned version, StoreError
        when a position would go backwards or the store cannot be written.
        """
        ...

    def sequences(self, keys: Sequence[tuple[str, int, int]]) -> Mapping[tuple[str, int, int], Stored]:
        """Return what is stored under each (producer, epoch, seq) that the pinned version holds."""
        ...

    def repairable(self, references: Sequence[str]) -> Mapping[str, Place]:
        """Return the places of those messages, given as topic/partition/offset, that are in quarantine and not yet repaired."""
        ...


class Producer(Protocol):
    """Sends messages keyed by producer; idempotent, acknowledged by all replicas."""

    async def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]) -> tuple[int, int]:
        """Return (partition, offset) of the broker's acknowledgement; raises BrokerError."""
        ...


class Placed(NamedTuple):
    """Where reading a partition begins, and where its log ended then; `topic_id` tells a topic from an earlier one of its name."""

    partition: Partition
    topic_id: str
    first: int
    end: int


class PlantFeed(Protocol):
    """All partitions of some topics, read by this process alone, from the last few messages of each on."""

    async def look(self) -> Sequence[Placed]:
        """Return the partitions placed at this call: new ones, and those whose log was made anew or has passed our place.

        A topic that is not there yet is looked for at each call, and never made. Raises BrokerError.
        """
        ...

    async def fetch(self, *, timeout_seconds: float, max_messages: int) -> Sequence[Message]:
        """Return what has come of the placed partitions, each one's in the order of its offsets; empty after the timeout."""
        ...

    async def stop(self) -> None:
        """Close the connection."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> dt.datetime:
        """Return the present moment in UTC."""
        ...
