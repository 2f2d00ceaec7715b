"""Datasets out of the records tables: the training table of a project, of any selection, at any version that is there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import FOLLOWS
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.adapters.template_files import TemplateBook
from sojae.domain.built_from import BuiltFrom
from sojae.domain.errors import StoreError
from sojae.domain.lineage import Row
from sojae.domain.materials import HEADER_COLUMNS, Records, materials_table
from sojae.domain.order import ORDER_COLUMNS
from sojae.domain.selection import Selection
from sojae.domain.template import STAGES, RecordsKey, Stage, Template

EVERYTHING = Selection()
ALWAYS = frozenset(
    (
        "institute",
        "record_id",
        "event_id",
        "sample_id",
        "parents",
        "retracted",
        "template_version",
        "known_at",
        *ORDER_COLUMNS,
    )
)
"""Columns that every record is asked for; others may be absent where they are null."""

BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class ProjectRecords:
    """The records tables of a project, every major that is there, and its templates."""

    project: str
    templates: tuple[Template, ...]
    tables: Mapping[RecordsKey, PinnedTable] = field(default_factory=dict)

    def built_from(self, events_version: int) -> BuiltFrom:
        """Return what a view is built from that is built now."""
        return BuiltFrom(
            events_version,
            {f"{t.key.stage}/{t.key.version}": t.sha256 for t in self.templates},
            {f"{key.stage}/{key.major}": table.version for key, table in self.tables.items()},
        )

    def has_properties(self) -> bool:
        """Return whether there is any record of a property: each is a row of the view."""
        return any(key.stage == "property" and table.handle.count() > 0 for key, table in self.tables.items())

    def view(self, events_version: int, selection: Selection = EVERYTHING) -> pa.Table:
        """Return the training table of what the tables hold, stamped with what it was built from; raises StoreError."""
        rows = {
            stage: selection.known(
                r for key, t in self.tables.items() if key.stage == stage for r in self._rows(stage, t)
            )
            for stage in STAGES
        }
        versions: dict[Stage, list[Template]] = {s: [t for t in self.templates if t.key.stage == s] for s in STAGES}
        newest = {s: max(found, key=lambda t: t.key.number) for s, found in versions.items() if found}
        whole = materials_table(Records(rows, newest, versions), events_version)
        return self.built_from(events_version).stamped(selection.chosen(whole))

    def _rows(self, stage: Stage, table: PinnedTable) -> Iterator[Row]:
        """Yield the records of a table, without what a view has no use for: other columns, and those that hold nothing."""
        fields = {f.name for t in self.templates if t.key.stage == stage for f in t.fields}
        useful = {*ALWAYS, *(name for name, _ in HEADER_COLUMNS), *fields}
        records = table.read([name for name in table.schema().names if name in useful])
        held = [n for n in records.column_names if n in ALWAYS or records[n].null_count < records.num_rows]
        for batch in records.select(held).to_batches(max_chunksize=BATCH_ROWS):
            yield from batch.to_pylist()


def project_records(store_uri: str, book: TemplateBook, project: str) -> ProjectRecords:
    """Return a project's records at their newest versions; raises StoreError."""
    return _opened(store_uri, project, [t for t in book if t.key.project == project], {})


def dataset(
    store_uri: str,
    book: TemplateBook,
    project: str,
    selection: Selection = EVERYTHING,
    again: BuiltFrom | None = None,
) -> pa.Table:
    """Return the training table of a selection: of the newest records, or of what an earlier one was built from.

    What it was built from stands in its schema (`read_built_from`); the same selection of the same gives the same bytes.
    Raises StoreError when a table, its version that was asked for, or a template is not there any more.
    """
    if again is None:
        records = project_records(store_uri, book, project)
        follows = (table.position(FOLLOWS) for table in records.tables.values())
        return records.view(max((v for v in follows if v is not None), default=-1), selection)
    return _opened(store_uri, project, _templates(store_uri, book, project, again), again.records).view(
        again.events, selection
    )


def _opened(store_uri: str, project: str, templates: Sequence[Template], versions: Mapping[str, int]) -> ProjectRecords:
    """Return the records tables of these templates; at the versions given by `<stage>/<major>`, or the newest."""
    ordered = tuple(sorted(templates, key=lambda t: (t.key.stage, *t.key.number)))
    keys = dict.fromkeys(t.key.records for t in ordered)
    found = {
        key: PinnedTable.open(key.uri(store_uri), versions.get(f"{key.stage}/{key.major}"))
        for key in keys
        if not versions or f"{key.stage}/{key.major}" in versions
    }
    return ProjectRecords(project, ordered, {key: table for key, table in found.items() if table is not None})


def _templates(store_uri: str, book: TemplateBook, project: str, again: BuiltFrom) -> list[Template]:
    """Return the templates as they were: those of the book, else the schemas that were kept in the store."""
    now = {t.sha256: t for t in book if t.key.project == project}
    kept = StoredSchemas(store_uri)
    found = {name: now.get(sha256) or kept.get(sha256) for name, sha256 in again.templates.items()}
    gone = sorted(name for name, template in found.items() if template is None)
    if gone:
        raise StoreError(
            en=f"{project}: the templates {', '.join(gone)} are not what they were, and the store has not kept them",
            ko=f"{project}: 템플릿 {', '.join(gone)}이(가) 바뀌었고 저장소에도 남아 있지 않습니다",
        )
    return [template for template in found.values() if template is not None]
