"""One SQL question to one pinned table, for commands that end soon after: it leaves no thread of Python's behind."""

import pyarrow as pa
from deltalake import QueryBuilder

from sojae.adapters.delta import PinnedTable
from sojae.domain.errors import StoreError

ROWS = "rows"
"""The name of the table in the question."""


def query(table: PinnedTable, sql: str) -> pa.Table:
    """Return the answer to a SQL question in which the table is called `rows`; raises StoreError.

    A pyarrow dataset would answer as well, but its threads read through Python: a process that ends while one of them is
    still letting go is aborted, with another exit code than its own.
    """
    try:
        return pa.table(QueryBuilder().register(ROWS, table.handle).execute(sql).read_all())
    except Exception as error:  # the engine raises its findings as bare exceptions
        uri = table.handle.table_uri
        raise StoreError(
            en=f"the store at {uri} cannot be read: {error}", ko=f"저장소 {uri}을(를) 읽을 수 없습니다: {error}"
        ) from error


def quoted(text: str) -> str:
    """Return a text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
