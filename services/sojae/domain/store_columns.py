"""The columns of a records table: header fields and template fields of a major version, and where a record stands."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa

from sojae.domain.frames import ISSUES, arrow_fields
from sojae.domain.template import Field, Template
from sojae.domain.text import Text

OWN = (
    pa.field("topic_id", pa.string()),
    pa.field("partition", pa.int32()),
    pa.field("offset", pa.int64()),
    pa.field("ingest_time", pa.timestamp("us", tz="UTC")),
    pa.field("known_at", pa.timestamp("us", tz="UTC")),
    pa.field("issues", ISSUES),
    pa.field("grade", pa.string()),
)
"""Columns that ingest fills, beside what the sender says."""

OWN_LABELS: Mapping[str, Text] = {
    "topic_id": Text(ko="토픽 id", en="Id of the topic"),
    "partition": Text(ko="파티션", en="Partition"),
    "offset": Text(ko="오프셋", en="Offset"),
    "ingest_time": Text(ko="저장 시각", en="When it was stored"),
    "known_at": Text(ko="알려진 시각", en="Since when it is known"),
    "issues": Text(ko="검사 결과", en="Findings"),
    "grade": Text(ko="품질 등급", en="Quality grade"),
}


class StoreColumn(NamedTuple):
    """One column of a records table: its Arrow type, and the unit (a UCUM code) of its numbers."""

    name: str
    type: pa.DataType
    unit: str | None
    label: Text


def record_fields(templates: Iterable[Template]) -> list[Field]:
    """Return the header fields and the fields of the versions of one major, newest version first, each name once."""
    fields: dict[str, Field] = {}
    for template in sorted(templates, key=lambda t: t.key.number, reverse=True):
        for field in (*template.header_fields, *template.fields):
            fields.setdefault(field.name, field)
    return list(fields.values())


def sender_fields(fields: Iterable[Field]) -> list[Field]:
    """Return the fields that a records table takes from the sender: those that ingest does not fill itself."""
    own = {f.name for f in OWN}
    return [f for f in fields if f.name not in own]


def records_schema(fields: Iterable[Field]) -> pa.Schema:
    """Return the schema of a records table; the unit of a column is in its metadata."""
    return pa.schema([*arrow_fields(sender_fields(fields)), *OWN])


def store_columns(templates: Iterable[Template]) -> list[StoreColumn]:
    """Return the columns of the records table that holds the versions of one major, in their order."""
    fields = record_fields(templates)
    labels = {**{f.name: f.label for f in fields}, **OWN_LABELS}
    units = {f.name: f.unit for f in sender_fields(fields)}
    return [StoreColumn(c.name, c.type, units.get(c.name), labels[c.name]) for c in records_schema(fields)]
