"""The accounts of the ledger: per producer and epoch what has come, what is missing, and what became of it."""

import datetime as dt
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sojae.domain.ledger import Hole, SequenceRanges, holes_after, is_sparse

COUNTS = ("accepted", "flagged", "quarantined", "duplicate")
Row = Mapping[str, object]
Key = tuple[str, str, int]
"""Institute, producer and epoch."""

MAX_UNKNOWN = 10_000
"""Producers without an account whose unreadable messages are counted: anybody can make up keys."""


@dataclass(slots=True)
class Account:
    """What is known of one producer's epoch; flagged events are accepted ones with findings.

    `unread`: messages under the producer's key that could not be read, since its last number.
    """

    seen: SequenceRanges = field(default_factory=SequenceRanges)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    holes: Sequence[Hole] = ()
    unread: int = 0


class Accounts:
    """All accounts, and which epoch of a producer is the newest."""

    def __init__(self) -> None:
        self._all: dict[Key, Account] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self._unread: dict[tuple[str, str], int] = {}  # of producers that have no account yet
        self._with_holes: set[Key] = set()

    def __getitem__(self, key: Key) -> Account:
        return self._all[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def items(self) -> ItemsView[Key, Account]:
        """Return every key with its account."""
        return self._all.items()

    def holes(self) -> dict[Key, Sequence[Hole]]:
        """Return the holes of every account that has some."""
        return {key: self._all[key].holes for key in self._with_holes}

    def put(self, key: Key, account: Account) -> None:
        """Put an account in its place."""
        producer = key[:2]
        self._all[key] = account
        self._newest[producer] = max(key[2], self._newest.get(producer, key[2]))
        (self._with_holes.add if account.holes else self._with_holes.discard)(key)

    def take(self, rows: Iterable[Row]) -> list[Key]:
        """Take in rows of `events`, in the one order, and return the keys of the accounts that changed.

        A row without a sound identity is in no account; under a producer's key it stands for one of its numbers.
        """
        changed: dict[Key, None] = {}
        for row in rows:
            if row["producer"] is None:
                self._take_unread(row, changed)
            else:
                self._take(row, changed)
        return list(changed)

    def _take(self, row: Row, changed: dict[Key, None]) -> None:
        key, seq = (str(row["institute"]), str(row["producer"]), cast("int", row["epoch"])), cast("int", row["seq"])
        account = self._all.get(key, Account())
        unread = self._unread_before(key[:2], changed) if seq > account.seen.highest else 0
        if not is_sparse(key[1]):
            at = cast("dt.datetime", row["ingest_time"])
            account.holes = holes_after(account.holes, account.seen, seq, unread=unread, at=at)
        account.seen.add(seq)
        account.counts[str(row["status"])] += 1
        account.counts["flagged"] += row["status"] == "accepted" and bool(row["issues"])
        self.put(key, account)
        changed[key] = None

    def _take_unread(self, row: Row, changed: dict[Key, None]) -> None:
        """Count a message that could not be read for the producer whose key it bears."""
        sender = cast("bytes | None", row["message_key"])
        if sender is None:
            return
        producer = (str(row["institute"]), sender.decode("utf-8", "replace"))
        epoch = self._newest.get(producer)
        if epoch is not None:
            self._all[*producer, epoch].unread += 1
            changed[*producer, epoch] = None
        elif producer in self._unread or len(self._unread) < MAX_UNKNOWN:
            self._unread[producer] = self._unread.get(producer, 0) + 1

    def _unread_before(self, producer: tuple[str, str], changed: dict[Key, None]) -> int:
        """Return how many messages of a producer could not be read since its last number, and forget them."""
        epoch = self._newest.get(producer)
        if epoch is None:
            return self._unread.pop(producer, 0)
        newest = self._all[*producer, epoch]
        unread, newest.unread = newest.unread, 0
        if unread:
            changed[*producer, epoch] = None
        return unread
