"""The views `materials/<project>`: rebuilt from the records when they have changed."""

import logging
from collections.abc import Callable, Mapping

from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import FOLLOWS, DerivedTable
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import TemplateError
from sojae.domain.lineage import Row
from sojae.domain.materials import Records, materials_table
from sojae.domain.template import STAGES, Stage, Template
from sojae_ingest.record_rows import RecordsKey

log = logging.getLogger(__name__)


class MaterialsViews:
    """Rebuilds a project's view when one of its records tables has moved."""

    def __init__(self, store_uri: str, book: Callable[[], TemplateBook]) -> None:
        self._store_uri = store_uri
        self._book = book
        self._built_from: dict[str, tuple[int, ...]] = {}

    def refresh(self, complete_to: Callable[[str], int]) -> int:
        """Bring every project's view to its records, and return the rows written.

        `complete_to` says up to which version of `events` a project's records are complete. A view says that version,
        so while another process has brought the records beyond it, or they have not been looked at, the view waits.
        Raises CommitRefused when another process is doing the same.
        """
        book, written = self._book(), 0
        for project in book.projects():
            templates = newest_templates(book, project)
            tables = records_tables(self._store_uri, book, project)
            events_version = complete_to(project)
            held = [t.position(FOLLOWS) for stage in STAGES for t in tables[stage]]
            if events_version < 0 or any(v is not None and v > events_version for v in held):
                continue
            versions = tuple(t.version for stage in STAGES for t in tables[stage])
            if versions != self._built_from.get(project):
                written += self._rebuild(project, templates, tables, events_version)
                self._built_from[project] = versions
        return written

    def _rebuild(
        self,
        project: str,
        templates: Mapping[Stage, Template],
        tables: Mapping[Stage, list[PinnedTable]],
        events_version: int,
    ) -> int:
        rows: dict[Stage, list[Row]] = {s: [r for t in tables[s] for r in t.read().to_pylist()] for s in STAGES}
        if not rows["property"]:
            return 0
        view = materials_table(Records(rows, templates, all_versions(self._book(), project)), events_version)
        derived = DerivedTable(materials_uri(self._store_uri, project), view.schema)
        if derived.included() >= events_version:
            return 0
        derived.replace(view, events_version, predicate=None)
        log.info("materials/%s: %d rows at version %d", project, view.num_rows, events_version)
        return int(view.num_rows)


def materials_uri(store_uri: str, project: str) -> str:
    """Return the URI of a project's view."""
    return f"{store_uri.rstrip('/')}/materials/{project}"


def newest_templates(book: TemplateBook, project: str) -> dict[Stage, Template]:
    """Return the newest template of each stage that a project has."""
    templates: dict[Stage, Template] = {}
    for stage in STAGES:
        try:
            templates[stage] = book.get(project, stage)
        except TemplateError:
            log.debug("project %s has no template of stage %s", project, stage)
    return templates


def all_versions(book: TemplateBook, project: str) -> dict[Stage, list[Template]]:
    """Return every version of each stage's template: records are in the units of their own."""
    return {stage: [t for t in book if (t.key.project, t.key.stage) == (project, stage)] for stage in STAGES}


def records_tables(store_uri: str, book: TemplateBook, project: str) -> dict[Stage, list[PinnedTable]]:
    """Return the records tables of a project by stage, every major that is there."""
    tables: dict[Stage, list[PinnedTable]] = {stage: [] for stage in STAGES}
    for stage in STAGES:
        majors = sorted({t.key.major for t in book if t.key.project == project and t.key.stage == stage})
        found = (PinnedTable.open(RecordsKey(project, stage, major).uri(store_uri)) for major in majors)
        tables[stage] = [t for t in found if t is not None]
    return tables
