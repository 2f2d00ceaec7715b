"""Which messages of the chains a table still lacks: the rule that lets nothing be stored beyond a hole, nor twice."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sojae.ports import Message, Partition, Position
from sojae_ingest.positions import Chain

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Fresh:
    """What is to be stored of chains: (message, topic id) each, the positions it leads to, and what was left out."""

    messages: list[tuple[Message, str]] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    next_offsets: dict[Partition, int] = field(default_factory=dict)
    holes: list[Partition] = field(default_factory=list)
    already_stored: int = 0


def fresh_messages(chains: Sequence[Chain], stored: Callable[[str, int], int | None]) -> Fresh:
    """Return what a table lacks of the chains; `stored` gives the last offset it holds of (topic id, partition).

    A chain that begins beyond what it holds is left out and named as a hole; messages that it holds already are left
    out too.
    """
    fresh = Fresh()
    for chain in chains:
        last = stored(chain.topic_id, chain.partition.number)
        expected = 0 if last is None else last + 1
        if chain.start > expected:
            log.error(
                "%s-%d: fetched from %d, stored to %s: dropped, to be read again", *chain.partition, chain.start, last
            )
            fresh.holes.append(chain.partition)
            continue
        lacking = [m for m in chain.messages if m.offset >= expected]
        fresh.already_stored += len(chain.messages) - len(lacking)
        fresh.next_offsets[chain.partition] = max(expected, chain.next_offset)
        if lacking:
            fresh.messages += [(m, chain.topic_id) for m in lacking]
            fresh.positions.append(Position(chain.topic_id, chain.partition.number, lacking[-1].offset))
    return fresh
