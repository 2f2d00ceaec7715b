"""Telemetry into its plant's table, exactly once: rows and positions in one commit, real Delta tables."""

import asyncio
import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from prometheus_client import CollectorRegistry

from sojae.adapters.delta import PinnedTable
from sojae.adapters.telemetry_codec import TelemetryDecoder
from sojae.adapters.telemetry_table import TELEMETRY_TABLE, DeltaTelemetryTable, date_of, plants_in, telemetry_uri
from sojae.domain.errors import CommitRefused, StateError
from sojae.ports import Message, Partition
from sojae_ingest.agent import IngestAgent, Pace
from sojae_ingest.flush import Flushed
from sojae_ingest.metrics import TelemetryMetrics
from sojae_ingest.telemetry_flush import TelemetryFlusher, TelemetryTables
from sojae_ingest.telemetry_intake import TelemetryIntake
from tests.builders import NOW, NOW_US
from tests.e2e.duck import connect, counts_by_status
from tests.fakes import Broker, FakeClock, FakeEventSource, chain
from tests.telemetry_messages import ASSET, BEGIN_US, series, telemetry

LIVE, HISTORY, OTHER = (Partition(f"sojae.{name}", 0) for name in ("telemetry.a1", "history.a1", "telemetry.b2"))
FAR_FUTURE_MS = 1_900_000_000_000


class Ingest:
    """A flusher with handles of its own on the tables of a store."""

    def __init__(self, store: Path) -> None:
        self.store = str(store)
        self.clock = FakeClock(NOW)
        self.tables = TelemetryTables(self.store)
        self.flusher = TelemetryFlusher(self.tables, TelemetryDecoder(), self.clock)

    def flush(self, start: int, *values: bytes | None, partition: Partition = LIVE, key: str = ASSET) -> Flushed:
        """Flush one chain of messages with offsets from `start` on."""
        sent = [message(value, start + n, partition, key=key) for n, value in enumerate(values)]
        return self.flusher.flush([chain(partition, start, sent, topic_id=f"id of {partition.topic}")])

    def rows(self, plant: str = "a1") -> pl.DataFrame:
        return pl.read_delta(telemetry_uri(self.store, plant)).sort("ingest_time", "topic_id", "partition", "offset")

    def found(self) -> list[tuple[str, list[str]]]:
        """Return status and rules of each row."""
        return [(r["status"], [i["rule"] for i in r["issues"]]) for r in self.rows().iter_rows(named=True)]


def message(value: bytes | None, offset: int, partition: Partition = LIVE, *, key: str = ASSET) -> Message:
    return Message(partition.topic, partition.number, offset, FAR_FUTURE_MS, key.encode(), value)


def test_a_message_is_a_row(tmp_path: Path) -> None:
    """With its position, its times, its samples and its bytes."""
    ingest = Ingest(tmp_path)
    value = telemetry(5, series=[series(quality=[(1, 2, 2)])])
    flushed = ingest.flush(0, value)
    assert (flushed.version, flushed.next_offsets, flushed.counts) == (1, {LIVE: 1}, {"accepted": 1})
    (row,) = ingest.rows().to_dicts()
    assert (row["topic"], row["topic_id"], row["partition"], row["offset"]) == (*LIVE[:1], f"id of {LIVE.topic}", 0, 0)
    assert (row["asset"], row["epoch"], row["seq"], row["dt"], row["samples"]) == (ASSET, 1, 5, 1e7, 3)
    assert int(row["t0"].timestamp() * 1_000_000) == BEGIN_US + 150_000_000
    assert row["series"] == [series(quality=[(1, 2, 2)])]
    assert (row["lane"], row["historical"], row["status"], row["issues"]) == ("live", False, "accepted", [])
    assert (row["ingest_time"], row["ingest_date"]) == (NOW, "2026-11-02")
    assert (row["raw"], row["message_key"]) == (value, ASSET.encode())


def test_the_table_is_divided_by_ingest_date_and_keeps_positions(tmp_path: Path) -> None:
    """Append only, with a change feed; another handle reads the position back."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0), telemetry(1))
    metadata = DeltaTelemetryTable(ingest.store, "a1")._table.handle.metadata()
    assert metadata.partition_columns == ["ingest_date"]
    assert metadata.configuration["delta.appendOnly"] == "true"
    assert DeltaTelemetryTable(ingest.store, "a1").stored(f"id of {LIVE.topic}", 0) == 1
    assert date_of(NOW_US) == "2026-11-02"


def test_bad_telemetry_is_kept_in_quarantine_without_samples(tmp_path: Path) -> None:
    """In the same table and commit; nobody computes with it unawares, and its bytes are whole."""
    ingest = Ingest(tmp_path)
    bad = [None, b"\x05nonsense", telemetry(1)[:-2], telemetry(2) + b"x", telemetry(3, dt=0.0), telemetry(4, t0=2**62)]
    flushed = ingest.flush(0, telemetry(0), *bad, telemetry(5))
    assert (flushed.version, flushed.counts) == (1, {"accepted": 2, "quarantined": 6})
    assert [rules for _, rules in ingest.found()] == [
        [], ["empty_message"], ["unframed"], ["undecodable"], ["trailing_bytes"], ["time_grid"], ["time_range"], [],
    ]  # fmt: skip
    rows = ingest.rows()
    quarantined = rows.filter(pl.col("status") == "quarantined")
    for name in ("t0", "dt", "times", "series", "marks", "samples"):
        assert quarantined[name].null_count() == 6, name
    assert rows["raw"].to_list() == [telemetry(0), *bad, telemetry(5)]
    assert rows["seq"].to_list() == [0, None, None, None, None, 3, 4, 5]


def test_duckdb_counts_what_is_stored(tmp_path: Path) -> None:
    """Another reader, other code."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, *(telemetry(n) for n in range(20)), telemetry(3), b"bad")
    uri = telemetry_uri(ingest.store, "a1")
    with connect() as duck:
        assert counts_by_status(duck, uri) == {"accepted": 20, "duplicate": 1, "quarantined": 1}
        values = f"SELECT unnest(series).values AS v FROM delta_scan('{uri}') WHERE status = 'accepted'"
        assert duck.execute(f"SELECT count(*), sum(list_sum(v)) FROM ({values})").fetchone() == (40, 20 * 69.0)


def test_the_envelope_is_looked_at_too(tmp_path: Path) -> None:
    """A key that is not the asset breaks the order; a clock that runs ahead is seen against the broker's."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0), key="kiln-2")
    ingest.flush(1, telemetry(1, t0=(FAR_FUTURE_MS + 86_400_001) * 1000))
    assert ingest.found() == [("accepted", ["asset_key"]), ("accepted", ["event_time_future"])]


def test_the_same_bytes_again_are_a_duplicate(tmp_path: Path) -> None:
    """In one flush, in a later one, and after a restart; quarantined messages take no number."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0), telemetry(0), telemetry(1, dt=0.0), telemetry(1))
    ingest.flush(4, telemetry(1), telemetry(2))
    Ingest(tmp_path).flush(6, telemetry(2), telemetry(3))
    assert [status for status, _ in ingest.found()] == [
        "accepted", "duplicate", "quarantined", "accepted", "duplicate", "accepted", "duplicate", "accepted",
    ]  # fmt: skip
    assert ingest.found()[1][1] == ["repeated_message"]


def test_other_bytes_under_a_number_are_never_dropped(tmp_path: Path) -> None:
    """Two senders that count as one: the second's samples are in quarantine, to be repaired."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0))
    ingest.flush(1, telemetry(0, dt=1.0), telemetry(0, epoch=2), telemetry(0, asset="kiln-2"))
    assert [status for status, _ in ingest.found()] == ["accepted", "quarantined", "accepted", "accepted"]
    assert ingest.found()[1][1] == ["sequence_conflict"]


def test_history_goes_into_the_same_table_with_a_position_of_its_own(tmp_path: Path) -> None:
    """The lane says which."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0))
    ingest.flush(0, telemetry(0, epoch=0, historical=True), partition=HISTORY)
    assert ingest.rows().select("lane", "historical", "offset").rows() == [("live", False, 0), ("history", True, 0)]
    ingest.tables.refresh()
    assert [ingest.tables.stored(f"id of {p.topic}", 0) for p in (LIVE, HISTORY, OTHER)] == [0, 0, None]


def test_a_zombie_s_commit_is_refused(tmp_path: Path) -> None:
    """A process that slept holds an old handle: the store has its rows once, and it places itself anew."""
    zombie, heir = Ingest(tmp_path), Ingest(tmp_path)
    zombie.flush(0, telemetry(0))
    heir.tables.refresh()
    heir.flush(1, telemetry(1), telemetry(2))
    with pytest.raises(CommitRefused):
        zombie.flush(1, telemetry(1))
    assert zombie.rows()["offset"].to_list() == [0, 1, 2]
    zombie.tables.refresh()
    again = zombie.flush(1, telemetry(1), telemetry(2), telemetry(3))
    assert (again.already_stored, again.next_offsets) == (2, {LIVE: 4})
    assert zombie.rows()["offset"].to_list() == [0, 1, 2, 3]


def test_a_refusal_at_one_plant_does_not_undo_another(tmp_path: Path) -> None:
    """Each table has its own commit; what is read again of the other is known to be stored."""
    zombie, heir = Ingest(tmp_path), Ingest(tmp_path)
    for ingest in (zombie, heir):
        assert ingest.tables["a1"].version == 0
    heir.flush(0, telemetry(0))
    chains = [chain(p, 0, [message(telemetry(0), 0, p)], topic_id=f"id of {p.topic}") for p in (LIVE, OTHER)]
    with pytest.raises(CommitRefused):
        zombie.flusher.flush(chains)
    zombie.tables.refresh()
    assert zombie.flusher.flush(chains).already_stored == 2
    assert (zombie.rows("a1").height, zombie.rows("b2").height) == (1, 1)


def test_a_chain_beyond_the_store_is_a_hole(tmp_path: Path) -> None:
    """It is dropped, to be read again."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0))
    flushed = ingest.flush(2, telemetry(2))
    assert (flushed.holes, flushed.next_offsets, ingest.rows().height) == ([LIVE], {}, 1)


def test_tables_that_others_made_are_found(tmp_path: Path) -> None:
    """A partition that comes from another process goes on where that one stopped."""
    here, there = Ingest(tmp_path), Ingest(tmp_path)
    assert here.tables.refresh() == 0
    there.flush(0, telemetry(0), telemetry(1), partition=OTHER)
    assert (here.tables.refresh(), here.tables.stored(f"id of {OTHER.topic}", 0)) == (1, 1)
    assert plants_in(str(tmp_path)) == ["b2"]


def test_a_number_is_known_after_small_files_were_joined(tmp_path: Path) -> None:
    """Compaction adds and takes no row."""
    ingest = Ingest(tmp_path)
    for n in range(3):
        ingest.flush(n, telemetry(n))
    table = PinnedTable.open(telemetry_uri(ingest.store, "a1"))
    assert table is not None
    table.compact()
    later = Ingest(tmp_path)
    later.flush(3, telemetry(1), telemetry(3))
    assert [status for status, _ in later.found()] == ["accepted"] * 3 + ["duplicate", "accepted"]


def test_the_ingest_time_never_goes_back(tmp_path: Path) -> None:
    """Whatever the clock does: it is the first of the one order."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0))
    ingest.clock.time = NOW - dt.timedelta(days=1)
    ingest.flush(1, telemetry(1))
    assert ingest.rows()["ingest_time"].to_list() == [NOW, NOW + dt.timedelta(microseconds=1)]


def test_columns_are_those_of_the_schema(tmp_path: Path) -> None:
    """Names and order."""
    ingest = Ingest(tmp_path)
    ingest.flush(0, telemetry(0))
    assert set(ingest.rows().columns) == set(TELEMETRY_TABLE.names)


AT_ONCE = Pace(rows=100, bytes=1_000_000, seconds=0.0, trickle_seconds=0.0)


class Process:
    """The agent of telemetry on a broker in memory and a real store, as the process runs it."""

    def __init__(self, store: Path, broker: Broker) -> None:
        self.source = FakeEventSource(broker)
        ingest = Ingest(store)
        self.agent = IngestAgent(
            self.source, ingest.tables, ingest.flusher, AT_ONCE, TelemetryMetrics(CollectorRegistry())
        )

    async def run(self) -> None:
        stop = asyncio.Event()
        self.source.idle = stop.set
        await self.agent.run(stop)


async def test_the_agent_stores_all_topics_of_a_plant_once(tmp_path: Path) -> None:
    """The same loop as for events: positions from the store, whatever the broker says."""
    broker = Broker()
    for topic in (LIVE.topic, HISTORY.topic, OTHER.topic):
        broker.create(topic, 2)
        for n in range(6):
            broker.send(topic, telemetry(n, asset=f"{topic}-{n % 2}"), key=f"{topic}-{n % 2}", partition=n % 2)
    await Process(tmp_path, broker).run()
    second = Process(tmp_path, broker)
    broker.send(LIVE.topic, telemetry(6, asset=f"{LIVE.topic}-0"), key=f"{LIVE.topic}-0")
    second.source.committed.clear()
    await second.run()
    rows = Ingest(tmp_path).rows
    assert (rows("a1").height, rows("b2").height) == (13, 6)
    assert rows("a1").unique(["topic", "partition", "offset"]).height == 13
    assert set(rows("a1")["status"]) == {"accepted"}
    assert second.source.committed[LIVE] == 4


class Failing:
    """An agent that ends with an alarm."""

    started = True

    async def run(self, _stop: asyncio.Event) -> None:
        raise StateError(en="a gap", ko="빈틈")


async def test_an_alarm_of_telemetry_is_told_and_tried_again(tmp_path: Path) -> None:
    """Events are taken in meanwhile; the process is not ready until it has gone well for a while."""
    broker, now, stop = Broker(), [0.0], asyncio.Event()
    made: list[Failing | Process] = []
    broker.create(LIVE.topic)
    broker.send(LIVE.topic, telemetry(0))
    registry = CollectorRegistry()

    def make() -> IngestAgent:
        made.append(Process(tmp_path, broker) if made else Failing())
        last = made[-1]
        if isinstance(last, Failing):
            return last  # type: ignore[return-value]  # it has what is asked of it
        last.source.idle = stop.set
        return last.agent

    intake = TelemetryIntake(make, TelemetryMetrics(registry), now=lambda: now[0], again_seconds=0.0)
    assert not intake.ready()
    await intake.run(stop)
    assert Ingest(tmp_path).rows().height == 1
    assert registry.get_sample_value("sojae_telemetry_failures_total") == 1
    assert not intake.ready()
    now[0] = 30.0
    assert intake.ready()
