"""The hourly care of the tables: small files joined, superseded ledger rows dropped; beside ingestion, never before it."""

import asyncio
import logging
from collections.abc import Callable

import polars as pl
import pyarrow as pa

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import events_uri
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import CommitRefused, StoreError
from sojae_ingest.ledger_table import LEDGER, ledger_uri
from sojae_ingest.materials_table import records_tables

log = logging.getLogger(__name__)

EVERY_SECONDS = 3_600.0


class Maintenance:
    """Compacts `events`, `records` and `ledger`; rows, positions and followers stay as they are."""

    def __init__(self, store_uri: str, book: Callable[[], TemplateBook]) -> None:
        self._store_uri = store_uri
        self._book = book

    async def run(self, stop: asyncio.Event) -> None:
        """Care for the tables every hour until `stop`; a table that somebody else is changing waits for the next time."""
        while True:
            try:
                await asyncio.wait_for(stop.wait(), EVERY_SECONDS)
            except TimeoutError:
                await asyncio.to_thread(self.care)
            else:
                return

    def care(self) -> None:
        """Compact every table once."""
        for table in self._tables():
            try:
                table.compact()
            except (CommitRefused, StoreError) as error:
                log.info("compaction waits for the next hour: %s", error)
        ledger = PinnedTable.open(ledger_uri(self._store_uri))
        if ledger is not None:
            try:
                drop_superseded(ledger)
            except (CommitRefused, StoreError) as error:
                log.info("the ledger waits for the next hour: %s", error)

    def _tables(self) -> list[PinnedTable]:
        book = self._book()
        found = [PinnedTable.open(events_uri(self._store_uri))]
        for project in book.projects():
            for tables in records_tables(self._store_uri, book, project).values():
                found += tables
        return [table for table in found if table is not None]


def drop_superseded(ledger: PinnedTable) -> int:
    """Keep of each account the row with the highest `events_version`, and return how many rows were dropped.

    Raises CommitRefused when an account changed meanwhile.
    """
    rows = pl.DataFrame(pl.from_arrow(ledger.read()))
    newest = rows.sort("events_version").unique(["institute", "producer", "epoch"], keep="last", maintain_order=True)
    if newest.height < rows.height:
        ledger.replace(pa.Table.from_pylist(newest.to_dicts(), schema=LEDGER), {}, None)
    return rows.height - newest.height
