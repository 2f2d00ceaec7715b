"""A table that follows `events` by version: what it has included is a `txn` in the same commit as the rows."""

import logging
from collections.abc import Callable, Sequence

import pyarrow as pa

from sojae.adapters.delta import PinnedTable
from sojae.domain.errors import CommitRefused

log = logging.getLogger(__name__)

FOLLOWS = "follow:events"
"""The `txn` application id under which a derived table remembers the version it has included."""

EMPTY_COMMIT_EVERY = 1_000
"""Versions after which a table without new rows commits its position all the same."""


class OtherFollower(CommitRefused):
    """Another process follows for the same table and was first: leave the work to it for a while."""


class DerivedTable:
    """One derived table behind its own pinned handle; deleted and rebuilt with equal result."""

    def __init__(self, uri: str, schema: pa.Schema, *, plain_columns: Sequence[str] = ()) -> None:
        self._open: Callable[[], PinnedTable] = lambda: PinnedTable.create_or_open(
            uri, schema, plain_columns=plain_columns
        )
        self._table = self._open()
        self._looked_to = -1  # versions without a row for us that this process need not read again

    @property
    def table(self) -> PinnedTable:
        """The table behind its handle."""
        return self._table

    def included(self) -> int:
        """Return the version of `events` that the newest version of this table includes; −1 for none.

        A table that was deleted while its handle was open is made anew, and begins at −1; raises StoreError.
        """
        if not self._table.is_there():
            before = self._table.table_id
            self._table = self._open()
            if self._table.table_id != before:
                log.warning("%s was deleted: it is built anew", self._table.handle.table_uri)
                self._looked_to = -1
        self._table.refresh()
        position = self._position()
        return max(position, self._looked_to)

    def add(self, rows: pa.Table, upto: int) -> int:
        """Append rows that bring the table to version `upto` of `events`, and return how many were written.

        Without rows only every thousandth version is committed; until then this process alone remembers how far it
        has looked. Raises OtherFollower when another process was first, CommitRefused when the table changed otherwise.
        """
        stored = self._table.position(FOLLOWS)
        if rows.num_rows == 0 and upto - (-1 if stored is None else stored) < EMPTY_COMMIT_EVERY:
            self._looked_to = upto
            return 0
        self._commit(lambda: self._table.append(self.aligned(rows), {FOLLOWS: upto}))
        return int(rows.num_rows)

    def replace(self, rows: pa.Table | pa.RecordBatchReader, upto: int, predicate: str | None) -> None:
        """Put `rows` in the place of those that the predicate selects (None: of all), and bring the table to `upto`.

        Only the whole table may be replaced from a reader. Raises as `add` does.
        """
        new = rows if predicate is None else self.aligned(rows)
        self._commit(lambda: self._table.replace(new, {FOLLOWS: upto}, predicate))

    def restate(self, rows: pa.Table) -> None:
        """Put `rows` in the place of all, at the same version of `events`: what they are made with has changed.

        Raises CommitRefused when the table changed meanwhile.
        """
        self._table.replace(rows, {}, None)

    def aligned(self, rows: pa.Table) -> pa.Table:
        """Return the rows with the table's columns: missing ones null, unknown ones behind, to widen the table."""
        schema = self._table.schema()
        columns = {
            f.name: rows[f.name].cast(f.type) if f.name in rows.column_names else pa.nulls(rows.num_rows, f.type)
            for f in schema
        }
        wider = [rows.schema.field(n) for n in rows.column_names if n not in schema.names]
        columns |= {f.name: rows[f.name] for f in wider}
        return pa.table(columns, schema=pa.schema([*schema, *wider]))

    def _position(self) -> int:
        position = self._table.position(FOLLOWS)
        return -1 if position is None else position

    def _commit(self, write: Callable[[], int]) -> None:
        before = self._position()
        try:
            write()
        except CommitRefused as error:
            self._table.refresh()
            if self._position() != before:
                raise OtherFollower(en=error.text.en, ko=error.text.ko) from error
            raise
