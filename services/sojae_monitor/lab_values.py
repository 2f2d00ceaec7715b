"""Laboratory values as they come into the store: a follower of `records/<project>/property/<major>` by version."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from sojae.adapters.delta import ChangesGone, PinnedTable, RangeTooLarge
from sojae.adapters.template_files import TemplateBook
from sojae.domain.order import ORDER_COLUMNS
from sojae.domain.plant import Plant
from sojae.domain.template import Template
from sojae.ports import Bound
from sojae_monitor.scores import LabValue

log = logging.getLogger(__name__)

HEADER = ("institute", "sample_id", "parents", "record_id", "event_id", "retracted")
STEP = Bound(50_000, 64 * 1024 * 1024)


class LabValues:
    """The property records of one plant's institute, each once: those that are there, then those that come."""

    def __init__(self, store_uri: str, plant: Plant, book: Callable[[], TemplateBook]) -> None:
        self._store_uri = store_uri
        self._plant = plant
        self._book = book
        self._table_id: str | None = None
        self._included = -1

    def step(self) -> Iterator[LabValue]:
        """Yield what is new since the last call; everything at first, and after the table was made anew.

        Raises StoreError.
        """
        # Opened each time: a handle does not notice that its table was deleted and made anew with as many versions.
        key = self._property().key.records
        table = PinnedTable.open(key.uri(self._store_uri))
        if table is None:
            return
        if table.table_id != self._table_id:
            self._table_id, self._included = table.table_id, -1
        if table.version == self._included:
            return
        for rows in self._rows(table, self._columns()):
            yield from self._values(rows)
        self._included = table.version

    def _rows(self, table: PinnedTable, columns: Sequence[str]) -> Iterator[pa.Table]:
        if self._included >= 0:
            try:
                yield table.changes(self._included, table.version, columns, STEP)
            except (ChangesGone, RangeTooLarge) as error:
                log.info("property records are read from their beginning: %s", error)
            else:
                return
        yield from table.snapshot(columns, {"institute": self._plant.institute})

    def _values(self, rows: pa.Table) -> Iterator[LabValue]:
        for row in rows.to_pylist():
            if row.get("institute") == self._plant.institute and not row.get("retracted") and self._of_target(row):
                yield LabValue(
                    institute=row["institute"],
                    sample_id=row["sample_id"],
                    parents=row.get("parents") or (),
                    record_id=row["record_id"],
                    event_id=row["event_id"],
                    fields={name: value for name, value in row.items() if name not in (*HEADER, *ORDER_COLUMNS)},
                )

    def _of_target(self, row: dict[str, Any]) -> bool:
        """Return whether a record is of the split that is forecast, as `yield_strength.tension`."""
        assert self._plant.forecast is not None, "only plants that forecast are scored"
        field, _, part = self._plant.forecast.target.partition(".")
        split_by = next((f.split_by for f in self._property().fields if f.name == field), None)
        return row.get(field) is not None and (not part or split_by is None or row.get(split_by) == part)

    def _columns(self) -> list[str]:
        assert self._plant.forecast is not None, "only plants that forecast are scored"
        field = self._plant.forecast.target.partition(".")[0]
        splits = [f.split_by for f in self._property().fields if f.name == field and f.split_by is not None]
        return [*HEADER, *ORDER_COLUMNS, *dict.fromkeys([field, *splits, *self._plant.planned("property")])]

    def _property(self) -> Template:
        return self._book().get(self._plant.project, "property")
