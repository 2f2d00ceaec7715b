"""Stand-ins for the outside world, behind `sojae.ports`: they keep in memory what the real ones keep elsewhere."""

import asyncio
import datetime as dt
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from sojae.adapters.delta import COMMIT_VERSION, ChangesGone, RangeTooLarge
from sojae.adapters.events_schema import EVENTS
from sojae.domain.errors import CommitRefused, StoreError
from sojae.domain.order import ORDER_COLUMNS, Place
from sojae.domain.template import Template
from sojae.ports import Assignment, Bound, Decoded, EventsTable, Message, Partition, Position, Stored
from sojae_ingest.judgement import Head, RecordKey, SequenceKey, sequence_key
from sojae_ingest.positions import Chain

SNAPSHOT_ROWS = 2
"""So few that a snapshot comes in several batches."""


class FakeClock:
    """Tells the time it was set to."""

    def __init__(self, now: dt.datetime) -> None:
        self.time = now

    def now(self) -> dt.datetime:
        return self.time


class FakeDecoder:
    """Decodes the bytes that it was told about; others are undecodable."""

    def __init__(self, known: Mapping[bytes, Decoded]) -> None:
        self.known = known

    def decode(self, messages: Sequence[bytes | None]) -> list[Decoded]:
        return [self.known.get(m or b"", Decoded()) for m in messages]


@dataclass
class Commit:
    """One version of the events log."""

    rows: pa.Table
    positions: dict[tuple[str, int], int]


@dataclass
class EventsLog:
    """What several handles on one events table share."""

    table_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    commits: list[Commit] = field(default_factory=lambda: [Commit(EVENTS.empty_table(), {})])
    oldest: int = 0
    """The first version whose changes can still be read; clean-up moves it."""


class FakeEventsTable:
    """`sojae.ports.EventsTable` in memory; `refuse` makes the next append fail as another writer would."""

    def __init__(self, log: EventsLog | None = None) -> None:
        self.log = log or EventsLog()
        self._version = len(self.log.commits) - 1
        self.before_append: Callable[[], None] = lambda: None

    @property
    def table_id(self) -> str:
        return self.log.table_id

    @property
    def version(self) -> int:
        return self._version

    def refresh(self) -> int:
        self._version = len(self.log.commits) - 1
        return self._version

    def stored(self, topic_id: str, partition: int) -> int | None:
        for commit in reversed(self.log.commits[: self._version + 1]):
            if (topic_id, partition) in commit.positions:
                return commit.positions[topic_id, partition]
        return None

    def append(self, rows: pa.Table, positions: Sequence[Position]) -> int:
        for p in positions:
            stored = self.stored(p.topic_id, p.partition)
            if stored is not None and p.offset <= stored:
                raise StoreError(en="a position would go backwards", ko="위치가 되돌아갑니다")
        self.before_append()
        moved = {key for commit in self.log.commits[self._version + 1 :] for key in commit.positions}
        if moved & {(p.topic_id, p.partition) for p in positions}:
            raise CommitRefused(en="another writer was first", ko="다른 작성자가 먼저 썼습니다")
        self.log.commits.append(Commit(rows, {(p.topic_id, p.partition): p.offset for p in positions}))
        return self.refresh()

    def changes(self, after: int, upto: int, columns: Sequence[str], bound: Bound | None = None) -> pa.Table:
        if after < upto and after + 1 < self.log.oldest:
            raise ChangesGone(en="the log does not reach back", ko="로그가 거기까지 없습니다")
        table = self._rows(after, upto)
        if bound is not None and table.num_rows > bound.rows:
            raise RangeTooLarge
        return table.select([name for name in table.column_names if name in columns])

    def snapshot(self, columns: Sequence[str], where: Mapping[str, str]) -> Iterator[pa.Table]:
        table = self._rows(-1, self._version)
        for name, value in where.items():
            table = table.filter(pc.equal(table[name], value))
        table = table.select([name for name in EVENTS.names if name in columns])
        yield from (table.slice(at, SNAPSHOT_ROWS) for at in range(0, table.num_rows, SNAPSHOT_ROWS))

    def _rows(self, after: int, upto: int) -> pa.Table:
        parts = [EVENTS.empty_table().append_column(COMMIT_VERSION, pa.array([], pa.int64()))]
        for version in range(after + 1, upto + 1):
            rows = self.log.commits[version].rows
            parts.append(rows.append_column(COMMIT_VERSION, pa.array([version] * rows.num_rows, pa.int64())))
        return pa.concat_tables(parts).sort_by([(name, "ascending") for name in ORDER_COLUMNS])

    def sequences(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, Stored]:
        found: dict[SequenceKey, Stored] = {}
        columns = ["producer", "epoch", "seq", "event_id", "status", *ORDER_COLUMNS]
        for row in self.changes(-1, self._version, columns).to_pylist():
            key = (row["producer"], row["epoch"], row["seq"])
            if key in set(keys):
                first = found.get(key, Stored(row["event_id"], quarantined=True))
                found[key] = first._replace(quarantined=first.quarantined and row["status"] == "quarantined")
        return found

    def repairable(self, references: Sequence[str]) -> Mapping[str, Place]:
        rows = self.rows()
        taken = {row["repairs"] for row in rows if row["status"] == "accepted"}
        places = {
            f"{row['topic']}/{row['partition']}/{row['offset']}": Place(
                int(row["ingest_time"].timestamp() * 1_000_000),  # type: ignore[attr-defined]  # a time by its column
                *(row[c] for c in ORDER_COLUMNS[1:]),  # type: ignore[arg-type]  # by their columns
            )
            for row in rows
            if row["status"] == "quarantined"
        }
        return {r: places[r] for r in references if r in places and r not in taken}

    def rows(self) -> list[dict[str, object]]:
        """Return every row that is stored, in the one order."""
        return list(self.changes(-1, len(self.log.commits) - 1, EVENTS.names).to_pylist())


class FakeSchemas:
    """Keeps schemas in memory; `at` says how many commits the table had when each was put."""

    def __init__(self, log: EventsLog) -> None:
        self._log = log
        self.at: dict[str, int] = {}

    def keep(self, template: Template) -> None:
        self.at.setdefault(template.sha256, len(self._log.commits))


class FakeSeen:
    """What is stored already, as two dictionaries; `sojae_ingest.judgement.Seen`."""

    def __init__(
        self, event_ids: Mapping[SequenceKey, str] | None = None, heads: Mapping[RecordKey, Head] | None = None
    ) -> None:
        self.known = {key: Stored(event_id, quarantined=False) for key, event_id in (event_ids or {}).items()}
        self.known_heads = dict(heads or {})
        self.known_places: dict[str, Place] = {}
        self.newest_ingest_time_us = 0
        self._upto = -1

    def sequences(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, Stored]:
        return {k: self.known[k] for k in keys if k in self.known}

    def heads(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Head]:
        return {k: self.known_heads[k] for k in keys if k in self.known_heads}

    def repairable(self, references: Sequence[str]) -> Mapping[str, Place]:
        return {r: self.known_places[r] for r in references if r in self.known_places}

    def catch_up(self, table: EventsTable) -> None:
        for row in table.changes(self._upto, table.version, EVENTS.names).to_pylist():
            self.newest_ingest_time_us = max(
                self.newest_ingest_time_us, int(row["ingest_time"].timestamp() * 1_000_000)
            )
            if row["producer"] is not None:
                first = self.known.get(sequence_key(row), Stored(row["event_id"], quarantined=True))
                quarantined = first.quarantined and row["status"] == "quarantined"
                self.known[sequence_key(row)] = first._replace(quarantined=quarantined)
                if row["status"] == "accepted":
                    key = (row["institute"], row["project"], row["stage"], row["record_id"])
                    self.known_heads[key] = Head(row["event_id"], row["content"], bool(row["retracted"]))
        self._upto = table.version


class Broker:
    """Topics in memory, shared by the sources of one test; a topic that is made anew has another id."""

    def __init__(self) -> None:
        self.logs: dict[Partition, list[Message]] = {}
        self.first: dict[Partition, int] = {}
        self.ids: dict[str, str] = {}

    def create(self, topic: str, partitions: int = 1) -> None:
        self.ids[topic] = str(uuid.uuid4())
        for number in range(partitions):
            self.logs[Partition(topic, number)] = []
            self.first[Partition(topic, number)] = 0

    def send(self, topic: str, value: bytes, *, key: str = "kims/furnace-1", partition: int = 0) -> int:
        """Add a message and return its offset."""
        log = self.logs[Partition(topic, partition)]
        log.append(Message(topic, partition, len(log), 1_700_000_000_000 + len(log), key.encode(), value))
        return len(log) - 1

    def delete_before(self, partition: Partition, offset: int) -> None:
        """Forget what lies before an offset, as retention does."""
        self.first[partition] = offset


class FakeEventSource:
    """`sojae.ports.EventSource` on a Broker in memory; the test says when partitions come and go."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._assignment: Assignment | None = None
        self.next: dict[Partition, int] = {}
        self.committed: dict[Partition, int] = {}
        self.stopped = False
        self.idle: Callable[[], None] = lambda: None
        """What is called when a fetch finds nothing."""
        self.gate: asyncio.Event | None = None
        """While it is closed, nobody learns a topic's id."""
        self.while_asked: Callable[[], Awaitable[None]] | None = None
        """What happens once while somebody waits for bounds: a rebalance, say."""

    async def start(self, assignment: Assignment) -> None:
        self._assignment = assignment
        await self.assign(sorted(self._broker.logs))

    async def assign(self, partitions: Sequence[Partition], *, at: int = 0) -> None:
        """Give partitions; until somebody seeks, reading goes on at the broker's committed offset, else at `at`."""
        assert self._assignment is not None
        for partition in partitions:
            self.next[partition] = self.committed.get(partition, at)
        await self._assignment.assigned(partitions)

    async def revoke(self, partitions: Sequence[Partition]) -> None:
        """Take partitions away."""
        assert self._assignment is not None
        for partition in partitions:
            self.next.pop(partition, None)
        await self._assignment.revoked(partitions)

    async def fetch(self, *, timeout_seconds: float, max_messages: int) -> Mapping[Partition, Sequence[Message]]:
        await asyncio.sleep(0)  # others may go on, as with a real broker
        batches: dict[Partition, Sequence[Message]] = {}
        for partition, offset in self.next.items():
            begin = max(offset, self._broker.first[partition])
            found = self._broker.logs[partition][begin : begin + max_messages]
            if found:
                batches[partition] = found
                self.next[partition] = found[-1].offset + 1
                max_messages -= len(found)
        if not batches:
            self.idle()
        return batches

    def seek(self, partition: Partition, offset: int) -> bool:
        if partition not in self.next:
            return False
        self.next[partition] = offset
        return True

    async def bounds(self, partitions: Sequence[Partition]) -> Mapping[Partition, tuple[int, int]]:
        await asyncio.sleep(0)
        if self.while_asked is not None:
            asked, self.while_asked = self.while_asked, None
            await asked()
        return {p: (self._broker.first[p], len(self._broker.logs[p])) for p in partitions}

    async def topic_ids(self, topics: Sequence[str]) -> Mapping[str, str]:
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        return {topic: self._broker.ids[topic] for topic in topics}

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.committed.update({p: o for p, o in offsets.items() if p in self.next})

    async def stop(self) -> None:
        self.stopped = True


def chain(partition: Partition, start: int, messages: Sequence[Message], *, topic_id: str) -> Chain:
    """Return a chain that was begun at `start`."""
    return Chain(partition, topic_id, start, list(messages))


class FakeProducer:
    """Remembers messages and acknowledges them with positions of its own; calls `after` for each."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int, int], tuple[str, bytes]] = {}
        self.after: Callable[[int], None] = lambda _count: None
        self._ends: Counter[tuple[str, int]] = Counter()

    async def enqueue(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]
    ) -> Awaitable[tuple[int, int]]:
        partition = len(key) % 4
        offset = self._ends[topic, partition]
        self._ends[topic, partition] += 1
        self.sent[topic, partition, offset] = (key, value)
        self.after(len(self.sent))

        async def acknowledged() -> tuple[int, int]:
            return partition, offset

        return acknowledged()
