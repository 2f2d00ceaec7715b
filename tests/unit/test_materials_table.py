"""The views `materials/<project>`: refreshed from complete records, and stamped with what they hold."""

from pathlib import Path

import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import FOLLOWS
from sojae.adapters.template_files import TemplateBook
from sojae.domain.built_from import read_built_from
from sojae.domain.template import Template, parse_template
from sojae.ports import Position
from sojae_ingest.materials_table import MaterialsViews, materials_uri
from sojae_ingest.records import RecordsFollower
from tests.builders import book, events, framed, header, template
from tests.fakes import EventsLog, FakeEventsTable

PROJECT = "high_entropy_alloy"


class Process:
    """One process of several on a store."""

    def __init__(self, folder: Path, log: EventsLog, known: TemplateBook | None = None) -> None:
        self.known = known or book()
        self.records = RecordsFollower(
            FakeEventsTable(log), str(folder), lambda: self.known, FastavroDecoder(lambda: self.known)
        )
        self.views = MaterialsViews(str(folder), lambda: self.known)

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


def next_major() -> Template:
    """Return a second major of the property's template, which the yield strength says in GPa."""
    of = template(PROJECT, "property")
    fields = [dict(f) for f in of.schema["fields"]]  # type: ignore[attr-defined]  # a list in the schema
    for one in fields:
        if one["name"] in ("yield_strength", "ultimate_tensile_strength"):
            one |= {"unit": "GPa", "warn": None, "hard": None}
    return parse_template({**of.schema, "version": "2.0", "fields": fields}, "here.avsc")


def test_a_view_is_rebuilt_when_a_template_is_new(tmp_path: Path, log: EventsLog) -> None:
    """Without any event: its columns are the newest template's, and it says which templates it was built from."""
    add(log, 0)
    one = Process(tmp_path, log)
    one.follow()
    one.refresh()
    before = opened(tmp_path)
    one.known = TemplateBook([*book(), next_major()])
    one.follow()
    assert (one.refresh(), one.refresh()) == (1, 0)
    after = opened(tmp_path)
    (strength,) = after.read()["property__yield_strength"].to_pylist()
    assert strength == pytest.approx(before.read()["property__yield_strength"].to_pylist()[0] / 1000)
    built = read_built_from(after.schema())
    assert built is not None
    assert built.templates["property/2.0"] == next_major().sha256
    assert (built.events, after.position(FOLLOWS)) == (1, 1)


def test_a_restart_does_not_build_an_unchanged_view(tmp_path: Path, log: EventsLog) -> None:
    """It reads what the view was built from; another template is noticed after a restart too."""
    add(log, 0)
    one = Process(tmp_path, log)
    one.follow()
    one.refresh()
    again = Process(tmp_path, log)
    again.follow()
    assert again.refresh() == 0
    other = Process(tmp_path, log, TemplateBook([*book(), next_major()]))
    other.follow()
    assert other.refresh() == 1


def test_a_view_names_the_versions_of_its_records(tmp_path: Path, log: EventsLog) -> None:
    """They are needed to ask for the same dataset again."""
    add(log, 0)
    one = Process(tmp_path, log)
    one.follow()
    one.refresh()
    built = read_built_from(opened(tmp_path).schema())
    assert built is not None
    assert (built.events, built.records["property/1"]) == (1, 1)
    assert set(built.templates) == {"raw/1.0", "composition/1.0", "process/1.0", "property/1.0"}


def opened(folder: Path) -> PinnedTable:
    table = PinnedTable.open(materials_uri(str(folder), PROJECT))
    assert table is not None
    return table
