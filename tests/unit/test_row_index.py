"""The local row index follows `events` by version, and says the same however it got there."""

import datetime as dt
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sojae.adapters.delta import PinnedTable
from sojae.adapters.row_index import RowIndex
from sojae.adapters.row_reads import EventRow, QuarantineFilter, RecordFilter, RowReader, RowSnapshot
from sojae.adapters.row_tables import place_bytes, place_of, remove_index
from sojae.domain.errors import StateError
from sojae.domain.order import Place
from tests.gateway_parts import START, EventStore, quarantined, undecodable

ALL = RecordFilter()


@pytest.fixture
def store(tmp_path: Path) -> EventStore:
    return EventStore(tmp_path / "store")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index" / "gateway.sqlite"


@pytest.fixture
def index(store: EventStore, path: Path) -> Iterator[RowIndex]:
    opened = RowIndex(path, store.events_uri)
    yield opened
    opened.close()


@contextmanager
def reading(path: Path) -> Iterator[RowSnapshot]:
    """Hold a snapshot of an index, and leave no connection behind."""
    with closing(RowReader(path)) as reader, reader.snapshot() as rows:
        yield rows


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that an index answers, without what only numbers its rows."""
    connection = sqlite3.connect(path)
    columns = [c[1] for c in connection.execute("PRAGMA table_info(events)") if c[1] != "id"]
    listed = ", ".join(f'e."{c}"' for c in columns)
    held = {
        "state": connection.execute("SELECT * FROM state").fetchall(),
        "events": connection.execute(f"SELECT {listed} FROM events e ORDER BY place").fetchall(),
        "heads": connection.execute(
            "SELECT h.place, h.record_key, h.sample_key, h.owner, h.record_id, h.project, h.stage, e.event_id "
            "FROM heads h JOIN events e ON e.id = h.id ORDER BY h.place"
        ).fetchall(),
        "refusals": connection.execute(
            "SELECT r.rule, r.place, e.place FROM refusals r JOIN events e ON e.id = r.id ORDER BY 1, 2"
        ).fetchall(),
        "counts": connection.execute("SELECT * FROM counts ORDER BY 1, 2, 3, 4").fetchall(),
    }
    connection.close()
    return held


def ids(rows: list[EventRow]) -> list[str | None]:
    return [row.event_id for row in rows]


def test_a_new_event_is_read_with_its_header_status_and_bytes(store: EventStore, index: RowIndex, path: Path) -> None:
    """What was appended is read back after one follow, at the table's version."""
    row = store.event("e1", sample_id="시료-12")
    version = store.flush([row])

    followed = index.follow()

    assert (followed.version, followed.rows) == (version, 1)
    with reading(path) as rows:
        assert rows.version == version
        (found,) = rows.events("kims", "e1")
        assert found.raw == row["raw"]
        assert (found.sample_id, found.status, found.seq, found.stage) == (
            "시료-12",
            "accepted",
            row["seq"],
            "property",
        )
        assert found.event_us == int(START.timestamp() * 1e6)


def test_nothing_is_followed_before_there_is_a_table(tmp_path: Path, path: Path) -> None:
    """Before ingest has made the table, a follow does nothing and says so."""
    index = RowIndex(path, str(tmp_path / "nowhere" / "events"))
    followed = index.follow()
    index.close()
    assert (followed.version, followed.head, followed.rows) == (None, None, 0)
    assert not (tmp_path / "nowhere").exists()


def test_a_correction_is_the_head_and_the_history_keeps_both(store: EventStore, index: RowIndex, path: Path) -> None:
    """The last accepted event of a record is current; what it corrected stays in the history."""
    store.flush([store.event("e1", record_id="r")])
    index.follow()
    store.flush([store.event("e2", record_id="r"), store.event("other")])
    index.follow()
    with reading(path) as rows:
        assert ids(rows.statements("kims", "r")) == ["e1", "e2"]
        assert ids(rows.current(ALL, None, 10)) == ["e2", "other"]


def test_a_quarantined_or_repeated_event_is_never_current(store: EventStore, index: RowIndex, path: Path) -> None:
    """Only accepted events state something about a record."""
    refused = quarantined(store.event("e2", record_id="r"))
    repeated = {**store.event("e3", record_id="r"), "status": "duplicate"}
    store.flush([store.event("e1", record_id="r"), refused, repeated])
    index.follow()
    with reading(path) as rows:
        assert ids(rows.statements("kims", "r")) == ["e1"]
        assert ids(rows.current(ALL, None, 10)) == ["e1"]
        assert [r.status for r in rows.events("kims", "e2")] == ["quarantined"]


def test_a_retracted_record_is_gone_and_may_come_back(store: EventStore, index: RowIndex, path: Path) -> None:
    """A retraction takes the record off the pages; a later statement brings it back."""
    store.flush([store.event("e1", record_id="r")])
    store.flush([store.event("e2", record_id="r", retracted=True)])
    index.follow()
    with reading(path) as rows:
        assert rows.current(ALL, None, 10) == []
        assert rows.statements("kims", "r")[-1].retracted
    store.flush([store.event("e3", record_id="r")])
    index.follow()
    with reading(path) as rows:
        assert ids(rows.current(ALL, None, 10)) == ["e3"]


def test_an_event_id_counts_once_in_its_institute(store: EventStore, index: RowIndex, path: Path) -> None:
    """The same event_id from another producer is no second statement, nor does it start another record."""
    store.flush([store.event("e1", record_id="r")])
    index.follow()
    store.flush([store.event("e1", record_id="r2", producer="kims/tester-9"), store.event("e1", institute="kist")])
    index.follow()
    with reading(path) as rows:
        assert [(r.owner, r.record_id) for r in rows.current(ALL, None, 10)] == [("kims", "r"), ("kist", "e1")]
        assert len(rows.events("kims", "e1")) == 2
        assert rows.statements("kims", "r2") == []


def test_a_smaller_place_that_comes_later_takes_the_event_id(store: EventStore, index: RowIndex, path: Path) -> None:
    """First means smallest in the one order, not first seen: the record that lost its event falls back."""
    store.flush([store.event("older", record_id="r2")], ingest_time=START)
    store.flush([store.event("e1", record_id="r2")], ingest_time=START + dt.timedelta(minutes=9))
    index.follow()
    store.flush([store.event("e1", record_id="r1")], ingest_time=START + dt.timedelta(minutes=1))
    index.follow()
    with reading(path) as rows:
        heads = {r.record_id: r.event_id for r in rows.current(ALL, None, 10)}
    assert heads == {"r1": "e1", "r2": "older"}


def test_pages_follow_the_one_order_and_go_on_where_they_ended(store: EventStore, index: RowIndex, path: Path) -> None:
    """Pages of two cover all current records once, in order, whatever the cursor is."""
    for n in range(3):
        store.flush([store.event(f"e{n}{i}") for i in range(3)])
    index.follow()
    seen: list[str | None] = []
    with reading(path) as rows:
        after = None
        while page := rows.current(ALL, after, 2):
            after = page[-1].place
            seen += ids(page)
    assert seen == [f"e{n}{i}" for n in range(3) for i in range(3)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (RecordFilter(project="ceramic_electrode"), ["c"]),
        (RecordFilter(stage="process"), ["p"]),
        (RecordFilter(owner="kist"), ["k"]),
        (RecordFilter(sample_id="S-p"), ["p"]),
        (RecordFilter(project="high_entropy_alloy", stage="property", owner="kims"), ["a"]),
        (RecordFilter(sample_id="S-p", owner="kist"), []),
    ],
)
def test_a_page_shows_what_its_filter_asks_for(
    store: EventStore, index: RowIndex, path: Path, wanted: RecordFilter, expected: list[str]
) -> None:
    """Filters hold together, and each alone."""
    store.flush(
        [
            store.event("a"),
            store.event("p", stage="process"),
            store.event("k", institute="kist"),
            store.event("c", project="ceramic_electrode"),
        ]
    )
    index.follow()
    with reading(path) as rows:
        assert ids(rows.current(wanted, None, 10)) == expected


def test_the_quarantine_is_newest_first_and_filtered(store: EventStore, index: RowIndex, path: Path) -> None:
    """Quarantined events come newest first, by institute, rule and project; the undecodable have their topic's institute."""
    store.flush([quarantined(store.event("q1")), store.event("good"), undecodable("kist")])
    store.flush([quarantined(store.event("q2"), rule="required")])
    index.follow()
    with reading(path) as rows:
        everything = rows.quarantined(QuarantineFilter(), None, 10)
        assert [r.event_id for r in everything] == ["q2", None, "q1"]
        assert [r.owner for r in everything] == ["kims", "kist", "kims"]
        assert ids(rows.quarantined(QuarantineFilter(rule="required"), None, 10)) == ["q2"]
        assert ids(rows.quarantined(QuarantineFilter(owner="kist"), None, 10)) == [None]
        assert ids(rows.quarantined(QuarantineFilter(project="high_entropy_alloy"), None, 10)) == ["q2", "q1"]
        assert ids(rows.quarantined(QuarantineFilter(), everything[0].place, 1)) == [None]
        assert everything[2].issues[0].expected == "0.1 to 10000 MPa"


def test_counts_are_by_institute_project_stage_and_status(store: EventStore, index: RowIndex, path: Path) -> None:
    """Counts go on over follows and say what the table holds."""
    store.flush([store.event("a"), quarantined(store.event("b"))])
    index.follow()
    store.flush([store.event("c"), undecodable()])
    index.follow()
    with reading(path) as rows:
        assert [tuple(c) for c in rows.counts()] == [
            ("kims", "", "", "quarantined", 1),
            ("kims", "high_entropy_alloy", "property", "accepted", 2),
            ("kims", "high_entropy_alloy", "property", "quarantined", 1),
        ]
        assert rows.count_current("high_entropy_alloy", "property", 10) == 2
        assert rows.count_current("high_entropy_alloy", "property", 1) == 1


def test_a_compaction_adds_nothing(store: EventStore, index: RowIndex, path: Path) -> None:
    """Joined files are a new version without new rows."""
    for n in range(4):
        store.flush([store.event(f"e{n}")])
    index.follow()
    before = content(path)
    compacted = PinnedTable.open(store.events_uri)
    assert compacted is not None
    compacted.compact()

    followed = index.follow()

    assert followed.head == compacted.refresh()
    assert (followed.version, followed.rows, followed.rebuilt) == (followed.head, 0, False)
    after = content(path)
    assert after.pop("state") != before.pop("state")
    assert after == before


def test_the_index_goes_on_after_a_restart(store: EventStore, path: Path) -> None:
    """A second process resumes at the remembered version and ends with what one process would have."""
    store.flush([store.event("e1", record_id="r")])
    first = RowIndex(path, store.events_uri)
    first.follow()
    first.close()
    store.flush([store.event("e2", record_id="r")])
    second = RowIndex(path, store.events_uri)
    followed = second.follow()
    second.close()
    assert (followed.rows, followed.rebuilt) == (1, False)
    with reading(path) as rows:
        assert ids(rows.statements("kims", "r")) == ["e1", "e2"]


def test_a_deleted_index_is_rebuilt_with_equal_content(store: EventStore, path: Path) -> None:
    """Whatever the path — version by version, all at once over a compaction, or from the files — the answers are equal."""
    draw = random.Random(7)
    index = RowIndex(path, store.events_uri)
    for n in range(25):
        rows = [
            store.event(
                f"e{draw.randrange(40)}",
                record_id=f"r{draw.randrange(15)}",
                producer=f"kims/{draw.choice('ab')}",
                retracted=draw.random() < 0.1,
            )
            for _ in range(draw.randrange(1, 6))
        ]
        rows = [quarantined(r) if draw.random() < 0.2 else r for r in rows]
        store.flush(rows, ingest_time=START + dt.timedelta(minutes=draw.randrange(60)))
        if draw.random() < 0.5:
            index.follow()
        if n == 12:
            table = PinnedTable.open(store.events_uri)
            assert table is not None
            table.compact()
    index.follow()
    index.close()
    followed = content(path)
    remove_index(path)
    again = RowIndex(path, store.events_uri)
    assert again.follow().rebuilt
    again.close()
    assert content(path) == followed
    assert len(followed["events"]) > 40


def test_the_index_of_another_table_is_built_again(store: EventStore, path: Path, tmp_path: Path) -> None:
    """A table of another id in the same place shares nothing with the old one."""
    store.flush([store.event("old")])
    first = RowIndex(path, store.events_uri)
    first.follow()
    first.close()
    (tmp_path / "store").rename(tmp_path / "moved")
    other = EventStore(tmp_path / "store")
    other.flush([other.event("new")])
    second = RowIndex(path, other.events_uri)
    assert second.follow().rebuilt
    second.close()
    with reading(path) as rows:
        assert ids(rows.current(ALL, None, 10)) == ["new"]


def test_a_table_put_in_the_place_of_another_is_noticed(
    store: EventStore, index: RowIndex, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the index runs: the handle is opened anew from time to time."""
    monkeypatch.setattr("sojae.adapters.row_index.REOPEN_AFTER", 1)
    store.flush([store.event("old")])
    index.follow()
    (tmp_path / "store").rename(tmp_path / "moved")
    other = EventStore(tmp_path / "store")
    other.flush([other.event("new")])
    assert index.follow().rebuilt
    with reading(path) as rows:
        assert ids(rows.current(ALL, None, 10)) == ["new"]


def test_a_build_that_is_stopped_leaves_the_old_index(store: EventStore, index: RowIndex, path: Path) -> None:
    """A process that ends does not wait for a large table: what is not finished has not happened."""
    store.flush([store.event("e1")])
    index.follow()
    before = content(path)
    store.flush([store.event("e2")])
    index.stop()
    assert not index.rebuild().rebuilt
    assert index.follow().rows == 0
    assert content(path) == before


def test_an_index_beyond_the_head_is_built_again(store: EventStore, path: Path) -> None:
    """A table that went back (restored from a copy) is read anew."""
    store.flush([store.event("e1")])
    index = RowIndex(path, store.events_uri)
    index.follow()
    index.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE state SET version = 99")
    connection.commit()
    connection.close()
    again = RowIndex(path, store.events_uri)
    followed = again.follow()
    again.close()
    assert (followed.rebuilt, followed.version) == (True, 1)


def test_a_version_whose_files_are_gone_is_built_again(store: EventStore, index: RowIndex, path: Path) -> None:
    """Behind a vacuum the change feed fails loudly; the index is then read from the table itself."""
    store.flush([store.event("e1")])
    index.follow()
    store.flush([store.event("e2")])
    store.flush([store.event("e3")])
    table = PinnedTable.open(store.events_uri)
    assert table is not None
    table.compact()
    table.handle.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)

    followed = index.follow()

    assert followed.rebuilt
    with reading(path) as rows:
        assert ids(rows.current(ALL, None, 10)) == ["e1", "e2", "e3"]


def test_two_threads_follow_one_after_the_other(store: EventStore, index: RowIndex, path: Path) -> None:
    """Whoever asks, and however many at once: every event is taken in once."""
    for n in range(8):
        store.flush([store.event(f"e{n}")])
    with ThreadPoolExecutor(4) as threads:
        followed = [f.result() for f in [threads.submit(index.follow) for _ in range(8)]]
    assert sum(f.rows for f in followed) == 8
    with reading(path) as rows:
        assert len(rows.current(ALL, None, 100)) == 8


def test_a_failed_step_leaves_the_index_as_it_was(
    store: EventStore, index: RowIndex, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and version are one transaction: what fails in its last statement has not happened."""
    store.flush([store.event("e1")])
    index.follow()
    before = content(path)
    store.flush([store.event("e2")])
    with monkeypatch.context() as broken:
        broken.setattr("sojae.adapters.row_index._COUNT", "INSERT INTO nowhere VALUES (?, ?, ?, ?, ?)")
        with pytest.raises(StateError):
            index.follow()
    assert content(path) == before
    index.follow()
    assert len(content(path)["events"]) == 2


def test_a_broken_file_is_made_anew(store: EventStore, path: Path) -> None:
    """A file that is no database is thrown away: nothing in it cannot be read again."""
    store.flush([store.event("e1")])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database, but as long as one has to be" * 40)
    index = RowIndex(path, store.events_uri)
    assert index.follow().rows == 1
    index.close()


def test_an_index_that_cannot_be_written_is_a_plain_error(store: EventStore, tmp_path: Path) -> None:
    """Where a file lies in the place of the folder, the error names the index."""
    (tmp_path / "index").write_text("in the way")
    with pytest.raises(StateError, match="index"):
        RowIndex(tmp_path / "index" / "gateway.sqlite", store.events_uri)


def test_rows_that_share_a_hash_are_told_apart(store: EventStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every key equal, events, records, samples and heads still answer for their own text only."""
    for module in ("row_index", "row_reads"):
        monkeypatch.setattr(f"sojae.adapters.{module}.hash_key", lambda *_parts: 42)
    index = RowIndex(path, store.events_uri)
    store.flush(
        [store.event("e1", record_id="r1"), store.event("e2", record_id="r2"), store.event("e1", institute="kist")]
    )
    index.follow()
    store.flush([store.event("e3", record_id="r1")])
    index.follow()
    index.close()
    with reading(path) as rows:
        assert ids(rows.statements("kims", "r1")) == ["e1", "e3"]
        assert ids(rows.events("kims", "e2")) == ["e2"]
        assert ids(rows.current(RecordFilter(sample_id="S-e2"), None, 10)) == ["e2"]
        assert [(r.owner, r.event_id) for r in rows.current(ALL, None, 10)] == [
            ("kims", "e2"),
            ("kist", "e1"),
            ("kims", "e3"),
        ]
        assert rows.owners("r1") == ["kims"]


def test_a_snapshot_does_not_change_while_the_index_goes_on(store: EventStore, index: RowIndex, path: Path) -> None:
    """All reads of one snapshot are of one version, and writing does not wait for it."""
    store.flush([store.event("e1")])
    index.follow()
    with reading(path) as rows:
        store.flush([store.event("e2")])
        index.follow()
        assert rows.version == 1
        assert ids(rows.current(ALL, None, 10)) == ["e1"]


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        (Place(1, "b", 0, 0), Place(2, "a", 0, 0)),
        (Place(-5, "a", 0, 0), Place(3, "a", 0, 0)),
        (Place(1, "a", 9, 9), Place(1, "ab", 0, 0)),
        (Place(1, "a", 255, 0), Place(1, "a", 256, 0)),
        (Place(1, "a", 0, 255), Place(1, "a", 0, 2**40)),
    ],
)
def test_the_bytes_of_places_sort_as_places_do(smaller: Place, larger: Place) -> None:
    """The index compares bytes; the order is the one order all the same."""
    assert smaller < larger
    assert place_bytes(smaller) < place_bytes(larger)
    assert place_of(place_bytes(larger)) == larger
