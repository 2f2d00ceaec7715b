"""The alarm for numbers of a producer that have been passed over and do not come."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence

from sojae.domain.ledger import Hole
from sojae.ports import Clock
from sojae_ingest.accounts import Key
from sojae_ingest.metrics import IngestMetrics

log = logging.getLogger(__name__)

PATIENCE = dt.timedelta(seconds=60)
"""How long a number may be late: a producer that lost its connection sends again within this time."""

SHOWN = 3


class SequenceAlarm:
    """Says once of each hole that it stays, with what to do; the gauge says how many there are."""

    def __init__(self, metrics: IngestMetrics, clock: Clock) -> None:
        self._metrics, self._clock = metrics, clock
        self._told: set[tuple[Key, int]] = set()

    def look(self, holes: Mapping[Key, Sequence[Hole]]) -> None:
        """Look at all holes of the ledger, once it is up to date: what has been open for 60 s is alarmed."""
        latest = self._clock.now() - PATIENCE
        staying = {key: [h for h in found if h.since <= latest] for key, found in holes.items()}
        self._metrics.sequence_holes(sum(len(found) for found in staying.values()))
        standing = {(key, hole.start) for key, found in staying.items() for hole in found}
        for key, found in staying.items():
            fresh = [hole for hole in found if (key, hole.start) not in self._told]
            if fresh:
                _warn(key, fresh)
        self._told = standing


def _warn(key: Key, holes: Sequence[Hole]) -> None:
    _, producer, epoch = key
    shown = ", ".join(
        f"{h.missing} of {h.start} to {h.end}" if h.end > h.start else str(h.start) for h in holes[:SHOWN]
    )
    more = f" and {len(holes) - SHOWN} more holes" if len(holes) > SHOWN else ""
    log.warning(
        "%s, epoch %d: numbers have not come: %s%s; see whether the sender still has them (its log, its send buffer) and let "
        "it send them again under the same numbers, or take the measurement again; what came stays stored",
        producer,
        epoch,
        shown,
        more,
    )
