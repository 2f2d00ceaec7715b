"""The views `materials/<project>`: refreshed from complete records, and stamped with what they hold."""

from pathlib import Path

import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import FOLLOWS
from sojae.ports import Position
from sojae_ingest.materials_table import MaterialsViews, materials_uri
from sojae_ingest.records import RecordsFollower
from tests.builders import book, events, framed, header, template
from tests.fakes import EventsLog, FakeEventsTable

PROJECT = "high_entropy_alloy"


class Process:
    """One process of several on a store."""

    def __init__(self, folder: Path, log: EventsLog) -> None:
        self.records = RecordsFollower(FakeEventsTable(log), str(folder), book, FastavroDecoder(book))
        self.views = MaterialsViews(str(folder), book)

    def follow(self) -> None:
        self.records.step(lambda _: None)

    def refresh(self) -> int:
        return self.views.refresh(self.records.complete_to)


@pytest.fixture
def log() -> EventsLog:
    return EventsLog()


def add(log: EventsLog, seq: int) -> None:
    """Add an event of a property."""
    of, head = template(PROJECT, "property"), header(seq)
    more = {"project": PROJECT, "stage": "property", "schema_sha256": of.sha256, "offset": seq}
    FakeEventsTable(log).append(events([{**head, **more, "raw": framed(of, None, head)}]), [Position("id", 0, seq)])


def view(folder: Path) -> tuple[int, int | None, set[int]]:
    """Return rows, position and the versions that the rows name."""
    table = PinnedTable.open(materials_uri(str(folder), PROJECT))
    assert table is not None
    rows = table.read()
    return rows.num_rows, table.position(FOLLOWS), set(rows["events_version"].to_pylist())


def test_a_view_is_refreshed_when_its_records_have_moved(tmp_path: Path, log: EventsLog) -> None:
    """And only then."""
    one = Process(tmp_path, log)
    add(log, 0)
    one.follow()
    assert (one.refresh(), one.refresh(), view(tmp_path)) == (1, 0, (1, 1, {1}))
    add(log, 1)
    one.follow()
    assert (one.refresh(), view(tmp_path)) == (2, (2, 2, {2}))


def test_a_view_is_not_stamped_with_less_than_it_holds(tmp_path: Path, log: EventsLog) -> None:
    """Another process has brought the records further: the view waits until this one has looked at them."""
    one, other = Process(tmp_path, log), Process(tmp_path, log)
    add(log, 0)
    one.follow()
    add(log, 1)
    other.follow()
    assert (one.refresh(), PinnedTable.open(materials_uri(str(tmp_path), PROJECT))) == (0, None)
    one.follow()
    assert (one.refresh(), view(tmp_path)) == (2, (2, 2, {2}))


def test_a_view_is_finished_after_a_crash_before_it(tmp_path: Path, log: EventsLog) -> None:
    """The records were stored, the view was not: the next process does not wait for another event."""
    add(log, 0)
    Process(tmp_path, log).follow()
    again = Process(tmp_path, log)
    assert again.refresh() == 0
    again.follow()
    assert (again.refresh(), view(tmp_path)) == (1, (1, 1, {1}))
