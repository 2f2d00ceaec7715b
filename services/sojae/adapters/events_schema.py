"""The columns of the table `events`: one row for every message consumed."""

import pyarrow as pa

from sojae.domain.frames import ISSUES

_TEXT, _LONG, _TIME = pa.string(), pa.int64(), pa.timestamp("us", tz="UTC")

POSITION = ("topic", "topic_id", "partition", "offset")

HEADER: tuple[tuple[str, pa.DataType], ...] = (
    ("event_id", _TEXT),
    ("record_id", _TEXT),
    ("template_version", _TEXT),
    ("institute", _TEXT),
    ("producer", _TEXT),
    ("epoch", _LONG),
    ("seq", _LONG),
    ("event_time", _TIME),
    ("sample_id", _TEXT),
    ("origin", _TEXT),
    ("content", _TEXT),
    ("supersedes", _TEXT),
    ("repairs", _TEXT),
    ("retracted", pa.bool_()),
    ("disclosure", _TEXT),
)
"""Header fields that have a column of their own; the whole header is in the raw bytes."""

POSITION_FIELDS = (
    pa.field("topic", _TEXT),
    pa.field("topic_id", _TEXT),
    pa.field("partition", pa.int32()),
    pa.field("offset", _LONG),
    pa.field("broker_time", _TIME),
    pa.field("ingest_time", _TIME),
)
"""Where a message stands in Kafka, and when it came: the same in every table of messages."""

MESSAGE_FIELDS = (
    pa.field("schema_sha256", _TEXT),
    pa.field("rule_version", _TEXT),
    pa.field("message_key", pa.binary()),
    pa.field("message_headers", pa.map_(_TEXT, pa.binary())),
    pa.field("raw", pa.binary()),
)
"""A message as it came, and by what it was read and judged: the same in every table of messages."""

EVENTS = pa.schema(
    [
        pa.field("ingest_month", _TEXT),
        *POSITION_FIELDS,
        *(pa.field(name, kind) for name, kind in HEADER),
        pa.field("status", _TEXT),
        pa.field("issues", ISSUES),
        pa.field("grade", _TEXT),
        pa.field("project", _TEXT),
        pa.field("stage", _TEXT),
        *MESSAGE_FIELDS,
        pa.field("place_time", _TIME),
        pa.field("place_topic_id", _TEXT),
        pa.field("place_partition", pa.int32()),
        pa.field("place_offset", _LONG),
    ]
)

NEAR_UNIQUE = ("offset", "broker_time", "event_id", "record_id", "seq", "event_time", "sample_id", "content", "raw")
"""Columns for which a dictionary costs more than it saves."""
