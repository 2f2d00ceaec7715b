"""A repaired event takes its original's place: from the flush through the index and the records to the materials."""

from pathlib import Path
from typing import Any

import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import DeltaEventsTable, events_uri
from sojae.adapters.materials_source import dataset
from sojae.adapters.row_index import RowIndex
from sojae.adapters.row_reads import Home, RowReader
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.domain.order import Place
from sojae.domain.selection import Selection
from sojae.domain.template import RecordsKey
from sojae.ports import Partition
from sojae_ingest.flush import Flusher
from sojae_ingest.records import RecordsFollower
from sojae_ingest.seen import SQLiteSeen
from tests.builders import NOW, TOPIC_ID, book, framed, header, message, samples, template
from tests.fakes import FakeClock, chain

PROJECT, TOPIC = "high_entropy_alloy", "sojae.events.kims"
KEY = ("kims", PROJECT, "property", "r")


class Store:
    """A store behind a flusher: every event is a flush of its own, a second after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.uri = folder, str(folder)
        self.table, self.clock = DeltaEventsTable(self.uri), FakeClock(NOW)
        self.seen = SQLiteSeen(folder / "seen.sqlite")
        decoder = FastavroDecoder(book)
        self.flusher = Flusher(self.table, self.seen, decoder, self.clock, schemas=StoredSchemas(self.uri))
        self.records = RecordsFollower(DeltaEventsTable(self.uri), self.uri, book, decoder)
        self._next = 0

    def send(self, strength: float, event_id: str, institute: str = "kims", **given: object) -> dict[str, Any]:
        """Flush one event about record r and return its row of `events`."""
        offset, self._next = self._next, self._next + 1
        head = header(offset, event_id=event_id, record_id="r", institute=institute, **given)
        values = samples(template())[0] | {"yield_strength": strength, "ultimate_tensile_strength": None}
        topic = f"sojae.events.{institute}"
        key = f"{institute}/furnace-1".encode()
        sent = message(framed(template(), values, head), offset, topic=topic, key=key)
        self.flusher.flush([chain(Partition(topic, 0), offset, [sent], topic_id=TOPIC_ID)])
        self.table.refresh()
        self.records.step(lambda _: None)
        whole = PinnedTable.open(events_uri(self.uri))
        assert whole is not None
        (row,) = [r for r in whole.read().to_pylist() if r["offset"] == offset]
        return dict(row)

    def strengths(self, selection: Selection = Selection()) -> list[float]:  # noqa: B008 - it never changes
        return list(dataset(self.uri, book(), PROJECT, selection)["property__yield_strength"].to_pylist())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


REFUSED, WRONG = -5.0, {"repairs": f"{TOPIC}/0/0"}


def found(row: dict[str, Any]) -> tuple[str, list[str]]:
    """Return status and hard findings."""
    return row["status"], [i["rule"] for i in row["issues"] if i["severity"] == "hard"]


def test_a_repaired_event_is_there_from_then_on(store: Store) -> None:
    """In its original's place, known since it came."""
    original = store.send(REFUSED, "a")
    assert found(original) == ("quarantined", ["hard_range"])
    repair = store.send(500.0, "a2", **WRONG)
    assert found(repair) == ("accepted", [])
    assert (repair["place_time"], repair["place_topic_id"], repair["place_partition"], repair["place_offset"]) == (
        original["ingest_time"],
        TOPIC_ID,
        0,
        0,
    )
    table = PinnedTable.open(RecordsKey(PROJECT, "property", 1).uri(store.uri))
    assert table is not None
    (row,) = table.read().to_pylist()
    assert (row["ingest_time"], row["offset"]) == (original["ingest_time"], 0)
    assert row["known_at"] == repair["ingest_time"] > original["ingest_time"]
    assert store.strengths() == [500.0]


def test_a_later_statement_stays_current(store: Store) -> None:
    """The correction came after the original: what mends the original does not come before it in the view, nor in the index."""
    store.send(REFUSED, "a")
    store.send(600.0, "b", content="B")
    store.send(500.0, "a2", content="A", **WRONG)
    assert store.strengths() == [600.0]
    store.seen.catch_up(store.table)
    assert store.seen.heads([KEY])[KEY].event_id == "b"
    again = SQLiteSeen(store.folder / "again.sqlite")
    again.catch_up(store.table)
    assert again.heads([KEY]) == store.seen.heads([KEY])
    assert found(store.send(600.0, "c", content="B")) == ("duplicate", [])
    again.close()


def test_rows_read_one_by_one_keep_the_same_order(store: Store, tmp_path: Path) -> None:
    """What is shown as current over HTTP is what the view holds."""
    store.send(REFUSED, "a")
    store.send(600.0, "b")
    store.send(500.0, "a2", **WRONG)
    index = RowIndex(tmp_path / "rows.sqlite", events_uri(store.uri))
    index.follow()
    reader = RowReader(tmp_path / "rows.sqlite")
    with reader.snapshot() as snapshot:
        statements = snapshot.statements(Home("kims", PROJECT, "property"), "r")
    assert [s.event_id for s in statements] == ["a2", "b"]
    reader.close()
    index.close()


def test_what_was_not_known_then_is_not_known_then(store: Store) -> None:
    """Though it stands in a place of before."""
    original = store.send(REFUSED, "a")
    repair = store.send(500.0, "a2", **WRONG)
    assert store.strengths(Selection(as_known_at=original["ingest_time"])) == []
    assert store.strengths(Selection(as_known_at=repair["ingest_time"])) == [500.0]


def test_only_what_is_in_quarantine_here_is_repaired(store: Store) -> None:
    """Not what was accepted, what is not there, or what another institute has sent; a reference has its form."""
    store.send(REFUSED, "a")
    store.send(600.0, "b")
    others = [f"{TOPIC}/0/1", f"{TOPIC}/0/7", f"{TOPIC}/1/0", "sojae.events.pnu/0/0", "nonsense", f"{TOPIC}/0/0/", ""]
    for number, reference in enumerate(others):
        assert found(store.send(500.0, f"a{number}", repairs=reference)) == ("quarantined", ["repairs_unknown"]), (
            reference
        )


def test_another_institute_s_message_is_not_repaired(store: Store) -> None:
    """What an institute writes, it says about itself alone."""
    assert found(store.send(REFUSED, "a", institute="pnu"))[0] == "quarantined"
    assert found(store.send(500.0, "b", repairs="sojae.events.pnu/0/0")) == ("quarantined", ["repairs_unknown"])


def test_a_message_is_repaired_once(store: Store) -> None:
    """What is said of the record later is a correction, and stands where it came."""
    store.send(REFUSED, "a")
    store.send(500.0, "a2", **WRONG)
    assert found(store.send(510.0, "a3", **WRONG)) == ("quarantined", ["repairs_unknown"])
    store.send(520.0, "a4")
    assert store.strengths() == [520.0]


def test_two_repairs_in_one_flush_are_told_apart(store: Store) -> None:
    """The first counts."""
    store.send(REFUSED, "a")
    store.seen.catch_up(store.table)
    heads = [header(n, event_id=f"r{n}", record_id="r", **WRONG) for n in (1, 2)]
    sent = [message(framed(template(), head=head), n) for n, head in enumerate(heads, start=1)]
    store.flusher.flush([chain(Partition(TOPIC, 0), 1, sent, topic_id=TOPIC_ID)])
    rows = store.table.changes(1, store.table.version, ["status", "place_offset"]).to_pylist()
    assert [(r["status"], r["place_offset"]) for r in rows] == [("accepted", 0), ("quarantined", None)]


def test_a_place_is_that_of_the_topic_s_last_incarnation(store: Store) -> None:
    """A topic that was made anew has the same offsets again."""
    first = store.send(REFUSED, "a")
    store.flusher.flush([chain(Partition(TOPIC, 0), 0, [message(b"nonsense", 0)], topic_id="another-incarnation-id")])
    (place,) = store.table.repairable([f"{TOPIC}/0/0"]).values()
    assert isinstance(place, Place)
    assert place.topic_id == "another-incarnation-id"
    assert place.ingest_time_us > first["ingest_time"].timestamp() * 1_000_000
