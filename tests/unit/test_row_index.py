"""The local row index follows `events` by version, and says the same however it got there."""

import datetime as dt
import random
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sojae.adapters.delta import PinnedTable
from sojae.adapters.row_index import RowIndex
from sojae.adapters.row_reads import EventRow, Home, Mark, Moved, QuarantineFilter, RecordFilter, RowReader, RowSnapshot
from sojae.adapters.row_tables import place_bytes, place_of, remove_index
from sojae.domain.errors import StateError
from sojae.domain.order import Place
from tests.gateway_parts import START, EventStore, quarantined, undecodable

ALL = RecordFilter()
KIMS = Home("kims", "high_entropy_alloy", "property")


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
        "state": connection.execute("SELECT table_id, table_uri, version FROM state").fetchall(),
        "events": connection.execute(f"SELECT {listed} FROM events e ORDER BY place").fetchall(),
        "heads": connection.execute(
            "SELECT h.place, h.record_key, h.sample_key, h.owner, h.record_id, h.project, h.stage, h.grade, e.event_id "
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
        assert ids(rows.statements(KIMS, "r")) == ["e1", "e2"]
        assert ids(rows.current(ALL, None, 10)) == ["e2", "other"]


def test_a_quarantined_or_repeated_event_is_never_current(store: EventStore, index: RowIndex, path: Path) -> None:
    """Only accepted events state something about a record."""
    refused = quarantined(store.event("e2", record_id="r"))
    repeated = {**store.event("e3", record_id="r"), "status": "duplicate"}
    store.flush([store.event("e1", record_id="r"), refused, repeated])
    index.follow()
    with reading(path) as rows:
        assert ids(rows.statements(KIMS, "r")) == ["e1"]
        assert ids(rows.current(ALL, None, 10)) == ["e1"]
        assert [r.status for r in rows.events("kims", "e2")] == ["quarantined"]


def test_a_retracted_record_is_gone_and_may_come_back(store: EventStore, index: RowIndex, path: Path) -> None:
    """A retraction takes the record off the pages; a later statement brings it back."""
    store.flush([store.event("e1", record_id="r")])
    store.flush([store.event("e2", record_id="r", retracted=True)])
    index.follow()
    with reading(path) as rows:
        assert rows.current(ALL, None, 10) == []
        assert rows.statements(KIMS, "r")[-1].retracted
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
        assert rows.statements(KIMS, "r2") == []


def test_ids_are_told_apart_by_project_and_stage(store: EventStore, index: RowIndex, path: Path) -> None:
    """A furnace that names composition, process and property of a specimen alike states three things, each current."""
    for stage in ("composition", "process", "property"):
        store.flush([store.event("run-12", record_id="run-12", stage=stage)])
        index.follow()
    store.flush([store.event("run-13", record_id="run-12", stage="process")])
    store.flush([store.event("run-12", record_id="run-12", project="ceramic_electrode")])
    index.follow()
    with reading(path) as rows:
        heads = [(r.project, r.stage, r.event_id) for r in rows.current(ALL, None, 10)]
        homes = rows.homes("run-12", ALL)
        assert ids(rows.statements(homes[2], "run-12")) == ["run-12", "run-13"]
        assert rows.homes("run-12", RecordFilter(stage="process", owner="kims")) == [homes[2]]
    alloy = "high_entropy_alloy"
    assert heads == [
        (alloy, "composition", "run-12"),
        (alloy, "property", "run-12"),
        (alloy, "process", "run-13"),
        ("ceramic_electrode", "property", "run-12"),
    ]
    assert [(h.project, h.stage) for h in homes] == [
        ("ceramic_electrode", "property"),
        (alloy, "composition"),
        (alloy, "process"),
        (alloy, "property"),
    ]


def test_stages_of_one_id_that_come_at_once_are_told_apart_too(store: EventStore, index: RowIndex, path: Path) -> None:
    """An index that is built in one go has a head for each stage, and not the latest of all for each."""
    stages = ["composition", "process", "property"]
    store.flush([store.event("run-12", record_id="run-12", stage=s, sample_id=f"s-{s}") for s in stages])
    index.follow()
    with reading(path) as rows:
        assert [r.sample_id for r in rows.current(ALL, None, 10)] == [f"s-{s}" for s in stages]


def test_one_event_id_for_everything_does_not_slow_the_index_down(
    store: EventStore, index: RowIndex, path: Path
) -> None:
    """A sender whose event_id never changes costs as much as any other: time by what is new, not by what is there."""
    work = []
    for n in range(8):
        store.flush([store.event("1", record_id=f"r{n}-{i}") for i in range(300)])
        steps = count_steps(index)
        index.follow()
        work.append(steps())
    with reading(path) as rows:
        assert [r.record_id for r in rows.current(ALL, None, 10)] == ["r0-0"]
    assert max(work[4:]) < 1.5 * max(work[1:4])


def count_steps(index: RowIndex) -> Callable[[], int]:
    """Return what tells how many hundred steps SQLite has taken since."""
    counted = 0

    def another() -> int:
        nonlocal counted
        counted += 1
        return 0

    index._connection.set_progress_handler(another, 100)
    return lambda: counted


def moved_since(path: Path, mark: Mark) -> tuple[list[str | None], list[tuple[str, str]], Moved]:
    with reading(path) as rows:
        moved = rows.moved("high_entropy_alloy", "property", mark, 500)
    return ids(moved.heads), moved.gone, moved


def test_what_has_moved_since_a_mark_is_told(store: EventStore, index: RowIndex, path: Path) -> None:
    """New heads, corrected ones, ones that fell back to an older statement, and records that are gone or came back."""
    store.flush([store.event("a1", record_id="a"), store.event("b1", record_id="b"), store.event("p", stage="process")])
    index.follow()
    heads, gone, first = moved_since(path, Mark())
    assert (heads, gone, first.whole, first.done) == (["a1", "b1"], [], True, True)
    assert moved_since(path, first.mark)[:2] == ([], [])
    late = START + dt.timedelta(minutes=9)
    store.flush([store.event("b2", record_id="b"), store.event("a2", record_id="a", retracted=True)], ingest_time=late)
    index.follow()
    heads, gone, second = moved_since(path, first.mark)
    assert (heads, gone, second.whole) == (["b2"], [("kims", "a")], False)
    store.flush([store.event("b2", record_id="c")], ingest_time=START + dt.timedelta(minutes=1))
    store.flush([store.event("a3", record_id="a")], ingest_time=late + dt.timedelta(minutes=1))
    index.follow()
    heads, gone, third = moved_since(path, second.mark)
    assert (sorted(map(str, heads)), gone) == (["a3", "b1", "b2"], [])
    index.rebuild()
    again = moved_since(path, third.mark)[2]
    assert (again.whole, sorted(map(str, ids(again.heads)))) == (True, ["a3", "b1", "b2"])


def test_moved_heads_come_in_pages(store: EventStore, index: RowIndex, path: Path) -> None:
    """Each once, however many moved at one turn."""
    store.flush([store.event(f"e{n}") for n in range(5)])
    index.follow()
    seen, mark, done = [], Mark(), False
    while not done:
        with reading(path) as rows:
            moved = rows.moved("high_entropy_alloy", "property", mark, 2)
        seen += ids(moved.heads)
        mark, done = moved.mark, moved.done
    assert seen == [f"e{n}" for n in range(5)]


def test_an_index_of_an_older_layout_is_built_again(store: EventStore, path: Path) -> None:
    """Its tables are not those of today; what it says is made anew from the store."""
    store.flush([store.event("e1")])
    path.parent.mkdir(parents=True)
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE heads (id INTEGER PRIMARY KEY, place BLOB)")
    old.execute("CREATE TABLE state (table_id TEXT, table_uri TEXT, version INTEGER)")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    with closing(RowIndex(path, store.events_uri)) as index:
        assert index.follow().rebuilt
    with reading(path) as rows:
        assert ids(rows.current(ALL, None, 10)) == ["e1"]


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
        assert ids(rows.statements(KIMS, "r")) == ["e1", "e2"]


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
        assert ids(rows.statements(KIMS, "r1")) == ["e1", "e3"]
        assert ids(rows.events("kims", "e2")) == ["e2"]
        assert ids(rows.current(RecordFilter(sample_id="S-e2"), None, 10)) == ["e2"]
        assert [(r.owner, r.event_id) for r in rows.current(ALL, None, 10)] == [
            ("kims", "e2"),
            ("kist", "e1"),
            ("kims", "e3"),
        ]
        assert rows.homes("r1", ALL) == [KIMS]


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
