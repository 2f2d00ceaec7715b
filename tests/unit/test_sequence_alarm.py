"""The alarm for numbers that do not come: late, once, with an instruction."""

import datetime as dt
import logging

import pytest
from prometheus_client import CollectorRegistry

from sojae.domain.ledger import Hole
from sojae_ingest.accounts import Key
from sojae_ingest.metrics import IngestMetrics
from sojae_ingest.sequence_alarm import SequenceAlarm
from tests.builders import NOW
from tests.fakes import FakeClock

KEY: Key = ("kims", "kims/furnace-1", 7)


class Watched:
    """An alarm with its clock, its gauge and what it has said."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.WARNING)
        self.registry, self.clock, self._said = CollectorRegistry(), FakeClock(NOW), caplog
        self.alarm = SequenceAlarm(IngestMetrics(self.registry), self.clock)

    def look(self, *holes: Hole, after: float) -> None:
        self.clock.time = NOW + dt.timedelta(seconds=after)
        self.alarm.look({KEY: holes} if holes else {})

    @property
    def gauge(self) -> float | None:
        return self.registry.get_sample_value("sojae_sequence_holes")

    @property
    def said(self) -> list[str]:
        return [r.getMessage() for r in self._said.records]


@pytest.fixture
def watched(caplog: pytest.LogCaptureFixture) -> Watched:
    return Watched(caplog)


def hole(start: int, end: int, after: float = 0.0) -> Hole:
    return Hole(start, end, end - start + 1, NOW + dt.timedelta(seconds=after))


def test_a_hole_that_is_filled_in_time_is_no_alarm(watched: Watched) -> None:
    """A producer that lost its connection sends again."""
    watched.look(hole(3, 4), after=59)
    assert (watched.gauge, watched.said) == (0, [])
    watched.look(after=61)
    assert (watched.gauge, watched.said) == (0, [])


def test_a_hole_that_stays_is_said_once_with_what_to_do(watched: Watched) -> None:
    """The gauge stays up until it is filled."""
    watched.look(hole(3, 4), after=60)
    watched.look(hole(3, 4), after=61)
    (said,) = watched.said
    assert said.startswith("kims/furnace-1, epoch 7: numbers have not come: 2 of 3 to 4; ")
    assert "send them again" in said
    assert watched.gauge == 1
    watched.look(after=62)
    assert watched.gauge == 0


def test_a_second_hole_is_said_too(watched: Watched) -> None:
    """Without the first one again."""
    watched.look(hole(3, 3), after=60)
    watched.look(hole(3, 3), hole(9, 9, after=5), after=65)
    assert "come: 9;" in watched.said[1]
    assert (len(watched.said), watched.gauge) == (2, 2)


def test_many_holes_are_one_line(watched: Watched) -> None:
    """A producer that does not count by one would fill the log."""
    watched.look(*(hole(n, n) for n in range(0, 20, 2)), after=60)
    (said,) = watched.said
    assert "0, 2, 4 and 7 more holes" in said
