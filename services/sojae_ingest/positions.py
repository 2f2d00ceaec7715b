"""What has been read but not yet stored, and where each partition's reading began."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sojae.ports import Message, Partition


@dataclass(slots=True)
class Chain:
    """Messages of one partition, fetched in one unbroken chain that began at `start`."""

    partition: Partition
    topic_id: str
    start: int
    messages: list[Message] = field(default_factory=list)

    @property
    def next_offset(self) -> int:
        """The offset after the last message, or the start when there is none."""
        return self.messages[-1].offset + 1 if self.messages else self.start


class Positions:
    """Takes messages only of partitions that our own seek has placed, and only from there on.

    After a reassignment the client may hand over records fetched from the broker's committed offset, before our seek
    has taken effect; without a place they are dropped. Every chain remembers where it began: a chain that begins beyond
    what the store holds is a hole, and the flush refuses it.
    """

    def __init__(self) -> None:
        self._chains: dict[Partition, Chain] = {}
        self.rows = 0
        self.bytes = 0

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Drop places and unflushed messages: at revoke, and first thing at assign."""
        for partition in partitions:
            chain = self._chains.pop(partition, None)
            if chain is not None:
                self._count(chain.messages, -1)

    def place(self, partition: Partition, topic_id: str, offset: int) -> None:
        """Begin a chain at the offset that has just been sought."""
        self.forget([partition])
        self._chains[partition] = Chain(partition, topic_id, offset)

    def placed(self) -> list[Partition]:
        """Return the partitions that have a place."""
        return list(self._chains)

    def expected(self, partition: Partition) -> int | None:
        """Return the offset that is to come next; None when the partition has no place."""
        chain = self._chains.get(partition)
        return None if chain is None else chain.next_offset

    def topic_ids(self) -> dict[str, str]:
        """Return the id of each topic that a partition has been placed in."""
        return {chain.partition.topic: chain.topic_id for chain in self._chains.values()}

    def went_back(self, batches: Mapping[Partition, Sequence[Message]]) -> list[Partition]:
        """Return the partitions whose messages come from before their chain's start: the log was set back or made anew."""
        return [
            partition
            for partition, messages in batches.items()
            if messages and partition in self._chains and messages[0].offset < self._chains[partition].start
        ]

    def take(self, batches: Mapping[Partition, Sequence[Message]]) -> int:
        """Add what belongs to a chain and return how many messages did not (no place, or before the chain)."""
        dropped = 0
        for partition, messages in batches.items():
            chain = self._chains.get(partition)
            expected = None if chain is None else chain.next_offset
            fresh = [] if expected is None else [m for m in messages if m.offset >= expected]
            dropped += len(messages) - len(fresh)
            if chain is not None and fresh:
                chain.messages.extend(fresh)
                self._count(fresh, 1)
        return dropped

    def hand_over(self) -> list[Chain]:
        """Return the chains that hold messages, and go on with empty ones that begin where those end."""
        full = [c for c in self._chains.values() if c.messages]
        for chain in full:
            self._chains[chain.partition] = Chain(chain.partition, chain.topic_id, chain.next_offset)
        self.rows = self.bytes = 0
        return full

    def _count(self, messages: Sequence[Message], sign: int) -> None:
        self.rows += sign * len(messages)
        self.bytes += sign * sum(len(m.value or b"") for m in messages)
