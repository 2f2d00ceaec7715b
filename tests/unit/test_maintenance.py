"""Hourly care: fewer files, the same rows, the same positions."""

from pathlib import Path

from sojae.adapters.delta import PinnedTable
from sojae.adapters.derived_table import FOLLOWS
from sojae_ingest.ledger_table import LEDGER, LedgerTable, ledger_uri, read_accounts
from sojae_ingest.maintenance import drop_superseded
from tests.builders import NOW


def _row(seq: int) -> dict[str, object]:
    named = {"institute": "kims", "producer": "kims/a", "epoch": 1, "seq": seq, "message_key": b"kims/a"}
    return named | {"status": "accepted", "issues": [], "ingest_time": NOW}


def test_superseded_rows_go_and_the_account_stays(tmp_path: Path) -> None:
    """Of each account the newest row stays, and so does the version of `events` that the ledger includes."""
    ledger = LedgerTable(str(tmp_path))
    for version in range(3):
        ledger.included()
        ledger.add([_row(version)], version)
    table = PinnedTable.open(ledger_uri(str(tmp_path)))
    assert table is not None
    before = read_accounts(table.read())
    assert drop_superseded(table) == 2
    assert table.read().num_rows == 1
    after = read_accounts(table.read())
    assert (list(after), after["kims", "kims/a", 1].seen) == (list(before), before["kims", "kims/a", 1].seen)
    assert table.position(FOLLOWS) == 2
    assert table.schema().names == LEDGER.names


def test_the_ledger_goes_on_after_the_care(tmp_path: Path) -> None:
    """A follower that was running when rows were dropped adds the next account to what is left."""
    ledger = LedgerTable(str(tmp_path))
    for version in range(2):
        ledger.included()
        ledger.add([_row(version)], version)
    table = PinnedTable.open(ledger_uri(str(tmp_path)))
    assert table is not None
    drop_superseded(table)
    assert ledger.included() == 1
    ledger.add([_row(2)], 2)
    table.refresh()
    assert read_accounts(table.read())["kims", "kims/a", 1].seen.low_water == 2


def test_compaction_joins_files_and_changes_nothing(tmp_path: Path) -> None:
    """Many small files become one; rows, positions and what a follower reads stay the same."""
    ledger = LedgerTable(str(tmp_path))
    for version in range(4):
        ledger.included()
        ledger.add([_row(version)], version)
    table = PinnedTable.open(ledger_uri(str(tmp_path)))
    assert table is not None
    rows, files = table.read().sort_by("events_version"), len(table.handle.file_uris())
    table.compact()
    table.refresh()
    assert files == 4
    assert len(table.handle.file_uris()) == 1
    assert table.read().sort_by("events_version") == rows
    assert table.position(FOLLOWS) == 3
