"""The hourly care of the tables: small files joined, what nobody needs dropped; beside ingestion, never before it."""

import asyncio
import logging
from collections.abc import Callable

import polars as pl
import pyarrow as pa

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import events_uri
from sojae.adapters.materials_source import project_records
from sojae.adapters.telemetry_table import plants_in, telemetry_uri
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import CommitRefused, StoreError
from sojae_ingest.ledger_table import LEDGER, ledger_uri
from sojae_ingest.materials_table import materials_uri

log = logging.getLogger(__name__)

FIRST_SECONDS = 600.0
EVERY_SECONDS = 3_600.0
RETENTION_HOURS = 7 * 24
"""How long files of derived tables stay that no version needs any more: longer than any reader holds a version."""


class Maintenance:
    """Compacts tables, and frees what derived ones no longer need; `events` and telemetry lose no file."""

    def __init__(self, store_uri: str, book: Callable[[], TemplateBook]) -> None:
        self._store_uri = store_uri
        self._book = book

    async def run(self, stop: asyncio.Event) -> None:
        """Care for the tables soon after the start and then hourly, until `stop`; what cannot be done waits for the next time."""
        pause = FIRST_SECONDS
        while True:
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                await asyncio.to_thread(self._try, self.care)
                pause = EVERY_SECONDS
            else:
                return

    def care(self) -> None:
        """Care for every table once."""
        events, ledger = (self._opened(uri) for uri in (events_uri(self._store_uri), ledger_uri(self._store_uri)))
        records, materials = self._records(), self._materials()
        telemetry = [
            t for plant in plants_in(self._store_uri) for t in self._opened(telemetry_uri(self._store_uri, plant))
        ]
        for table in (*events, *telemetry, *records):
            self._try(table.compact)
        for table in ledger:
            self._try(lambda table=table: drop_superseded(table))  # type: ignore[misc]  # bound for this turn
        for table in (*ledger, *records, *materials):
            self._try(lambda table=table: table.vacuum(RETENTION_HOURS))  # type: ignore[misc]  # bound for this turn

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (CommitRefused, StoreError) as error:
            log.info("the care of a table waits for the next hour: %s", error)
        except Exception:
            log.exception("the care of a table failed; ingestion goes on")

    def _records(self) -> list[PinnedTable]:
        book = self._book()
        by_project = [project_records(self._store_uri, book, project) for project in book.projects()]
        return [table for records in by_project for table in records.tables.values()]

    def _materials(self) -> list[PinnedTable]:
        return [t for p in self._book().projects() for t in self._opened(materials_uri(self._store_uri, p))]

    def _opened(self, uri: str) -> list[PinnedTable]:
        """Return the table at a URI, or nothing."""
        table = PinnedTable.open(uri)
        return [] if table is None else [table]


def drop_superseded(ledger: PinnedTable) -> int:
    """Keep of each account the row with the highest `events_version`, and return how many rows were dropped.

    A row that is appended meanwhile stays beside them. Raises CommitRefused when the rows were replaced meanwhile.
    """
    rows = pl.DataFrame(pl.from_arrow(ledger.read()))
    newest = rows.sort("events_version").unique(["institute", "producer", "epoch"], keep="last", maintain_order=True)
    if newest.height < rows.height:
        ledger.replace(pa.Table.from_pylist(newest.to_dicts(), schema=LEDGER), {}, None)
    return rows.height - newest.height
