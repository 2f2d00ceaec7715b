"""What a records table holds: accepted events decoded with their own schemas, as rows with the columns of a major."""

from collections.abc import Mapping, Sequence
from typing import cast

import pyarrow as pa

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import StoreError
from sojae.domain.frames import column
from sojae.domain.grade import grade
from sojae.domain.order import ORDER_COLUMNS, PLACE_COLUMNS
from sojae.domain.store_columns import OWN, record_fields, records_schema, sender_fields
from sojae.domain.template import Field, RecordsKey, Template
from sojae.ports import Decoded, Decoder

Row = Mapping[str, object]


class TemplateGone(StoreError):  # noqa: N818 - it waits, it does not fail
    """An accepted event can be decoded neither with a template nor with a stored schema: its table waits."""


class RecordSources:
    """Decodes rows of `events`; a template that is gone is replaced by the schema that was kept in the store."""

    def __init__(self, schemas: StoredSchemas, decoder: Decoder) -> None:
        self._schemas = schemas
        self._decoder = decoder
        self._gone: dict[str, Template] = {}
        self._old_decoder = FastavroDecoder(lambda: TemplateBook(self._gone.values()))

    def decoded(self, book: TemplateBook, key: RecordsKey, rows: Sequence[Row]) -> list[dict[str, object]]:
        """Return header, position and values of accepted `events` rows, decoded from their raw bytes.

        The schemas that are used are kept in the store first. Raises TemplateGone when a row cannot be decoded.
        """
        known = {t.sha256: t for t in book}
        for sha256 in {str(r["schema_sha256"]) for r in rows}:
            if sha256 in known:
                self._schemas.keep(known[sha256])
            elif (stored := self._schemas.get(sha256)) is not None:
                self._gone[sha256] = stored
        names = {f.name for f in self.fields(book, key)}
        return [_record(row, one, names) for row, one in zip(rows, self._decode(rows, known), strict=True)]

    def fields(self, book: TemplateBook, key: RecordsKey) -> list[Field]:
        """Return the header fields and the fields of every minor version of a major, newest version first."""
        here, gone = (
            record_fields(t for t in templates if t.key.records == key) for templates in (book, self._gone.values())
        )
        names = {field.name for field in here}
        return [*here, *(field for field in gone if field.name not in names)]

    def remember_all(self) -> None:
        """Take every stored schema into account, so that the fields are known before the first row is read."""
        self._gone |= {template.sha256: template for template in self._schemas.all()}

    def _decode(self, rows: Sequence[Row], known: Mapping[str, Template]) -> list[Decoded]:
        raw = [cast("bytes", r["raw"]) for r in rows]
        decoded = self._decoder.decode(raw)
        old = [n for n, r in enumerate(rows) if str(r["schema_sha256"]) in self._gone.keys() - known.keys()]
        for n, one in zip(old, self._old_decoder.decode([raw[n] for n in old]), strict=True):
            decoded[n] = one
        return decoded


def record_table(fields: Sequence[Field], rows: Sequence[Row]) -> pa.Table:
    """Return rows as a table: header fields, the template's fields, then position, issues and grade."""
    arrays = [column(f.kind, [r.get(f.name) for r in rows]) for f in sender_fields(fields)]
    own = [pa.array([r.get(f.name) for r in rows], type=f.type) for f in OWN]
    return pa.Table.from_arrays([*arrays, *own], schema=records_schema(fields))


def _record(row: Row, one: Decoded, names: set[str]) -> dict[str, object]:
    if not one.header:
        raise TemplateGone(
            en=f"{row['topic_id']}-{row['partition']} offset {row['offset']} was accepted under schema {row['schema_sha256']}, "
            "which is neither among the templates nor in the store; put its template back",
            ko=f"{row['topic_id']}-{row['partition']} 오프셋 {row['offset']}은(는) 스키마 {row['schema_sha256']}로 받았으나, "
            "그 스키마가 템플릿에도 저장소에도 없습니다. 템플릿을 되돌려 놓으십시오",
        )
    issues = cast("Sequence[Mapping[str, object]]", row["issues"])
    own = {f.name: row[f.name] for f in OWN if f.name in row} | {"known_at": row["ingest_time"]}
    if row.get("place_time") is not None:
        # A repaired event stands where its original stood; since when it is known stays its own.
        own |= {name: row[place] for name, place in zip(ORDER_COLUMNS, PLACE_COLUMNS, strict=True)}
    values = {k: v for k, v in one.values.items() if k in names}
    # A table that was begun before events had a grade has none to give.
    own["grade"] = row.get("grade") or grade(one.header, [str(i["rule"]) for i in issues])
    return {**one.header, **own, **values}
