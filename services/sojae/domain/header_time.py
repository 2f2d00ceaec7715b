"""Whether the time that an event gives itself can be: in a possible year, not ahead of its arrival, not long before it."""

import datetime as dt
from collections.abc import Iterator, Mapping

from sojae.domain.header import STRICT_ORIGINS
from sojae.domain.issue import Issue

LATE = dt.timedelta(hours=24)
CLOCK_SKEW = dt.timedelta(minutes=5)
EARLIEST = dt.datetime(1800, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def time_issues(event_time: dt.datetime, arrived: dt.datetime, header: Mapping[str, object]) -> Iterator[Issue]:
    """Yield what is wrong with an event's time; `arrived` is when the broker took it, both with a zone."""
    if not EARLIEST <= event_time <= LATEST:
        yield Issue("time_range", "hard", "header.event_time", event_time.isoformat(), "1800 to 2200")
        return
    if event_time > arrived + CLOCK_SKEW:
        yield Issue(
            "event_time_future", "warn", "header.event_time", event_time.isoformat(), f"≤ {arrived.isoformat()}"
        )
    elif event_time < arrived - LATE and header.get("origin") in STRICT_ORIGINS and not header.get("historical"):
        yield Issue(
            "event_time_late", "warn", "header.event_time", event_time.isoformat(), f"≥ {(arrived - LATE).isoformat()}"
        )
