"""Datasets of a selection: as known at a moment, from whom, how good, how open; the same again, byte for byte."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.materials_source import EVERYTHING, dataset
from sojae.adapters.template_files import TemplateBook
from sojae.domain.built_from import BuiltFrom, read_built_from
from sojae.domain.errors import StoreError
from sojae.domain.selection import Selection
from sojae.ports import Position
from sojae_ingest.records import RecordsFollower
from tests.builders import NOW, book, events, framed, header, template
from tests.fakes import FakeEventsTable

PROJECT = "high_entropy_alloy"


class Store:
    """Records of one project, one event after another, a minute apart."""

    def __init__(self, folder: Path) -> None:
        self.uri = str(folder)
        self._events = FakeEventsTable()
        self._records = RecordsFollower(self._events, self.uri, book, FastavroDecoder(book))
        self._count = 0

    def add(self, stage: str = "property", **given: object) -> "Store":
        of, head = template(PROJECT, stage), header(self._count, **given)
        more = {"project": PROJECT, "stage": stage, "schema_sha256": of.sha256, "offset": self._count}
        times = {"ingest_time": self.minute(self._count)}
        self._events.append(
            events([{**head, **more, **times, "raw": framed(of, None, head)}]), [Position("id", 0, self._count)]
        )
        self._records.step(lambda _: None)
        self._count += 1
        return self

    def minute(self, number: int) -> dt.datetime:
        return NOW + dt.timedelta(minutes=number)

    def view(self, selection: Selection = EVERYTHING, again: BuiltFrom | None = None) -> pa.Table:
        return dataset(self.uri, book(), PROJECT, selection, again)

    def ids(self, **selection: object) -> list[str]:
        return list(self.view(Selection(**selection))["event_id"].to_pylist())  # type: ignore[arg-type]  # named by the test


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def test_a_dataset_is_what_was_known_at_a_moment(store: Store) -> None:
    """Neither later corrections nor later retractions count; a moment is included."""
    store.add(record_id="r", event_id="a").add(record_id="r", event_id="b").add(
        record_id="r", event_id="c", retracted=True
    )
    assert [store.ids(as_known_at=store.minute(n)) for n in (0, 1, 2)] == [["a"], ["b"], []]
    assert store.ids(as_known_at=store.minute(0) - dt.timedelta(microseconds=1)) == []


def test_what_a_specimen_is_made_of_is_as_known_then_too(store: Store) -> None:
    """A composition that came later is not joined."""
    store.add().add("composition", sample_id="시료-12")
    early, late = (store.view(Selection(as_known_at=store.minute(n))) for n in (0, 1))
    assert [v["composition_event"].to_pylist() for v in (early, late)] == [[None], ["event-1"]]


def test_a_dataset_is_of_chosen_origins_institutes_and_grades(store: Store) -> None:
    """Those of the measurement."""
    store.add(event_id="a", origin="literature", references=["10.1/x"])
    store.add(event_id="b", institute="pnu", standard="ISO 6892-1")
    assert store.ids(origins=frozenset({"literature"})) == ["a"]
    assert store.ids(institutes=frozenset({"pnu"})) == ["b"]
    assert store.ids(grades=frozenset({"A", "B"})) == ["b"]
    assert store.ids(grades=frozenset({"A", "B", "C"})) == ["a", "b"]


def test_a_dataset_is_at_least_so_open(store: Store) -> None:
    """By the row's disclosure, which is its records' strictest; without one it is its owner's."""
    store.add(event_id="a").add(event_id="b", disclosure="L3").add(event_id="c", disclosure="L5")
    assert store.ids(disclosure="L3") == ["b", "c"]
    assert store.ids(disclosure="L4") == ["c"]
    assert store.ids(disclosure="L0") == ["a", "b", "c"]


def test_what_is_under_embargo_can_be_left_out(store: Store) -> None:
    """The day of the embargo is free."""
    day = NOW.date()
    store.add(event_id="a", embargo_until=day).add(event_id="b", embargo_until=day + dt.timedelta(days=1)).add(
        event_id="c"
    )
    assert store.ids(free_on=day) == ["a", "c"]
    assert store.ids() == ["a", "b", "c"]


def test_a_dataset_is_byte_identical_when_asked_again(store: Store) -> None:
    """Whatever came since: it says what it was built from, and that is still there."""
    store.add().add("composition", sample_id="시료-12")
    selection = Selection(origins=frozenset({"experiment"}))
    first = store.view(selection)
    built = read_built_from(first.schema)
    assert built is not None
    assert as_bytes(store.view(selection)) == as_bytes(first)
    store.add().add("composition", sample_id="시료-12", record_id="event-1", event_id="later")
    assert as_bytes(store.view(selection)) != as_bytes(first)
    assert as_bytes(store.view(selection, built)) == as_bytes(first)


def test_a_dataset_is_asked_again_with_the_templates_that_it_had(store: Store) -> None:
    """They are kept in the store; what the store never saw is an error."""
    store.add()
    first = store.view()
    built = read_built_from(first.schema)
    assert built is not None
    only = BuiltFrom(built.events, {"property/1.0": built.templates["property/1.0"]}, {"property/1": 1})
    assert dataset(store.uri, TemplateBook([]), PROJECT, again=only).num_rows == 1
    with pytest.raises(StoreError, match=r"property/1\.0 are not what they were"):
        dataset(store.uri, book(), PROJECT, again=BuiltFrom(1, {"property/1.0": "ff" * 32}, {"property/1": 1}))


def test_a_project_without_records_has_an_empty_dataset(store: Store) -> None:
    """With its columns."""
    view = store.view()
    assert view.num_rows == 0
    assert "property__yield_strength" in view.column_names
