"""The table `ledger`: per producer and epoch what has been seen and what became of it, following `events`."""

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl
import pyarrow as pa

from sojae.adapters.derived_table import DerivedTable
from sojae.domain.ledger import Hole, SequenceRanges
from sojae_ingest.accounts import COUNTS, Account, Accounts, Key, Row

_LONG = pa.int64()
_HOLE = pa.struct(
    [
        pa.field("start", _LONG),
        pa.field("end", _LONG),
        pa.field("missing", _LONG),
        pa.field("since", pa.timestamp("us", tz="UTC")),
    ]
)
LEDGER = pa.schema(
    [
        pa.field("institute", pa.string()),
        pa.field("producer", pa.string()),
        pa.field("epoch", _LONG),
        pa.field("low_water", _LONG),
        pa.field("above", pa.list_(pa.struct([pa.field("start", _LONG), pa.field("end", _LONG)]))),
        pa.field("holes", pa.list_(_HOLE)),
        pa.field("unread", _LONG),
        pa.field("accepted", _LONG),
        pa.field("flagged", _LONG),
        pa.field("quarantined", _LONG),
        pa.field("duplicate", _LONG),
        pa.field("events_version", _LONG),
    ]
)
NOT_LOADED = -2


class LedgerTable:
    """Appends the accounts that change; the row with the highest `events_version` is an account's state."""

    def __init__(self, store_uri: str) -> None:
        self._table = DerivedTable(ledger_uri(store_uri), LEDGER)
        self._accounts = Accounts()
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
            self._accounts, self._loaded, self._whole = Accounts(), NOT_LOADED, True
        changed = self._accounts.take(rows)
        if not complete:
            return 0
        try:
            written = self._store(changed, upto)
        except BaseException:
            self._loaded = NOT_LOADED  # what was accounted for is not stored: read it again before going on
            raise
        self._loaded = upto
        return written

    def holes(self) -> dict[Key, Sequence[Hole]]:
        """Return the holes of every account that has some, as of the rows that were added last."""
        return self._accounts.holes()

    def _store(self, changed: Sequence[Key], upto: int) -> int:
        if not self._whole:
            return self._table.add(account_rows(self._accounts, changed, upto), upto)
        self._table.replace(account_rows(self._accounts, list(self._accounts), upto), upto, None)
        self._whole = False
        return len(self._accounts)


def ledger_uri(store_uri: str) -> str:
    """Return the URI of the ledger in a store."""
    return f"{store_uri.rstrip('/')}/ledger"


def account_rows(accounts: Accounts, keys: Sequence[Key], events_version: int) -> pa.Table:
    """Return the accounts of the keys as rows of the table `ledger`."""
    rows = [
        {
            "institute": key[0],
            "producer": key[1],
            "epoch": key[2],
            "low_water": accounts[key].seen.low_water,
            "above": [{"start": start, "end": end} for start, end in accounts[key].seen.above()],
            "holes": [asdict(hole) for hole in accounts[key].holes],
            "unread": accounts[key].unread,
            **accounts[key].counts,
            "events_version": events_version,
        }
        for key in keys
    ]
    return pa.Table.from_pylist(rows, schema=LEDGER)


def read_accounts(table: pa.Table) -> Accounts:
    """Return the newest state of every account of a ledger table."""
    newest = (
        pl.DataFrame(pl.from_arrow(table))
        .sort("events_version")
        .unique(["institute", "producer", "epoch"], keep="last", maintain_order=True)
    )
    accounts = Accounts()
    for row in newest.iter_rows(named=True):
        seen = SequenceRanges([(r["start"], r["end"]) for r in row["above"]])
        if row["low_water"] >= 0:
            seen.add_range(0, row["low_water"])
        # A ledger of an earlier form says nothing of holes: they are noted from now on.
        holes = [Hole(**hole) for hole in row.get("holes") or ()]
        counts = {name: row[name] for name in COUNTS}
        accounts.put(
            (row["institute"], row["producer"], row["epoch"]), Account(seen, counts, holes, row.get("unread") or 0)
        )
    return accounts
