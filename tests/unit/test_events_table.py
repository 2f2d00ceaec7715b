"""The table `events` in Delta Lake, beyond what its port promises; see tests/contract/test_ports_contract.py."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from sojae.adapters import events_table as module
from sojae.adapters.delta import FORBIDDEN_CONFIGURATION, PinnedTable
from sojae.adapters.events_schema import EVENTS, NEAR_UNIQUE
from sojae.adapters.events_table import CONFIGURATION, DeltaEventsTable, app_id, events_uri, month_of
from sojae.domain.order import ORDER_COLUMNS, Place
from sojae.ports import Position, Stored
from tests.builders import events, header


@pytest.fixture
def table(tmp_path: Path) -> DeltaEventsTable:
    return DeltaEventsTable(str(tmp_path))


def test_the_table_lies_under_the_store(tmp_path: Path, table: DeltaEventsTable) -> None:
    """With or without a slash at the store's end."""
    assert events_uri("s3://bucket/store/") == events_uri("s3://bucket/store") == "s3://bucket/store/events"
    assert DeltaTable(str(tmp_path / "events")).version() == table.version == 0


def test_the_table_s_configuration_is_what_the_design_rests_on(tmp_path: Path, table: DeltaEventsTable) -> None:
    """A change feed for followers, append only, partitioned by month, positions that never expire."""
    metadata = DeltaTable(str(tmp_path / "events")).metadata()
    assert metadata.partition_columns == ["ingest_month"]
    assert metadata.configuration["delta.enableChangeDataFeed"] == "true"
    assert metadata.configuration["delta.appendOnly"] == "true"
    assert FORBIDDEN_CONFIGURATION not in metadata.configuration
    assert table.version == 0


def test_a_row_comes_back_as_it_was_written(tmp_path: Path, table: DeltaEventsTable) -> None:
    """Nested findings, maps, bytes and times."""
    issue = {"rule": "r", "field": None, "severity": "warn", "got": "1", "expected": "2"}
    rows = events(
        [header(0) | {"raw": b"\x00\xff", "issues": [issue], "message_headers": [("a", b"b")], "message_key": b"k"}]
    )
    table.append(rows, [Position("id", 0, 0)])
    (got,) = DeltaTable(str(tmp_path / "events")).to_pyarrow_table(columns=EVENTS.names).to_pylist()
    (expected,) = rows.to_pylist()
    assert got == expected


def test_positions_are_kept_by_topic_id_and_partition() -> None:
    """A topic that was made anew has positions of its own."""
    assert app_id("id", 3) == "ingest:id:3"
    assert len({app_id(t, p) for t in ("a", "b") for p in (0, 1, 10)}) == 6


def test_a_gap_is_accepted_by_moving_the_position_without_rows(table: DeltaEventsTable) -> None:
    """An operator takes the loss; reading goes on behind it."""
    table.append(events([header(0)]), [Position("id", 0, 0)])
    table.accept_gap("id", 0, 99)
    assert (table.stored("id", 0), table.changes(1, 2, ["offset"]).num_rows) == (99, 0)


def test_look_ups_are_made_in_parts(table: DeltaEventsTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flush may ask for more than one filter can hold."""
    monkeypatch.setattr(module, "MAX_LOOKUP", 2)
    table.append(events([header(n) for n in range(7)]), [Position("id", 0, 6)])
    keys = [("kims/furnace-1", 1, n) for n in (6, 0, 3, 99, 5)]
    found = table.sequences(keys)
    assert found == {k: Stored(f"event-{k[2]}", quarantined=False) for k in keys if k[2] != 99}
    assert table.sequences([]) == {}


def test_a_table_that_was_begun_without_grades_takes_them(tmp_path: Path) -> None:
    """Its older rows have none; the columns that a reader asks for are there."""
    older = pa.schema([f for f in EVENTS if f.name != "grade"])
    table = PinnedTable.create_or_open(
        events_uri(str(tmp_path)), older, partition_by=["ingest_month"], configuration=CONFIGURATION
    )
    table.append(events([{"event_id": "old"}]).drop_columns(["grade"]), {})
    newer = DeltaEventsTable(str(tmp_path))
    newer.append(events([{"event_id": "new", "grade": "A"}]), [])
    got = newer.changes(-1, newer.version, ["event_id", "grade"]).to_pylist()
    assert {row["event_id"]: row["grade"] for row in got} == {"old": None, "new": "A"}


def test_a_month_is_that_of_utc() -> None:
    """As the partition is named."""
    last = int(dt.datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=dt.UTC).timestamp() * 1_000_000)
    assert month_of([last, last + 1]) == ["2026-11", "2026-12"]


def test_columns_without_a_dictionary_are_the_table_s() -> None:
    """A mistyped name would have no effect."""
    assert set(NEAR_UNIQUE) <= set(EVENTS.names)


def test_the_one_order_is_that_of_places() -> None:
    """Columns and place say the same four things."""
    assert ORDER_COLUMNS == ("ingest_time", "topic_id", "partition", "offset")
    assert Place._fields == ("ingest_time_us", *ORDER_COLUMNS[1:])
