"""Derived tables that were damaged: set aside and built again from `events`, on real tables."""

import logging
from pathlib import Path
from typing import Any

import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import DeltaEventsTable
from sojae.domain.template import RecordsKey
from sojae.ports import Position
from sojae_ingest.following import steps
from sojae_ingest.ledger_table import LedgerTable, ledger_uri
from sojae_ingest.materials_table import MaterialsViews, materials_uri
from sojae_ingest.mending import Mending
from sojae_ingest.outcomes import COLUMNS
from sojae_ingest.records import RecordsFollower
from tests.builders import TOPIC_ID, book, events, framed, header, template

PROJECT = "high_entropy_alloy"
RECORDS = RecordsKey(PROJECT, "property", 1)


class Store:
    """A store with two events and everything that is derived from them."""

    def __init__(self, folder: Path) -> None:
        self.uri = str(folder)
        of, table = template(PROJECT, "property"), DeltaEventsTable(self.uri)
        for n in range(2):
            head = header(n)
            more = {"project": PROJECT, "stage": "property", "schema_sha256": of.sha256, "offset": n}
            table.append(events([{**head, **more, "raw": framed(of, None, head)}]), [Position(TOPIC_ID, 0, n)])
        self.mending = Mending(self.uri, book)
        self.open()
        self.follow()

    def open(self) -> None:
        """Begin as a new process does."""
        self._events = DeltaEventsTable(self.uri)
        self._ledger = LedgerTable(self.uri)
        self._records = RecordsFollower(DeltaEventsTable(self.uri), self.uri, book, FastavroDecoder(book))
        self._views = MaterialsViews(self.uri, book)

    def follow(self) -> None:
        for step in steps(self._events, self._ledger.included(), self._events.refresh(), COLUMNS):
            self._ledger.add(step.rows.to_pylist(), step.upto, anew=step.anew, complete=step.complete)
        self._records.step(lambda _: None)
        self._views.refresh(self._records.complete_to)

    def content(self) -> list[list[dict[str, Any]]]:
        """Return the rows of ledger, records and view, in an order of their own."""
        uris = (ledger_uri(self.uri), RECORDS.uri(self.uri), materials_uri(self.uri, PROJECT))
        tables = [PinnedTable.open(uri) for uri in uris]
        rows = [[] if t is None else t.read().to_pylist() for t in tables]
        return [sorted(found, key=lambda r: (r["events_version"] if "low_water" in r else 0, str(r))) for found in rows]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def damage(uri: str, kind: str) -> None:
    """Make the last commit of a table garbage, or take one of its files away."""
    log = sorted((Path(uri) / "_delta_log").glob("*.json"))
    if kind == "log":
        log[-1].write_text("garbage", encoding="utf-8")
    else:
        table = PinnedTable.open(uri)
        assert table is not None
        (Path(uri) / table.handle.get_add_actions(flatten=True)["path"].to_pylist()[0]).unlink()


@pytest.mark.parametrize(("kind", "restarted"), [("log", True), ("file", False)])
@pytest.mark.parametrize("what", ["ledger", "records", "materials"])
def test_a_damaged_table_is_built_again_with_equal_content(
    store: Store, what: str, kind: str, restarted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """By the next process as by the one that was running; one warning names both folders."""
    before = store.content()
    uri, follower = {
        "ledger": (ledger_uri(store.uri), "outcomes"),
        "records": (RECORDS.uri(store.uri), "records"),
        "materials": (materials_uri(store.uri, PROJECT), "records"),
    }[what]
    damage(uri, kind)
    with caplog.at_level(logging.WARNING, "sojae_ingest.mending"):
        assert store.mending.mend() == [follower]
    (said,) = [r.getMessage() for r in caplog.records if r.name == "sojae_ingest.mending"]
    assert uri in said
    assert ".broken-" in said
    if restarted:
        store.open()
    store.follow()
    assert [[_plain(row) for row in rows] for rows in store.content()] == [
        [_plain(row) for row in rows] for rows in before
    ]
    assert store.mending.mend() == []


def test_what_is_sound_stays(store: Store) -> None:
    """Nothing is moved without need."""
    before = sorted(path.name for path in Path(store.uri).rglob("*"))
    assert store.mending.mend() == []
    assert sorted(path.name for path in Path(store.uri).rglob("*")) == before


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without what says only when it was built: a ledger that is built again has one row an account."""
    return {name: value for name, value in row.items() if name != "events_version"}
