"""Typed records: accepted events in columns, each event_id once, following `events`."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import OtherFollower
from sojae.adapters.template_files import TemplateBook, load_templates, packaged_folder
from sojae.domain.errors import StoreError
from sojae.domain.store_columns import OWN
from sojae.domain.template import RecordsKey, Template
from sojae.ports import Position
from sojae_ingest.record_rows import TemplateGone
from sojae_ingest.records import COLUMNS, RecordsFollower, SecondStatement
from tests.builders import NOW, TOPIC_ID, book, events, framed, header, samples, template
from tests.fakes import EventsLog, FakeEventsTable

SECOND = dt.timedelta(seconds=1)
PROPERTY = RecordsKey("high_entropy_alloy", "property", 1)


class Store:
    """An events table in memory and a follower that writes records into a folder."""

    def __init__(self, folder: Path, log: EventsLog | None = None, templates: TemplateBook | None = None) -> None:
        self.folder = folder
        self.templates = templates or book()
        self.events = FakeEventsTable(log)
        self.follower = self.another()
        self._offset = 0

    def another(self) -> RecordsFollower:
        """Return another process's follower."""
        table = FakeEventsTable(self.events.log)
        return RecordsFollower(table, str(self.folder), lambda: self.templates, FastavroDecoder(lambda: self.templates))

    def event(self, of: Template | None = None, values: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
        """Return an accepted row of `events`; header fields, status and place are given by name."""
        of = of or template()
        own = {
            k: given.pop(k)
            for k in ("status", "issues", "grade", "ingest_time", "offset", "topic_id", "partition")
            if k in given
        }
        head = header(self._offset, **{"template_version": of.key.version, **given})
        row = {
            **head,
            "offset": self._offset,
            "ingest_time": NOW + self._offset * SECOND,
            "project": of.key.project,
            "stage": of.key.stage,
        }
        self._offset += 1
        return row | {"raw": framed(of, values, head), "schema_sha256": of.sha256} | own

    def add(self, *rows: dict[str, Any]) -> "Store":
        self._positions = getattr(self, "_positions", -1) + 1
        self.events.append(events(rows), [Position("p", 0, self._positions)])
        return self

    def records(self, key: RecordsKey = PROPERTY) -> list[dict[str, Any]]:
        table = PinnedTable.open(key.uri(str(self.folder)))
        assert table is not None
        return sorted(table.read().to_pylist(), key=lambda r: (r["ingest_time"], r["offset"]))

    def ids(self, key: RecordsKey = PROPERTY) -> list[str]:
        return [r["event_id"] for r in self.records(key)]


def step(follower: RecordsFollower) -> tuple[int, list[tuple[str, str, str, int, int]]]:
    """Return the rows written, and the (institute, event_id, place) of statements that repeated an event_id."""
    told: list[SecondStatement] = []
    written = follower.step(told.extend)
    return written, [
        (str(t.header["institute"]), str(t.header["event_id"]), t.topic_id, t.partition, t.offset) for t in told
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_record_holds_header_place_findings_and_values(store: Store) -> None:
    """Flat, under their own names, in the template's units."""
    issue = {"rule": "warn_range", "field": "density", "severity": "warn", "got": "1", "expected": "2"}
    store.add(store.event(standard="ISO 6892-1", parents=["p"], issues=[issue], offset=5))
    assert step(store.follower) == (1, [])
    (got,) = store.records()
    assert (got["event_id"], got["sample_id"], got["parents"], got["standard"]) == (
        "event-0",
        "시료-12",
        ["p"],
        "ISO 6892-1",
    )
    assert (got["topic_id"], got["partition"], got["offset"], got["ingest_time"]) == (TOPIC_ID, 0, 5, NOW)
    assert (got["issues"], got["grade"]) == ([issue], "B")
    assert {k: got[k] for k in samples(template())[0]} == samples(template())[0]
    assert got["creep_stress"] is None


def test_the_grade_is_that_of_header_and_findings(store: Store) -> None:
    """A required value that is missing takes the standard's grade away."""
    missing = {"rule": "required", "field": "x", "severity": "warn", "got": None, "expected": "Cel"}
    store.add(store.event(standard="ISO", issues=[missing], references=["10.1/x"]), store.event())
    step(store.follower)
    assert [r["grade"] for r in store.records()] == ["C", "D"]


def test_the_grade_that_an_event_was_accepted_with_is_kept(store: Store) -> None:
    """As its findings are; a row of a table that had none yet is graded when it becomes a record."""
    store.add(store.event(grade="A"), store.event(grade=None, standard="ISO"))
    step(store.follower)
    assert [r["grade"] for r in store.records()] == ["A", "B"]


@pytest.mark.parametrize("status", ["quarantined", "duplicate"])
def test_only_accepted_events_become_records(store: Store, status: str) -> None:
    """The others stay in `events`."""
    store.add(store.event(), store.event(status=status))
    assert step(store.follower)[0] == 1
    assert store.ids() == ["event-0"]


def test_every_stage_has_a_table(store: Store, tmp_path: Path) -> None:
    """By project, stage and major version, made before the first event."""
    cell = template("ceramic_electrode", "process")
    store.add(store.event(), store.event(cell))
    step(store.follower)
    assert store.ids() == ["event-0"]
    assert store.ids(RecordsKey("ceramic_electrode", "process", 1)) == ["event-1"]
    assert store.ids(RecordsKey("high_entropy_alloy", "raw", 1)) == []
    assert len(list(tmp_path.glob("records/*/*/1"))) == 32


def test_following_goes_on_where_it_ended(store: Store) -> None:
    """Nothing is written twice, by this process or by the next."""
    store.add(store.event())
    assert step(store.follower) == (1, [])
    assert step(store.follower) == (0, [])
    store.add(store.event())
    assert step(store.another()) == (1, [])
    assert store.ids() == ["event-0", "event-1"]
    assert step(store.follower) == (0, [])
    assert store.follower.progress == 2


def test_versions_without_a_table_s_rows_are_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tables stand still while one grows: each step would read everything from the beginning."""
    store.add(store.event())
    step(store.follower)
    read: list[int] = []
    changes = FakeEventsTable.changes

    def noted(table: FakeEventsTable, after: int, *more: Any) -> Any:
        read.append(after)
        return changes(table, after, *more)

    monkeypatch.setattr(FakeEventsTable, "changes", noted)
    store.add(store.event())
    step(store.follower)
    assert read == [1]


def test_two_processes_do_not_write_twice(store: Store) -> None:
    """The first commit wins, the other is refused."""
    other = store.another()
    store.add(store.event())
    other._open_tables()
    for table in other._tables.values():
        table.included()
    step(store.follower)
    rows = store.events.changes(0, 1, COLUMNS).to_pylist()
    with pytest.raises(OtherFollower):
        other._add(PROPERTY, rows, 1, lambda _: None)
    assert store.ids() == ["event-0"]
    assert step(other) == (0, [])


def test_an_event_id_is_kept_once_the_first_in_the_order(store: Store) -> None:
    """Another producer of the institute used it again: the second is told."""
    store.add(store.event(event_id="e", sample_id="first"), store.event(event_id="e", sample_id="second"))
    written, seconds = step(store.follower)
    assert (written, seconds) == (1, [("kims", "e", TOPIC_ID, 0, 1)])
    assert [r["sample_id"] for r in store.records()] == ["first"]


def test_an_event_id_of_an_earlier_flush_is_kept(store: Store) -> None:
    """Looked up in the table, not in the flush."""
    store.add(store.event(event_id="e", sample_id="first"))
    step(store.follower)
    store.add(store.event(event_id="e", sample_id="second"), store.event())
    assert step(store.follower) == (1, [("kims", "e", TOPIC_ID, 0, 1)])
    assert [r["sample_id"] for r in store.records()] == ["first", "시료-12"]


def test_an_event_id_is_a_stage_s_own(store: Store) -> None:
    """A furnace may name what it says of composition and process of a run alike."""
    cell = template("high_entropy_alloy", "process")
    store.add(store.event(event_id="run-12"), store.event(cell, event_id="run-12"))
    assert step(store.follower) == (2, [])
    assert store.ids() == store.ids(RecordsKey("high_entropy_alloy", "process", 1)) == ["run-12"]


def test_an_event_id_is_an_institute_s_own(store: Store) -> None:
    """Two institutes may use one id."""
    rows = [store.event(event_id="e"), store.event(event_id="e", institute="pnu", producer="pnu/x")]
    store.add(*rows)
    assert step(store.follower) == (2, [])


def test_a_statement_with_an_earlier_place_replaces_the_stored_one(store: Store) -> None:
    """A repaired event keeps its original's place, and may come later."""
    store.add(store.event(event_id="e", sample_id="late"), store.event(event_id="other"))
    step(store.follower)
    earlier = store.event(event_id="e", sample_id="early", ingest_time=NOW - SECOND)
    store.add(earlier, store.event(event_id="new"))
    assert step(store.follower)[0] == 2
    assert [(r["event_id"], r["sample_id"]) for r in store.records()] == [
        ("e", "early"),
        ("other", "시료-12"),
        ("new", "시료-12"),
    ]


def test_a_rebuilt_table_is_the_same(store: Store, tmp_path: Path) -> None:
    """Followed flush by flush, or from the beginning in one go."""
    for n in range(3):
        store.add(store.event(event_id="e"), store.event(), store.event(status="quarantined", event_id=f"q{n}"))
        step(store.follower)
    rebuilt = Store(tmp_path / "again", store.events.log)
    step(rebuilt.follower)
    assert rebuilt.records() == store.records()


def test_an_event_that_cannot_be_decoded_is_waited_for(store: Store) -> None:
    """Nothing of its table is committed, so nothing is left out for good; the other tables go on."""
    raw = RecordsKey("high_entropy_alloy", "raw", 1)
    junk = store.event() | {"raw": b"\x00\x00\x00\x00\x01junk", "schema_sha256": "ab" * 32}
    store.add(junk, store.event(), store.event(template("high_entropy_alloy", "raw")))
    with pytest.raises(TemplateGone, match="put its template back"):
        step(store.follower)
    assert (store.ids(), store.ids(raw), store.follower.progress) == ([], ["event-2"], 0)


def test_a_template_that_comes_later_is_waited_for(store: Store, tmp_path: Path) -> None:
    """Two processes read the template folder some seconds apart."""
    old, new = store.templates, newer(tmp_path / "templates")
    raw = RecordsKey("high_entropy_alloy", "raw", 1)
    store.add(store.event(new.get("high_entropy_alloy", "raw", "1.1"), {"moisture": 0.5}))
    store.templates = old
    with pytest.raises(StoreError):
        step(store.follower)
    store.templates = new
    assert step(store.follower) == (1, [])
    assert [r["moisture"] for r in store.records(raw)] == [0.5]


def test_a_template_that_is_gone_is_read_from_the_store(store: Store, tmp_path: Path) -> None:
    """Its schema was kept when it was first used: records can be built again, with all their fields."""
    old, store.templates = store.templates, newer(tmp_path / "templates")
    raw = RecordsKey("high_entropy_alloy", "raw", 1)
    of = store.templates.get("high_entropy_alloy", "raw", "1.1")
    store.add(store.event(of, {"moisture": 0.5}))
    step(store.follower)
    before = store.records(raw)
    assert (tmp_path / "schemas" / f"{of.sha256}.json").is_file()
    store.templates = old
    for oldest in (0, 1):
        store.events.log.oldest = oldest
        shutil.rmtree(tmp_path / "records")
        assert step(store.another()) == (1, [])
        (again,) = store.records(raw)
        assert again == before[0]


def test_records_are_built_anew_when_the_log_was_cleaned_up(store: Store, tmp_path: Path) -> None:
    """From all rows, each event_id once, the first in the order: equal to what was followed, and followed on."""
    for n in range(3):
        store.add(store.event(event_id="e"), store.event(), store.event(status="quarantined", event_id=f"q{n}"))
    step(store.follower)
    rebuilt = Store(tmp_path / "again", store.events.log)
    store.events.log.oldest = 3
    written, seconds = step(rebuilt.follower)
    assert (written, len(seconds), rebuilt.follower.progress) == (4, 2, 3)
    assert rebuilt.records() == store.records()
    store.add(store.event())
    assert step(rebuilt.follower) == (1, [])


def test_a_failure_while_records_are_built_anew_leaves_nothing(store: Store) -> None:
    """One commit or none."""
    store.add(store.event(), store.event(), store.event() | {"raw": b"junk", "schema_sha256": "ab" * 32})
    store.events.log.oldest = 1
    with pytest.raises(TemplateGone):
        step(store.follower)
    assert (store.ids(), store.follower.progress) == ([], -1)


def test_a_new_template_does_not_drag_the_others_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table alone is built from all rows; the others go on from where they are."""
    both = store.templates
    store.templates = TemplateBook(t for t in both if t.key.stage == "property")
    store.add(store.event())
    step(store.follower)
    store.add(store.event())
    store.templates, store.events.log.oldest = both, 2
    read: list[int] = []
    feed = FakeEventsTable.changes

    def noted(table: FakeEventsTable, after: int, *more: Any) -> Any:
        read.append(after)
        return feed(table, after, *more)

    monkeypatch.setattr(FakeEventsTable, "changes", noted)
    assert step(store.follower) == (1, [])
    assert (sorted(read), store.ids(), store.follower.progress) == ([-1, 1], ["event-0", "event-1"], 2)


def test_a_restart_without_news_knows_its_progress(store: Store) -> None:
    """What was stored before a crash can be shown without waiting for the next event."""
    store.add(store.event())
    step(store.follower)
    again = store.another()
    step(again)
    assert (again.progress, again.complete_to("high_entropy_alloy"), again.complete_to("nobody")) == (1, 1, -1)


def test_a_records_table_that_was_deleted_is_built_anew_while_running(store: Store, tmp_path: Path) -> None:
    """Without a restart."""
    store.add(store.event())
    step(store.follower)
    shutil.rmtree(tmp_path / "records" / "high_entropy_alloy" / "property")
    assert step(store.follower) == (1, [])
    assert store.ids() == ["event-0"]


def newer(folder: Path) -> TemplateBook:
    """Return the templates with a minor version that has one more field."""
    source = json.loads((packaged_folder() / "high_entropy_alloy/raw/1.0.avsc").read_text(encoding="utf-8"))
    more = {"name": "moisture", "type": ["null", "double"], "default": None, "unit": "%{mass}"}
    path = folder / "high_entropy_alloy/raw/1.1.avsc"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(source | {"version": "1.1", "fields": [*source["fields"], more]}), encoding="utf-8")
    return load_templates(folder)


def test_a_new_minor_version_widens_its_table(store: Store, tmp_path: Path) -> None:
    """Without a restart: older records are null in the new column."""
    raw = RecordsKey("high_entropy_alloy", "raw", 1)
    old = store.templates.get("high_entropy_alloy", "raw", "1.0")
    store.add(store.event(old, {"purity": 99.0}))
    step(store.follower)
    store.templates = newer(tmp_path / "templates")
    new = store.templates.get("high_entropy_alloy", "raw", "1.1")
    store.add(store.event(new, {"purity": 98.0, "moisture": 0.5}), store.event(old, {"purity": 97.0}))
    assert step(store.follower) == (2, [])
    assert [(r["purity"], r["moisture"]) for r in store.records(raw)] == [(99.0, None), (98.0, 0.5), (97.0, None)]


def test_single_object_framing_is_followed_too(store: Store) -> None:
    """Raw bytes are kept as they came."""
    row = store.event()
    store.add(row | {"raw": FastavroEncoder(single_object=True).encode(template(), header(0), samples(template())[0])})
    assert step(store.follower)[0] == 1


def test_the_columns_are_the_same_whatever_comes(store: Store) -> None:
    """Header first, then the template's fields, then what ingest adds."""
    step(store.follower)
    table = PinnedTable.open(PROPERTY.uri(str(store.folder)))
    assert table is not None
    expected = [f.name for f in (*template().header_fields, *template().fields)] + [f.name for f in OWN]
    assert table.schema().names == expected


def test_without_templates_there_is_nothing_to_follow(tmp_path: Path) -> None:
    """And no progress to report."""
    store = Store(tmp_path, templates=TemplateBook([]))
    store.templates = TemplateBook([])
    assert step(store.follower) == (0, [])
    assert store.follower.progress == -1
