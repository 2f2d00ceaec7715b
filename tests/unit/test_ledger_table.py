"""The table `ledger`: what has been seen of each producer's epoch, following `events`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import DerivedTable
from sojae.domain.errors import CommitRefused, StoreError
from sojae_ingest.accounts import Accounts, Key
from sojae_ingest.ledger_table import LedgerTable, account_rows, read_accounts
from tests.builders import NOW, header

Open = Callable[[], LedgerTable]
KEY: Key = ("kims", "kims/furnace-1", 1)


def row(seq: int, /, status: str = "accepted", issues: int = 0, **given: object) -> dict[str, Any]:
    more = {"ingest_time": NOW, "message_key": b"kims/furnace-1"}
    return header(seq, **given) | {"status": status, "issues": [{"rule": "r"}] * issues} | more


NOBODY: dict[str, Any] = {
    "institute": "kims",
    "producer": None,
    "epoch": None,
    "seq": None,
    "status": "quarantined",
    "issues": [],
    "ingest_time": NOW,
    "message_key": b"kims/somebody",
}


def unread(key: bytes | None = b"kims/furnace-1") -> dict[str, Any]:
    """A message under a producer's key that could not be read."""
    return NOBODY | {"message_key": key}


@pytest.fixture
def ledger(tmp_path: Path) -> Open:
    """Return a function that opens the one ledger of the test."""
    return lambda: LedgerTable(str(tmp_path))


def state(tmp_path: Path) -> dict[Key, tuple[int, list[tuple[int, int]], dict[str, int]]]:
    """Return low-water mark, ranges above it and counts of every account that is stored."""
    table = PinnedTable.open(str(tmp_path / "ledger"))
    assert table is not None
    return {k: (a.seen.low_water, a.seen.above(), a.counts) for k, a in read_accounts(table.read()).items()}


def counts(accepted: int = 0, flagged: int = 0, quarantined: int = 0, duplicate: int = 0) -> dict[str, int]:
    return {"accepted": accepted, "flagged": flagged, "quarantined": quarantined, "duplicate": duplicate}


def test_statuses_are_counted() -> None:
    """Flagged events are accepted ones with findings."""
    accounts = Accounts()
    rows = [row(0), row(1, issues=2), row(2, "quarantined", issues=1), row(0, "duplicate", issues=1)]
    assert accounts.take(rows) == [KEY]
    assert accounts[KEY].counts == counts(accepted=2, flagged=1, quarantined=1, duplicate=1)
    assert accounts[KEY].seen.ranges() == [(0, 2)]


def test_each_producer_and_epoch_has_an_account() -> None:
    """And each institute."""
    accounts = Accounts()
    changed = accounts.take([row(0), row(0, epoch=2), row(0, producer="kims/other"), row(0)])
    assert changed == [KEY, ("kims", "kims/furnace-1", 2), ("kims", "kims/other", 1)]
    assert accounts[KEY].counts["accepted"] == 2


def test_rows_without_an_identity_are_nobody_s() -> None:
    """Whoever forges a header changes no account."""
    accounts = Accounts()
    assert accounts.take([NOBODY]) == []
    assert list(accounts) == []


def test_a_row_of_the_table_holds_mark_ranges_and_counts() -> None:
    """With the version of `events` it includes."""
    accounts = Accounts()
    accounts.take([row(n) for n in (0, 1, 5, 7, 8)])
    (got,) = account_rows(accounts, [KEY], 42).to_pylist()
    assert (got["low_water"], got["above"], got["events_version"]) == (
        1,
        [{"start": 5, "end": 5}, {"start": 7, "end": 8}],
        42,
    )
    assert (got["institute"], got["producer"], got["epoch"], got["accepted"]) == ("kims", "kims/furnace-1", 1, 5)


def test_the_newest_row_of_an_account_is_its_state(ledger: Open, tmp_path: Path) -> None:
    """Earlier ones stay until they are tidied away."""
    one = ledger()
    assert one.included() == -1
    assert one.add([row(0), row(0, epoch=2)], 1) == 2
    assert one.add([row(2, "quarantined")], 2) == 1
    assert one.included() == 2
    assert state(tmp_path) == {
        KEY: (0, [(2, 2)], counts(accepted=1, quarantined=1)),
        ("kims", "kims/furnace-1", 2): (0, [], counts(accepted=1)),
    }


def test_a_ledger_goes_on_after_a_restart(ledger: Open, tmp_path: Path) -> None:
    """With what the table holds."""
    ledger().add([row(0)], 1)
    again = ledger()
    assert again.included() == 1
    again.add([row(1)], 2)
    assert state(tmp_path)[KEY] == (1, [], counts(accepted=2))


def test_what_another_process_has_written_is_loaded(ledger: Open, tmp_path: Path) -> None:
    """Whoever follows next goes on from there, and counts nothing twice."""
    one, other = ledger(), ledger()
    one.included()
    other.included()
    one.add([row(0)], 1)
    with pytest.raises(CommitRefused):
        other.add([row(0)], 1)
    assert other.included() == 1
    other.add([row(1)], 2)
    assert state(tmp_path)[KEY] == (1, [], counts(accepted=2))


def test_a_refused_commit_is_not_counted(ledger: Open, tmp_path: Path) -> None:
    """Though both processes had counted the same rows."""
    one, other = ledger(), ledger()
    one.included()
    other.included()
    one.add([row(5)], 1)
    with pytest.raises(CommitRefused):
        other.add([row(5), row(6)], 1)
    other.included()
    other.add([row(7)], 2)
    assert state(tmp_path)[KEY] == (-1, [(5, 5), (7, 7)], counts(accepted=2))


def test_a_commit_that_failed_is_not_counted(ledger: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows come again when the store can be written."""

    def full(*_: object) -> int:
        raise StoreError(en="no space", ko="공간이 없습니다")

    one = ledger()
    one.add([row(0)], 1)
    with monkeypatch.context() as patched:
        patched.setattr(DerivedTable, "add", full)
        with pytest.raises(StoreError):
            one.add([row(1)], 2)
    assert one.included() == 1
    one.add([row(1)], 2)
    assert state(tmp_path)[KEY] == (1, [], counts(accepted=2))


def test_rows_of_nobody_are_followed_once(ledger: Open) -> None:
    """Their outcomes are sent before: they must not be sent again every half second."""
    one = ledger()
    one.add([row(0)], 1)
    assert one.add([NOBODY], 2) == 0
    assert one.included() == 2
    assert one.add([row(1)], 3) == 1
    assert one.included() == 3


@examples(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(["accepted", "quarantined", "duplicate"]), st.integers(0, 1))
    )
)
def test_an_account_survives_being_written(steps: list[tuple[int, str, int]]) -> None:
    """Mark and ranges give back the whole set, whatever was seen."""
    accounts = Accounts()
    accounts.take([row(seq, status, issues) for seq, status, issues in steps])
    again = read_accounts(account_rows(accounts, list(accounts), 1))
    assert {k: (a.seen.ranges(), a.counts) for k, a in again.items()} == {
        k: (a.seen.ranges(), a.counts) for k, a in accounts.items()
    }
    if steps:
        assert len(again[KEY].seen) == len({seq for seq, _, _ in steps})


def holes(accounts: Accounts) -> list[tuple[int, int, int]]:
    """Return (start, end, missing) of the furnace's holes."""
    return [(h.start, h.end, h.missing) for h in accounts.holes().get(KEY, ())]


def test_a_number_passed_over_leaves_a_hole() -> None:
    """Until it comes, and whatever comes beyond."""
    accounts = Accounts()
    accounts.take([row(0), row(3), row(4)])
    assert holes(accounts) == [(1, 2, 2)]
    accounts.take([row(2), row(2, "duplicate")])
    assert holes(accounts) == [(1, 2, 1)]
    accounts.take([row(1)])
    assert (holes(accounts), accounts.holes()) == ([], {})


def test_zero_may_be_missing_too() -> None:
    """An epoch begins with it."""
    accounts = Accounts()
    accounts.take([row(2)])
    assert holes(accounts) == [(0, 1, 2)]


@pytest.mark.parametrize("first", [[], [0]])
def test_a_message_that_could_not_be_read_explains_its_number(first: list[int]) -> None:
    """Whether the producer was known before or not; another producer's explains nothing."""
    accounts = Accounts()
    accounts.take([row(n) for n in first])
    accounts.take([unread(), unread(b"kims/other"), unread(None)])
    accounts.take([row(len(first) + 2)])
    assert holes(accounts) == [(len(first), len(first) + 1, 1)]
    accounts.take([row(len(first) + 4)])
    assert holes(accounts)[1:] == [(len(first) + 3, len(first) + 3, 1)]


def test_what_could_not_be_read_may_belong_to_the_next_epoch() -> None:
    """The first message of a restarted instrument, too."""
    accounts = Accounts()
    accounts.take([row(0), unread(), row(1, epoch=2)])
    assert accounts.holes() == {}
    assert accounts[KEY].unread == 0


def test_a_monitor_leaves_no_holes() -> None:
    """Its numbers are offsets."""
    accounts = Accounts()
    accounts.take([row(n * 1_000, producer="kims/monitor/plant-1/00ff00ff") for n in range(3)])
    assert accounts.holes() == {}


def test_holes_are_in_the_table(ledger: Open) -> None:
    """With the time since when, and messages that could not be read: a restart forgets neither."""
    one = ledger()
    one.add([row(0), row(2), unread()], 1)
    again = ledger()
    again.included()
    (hole,) = again.holes()[KEY]
    assert (hole.start, hole.end, hole.missing, hole.since) == (1, 1, 1, NOW)
    again.add([row(4)], 2)
    assert len(again.holes()[KEY]) == 1
