"""Every event of one project and stage that a store holds, decoded with the schema that it was sent under."""

from collections.abc import Iterator, Sequence

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import events_uri
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.adapters.template_files import TemplateBook
from sojae.domain.back_test import StoredRecord
from sojae.domain.errors import StoreError
from sojae.domain.template import Template

COLUMNS = ("institute", "record_id", "status", "raw", "project", "stage", "schema_sha256")
BATCH_ROWS = 10_000


def known_templates(store_uri: str, book: TemplateBook) -> Sequence[Template]:
    """Return the templates of the book, then those that the store has kept of what was sent under others."""
    known = {template.sha256 for template in book}
    return [*book, *(t for t in StoredSchemas(store_uri).all() if t.sha256 not in known)]


def stored_records(
    store_uri: str, project: str, stage: str, templates: Sequence[Template]
) -> Iterator[tuple[Sequence[StoredRecord], int]]:
    """Yield batches of accepted and quarantined events, and how many of each batch nobody can decode any more.

    Duplicates are left out. Raises StoreError when there is no store.
    """
    table = PinnedTable.open(events_uri(store_uri))
    if table is None:
        raise StoreError(
            en=f"no store at {store_uri}; give --store, or set SOJAE_STORE__URI",
            ko=f"{store_uri}에 저장소가 없습니다. --store나 SOJAE_STORE__URI를 주십시오",
        )
    by_sha256 = {template.sha256: template for template in templates}
    every = TemplateBook(templates)
    decoder = FastavroDecoder(lambda: every)
    for found in table.snapshot(COLUMNS, {"project": project, "stage": stage}):
        rows = [row for row in found.to_pylist() if row["status"] != "duplicate"]
        for start in range(0, len(rows), BATCH_ROWS):
            part = rows[start : start + BATCH_ROWS]
            records = []
            for row, one in zip(part, decoder.decode([row["raw"] for row in part]), strict=True):
                if one.template is not None and one.header and one.values is not None:
                    # Drafts of one version may share a fingerprint: the event says which it was judged by.
                    writer = by_sha256.get(row["schema_sha256"], one.template)
                    identity = (str(row["institute"]), str(row["record_id"]), str(one.header.get("origin")))
                    records.append(StoredRecord(*identity, writer, one.values))
            yield records, len(part) - len(records)
