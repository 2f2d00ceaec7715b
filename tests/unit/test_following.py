"""Reading `events` since a version: bounded steps of the change feed, or a snapshot when the log is gone."""

import pytest

from sojae.ports import Bound, Position
from sojae_ingest import following as module
from sojae_ingest.following import Step, steps
from tests.builders import events, header
from tests.fakes import FakeEventsTable


@pytest.fixture
def table() -> FakeEventsTable:
    return FakeEventsTable()


def add(table: FakeEventsTable, *sizes: int) -> None:
    """Add versions of so many rows each."""
    for size in sizes:
        at = len(table.rows())
        rows = [header(at + n) | {"offset": at + n} for n in range(size)]
        table.append(events(rows), [Position("id", 0, at + size - 1)])


def sizes(found: list[Step]) -> list[tuple[int, int]]:
    return [(s.upto, s.rows.num_rows) for s in found]


def read(found: list[Step]) -> list[int]:
    return [o for s in found for o in s.rows["offset"].to_pylist()]


def test_small_versions_are_read_together(table: FakeEventsTable) -> None:
    """More and more at a time, so that catching up costs rows, not commits."""
    add(table, *[1] * 20)
    found = list(steps(table, -1, table.version, ["offset"]))
    assert sizes(found) == [(0, 0), (2, 2), (6, 4), (14, 8), (20, 6)]
    assert (read(found), any(s.anew for s in found), all(s.complete for s in found)) == (list(range(20)), False, True)


def test_no_step_holds_more_than_the_bound(table: FakeEventsTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many versions wait; a single version is taken as it is."""
    monkeypatch.setattr(module, "A_STEP", Bound(4, 1 << 20))
    add(table, 1, 1, 1, 1, 3, 3, 3, 9, 1, 1, 1)
    found = list(steps(table, -1, table.version, ["offset"]))
    assert max(rows for upto, rows in sizes(found) if upto != 8) <= 4
    assert dict(sizes(found))[8] == 9
    assert read(found) == list(range(25))


def test_a_step_is_never_more_than_so_many_versions(table: FakeEventsTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when they hold nothing."""
    monkeypatch.setattr(module, "MAX_VERSIONS", 4)
    add(table, *[1] * 12)
    uptos = [s.upto for s in steps(table, 0, table.version, ["offset"])]
    assert uptos == [1, 3, 7, 11, 12]


def test_a_cleaned_up_log_means_beginning_anew(table: FakeEventsTable) -> None:
    """From all rows of the version asked for; only the last batch makes it complete."""
    add(table, 2, 2, 1)
    table.log.oldest = 3
    found = list(steps(table, 0, 3, ["offset"]))
    assert [(s.upto, s.anew, s.complete) for s in found] == [(3, True, False), (3, False, False), (3, False, True)]
    assert read(found) == list(range(5))


def test_the_log_is_read_while_it_reaches_back(table: FakeEventsTable) -> None:
    """What came before is not needed."""
    add(table, 1, 1, 1)
    table.log.oldest = 2
    assert sizes(list(steps(table, 1, 3, ["offset"]))) == [(2, 1), (3, 1)]


def test_a_cleaned_up_log_without_rows_begins_anew_too(table: FakeEventsTable) -> None:
    """There is one step, and nothing in it."""
    add(table, 1)
    table.log.commits[1].rows = table.log.commits[1].rows.slice(0, 0)
    table.log.oldest = 1
    (only,) = steps(table, -1, 1, ["offset"])
    assert (only.upto, only.rows.num_rows, only.anew, only.complete) == (1, 0, True, True)


def test_nothing_new_is_no_step(table: FakeEventsTable) -> None:
    """The follower is there."""
    add(table, 1)
    assert list(steps(table, 1, 1, ["offset"])) == []
