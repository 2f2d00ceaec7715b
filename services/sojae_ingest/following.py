"""Reading a table since a version, in bounded steps, for everything that is derived from it."""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from sojae.adapters.delta import ChangesGone, RangeTooLarge
from sojae.adapters.snapshot import A_STEP
from sojae.ports import Feed

log = logging.getLogger(__name__)

MAX_VERSIONS = 512
"""Versions that are read in one step at most."""


class Step(NamedTuple):
    """Rows that bring a follower to version `upto`, in the one order.

    `anew`: what the follower holds is void, and these rows begin it again. `complete` is false while more rows of the
    same version come: only then is the follower at `upto`.
    """

    upto: int
    rows: pa.Table
    anew: bool = False
    complete: bool = True


def feed(events: Feed, after: int, head: int, columns: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """Yield (version, rows since the step before) until `head`, oldest first, as many versions as the bound allows.

    One version is never divided: a flush wrote it, and it is bounded. Raises ChangesGone when the log no longer reaches
    back to `after`, else StoreError.
    """
    size = 1
    while after < head:
        upto = min(after + size, head)
        try:
            rows = events.changes(after, upto, columns, A_STEP if upto - after > 1 else None)
        except RangeTooLarge:
            size = max((upto - after) // 2, 1)
            continue
        yield upto, rows
        size = min(size * 2, MAX_VERSIONS)
        after = upto


def steps(events: Feed, after: int, head: int, columns: Sequence[str]) -> Iterator[Step]:
    """Yield the steps from version `after` to `head`, the version that `events` is pinned to.

    They come from the change feed while the log reaches back, else from a snapshot, which begins anew. Raises StoreError.
    """
    try:
        for upto, rows in feed(events, after, head, columns):
            yield Step(upto, rows)
    except ChangesGone as gone:
        log.warning("following begins anew from all rows at version %d: %s", head, gone)
        yield from _whole(events, head, columns)


def _whole(events: Feed, head: int, columns: Sequence[str]) -> Iterator[Step]:
    batches = events.snapshot(columns, {})
    anew, rows = True, next(batches, None)
    if rows is None:
        rows = events.changes(head, head, columns)  # nothing, in the columns asked for
    while rows is not None:
        following = next(batches, None)
        yield Step(head, rows, anew=anew, complete=following is None)
        anew, rows = False, following
