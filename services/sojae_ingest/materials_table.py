"""The views `materials/<project>`: rebuilt from the records when these or the templates have changed."""

import logging
from collections.abc import Callable
from dataclasses import replace

from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import FOLLOWS, DerivedTable
from sojae.adapters.materials_source import ProjectRecords, project_records
from sojae.adapters.template_files import TemplateBook
from sojae.domain.built_from import BuiltFrom, read_built_from

log = logging.getLogger(__name__)


class MaterialsViews:
    """Rebuilds a project's view when one of its records tables has moved, or a template is new or another."""

    def __init__(self, store_uri: str, book: Callable[[], TemplateBook]) -> None:
        self._store_uri = store_uri
        self._book = book
        self._built: dict[str, BuiltFrom] = {}

    def refresh(self, complete_to: Callable[[str], int]) -> int:
        """Bring every project's view to its records, and return the rows written.

        `complete_to` says up to which version of `events` a project's records are complete. A view says that version,
        so while another process has brought the records beyond it, or they have not been looked at, the view waits.
        Raises CommitRefused when another process is doing the same.
        """
        book, written = self._book(), 0
        for project in book.projects():
            records = project_records(self._store_uri, book, project)
            events_version = complete_to(project)
            held = [table.position(FOLLOWS) for table in records.tables.values()]
            if events_version < 0 or any(v is not None and v > events_version for v in held):
                continue
            wanted, built = records.built_from(events_version), self._built.get(project)
            if built is None or replace(built, events=wanted.events) != wanted or self._is_gone(project):
                written += self._rebuild(records, wanted)
                self._built[project] = wanted
        return written

    def _is_gone(self, project: str) -> bool:
        return PinnedTable.open(materials_uri(self._store_uri, project)) is None

    def _rebuild(self, records: ProjectRecords, wanted: BuiltFrom) -> int:
        uri = materials_uri(self._store_uri, records.project)
        stored = PinnedTable.open(uri)
        if stored is not None and not _outdated(stored, wanted):
            return 0
        if not records.has_properties():
            return 0
        view = records.view(wanted.events)
        derived = DerivedTable(uri, view.schema)
        included = derived.included()
        if included < wanted.events:
            derived.replace(view, wanted.events, predicate=None)
        elif included == wanted.events:
            derived.restate(view)
        else:
            return 0
        log.info("materials/%s: %d rows at version %d", records.project, view.num_rows, wanted.events)
        return int(view.num_rows)


def materials_uri(store_uri: str, project: str) -> str:
    """Return the URI of a project's view."""
    return f"{store_uri.rstrip('/')}/materials/{project}"


def _outdated(stored: PinnedTable, wanted: BuiltFrom) -> bool:
    """Return whether a view is behind its records, or at their version with other templates."""
    position, built = stored.position(FOLLOWS), read_built_from(stored.schema())
    behind = position is None or position < wanted.events
    return behind or (position == wanted.events and (built is None or built.templates != wanted.templates))
