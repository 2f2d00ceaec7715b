"""The hourly care of a whole store, beside flushes and followers; see test_maintenance.py for what it does to one table."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import DeltaEventsTable
from sojae.domain.errors import CommitRefused
from sojae.ports import Position
from sojae_ingest import maintenance as module
from sojae_ingest.ledger_table import LedgerTable, ledger_uri, read_accounts
from sojae_ingest.maintenance import RETENTION_HOURS, Maintenance, drop_superseded
from tests.builders import NOW, book, events, header


def row(seq: int, **given: object) -> dict[str, object]:
    return header(seq, **given) | {"status": "accepted", "issues": [], "ingest_time": NOW, "message_key": None}


def opened(uri: str) -> PinnedTable:
    table = PinnedTable.open(uri)
    assert table is not None
    return table


def test_care_joins_files_and_changes_nothing(tmp_path: Path) -> None:
    """Rows, positions and what followers read stay as they are; flushes go on through a handle from before."""
    table = DeltaEventsTable(str(tmp_path))
    for n in range(4):
        table.append(events([header(n) | {"offset": n}]), [Position("id", 0, n)])
    Maintenance(str(tmp_path), book).care()
    assert len(opened(str(tmp_path / "events")).handle.file_uris()) == 1
    table.append(events([header(4) | {"offset": 4}]), [Position("id", 0, 4)])
    assert [r["offset"] for r in table.changes(-1, table.refresh(), ["offset"]).to_pylist()] == [0, 1, 2, 3, 4]
    assert table.stored("id", 0) == 4


def test_care_of_an_empty_store_does_nothing(tmp_path: Path) -> None:
    """There may be no table yet."""
    Maintenance(str(tmp_path), book).care()
    assert list(tmp_path.iterdir()) == []


def ledger(folder: Path) -> LedgerTable:
    one = LedgerTable(str(folder))
    one.add([row(0), row(0, epoch=2)], 1)
    one.add([row(1)], 2)
    one.add([row(2)], 3)
    return one


def test_an_account_that_changes_meanwhile_is_not_lost(tmp_path: Path) -> None:
    """Either the care is refused, or the new row stays beside what it kept."""
    one = ledger(tmp_path)
    table = opened(ledger_uri(str(tmp_path)))
    one.add([row(9)], 4)
    with suppress(CommitRefused):
        drop_superseded(table)
    accounts = read_accounts(opened(ledger_uri(str(tmp_path))).read())
    assert accounts["kims", "kims/furnace-1", 1].seen.ranges() == [(0, 2), (9, 9)]


def test_files_that_no_version_needs_are_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of derived tables, when they are older than any reader's version; the truth loses none."""
    table = DeltaEventsTable(str(tmp_path))
    for n in range(3):
        table.append(events([header(n) | {"offset": n}]), [Position("id", 0, n)])
    ledger(tmp_path)
    care = Maintenance(str(tmp_path), book)
    care.care()

    def files(name: str) -> int:
        return len(list((tmp_path / name).rglob("*.parquet")))

    assert (files("events"), files("ledger")) == (4, 4)
    freed: list[str] = []
    vacuum = PinnedTable.vacuum

    def at_once(one: PinnedTable, _hours: int) -> int:
        freed.append(Path(one.handle.table_uri).name)
        return len(one.handle.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False))

    monkeypatch.setattr(PinnedTable, "vacuum", at_once)
    care.care()
    assert (freed, files("events"), files("ledger")) == (["ledger"], 4, 1)
    assert vacuum(opened(ledger_uri(str(tmp_path))), RETENTION_HOURS) == 0


def test_one_table_that_cannot_be_cared_for_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised: it waits for the next hour."""

    def broken(_table: PinnedTable) -> None:
        raise ValueError("unexpected")

    DeltaEventsTable(str(tmp_path))
    ledger(tmp_path)
    monkeypatch.setattr(PinnedTable, "compact", broken)
    Maintenance(str(tmp_path), book).care()
    assert opened(ledger_uri(str(tmp_path))).read().num_rows == 2


async def test_the_first_care_comes_soon_after_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is started again every half an hour would never care; then it is hourly."""
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.0)
    cared, stop = asyncio.Event(), asyncio.Event()
    care, loop = Maintenance(str(tmp_path), book), asyncio.get_running_loop()
    monkeypatch.setattr(care, "care", lambda: loop.call_soon_threadsafe(cared.set))
    running = asyncio.create_task(care.run(stop))
    await asyncio.wait_for(cared.wait(), 5)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert (module.EVERY_SECONDS, RETENTION_HOURS) == (3_600, 168)


async def test_care_ends_with_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not hold up the stop."""
    stop = asyncio.Event()
    care = Maintenance(str(tmp_path), book)
    monkeypatch.setattr(care, "care", lambda: pytest.fail("an hour has not passed"))
    running = asyncio.create_task(care.run(stop))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(running, 5)
