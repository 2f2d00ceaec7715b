"""Every event of one project and stage that a store holds, decoded with the schema that it was sent under."""

from collections.abc import Iterator, Sequence

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import events_uri
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.adapters.template_files import TemplateBook
from sojae.domain.back_test import StoredRecord
from sojae.domain.errors import StoreError

COLUMNS = ("institute", "record_id", "status", "raw", "project", "stage")
BATCH_ROWS = 10_000


def stored_records(
    store_uri: str, project: str, stage: str, book: TemplateBook
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
    kept = StoredSchemas(store_uri).all()
    known = {template.sha256 for template in book}
    decoder = FastavroDecoder(lambda: TemplateBook([*book, *(t for t in kept if t.sha256 not in known)]))
    for found in table.snapshot(COLUMNS, {"project": project, "stage": stage}):
        rows = [row for row in found.to_pylist() if row["status"] != "duplicate"]
        for start in range(0, len(rows), BATCH_ROWS):
            part = rows[start : start + BATCH_ROWS]
            records = []
            for row, one in zip(part, decoder.decode([row["raw"] for row in part]), strict=True):
                if one.template is not None and one.header and one.values is not None:
                    identity = (str(row["institute"]), str(row["record_id"]), str(one.header.get("origin")))
                    records.append(StoredRecord(*identity, one.template, one.values))
            yield records, len(part) - len(records)
