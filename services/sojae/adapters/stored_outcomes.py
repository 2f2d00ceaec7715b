"""What became of one producer's events, read from the store: for whoever waits in vain for outcomes."""

import datetime as dt
from collections.abc import Mapping, Sequence

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import events_uri
from sojae.adapters.table_query import query, quoted

CLOCKS_APART = dt.timedelta(days=1)
"""So far may the clock of ingest be behind that of the producer."""

QUESTION = """
    select topic, "partition", "offset", status, issues from rows
    where ingest_month >= {month} and ingest_time >= to_timestamp_micros({since_us})
    and ((producer = {producer} and epoch = {epoch_ms}) or (producer is null and message_key = X'{key}'))
"""


def stored_outcomes(store_uri: str, producer: str, epoch_ms: int) -> Sequence[Mapping[str, object]]:
    """Return topic, partition, offset, status and issues of what the store holds of one producer since an epoch began.

    `epoch_ms` is the epoch, which is the Unix time of its start in ms: partitions of earlier months are not read. What
    could not be decoded has no producer; it counts by its message key. Empty without a store; raises StoreError.
    """
    table = PinnedTable.open(events_uri(store_uri))
    if table is None:
        return []
    since = dt.datetime.fromtimestamp(epoch_ms / 1000, tz=dt.UTC) - CLOCKS_APART
    question = QUESTION.format(
        month=quoted(f"{since:%Y-%m}"),
        since_us=int(since.timestamp() * 1_000_000),
        producer=quoted(producer),
        epoch_ms=epoch_ms,
        key=producer.encode().hex(),
    )
    return list(query(table, question).to_pylist())
