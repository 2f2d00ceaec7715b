"""The local index of what `events` holds: the same answers as the table, at exactly one version, rebuilt at will."""

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.ports import Position
from sojae_ingest import following
from sojae_ingest import seen as module
from sojae_ingest.judgement import Head
from sojae_ingest.seen import SQLiteSeen
from tests.builders import NOW, NOW_US, events, header
from tests.fakes import FakeEventsTable

SECOND = dt.timedelta(seconds=1)
Open = Callable[[], SQLiteSeen]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the one index file anew, closing it first."""
    opened: list[SQLiteSeen] = []

    def again() -> SQLiteSeen:
        for one in opened:
            one.close()
        opened[:] = [SQLiteSeen(tmp_path / "seen.sqlite")]
        return opened[0]

    yield again
    for one in opened:
        one.close()


class Log:
    """A table to which rows are added, one commit a call, a second apart."""

    def __init__(self) -> None:
        self.table = FakeEventsTable()
        self._offset = 0

    def add(self, *rows: dict[str, Any]) -> "Log":
        numbered = []
        for row in rows:
            numbered.append({"offset": self._offset, "ingest_time": NOW + self._offset * SECOND, **row})
            self._offset += 1
        self.table.append(events(numbered), [Position("id", 0, self._offset)])
        return self


def stated(seq: int, content: str | None = "A", **given: object) -> dict[str, Any]:
    return header(seq, record_id="r", content=content, **given)


STAGE = ("high_entropy_alloy", "property")


def ids(seen: SQLiteSeen, keys: list[tuple[str, int, int]]) -> dict[tuple[str, int, int], str]:
    """Return the event_id known of each number."""
    return {key: stored.event_id for key, stored in seen.sequences(keys).items()}


KEY = ("kims/furnace-1", 1, 0)
RECORD = ("kims", *STAGE, "r")


def test_sequence_numbers_are_known_with_their_event(index: Open) -> None:
    """Each (producer, epoch, seq) that a row holds, and no other."""
    seen = index()
    seen.catch_up(Log().add(header(0), header(2)).table)
    asked = [("kims/furnace-1", 1, n) for n in range(4)] + [("kims/furnace-1", 2, 0), ("kims/furnace-2", 1, 0)]
    assert ids(seen, asked) == {("kims/furnace-1", 1, 0): "event-0", ("kims/furnace-1", 1, 2): "event-2"}


def test_every_status_uses_its_number(index: Open) -> None:
    """But a row without a sound identity has none."""
    seen = index()
    log = Log().add(
        header(0) | {"status": "quarantined"}, header(1) | {"status": "duplicate"}, {"status": "quarantined"}
    )
    seen.catch_up(log.table)
    assert sorted(ids(seen, [("kims/furnace-1", 1, n) for n in range(3)])) == [
        ("kims/furnace-1", 1, 0),
        ("kims/furnace-1", 1, 1),
    ]


def test_the_first_event_of_a_number_counts(index: Open) -> None:
    """A conflict that was quarantined does not take it over, neither in memory nor after a restart."""
    log = Log().add(header(0)).add(header(0, event_id="other") | {"status": "quarantined"})
    seen = index()
    seen.catch_up(log.table)
    assert ids(seen, [KEY]) == {KEY: "event-0"}
    again = index()
    again.catch_up(log.table)
    assert ids(again, [KEY]) == {KEY: "event-0"}


def test_old_numbers_are_looked_up_in_the_table(index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the latest are kept in memory."""
    monkeypatch.setattr(module, "RECENT", 2)
    seen = index()
    seen.catch_up(Log().add(*(header(n) for n in range(5))).table)
    asked = [("kims/furnace-1", 1, n) for n in (0, 4, 7)]
    assert ids(seen, asked) == {asked[0]: "event-0", asked[1]: "event-4"}


def test_the_head_is_the_last_accepted_statement(index: Open) -> None:
    """With its content and whether it retracts."""
    seen, log = index(), Log().add(stated(0, "A"))
    seen.catch_up(log.table)
    assert seen.heads([RECORD, ("kims", *STAGE, "else"), ("pnu", *STAGE, "r")]) == {
        RECORD: Head("event-0", "A", retracted=False)
    }
    seen.catch_up(log.add(stated(1, "B"), stated(2, None, retracted=True)).table)
    assert seen.heads([RECORD]) == {RECORD: Head("event-2", None, retracted=True)}


@pytest.mark.parametrize("status", ["quarantined", "duplicate"])
def test_other_statements_are_no_head(index: Open, status: str) -> None:
    """A quarantined event takes no place."""
    seen = index()
    seen.catch_up(Log().add(stated(0, "A"), stated(1, "B") | {"status": status}).table)
    assert seen.heads([RECORD])[RECORD].event_id == "event-0"


@pytest.mark.parametrize(
    "smaller", [{"ingest_time": NOW - SECOND}, {"topic_id": "A"}, {"partition": -1}, {"offset": 4}]
)
def test_a_statement_with_an_earlier_place_does_not_become_the_head(index: Open, smaller: dict[str, Any]) -> None:
    """Another process may commit later what it took in earlier: the one order decides."""
    place = {"ingest_time": NOW, "topic_id": "M", "partition": 0, "offset": 5}
    names = list(place)
    behind = {
        n: v
        for n, v in {"topic_id": "Z", "partition": 9, "offset": 99}.items()
        if names.index(n) > names.index(next(iter(smaller)))
    }
    seen, log = index(), Log().add(stated(0) | place)
    seen.catch_up(log.table)
    seen.catch_up(log.add(stated(1) | place | behind | smaller).table)
    assert seen.heads([RECORD])[RECORD].event_id == "event-0"


def test_a_plain_first_statement_is_a_head(index: Open) -> None:
    """Who corrects it names it in `supersedes`: it must be known as current, though most are never corrected."""
    seen = index()
    seen.catch_up(Log().add(header(0), header(1, retracted=True)).table)
    assert seen.heads([("kims", *STAGE, "event-0"), ("pnu", *STAGE, "event-0")]) == {
        ("kims", *STAGE, "event-0"): Head("event-0", None, retracted=False)
    }
    assert seen.heads([("kims", *STAGE, "event-1")]) == {
        ("kims", *STAGE, "event-1"): Head("event-1", None, retracted=True)
    }


def test_a_correction_replaces_a_plain_first_statement(index: Open) -> None:
    """And what repeats it later replaces the correction."""
    seen, log = index(), Log().add(header(0))
    seen.catch_up(log.add(header(1, record_id="event-0")).table)
    assert seen.heads([("kims", *STAGE, "event-0")])[("kims", *STAGE, "event-0")].event_id == "event-1"
    seen.catch_up(log.add(header(2, record_id="event-0", event_id="event-0")).table)
    assert seen.heads([("kims", *STAGE, "event-0")])[("kims", *STAGE, "event-0")].event_id == "event-0"


def test_the_index_follows_to_exactly_the_pinned_version(index: Open) -> None:
    """Not to the newest: the commit is held against the pinned one."""
    log = Log().add(header(0))
    other = FakeEventsTable(log.table.log)
    log.add(header(1))
    seen = index()
    seen.catch_up(other)
    assert (seen.version, len(ids(seen, [("kims/furnace-1", 1, n) for n in (0, 1)]))) == (1, 1)


def test_the_newest_ingest_time_is_kept(index: Open) -> None:
    """Of rows without an identity too, and over a restart."""
    assert index().newest_ingest_time_us == 0
    seen = index()
    seen.catch_up(
        Log()
        .add(header(0))
        .add({"ingest_time": NOW + 5 * SECOND})
        .add(header(1, event_id="x") | {"ingest_time": NOW})
        .table
    )
    assert seen.newest_ingest_time_us == index().newest_ingest_time_us == NOW_US + 5_000_000


def test_an_index_survives_a_restart(index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on at its version, without reading what it holds."""
    log = Log().add(header(0), stated(1)).add(header(2))
    index().catch_up(log.table)
    again = index()
    with monkeypatch.context() as patched:
        patched.setattr(log.table, "changes", lambda *_: pytest.fail("nothing was to be read"))
        again.catch_up(log.table)
    assert (again.version, again.heads([RECORD])[RECORD].event_id) == (2, "event-1")
    assert ids(again, [("kims/furnace-1", 1, 2)]) == {("kims/furnace-1", 1, 2): "event-2"}


async def test_the_index_may_be_used_from_threads(index: Open) -> None:
    """A flush runs in one, not always the same."""
    seen, log = index(), Log().add(stated(0))
    await asyncio.to_thread(seen.catch_up, log.table)
    assert list(await asyncio.to_thread(seen.heads, [RECORD])) == [RECORD]


def test_another_table_means_rebuilding(index: Open) -> None:
    """A store that was wiped has another id, and nothing of the old one is known."""
    seen = index()
    seen.catch_up(Log().add(header(0), stated(1), header(3, event_id="plain")).table)
    seen.catch_up(Log().add(header(9)).table)
    assert ids(seen, [KEY, ("kims/furnace-1", 1, 9)]) == {("kims/furnace-1", 1, 9): "event-9"}
    assert seen.heads([RECORD, ("kims", *STAGE, "event-0"), ("kims", *STAGE, "plain")]) == {}


def test_a_table_that_was_set_back_means_rebuilding(index: Open) -> None:
    """What is no longer there must not make duplicates."""
    log = Log().add(header(0)).add(header(1))
    seen = index()
    seen.catch_up(log.table)
    del log.table.log.commits[2]
    log.table.refresh()
    seen.catch_up(log.table)
    assert (seen.version, ids(seen, [("kims/furnace-1", 1, 1)])) == (1, {})


def test_many_versions_are_taken_in_steps(index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left out, none is read twice."""
    monkeypatch.setattr(following, "MAX_VERSIONS", 2)
    log = Log()
    for n in range(5):
        log.add(header(n))
    seen = index()
    seen.catch_up(log.table)
    assert (seen.version, len(ids(seen, [("kims/furnace-1", 1, n) for n in range(5)]))) == (5, 5)


def test_a_log_that_was_cleaned_up_is_read_as_a_whole(index: Open) -> None:
    """A new process, or one that slept long, finds the same as one that followed."""
    log = Log()
    for n in range(5):
        log.add(header(n))
    log.table.log.oldest = 4
    seen = index()
    seen.catch_up(log.table)
    assert (seen.version, len(seen.sequences([("kims/furnace-1", 1, n) for n in range(5)]))) == (5, 5)
    log.add(header(5))
    seen.catch_up(log.table)
    assert (seen.version, len(seen.sequences([("kims/furnace-1", 1, 5)]))) == (6, 1)


ROWS = st.builds(
    lambda seq, event, record, content, retracted, status: (
        header(seq, event_id=event, record_id=record, content=content, retracted=retracted) | {"status": status}
    ),
    st.integers(0, 6),
    st.sampled_from(["a", "b", "r"]),
    st.sampled_from(["r", "a"]),
    st.sampled_from([None, "A", "B"]),
    st.booleans(),
    st.sampled_from(["accepted", "accepted", "quarantined", "duplicate"]),
)


@examples(max_examples=15, deadline=None)
@given(st.lists(st.lists(ROWS, min_size=1, max_size=4), min_size=1, max_size=5), st.integers(0, 5))
def test_an_index_says_what_the_rows_say(
    tmp_path_factory: pytest.TempPathFactory, commits: list[list[dict[str, Any]]], restart: int
) -> None:
    """Built in one go or with a restart in between, and as plain dictionaries would."""
    path = tmp_path_factory.mktemp("seen") / "seen.sqlite"
    log, firsts, heads = Log(), dict[Any, Any](), dict[Any, Head]()
    seen = SQLiteSeen(path)
    for number, rows in enumerate(commits):
        log.add(*rows)
        if number == restart:
            seen.close()
            seen = SQLiteSeen(path)
        seen.catch_up(log.table)
        for row in rows:
            firsts.setdefault((row["producer"], row["epoch"], row["seq"]), row["event_id"])
            if row["status"] == "accepted":
                heads["kims", *STAGE, row["record_id"]] = Head(row["event_id"], row["content"], row["retracted"])
    assert ids(seen, [("kims/furnace-1", 1, n) for n in range(8)]) == firsts
    assert seen.heads([("kims", *STAGE, "r"), ("kims", *STAGE, "a")]) == heads
    seen.close()


def test_a_number_is_in_quarantine_until_something_of_it_is_accepted(
    index: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory as in the table: what is mended and sent again under its number must be taken in."""
    log = Log().add(header(0) | {"status": "quarantined"})
    seen = index()
    seen.catch_up(log.table)
    assert seen.sequences([KEY])[KEY].quarantined
    seen.catch_up(log.add(header(0)).table)
    assert not seen.sequences([KEY])[KEY].quarantined
    monkeypatch.setattr(module, "RECENT", 0)
    again = index()
    again.catch_up(log.table)
    assert not again.sequences([KEY])[KEY].quarantined


def test_records_of_two_stages_are_two(index: Open) -> None:
    """A furnace that names composition, process and property alike corrects none of them."""
    seen = index()
    seen.catch_up(Log().add(stated(0), stated(1) | {"stage": "process"}).table)
    assert seen.heads([RECORD])[RECORD].event_id == "event-0"


@pytest.mark.parametrize(
    "content", [b"this is no database, but it is long enough to look like a page of one" * 20, b""]
)
def test_a_broken_index_is_built_anew(tmp_path: Path, content: bytes) -> None:
    """Everything in it can be read again from the table."""
    path = tmp_path / "seen.sqlite"
    path.write_bytes(content)
    seen = SQLiteSeen(path)
    seen.catch_up(Log().add(header(0)).table)
    assert ids(seen, [KEY]) == {KEY: "event-0"}
    seen.close()


def test_an_index_of_an_older_form_is_built_anew(tmp_path: Path) -> None:
    """Its tables mean something else."""
    path = tmp_path / "seen.sqlite"
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE meta (name TEXT, value TEXT)")
    old.close()
    seen = SQLiteSeen(path)
    assert seen.version == -1
    seen.close()
