"""The one order of events: ingest time of the original message, topic id, partition, offset."""

from typing import NamedTuple

ORDER_COLUMNS = ("ingest_time", "topic_id", "partition", "offset")
"""Columns to sort by, smallest first; first = smallest, current = largest."""


PLACE_COLUMNS = ("place_time", "place_topic_id", "place_partition", "place_offset")
"""Columns of `events` that hold a repaired event's place, which is its original's; null where the place is the row's own."""


class Place(NamedTuple):
    """A place in the one order; `ingest_time_us` is Unix time in microseconds."""

    ingest_time_us: int
    topic_id: str
    partition: int
    offset: int
