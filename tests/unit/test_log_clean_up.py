"""A store whose log was cleaned up: whatever is derived from `events` can still be built, from a snapshot."""

from pathlib import Path

import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import DeltaEventsTable, events_uri
from sojae.domain.template import RecordsKey
from sojae.ports import Position
from sojae_ingest.following import steps
from sojae_ingest.ledger_table import LedgerTable, read_accounts
from sojae_ingest.outcomes import COLUMNS
from sojae_ingest.records import RecordsFollower
from sojae_ingest.seen import SQLiteSeen
from tests.builders import NOW, TOPIC_ID, book, events, framed, header, template

EVENTS = 7


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store with seven events, of whose log only the last two commits are left behind a checkpoint."""
    table, of = DeltaEventsTable(str(tmp_path)), template()
    for n in range(EVENTS):
        head = header(n)
        more = {"project": of.key.project, "stage": of.key.stage, "schema_sha256": of.sha256, "offset": n}
        table.append(events([{**head, **more, "raw": framed(of, None, head)}]), [Position(TOPIC_ID, 0, n)])
    whole = PinnedTable.open(events_uri(str(tmp_path)))
    assert whole is not None
    whole.handle.create_checkpoint()
    for version in range(EVENTS - 1):
        (tmp_path / "events" / "_delta_log" / f"{version:020}.json").unlink()
    return tmp_path


def test_a_new_process_learns_what_is_stored(store: Path) -> None:
    """Its first flush would otherwise fail for ever."""
    seen = SQLiteSeen(store / "seen.sqlite")
    seen.catch_up(DeltaEventsTable(str(store)))
    assert seen.version == EVENTS
    assert len(seen.sequences([("kims/furnace-1", 1, n) for n in range(EVENTS + 1)])) == EVENTS
    seen.close()


def test_records_are_built_anew(store: Path) -> None:
    """And are then followed as before."""
    follower = RecordsFollower(DeltaEventsTable(str(store)), str(store), book, FastavroDecoder(book))
    assert follower.step(lambda _: None) == EVENTS
    table = PinnedTable.open(RecordsKey("high_entropy_alloy", "property", 1).uri(str(store)))
    assert table is not None
    assert sorted(table.read()["event_id"].to_pylist()) == [f"event-{n}" for n in range(EVENTS)]
    assert (follower.progress, follower.step(lambda _: None)) == (EVENTS, 0)


def test_the_ledger_is_built_anew(store: Path) -> None:
    """Rows that it held before the clean-up are not counted twice."""
    ledger, table = LedgerTable(str(store)), DeltaEventsTable(str(store))
    ledger.included()
    ledger.add([header(0) | {"status": "accepted", "issues": [], "ingest_time": NOW}], 1)
    for step in steps(table, ledger.included(), table.version, COLUMNS):
        ledger.add(step.rows.to_pylist(), step.upto, anew=step.anew, complete=step.complete)
    whole = PinnedTable.open(str(store / "ledger"))
    assert whole is not None
    ((_, account),) = read_accounts(whole.read()).items()
    assert (account.seen.ranges(), account.counts["accepted"]) == ([(0, EVENTS - 1)], EVENTS)
    assert ledger.included() == EVENTS
