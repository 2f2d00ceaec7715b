"""What the services need of the outside world; adapters implement it, tests have fakes of it."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import pyarrow as pa

from sojae.domain.issue import Issue
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


class EventsTable(Protocol):
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

    def changes(self, after: int, upto: int, columns: Sequence[str], bound: Bound | None = None) -> pa.Table:
        """Return the rows of the versions (after, upto] in the one order; compactions add none.

        Raises RangeTooLarge when they are more than the bound, ChangesGone when the log no longer reaches back.
        """
        ...

    def snapshot(self, columns: Sequence[str], where: Mapping[str, str]) -> Iterator[pa.Table]:
        """Yield the rows of the pinned version that hold these values, in the one order, in bounded batches."""
        ...

    def sequences(self, keys: Sequence[tuple[str, int, int]]) -> Mapping[tuple[str, int, int], Stored]:
        """Return what is stored under each (producer, epoch, seq) that the pinned version holds."""
        ...


class Producer(Protocol):
    """Sends messages keyed by producer; idempotent, acknowledged by all replicas."""

    async def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]) -> tuple[int, int]:
        """Return (partition, offset) of the broker's acknowledgement; raises BrokerError."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> dt.datetime:
        """Return the present moment in UTC."""
        ...
