"""The disclosure ladder: from which rung who sees a record, and what holds for something made of several records."""

import datetime as dt
from collections.abc import Sequence

LEVELS = ("L0", "L1", "L2", "L3", "L4", "L5")
"""Owner, consortium, participating institutes, registered domestic firms, public metadata, public."""

CONSORTIUM, PARTICIPANT, FIRM, ANYBODY = 1, 2, 3, 4
"""Rungs: the lowest level of others' records that a member of each may see."""


def level_of(disclosure: object) -> int:
    """Return the place of a level on the ladder; without one, or with one that is not on it, 0: the owner only."""
    return LEVELS.index(disclosure) if isinstance(disclosure, str) and disclosure in LEVELS else 0


def shown_from(disclosure: object, rung: int) -> bool:
    """Return whether a record of this level is shown to others who stand on a rung (at least 1)."""
    return level_of(disclosure) >= rung


def shown_to_institutes(disclosure: object, embargo_until: object, day: dt.date) -> bool:
    """Return whether any other institute may see all of a record on a day.

    L1 needs a consortium, and none is known here: it counts as the owner's only. The day of the embargo is free.
    """
    embargoed = isinstance(embargo_until, dt.date) and day < embargo_until
    return shown_from(disclosure, PARTICIPANT) and not embargoed


def strictest_disclosure(levels: Sequence[object]) -> str | None:
    """Return the lowest of the levels; None, the owner only, when any record has none or one that is not on the ladder."""
    known = [level for level in levels if isinstance(level, str) and level in LEVELS]
    return min(known, key=level_of) if known and len(known) == len(levels) else None


def strictest_embargo(days: Sequence[object]) -> dt.date | None:
    """Return the latest of the days, None when there is none."""
    return max((day for day in days if isinstance(day, dt.date)), default=None)


def strictest_licence(licences: Sequence[object]) -> str | None:
    """Return the licence of something made of records under these: None, never exported, when any has none.

    Different licences hold together, written as SPDX does (`A AND B`).
    """
    named = {str(licence) for licence in licences if licence}
    if not named or not all(licences):
        return None
    return " AND ".join(sorted(named))
