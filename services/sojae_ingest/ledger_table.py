"""The table `ledger`: per producer and epoch what has been seen and what became of it, following `events`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import polars as pl
import pyarrow as pa

from sojae.adapters.derived_table import DerivedTable
from sojae.domain.ledger import SequenceRanges

_LONG = pa.int64()
LEDGER = pa.schema(
    [
        pa.field("institute", pa.string()),
        pa.field("producer", pa.string()),
        pa.field("epoch", _LONG),
        pa.field("low_water", _LONG),
        pa.field("above", pa.list_(pa.struct([pa.field("start", _LONG), pa.field("end", _LONG)]))),
        pa.field("accepted", _LONG),
        pa.field("flagged", _LONG),
        pa.field("quarantined", _LONG),
        pa.field("duplicate", _LONG),
        pa.field("events_version", _LONG),
    ]
)
NOT_LOADED = -2
COUNTS = ("accepted", "flagged", "quarantined", "duplicate")
Row = Mapping[str, object]
Key = tuple[str, str, int]


@dataclass(slots=True)
class Account:
    """What is known of one producer's epoch; flagged events are accepted ones with findings."""

    seen: SequenceRanges = field(default_factory=SequenceRanges)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))


class LedgerTable:
    """Appends the accounts that change; the row with the highest `events_version` is an account's state."""

    def __init__(self, store_uri: str) -> None:
        self._table = DerivedTable(ledger_uri(store_uri), LEDGER)
        self._accounts: dict[Key, Account] = {}
        self._loaded = NOT_LOADED
        self._whole = False  # whether the accounts were begun anew and are not yet stored

    def included(self) -> int:
        """Return the version of `events` that is included, and load the accounts when somebody else has written."""
        included = self._table.included()
        if included != self._loaded:
            self._accounts = read_accounts(self._table.table.read())
            self._loaded, self._whole = included, False
        return included

    def add(self, rows: Sequence[Row], upto: int, *, anew: bool = False, complete: bool = True) -> int:
        """Account for rows of `events` and return how many accounts changed; raises CommitRefused.

        `anew` begins with empty accounts; what is not yet `complete` is accounted for, but not stored. When the last of it
        comes, the accounts take the place of all rows of the table.
        """
        if anew:
            self._accounts, self._loaded, self._whole = {}, NOT_LOADED, True
        changed = account_for(self._accounts, rows)
        if not complete:
            return 0
        try:
            written = self._store(changed, upto)
        except BaseException:
            self._loaded = NOT_LOADED  # what was accounted for is not stored: read it again before going on
            raise
        self._loaded = upto
        return written

    def _store(self, changed: Sequence[Key], upto: int) -> int:
        if not self._whole:
            return self._table.add(account_rows(self._accounts, changed, upto), upto)
        self._table.replace(account_rows(self._accounts, list(self._accounts), upto), upto, None)
        self._whole = False
        return len(self._accounts)


def ledger_uri(store_uri: str) -> str:
    """Return the URI of the ledger in a store."""
    return f"{store_uri.rstrip('/')}/ledger"


def account_for(accounts: dict[Key, Account], rows: Iterable[Row]) -> list[Key]:
    """Take rows of `events` into the accounts and return the keys that changed; rows without a sound identity are none's."""
    changed: dict[Key, None] = {}
    for row in rows:
        if row["producer"] is None:
            continue
        key = (str(row["institute"]), str(row["producer"]), cast("int", row["epoch"]))
        account = accounts.setdefault(key, Account())
        account.seen.add(cast("int", row["seq"]))
        account.counts[str(row["status"])] += 1
        account.counts["flagged"] += row["status"] == "accepted" and bool(row["issues"])
        changed[key] = None
    return list(changed)


def account_rows(accounts: Mapping[Key, Account], keys: Sequence[Key], events_version: int) -> pa.Table:
    """Return the accounts of the keys as rows of the table `ledger`."""
    rows = [
        {
            "institute": key[0],
            "producer": key[1],
            "epoch": key[2],
            "low_water": accounts[key].seen.low_water,
            "above": [{"start": start, "end": end} for start, end in accounts[key].seen.above()],
            **accounts[key].counts,
            "events_version": events_version,
        }
        for key in keys
    ]
    return pa.Table.from_pylist(rows, schema=LEDGER)


def read_accounts(table: pa.Table) -> dict[Key, Account]:
    """Return the newest state of every account of a ledger table."""
    newest = (
        pl.DataFrame(pl.from_arrow(table))
        .sort("events_version")
        .unique(["institute", "producer", "epoch"], keep="last")
    )
    accounts = {}
    for row in newest.iter_rows(named=True):
        seen = SequenceRanges([(r["start"], r["end"]) for r in row["above"]])
        if row["low_water"] >= 0:
            seen.add_range(0, row["low_water"])
        accounts[row["institute"], row["producer"], row["epoch"]] = Account(seen, {c: row[c] for c in COUNTS})
    return accounts
