"""Reading `events` by version, in bounded steps, for everything that is derived from it."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from sojae.ports import EventsTable

VERSIONS_A_STEP = 200


def steps(events: EventsTable, after: int, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """Yield (version, rows since the step before) until the newest version of `events` is reached, oldest first."""
    head = events.refresh()
    while after < head:
        upto = min(after + VERSIONS_A_STEP, head)
        yield upto, events.changes(after, upto, columns)
        after = upto
