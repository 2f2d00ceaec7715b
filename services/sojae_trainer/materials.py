"""The materials views and the version of `events`, read from the store; nothing is ever written."""

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from sojae.adapters.delta import PinnedTable


@dataclass(frozen=True, slots=True)
class View:
    """The materials view of a project as it was at one version of its table."""

    frame: pl.DataFrame
    version: int


class MaterialsStore(Protocol):
    """What the trainer needs of the store."""

    def events_version(self) -> int | None:
        """Return the newest version of `events`, None before there is one."""
        ...

    def records(self, project: str) -> int:
        """Return how many property records the view of a project has, 0 without a view."""
        ...

    def view(self, project: str) -> View | None:
        """Return the view of a project, None without one."""
        ...


class DeltaMaterials:
    """The materials views under one store root; raises StoreError when the store cannot be read."""

    def __init__(self, store_uri: str) -> None:
        self._root = store_uri.rstrip("/")
        self._tables: dict[str, PinnedTable] = {}

    def events_version(self) -> int | None:
        """Return the newest version of `events`, None before there is one."""
        table = self._newest("events")
        return None if table is None else table.version

    def records(self, project: str) -> int:
        """Return how many property records the view of a project has, from the table's statistics."""
        table = self._newest(f"materials/{project}")
        return 0 if table is None else int(table.handle.count())

    def view(self, project: str) -> View | None:
        """Return the view of a project, None without one."""
        table = self._newest(f"materials/{project}")
        if table is None:
            return None
        frame = pl.from_arrow(table.read())
        assert isinstance(frame, pl.DataFrame)
        return View(frame, table.version)

    def _newest(self, name: str) -> PinnedTable | None:
        table = self._tables.get(name)
        if table is None:
            table = PinnedTable.open(f"{self._root}/{name}")
            if table is None:
                return None
            self._tables[name] = table
        else:
            table.refresh()
        return table
