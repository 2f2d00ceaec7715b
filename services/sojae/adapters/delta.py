"""Delta tables through pinned handles: the only place that writes them.

A handle is pinned to a version. A commit through it is refused when another writer has moved one of its `txn` positions
since that version; writing by path instead would check against the newest version and so repeat what a fenced writer
has. Retries stay on (writers of other partitions do not collide), `restore` and `delta.setTransactionRetentionDuration`
are never used.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Literal

import obstore
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from obstore.exceptions import BaseError

from sojae.adapters.damage import first_line
from sojae.adapters.shelf import open_store
from sojae.adapters.snapshot import in_order, snapshot
from sojae.domain.errors import CommitRefused, StoreError
from sojae.ports import Bound

log = logging.getLogger(__name__)

COMMIT_RETRIES = 15
FORBIDDEN_CONFIGURATION = "delta.setTransactionRetentionDuration"
COMMIT_VERSION = "_commit_version"
"""Column of `changes` that says which version a row came with."""


class ChangesGone(StoreError):  # noqa: N818 - it is an answer of the log: read a snapshot instead
    """The log, or a file of it, no longer reaches back to the version asked for."""


class RangeTooLarge(Exception):  # noqa: N818 - it asks for a smaller range, and only followers see it
    """A range of versions holds more rows or bytes than the bound."""


class PinnedTable:
    """One Delta table, read and written through one handle."""

    def __init__(self, table: DeltaTable, *, plain_columns: Sequence[str] = ()) -> None:
        self._table = table
        self._files = open_store(table.table_uri)
        self._writer = WriterProperties(
            compression="ZSTD",
            compression_level=1,
            column_properties={name: ColumnProperties(dictionary_enabled=False) for name in plain_columns},
        )
        if FORBIDDEN_CONFIGURATION in table.metadata().configuration:
            raise StoreError(
                en=f"{table.table_uri}: {FORBIDDEN_CONFIGURATION} is set, so positions would expire; unset it",
                ko=f"{table.table_uri}: {FORBIDDEN_CONFIGURATION}이 설정되어 위치가 사라질 수 있습니다. 해제하십시오",
            )

    @classmethod
    def create_or_open(
        cls,
        uri: str,
        schema: pa.Schema,
        *,
        partition_by: Sequence[str] = (),
        configuration: Mapping[str, str | None] | None = None,
        plain_columns: Sequence[str] = (),
    ) -> "PinnedTable":
        """Return the table at a URI, made with this schema when it is not there; raises StoreError."""
        try:
            table = DeltaTable.create(
                uri,
                schema=schema,
                mode="ignore",
                partition_by=list(partition_by) or None,
                configuration=dict(configuration or {}),
            )
            table.update_incremental()
        except (DeltaError, OSError) as error:
            raise _store_error(uri, error) from error
        return cls(table, plain_columns=plain_columns)

    @classmethod
    def open(cls, uri: str, version: int | None = None) -> "PinnedTable | None":
        """Return the table at a URI, at its newest version or the one given; None when there is no table, or it does not
        reach that far; raises StoreError.
        """
        try:
            return cls(DeltaTable(uri, version=version))
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            raise _store_error(uri, error) from error

    @property
    def handle(self) -> DeltaTable:
        """The handle itself, for readers (polars, pyarrow) that want the pinned version."""
        return self._table

    @property
    def table_id(self) -> str:
        """What tells this table from an earlier one at the same place."""
        return str(self._table.metadata().id)

    @property
    def version(self) -> int:
        """The version that the handle is pinned to."""
        return int(self._table.version())

    def refresh(self) -> int:
        """Move the handle to the newest version and return it."""
        try:
            self._table.update_incremental()
        except (DeltaError, OSError) as error:
            raise _store_error(self._table.table_uri, error) from error
        return self.version

    def position(self, app_id: str) -> int | None:
        """Return the `txn` version of an application in the pinned version; None when it has none."""
        value = self._table.transaction_version(app_id)
        return None if value is None else int(value)

    def is_there(self) -> bool:
        """Return whether the log still holds the pinned version's commit: not so when the table was deleted or made anew."""
        return self._log_holds(self.version)

    def append(self, rows: pa.Table, positions: Mapping[str, int]) -> int:
        """Commit rows and `txn` positions as one through the pinned handle, and return the new version.

        Raises CommitRefused when another writer moved one of the positions since the pinned version, StoreError when a
        position would not go forward (delta-rs accepts that without a word) or the store cannot be written.
        """
        return self._write(rows, positions, predicate=None)

    def replace(
        self, rows: pa.Table | pa.RecordBatchReader, positions: Mapping[str, int], predicate: str | None
    ) -> int:
        """Put `rows` in the place of the rows that the SQL predicate selects (None: of all), as `append` does.

        A reader is written as it is read: its rows are never all in memory. It must not itself read a Delta table, which
        the thread that writes cannot do.
        """
        return self._write(rows, positions, predicate=predicate, overwrite=True)

    def _write(
        self,
        rows: pa.Table | pa.RecordBatchReader,
        positions: Mapping[str, int],
        *,
        predicate: str | None,
        overwrite: bool = False,
    ) -> int:
        for app_id, new in positions.items():
            stored = self.position(app_id)
            if stored is not None and new <= stored:
                raise StoreError(
                    en=f"position of {app_id} would go from {stored} to {new}; nothing was written",
                    ko=f"{app_id}의 위치가 {stored}에서 {new}(으)로 되돌아갑니다. 아무것도 쓰지 않았습니다",
                )
        properties = CommitProperties(
            max_commit_retries=COMMIT_RETRIES,
            app_transactions=[Transaction(app_id, version) for app_id, version in positions.items()],
        )
        widen: Literal["merge"] | None = "merge" if set(rows.schema.names) - set(self.schema().names) else None
        try:
            if overwrite:
                write_deltalake(
                    self._table,
                    rows,
                    mode="overwrite",
                    predicate=predicate,
                    schema_mode=widen if predicate else "overwrite",
                    commit_properties=properties,
                    writer_properties=self._writer,
                )
            else:
                write_deltalake(
                    self._table,
                    rows,
                    mode="append",
                    schema_mode=widen,
                    commit_properties=properties,
                    writer_properties=self._writer,
                )
        except CommitFailedError as error:
            raise CommitRefused(
                en=f"{self._table.table_uri}: another writer was first: {error}",
                ko=f"{self._table.table_uri}: 다른 작성자가 먼저 썼습니다: {error}",
            ) from error
        except Exception as error:
            # NOTE: what a reader raises comes back as DeltaError on several cores, and as a bare Exception on one.
            if isinstance(error, DeltaError | OSError) or type(error) is Exception:
                raise _store_error(self._table.table_uri, error) from error
            raise
        return self.version

    def changes(self, after: int, upto: int, columns: Sequence[str], bound: Bound | None = None) -> pa.Table:
        """Return the rows inserted by the versions (after, upto], in the one order.

        `_commit_version` may be asked for beside the table's own columns. Compactions add none. Raises RangeTooLarge as
        soon as more than the bound has been read, ChangesGone when the log or a file of the range is gone, StoreError.
        """
        schema = pa.schema([f for f in self.schema() if f.name in set(columns)])
        if COMMIT_VERSION in columns:
            schema = schema.append(pa.field(COMMIT_VERSION, pa.int64()))
        if upto <= after:
            return schema.empty_table()
        try:
            return in_order(self._inserted(after, upto, schema, bound))
        except (DeltaError, OSError, pa.ArrowException) as error:
            if "not found" in str(error).lower() or not self._log_holds(after + 1):
                raise ChangesGone(
                    en=f"{self._table.table_uri}: the log no longer reaches back to version {after + 1}: {error}",
                    ko=f"{self._table.table_uri}: 로그에 버전 {after + 1}이(가) 더 이상 없습니다: {error}",
                ) from error
            raise _store_error(self._table.table_uri, error) from error

    def _inserted(self, after: int, upto: int, schema: pa.Schema, bound: Bound | None) -> pa.Table:
        # NOTE: the change feed reads column names as SQL, where a bare `offset` is a keyword.
        wanted = [f'"{name}"' for name in (*schema.names, "_change_type")]
        feed = self._table.load_cdf(starting_version=after + 1, ending_version=upto, columns=wanted)
        parts, rows, size = [schema.empty_table()], 0, 0
        for batch in pa.RecordBatchReader.from_stream(feed):
            table = pa.Table.from_batches([batch])
            # The feed's strings are views, for which pyarrow has neither `equal` nor `filter`: cast first.
            inserted = table.select(schema.names).cast(schema)
            inserted = inserted.filter(pc.equal(table["_change_type"].cast(pa.string()), "insert"))
            parts.append(inserted)
            rows, size = rows + inserted.num_rows, size + inserted.nbytes
            if bound is not None and (rows > bound.rows or size > bound.bytes):
                raise RangeTooLarge
        return pa.concat_tables(parts)

    def snapshot(self, columns: Sequence[str], where: Mapping[str, str]) -> Iterator[pa.Table]:
        """Yield the rows of the pinned version that hold these values, in the one order, in bounded batches."""
        return snapshot(self._table, columns, where)

    def _log_holds(self, version: int) -> bool:
        try:
            obstore.head(self._files, f"_delta_log/{version:020}.json")
        except FileNotFoundError:
            return False
        except (BaseError, OSError) as error:
            raise _store_error(self._table.table_uri, error) from error
        return True

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the pinned version."""
        return pa.schema(self._table.schema().to_arrow())

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows of the pinned version."""
        try:
            return self._table.to_pyarrow_table(columns=None if columns is None else list(columns))
        except (DeltaError, OSError) as error:
            raise _store_error(self._table.table_uri, error) from error

    def compact(self) -> None:
        """Join small files into larger ones; rows and positions stay as they are."""
        try:
            self._table.optimize.compact(max_concurrent_tasks=1, min_commit_interval=timedelta(minutes=5))
        except (DeltaError, OSError) as error:
            raise _store_error(self._table.table_uri, error) from error

    def vacuum(self, retention_hours: int) -> int:
        """Delete files that no version of the last hours needs, and return how many; for derived tables alone."""
        try:
            return len(self._table.vacuum(retention_hours=retention_hours, dry_run=False))
        except (DeltaError, OSError) as error:
            raise _store_error(self._table.table_uri, error) from error


def _store_error(where: str, error: Exception) -> StoreError:
    said = first_line(error)
    return StoreError(
        en=f"the store at {where} cannot be used: {said}",
        ko=f"저장소 {where}을(를) 쓸 수 없습니다: {said}",
    )
