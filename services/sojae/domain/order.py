"""The one order of events: ingest time of the original message, topic id, partition, offset."""

from typing import NamedTuple

ORDER_COLUMNS = ("ingest_time", "topic_id", "partition", "offset")
"""Columns to sort by, smallest first; first = smallest, current = largest."""


class Place(NamedTuple):
    """A place in the one order; `ingest_time_us` is Unix time in microseconds."""

    ingest_time_us: int
    topic_id: str
    partition: int
    offset: int
