"""The table `events`: the truth, appended through one pinned handle, positions in the same commit."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import polars as pl
import pyarrow as pa

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_schema import EVENTS, NEAR_UNIQUE
from sojae.domain.header import parse_reference
from sojae.domain.order import ORDER_COLUMNS, Place
from sojae.ports import Bound, Position, Stored

CONFIGURATION = {
    "delta.enableChangeDataFeed": "true",
    "delta.appendOnly": "true",
    "delta.checkpointInterval": "100",
}
SequenceKey = tuple[str, int, int]
MAX_LOOKUP = 2_000


class PositionedTable:
    """A table that partitions of topics are stored in: rows and positions move in one commit; see `sojae.ports`."""

    def __init__(self, table: PinnedTable) -> None:
        self._table = table

    @property
    def table_id(self) -> str:
        """What tells this table from an earlier one at the same place."""
        return self._table.table_id

    @property
    def version(self) -> int:
        """The version that the handle is pinned to."""
        return self._table.version

    def refresh(self) -> int:
        """Move the handle to the newest version and return it."""
        return self._table.refresh()

    def stored(self, topic_id: str, partition: int) -> int | None:
        """Return the last offset that the pinned version holds of a partition; None when it holds none."""
        return self._table.position(app_id(topic_id, partition))

    def append(self, rows: pa.Table, positions: Sequence[Position]) -> int:
        """Commit rows and positions as one, and return the new version; raises CommitRefused or StoreError."""
        return self._table.append(rows, {app_id(p.topic_id, p.partition): p.offset for p in positions})

    def accept_gap(self, topic_id: str, partition: int, last_lost: int) -> None:
        """Move a partition's position to `last_lost` without rows: an operator takes the loss of what lies before."""
        self._table.append(self._table.schema().empty_table(), {app_id(topic_id, partition): last_lost})

    def changes(self, after: int, upto: int, columns: Sequence[str], bound: Bound | None = None) -> pa.Table:
        """Return the rows of the versions (after, upto] in the one order; compactions add none."""
        return self._table.changes(after, upto, columns, bound)

    def snapshot(self, columns: Sequence[str], where: Mapping[str, str]) -> Iterator[pa.Table]:
        """Yield the rows of the pinned version that hold these values, in the one order, in bounded batches."""
        return self._table.snapshot(columns, where)


class DeltaEventsTable(PositionedTable):
    """`events` in Delta Lake; see `sojae.ports.EventsTable` for what each method promises."""

    def __init__(self, store_uri: str) -> None:
        super().__init__(
            PinnedTable.create_or_open(
                events_uri(store_uri),
                EVENTS,
                partition_by=["ingest_month"],
                configuration=CONFIGURATION,
                plain_columns=NEAR_UNIQUE,
            )
        )

    def sequences(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, Stored]:
        """Return what is stored under each (producer, epoch, seq) that the pinned version holds."""
        found: dict[SequenceKey, Stored] = {}
        ordered = sorted(keys)
        for start in range(0, len(ordered), MAX_LOOKUP):
            for key, event_id, status in self._sequences(ordered[start : start + MAX_LOOKUP]):
                first = found.get(key, Stored(event_id, quarantined=True))
                found[key] = first._replace(quarantined=first.quarantined and status == "quarantined")
        return found

    def repairable(self, references: Sequence[str]) -> Mapping[str, Place]:
        """Return the places of those messages, given as topic/partition/offset, that are in quarantine and not yet repaired."""
        wanted = {r: parsed for r in references if (parsed := parse_reference(r)) is not None}
        if not wanted:
            return {}
        table = pl.scan_delta(self._table.handle)
        repaired = table.filter(pl.col("status") == "accepted", pl.col("repairs").is_in(list(wanted)))
        taken = set(repaired.select("repairs").collect()["repairs"].to_list())
        found = (
            table.filter(
                pl.col("status") == "quarantined",
                pl.col("topic").is_in([topic for topic, _, _ in wanted.values()]),
                pl.col("offset").is_in([offset for _, _, offset in wanted.values()]),
            )
            .select("topic", pl.col("ingest_time").dt.timestamp("us"), "topic_id", "partition", "offset")
            .sort(ORDER_COLUMNS)
            .collect()
        )
        # Of a topic that was made anew the later incarnation is meant: the last one wins.
        places = {(topic, place[2], place[3]): Place(*place) for topic, *place in found.iter_rows()}
        return {r: places[at] for r, at in wanted.items() if at in places and r not in taken}

    def _sequences(self, keys: Sequence[SequenceKey]) -> list[tuple[SequenceKey, str, str]]:
        names = ("producer", "epoch", "seq")
        wanted = pl.DataFrame(
            [list(column) for column in zip(*keys, strict=True)],
            schema=dict.fromkeys(names, pl.Int64) | {"producer": pl.String},
        )
        rows = (
            pl.scan_delta(self._table.handle)
            .filter(
                pl.col("producer").is_in(wanted["producer"].unique().to_list()),
                pl.col("seq").is_between(wanted["seq"].min(), wanted["seq"].max()),
                pl.col("epoch").is_in(wanted["epoch"].unique().to_list()),
            )
            .select(*names, "event_id", "status", *ORDER_COLUMNS)
            .collect()
            .join(wanted, on=names, how="semi")
            .sort(ORDER_COLUMNS)
        )
        return [((r[0], r[1], r[2]), r[3], r[4]) for r in rows.select(*names, "event_id", "status").iter_rows()]


def events_uri(store_uri: str) -> str:
    """Return the URI of the table `events` in a store."""
    return f"{store_uri.rstrip('/')}/events"


def app_id(topic_id: str, partition: int) -> str:
    """Return the `txn` application id under which a partition's position is stored."""
    return f"ingest:{topic_id}:{partition}"


def month_of(times_us: Sequence[int]) -> list[str]:
    """Return the ingest month, `2026-11`, of Unix times in microseconds."""
    series = pl.Series(times_us, dtype=pl.Int64).cast(pl.Datetime("us")).dt.strftime("%Y-%m")
    return list(itertools.chain(series.to_list()))
