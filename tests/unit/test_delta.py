"""Delta tables through pinned handles: fenced writers, positions that only grow, changes by version."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from sojae.adapters import snapshot as snapshots
from sojae.adapters.delta import COMMIT_VERSION, FORBIDDEN_CONFIGURATION, ChangesGone, PinnedTable, RangeTooLarge
from sojae.adapters.derived_table import EMPTY_COMMIT_EVERY, DerivedTable, OtherFollower
from sojae.adapters.snapshot import in_order, snapshot
from sojae.domain.errors import CommitRefused, StoreError
from sojae.ports import Bound

SCHEMA = pa.schema([("offset", pa.int64()), ("name", pa.string())])
FEED = {"delta.enableChangeDataFeed": "true"}
Make = Callable[..., PinnedTable]


@pytest.fixture
def table(tmp_path: Path) -> Make:
    """Return a function that opens the one table of the test through a handle of its own."""

    def make(**configuration: str) -> PinnedTable:
        return PinnedTable.create_or_open(str(tmp_path / "t"), SCHEMA, configuration={**FEED, **configuration})

    return make


def rows(*offsets: int, **more: list[object]) -> pa.Table:
    return pa.table({"offset": pa.array(offsets, pa.int64()), "name": [f"n{o}" for o in offsets], **more})


def content(one: PinnedTable) -> list[dict[str, Any]]:
    return sorted(one.read().to_pylist(), key=lambda r: int(r["offset"]))


def offsets(one: PinnedTable) -> list[int]:
    return [int(r["offset"]) for r in content(one)]


def test_rows_and_position_are_one_commit(table: Make) -> None:
    """The handle moves to it."""
    one = table()
    assert (one.version, one.position("app")) == (0, None)
    assert one.append(rows(1, 2), {"app": 2}) == one.version == 1
    assert (one.position("app"), offsets(one)) == (2, [1, 2])
    assert table().position("app") == 2


def test_opening_again_keeps_what_is_there(table: Make) -> None:
    """And its id."""
    one = table()
    one.append(rows(1), {"app": 1})
    again = table()
    assert (again.version, again.table_id, offsets(again)) == (1, one.table_id, [1])


def test_there_may_be_no_table_yet(tmp_path: Path) -> None:
    """Whoever only reads does not make one."""
    assert PinnedTable.open(str(tmp_path / "nowhere")) is None
    assert not (tmp_path / "nowhere" / "_delta_log").exists()


def test_a_handle_is_pinned_until_it_is_refreshed(table: Make) -> None:
    """What others write is not seen before."""
    one, other = table(), table()
    other.append(rows(1), {"app": 1})
    assert (one.version, one.position("app"), offsets(one)) == (0, None, [])
    assert (one.refresh(), one.position("app"), offsets(one)) == (1, 1, [1])


def test_a_writer_whose_position_was_moved_is_fenced(table: Make) -> None:
    """Even with a larger position, and nothing of it is stored."""
    zombie, owner = table(), table()
    owner.append(rows(1), {"app": 1})
    with pytest.raises(CommitRefused, match="another writer was first"):
        zombie.append(rows(1, 2), {"app": 2})
    assert offsets(table()) == [1]


def test_writers_of_different_positions_do_not_collide(table: Make) -> None:
    """Both commits stand."""
    one, other = table(), table()
    one.append(rows(1), {"a": 1})
    assert other.append(rows(2), {"b": 1}) == 2
    assert (other.position("a"), other.position("b"), offsets(other)) == (1, 1, [1, 2])


def test_one_moved_position_of_several_fences_the_whole_commit(table: Make) -> None:
    """A flush is stored whole or not at all."""
    one, other = table(), table()
    one.append(rows(1), {"a": 1})
    with pytest.raises(CommitRefused):
        other.append(rows(2), {"a": 1, "b": 1})
    assert table().position("b") is None


@pytest.mark.parametrize("position", [5, 4, 0])
def test_a_position_must_go_forward(table: Make, position: int) -> None:
    """The format itself would take a step back without a word."""
    one = table()
    one.append(rows(1), {"app": 5})
    with pytest.raises(StoreError, match=f"position of app would go from 5 to {position}") as refused:
        one.append(rows(2), {"app": position})
    assert not isinstance(refused.value, CommitRefused)
    assert (one.version, offsets(table())) == (1, [1])


def test_the_forbidden_setting_is_refused(table: Make) -> None:
    """With it positions would expire, and old messages be stored again."""
    with pytest.raises(StoreError, match=FORBIDDEN_CONFIGURATION):
        table(**{FORBIDDEN_CONFIGURATION: "interval 1 day"})


def changed(one: PinnedTable, after: int, upto: int) -> list[tuple[int, int]]:
    table = one.changes(after, upto, ["offset", COMMIT_VERSION])
    return [(r["offset"], r[COMMIT_VERSION]) for r in table.to_pylist()]


def test_changes_are_the_rows_of_a_range_of_versions(table: Make) -> None:
    """After the first, up to and including the last, in the one order, with the version each came with."""
    one = table()
    for n, some in enumerate([(2, 1), (4,), (3,)]):
        one.append(rows(*some), {"app": n})
    assert changed(one, -1, 3) == [(1, 1), (2, 1), (3, 3), (4, 2)]
    assert changed(one, 1, 3) == [(3, 3), (4, 2)]
    assert changed(one, 1, 2) == [(4, 2)]
    assert changed(one, 3, 3) == changed(one, 3, 2) == changed(one, -1, 0) == []


def test_changes_have_the_columns_asked_for(table: Make) -> None:
    """In the table's order; the version only when it is wanted."""
    one = table()
    one.append(rows(1), {"app": 1})
    assert one.changes(0, 1, ["name", "unknown"]).to_pylist() == [{"name": "n1"}]
    assert one.changes(0, 0, ["name", "offset"]).schema == SCHEMA


def test_a_compaction_adds_no_changes(table: Make) -> None:
    """And changes neither rows nor positions."""
    one = table()
    for n in range(4):
        one.append(rows(n), {"app": n})
    one.compact()
    one.refresh()
    assert one.version == 5
    assert (changed(one, 4, 5), len(changed(one, -1, 5)), offsets(one), one.position("app")) == ([], 4, [0, 1, 2, 3], 3)


def test_a_commit_without_rows_adds_no_changes(table: Make) -> None:
    """It only moves the position."""
    one = table()
    one.append(rows(1), {"app": 1})
    one.append(SCHEMA.empty_table(), {"app": 9})
    assert (changed(one, -1, 2), one.position("app")) == ([(1, 1)], 9)


def test_rows_are_replaced_by_predicate_and_position_together(table: Make) -> None:
    """The others stay; without a predicate none does."""
    one = table()
    one.append(rows(1, 2, 3), {"app": 1})
    one.replace(rows(2).set_column(1, "name", pa.array(["new"])), {"app": 2}, "offset = 2")
    assert [(r["offset"], r["name"]) for r in content(one)] == [(1, "n1"), (2, "new"), (3, "n3")]
    one.replace(rows(7), {"app": 3}, None)
    assert (offsets(one), one.position("app")) == ([7], 3)


def test_a_replacement_is_fenced_too(table: Make) -> None:
    """A follower that lost the race changes nothing."""
    one, other = table(), table()
    one.append(rows(1), {"app": 1})
    with pytest.raises(CommitRefused):
        other.replace(rows(2), {"app": 1}, None)
    assert offsets(table()) == [1]


def test_a_broken_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Rather than a trace of the library's."""
    path = tmp_path / "t"
    PinnedTable.create_or_open(str(path), SCHEMA)
    (path / "_delta_log" / "00000000000000000000.json").write_text("{broken")
    with pytest.raises(StoreError, match=str(path)):
        PinnedTable.open(str(path))


def test_files_that_are_gone_are_an_error(table: Make, tmp_path: Path) -> None:
    """It is the sign to rebuild what was derived."""
    one = table()
    one.append(rows(1), {"app": 1})
    for file in (tmp_path / "t").glob("*.parquet"):
        file.unlink()
    with pytest.raises(StoreError):
        one.changes(0, 1, ["offset"])


def test_a_range_beyond_the_bound_is_refused(table: Make) -> None:
    """By rows and by bytes; whoever asks takes fewer versions."""
    one = table()
    for n in range(3):
        one.append(rows(2 * n, 2 * n + 1), {"app": n})
    assert one.changes(0, 3, ["offset"], Bound(6, 1_000)).num_rows == 6
    for bound in (Bound(5, 1_000), Bound(6, 40)):
        with pytest.raises(RangeTooLarge):
            one.changes(0, 3, ["offset"], bound)


def cleaned_up(folder: Path, before: int) -> None:
    """Forget the commits before a version, as the log's clean-up does when they are 30 days old."""
    for version in range(before):
        (folder / "_delta_log" / f"{version:020}.json").unlink()


def test_a_log_that_was_cleaned_up_says_so(table: Make, tmp_path: Path) -> None:
    """Later versions can still be read; earlier ones are the sign to read a snapshot."""
    one = table()
    for n in range(4):
        one.append(rows(n), {"app": n})
    one.handle.create_checkpoint()
    cleaned_up(tmp_path / "t", 3)
    again = table()
    with pytest.raises(ChangesGone):
        again.changes(-1, 4, ["offset"])
    assert changed(again, 2, 4) == [(2, 3), (3, 4)]
    assert again.is_there()


PLACED = pa.schema(
    [
        ("ingest_time", pa.timestamp("us", tz="UTC")),
        ("topic_id", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("raw", pa.binary()),
    ]
)


def placed(*times: int, raw: bytes = b"x") -> pa.Table:
    """Return rows at these microseconds, the latest first, two partitions each."""
    many = [(t, "id", p, t, raw) for t in reversed(times) for p in (1, 0)]
    columns = [pa.array(list(c), f.type) for c, f in zip(zip(*many, strict=True), PLACED, strict=True)]
    return pa.table(columns, schema=PLACED)


def test_a_snapshot_is_all_rows_in_the_one_order_in_bounded_batches(tmp_path: Path) -> None:
    """By rows and by bytes; what one flush wrote is read together and divided."""
    one = PinnedTable.create_or_open(str(tmp_path / "p"), PLACED)
    one.append(placed(5, 1, 3), {"a": 1})
    one.append(placed(4, 2, raw=b"y" * 100), {"a": 2})
    expected = [(t, p) for t in (1, 2, 3, 4, 5) for p in (0, 1)]
    for bound, most in ((Bound(4, 10_000), 4), (Bound(1, 10_000), 1), (Bound(100, 150), 2), (Bound(100, 10_000), 10)):
        batches = list(snapshot(one.handle, ["offset", "partition", "ingest_time", "raw"], {}, bound))
        got = [(r["offset"], r["partition"]) for b in batches for r in b.to_pylist()]
        assert (got, max(b.num_rows for b in batches)) == (expected, most)
    (only,) = one.snapshot(["offset", "ingest_time", "topic_id", "partition"], {"topic_id": "id"})
    assert only.num_rows == 10
    assert list(one.snapshot(PLACED.names, {"topic_id": "another"})) == []


def test_more_bytes_than_one_array_holds_are_sorted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 64-bit offsets, in slices; the schema stays as it was."""
    monkeypatch.setattr(snapshots, "ONE_ARRAY_BYTES", 1)
    monkeypatch.setattr(snapshots, "SLICE_ROWS", 2)
    table = pa.concat_tables([placed(3, 2, raw=b"late"), placed(1, raw=b"early")])
    got = in_order(table)
    assert got.schema == PLACED
    assert [(r["offset"], r["partition"], r["raw"]) for r in got.to_pylist()] == [
        (1, 0, b"early"), (1, 1, b"early"), (2, 0, b"late"), (2, 1, b"late"), (3, 0, b"late"), (3, 1, b"late"),
    ]  # fmt: skip


@pytest.fixture
def derived(tmp_path: Path) -> Callable[[], DerivedTable]:
    """Return a function that opens the one derived table of the test."""
    return lambda: DerivedTable(str(tmp_path / "d"), SCHEMA)


def test_a_derived_table_remembers_what_it_has_included(derived: Callable[[], DerivedTable]) -> None:
    """In the same commit as the rows; −1 before the first."""
    one = derived()
    assert one.included() == -1
    assert one.add(rows(1, 2), 7) == 2
    assert (one.included(), derived().included()) == (7, 7)


def test_a_range_without_rows_is_looked_at_once(derived: Callable[[], DerivedTable]) -> None:
    """It is not committed, but this process does not read it again."""
    one = derived()
    one.add(rows(1), 0)
    assert one.add(rows(), 10) == 0
    assert (one.included(), one.table.version, derived().included()) == (10, 1, 0)
    assert one.add(rows(2), 11) == 1
    assert derived().included() == 11


def test_every_thousandth_version_is_committed_all_the_same(derived: Callable[[], DerivedTable]) -> None:
    """So that a restart does not read for hours."""
    assert EMPTY_COMMIT_EVERY == 1_000
    one = derived()
    one.add(rows(1), 0)
    one.add(rows(), EMPTY_COMMIT_EVERY - 1)
    assert derived().included() == 0
    one.add(rows(), EMPTY_COMMIT_EVERY)
    assert derived().included() == EMPTY_COMMIT_EVERY
    assert derived().table.read().num_rows == 1


def test_a_new_derived_table_counts_from_before_the_first_version(derived: Callable[[], DerivedTable]) -> None:
    """999 is the thousandth version."""
    derived().add(rows(), EMPTY_COMMIT_EVERY - 2)
    assert derived().included() == -1
    derived().add(rows(), EMPTY_COMMIT_EVERY - 1)
    assert derived().included() == EMPTY_COMMIT_EVERY - 1


def test_the_loser_of_a_race_is_refused(derived: Callable[[], DerivedTable]) -> None:
    """Two processes that follow for one table."""
    one, other = derived(), derived()
    one.add(rows(1), 3)
    with pytest.raises(OtherFollower):
        other.add(rows(1), 3)
    assert other.included() == 3


def test_a_table_that_was_only_cared_for_is_no_race(derived: Callable[[], DerivedTable]) -> None:
    """Nobody else has done the work: the same step is simply taken again."""
    one = derived()
    one.add(rows(1), 3)
    derived().table.replace(rows(1), {}, None)
    with pytest.raises(CommitRefused) as refused:
        one.replace(rows(2), 4, None)
    assert not isinstance(refused.value, OtherFollower)
    assert one.included() == 3
    one.replace(rows(2), 4, None)
    assert offsets(derived().table) == [2]


def test_a_table_deleted_under_its_handle_is_made_anew(derived: Callable[[], DerivedTable], tmp_path: Path) -> None:
    """It begins at the beginning, without a restart; so it does when somebody else has made it again."""
    one = derived()
    one.add(rows(1), 3)
    one.add(rows(), 5)
    shutil.rmtree(tmp_path / "d")
    assert one.included() == -1
    one.add(rows(1, 2), 6)
    one.add(rows(3), 7)
    shutil.rmtree(tmp_path / "d")
    derived().add(rows(9), 2)
    assert (one.included(), offsets(one.table)) == (2, [9])


def test_a_table_is_replaced_from_a_reader_in_one_commit(derived: Callable[[], DerivedTable]) -> None:
    """What the reader raises leaves the table as it was."""
    one = derived()
    one.add(rows(1), 1)

    def batches(*, broken: bool) -> Iterator[pa.RecordBatch]:
        yield from rows(5, 6).to_batches()
        if broken:
            raise ValueError("in the middle")
        yield from rows(7).to_batches()

    with pytest.raises(StoreError):
        one.replace(pa.RecordBatchReader.from_batches(SCHEMA, batches(broken=True)), 2, None)
    assert (derived().included(), offsets(derived().table)) == (1, [1])
    one.replace(pa.RecordBatchReader.from_batches(SCHEMA, batches(broken=False)), 2, None)
    assert (derived().included(), offsets(derived().table)) == (2, [5, 6, 7])


def test_missing_columns_are_null_and_new_ones_widen_the_table(derived: Callable[[], DerivedTable]) -> None:
    """A newer minor version of a template has more fields; older rows are null there."""
    one = derived()
    one.add(rows(1), 1)
    one.add(rows(2, extra=[2.5]), 2)
    one.add(rows(3).drop_columns(["name"]), 3)
    assert content(derived().table) == [
        {"offset": 1, "name": "n1", "extra": None},
        {"offset": 2, "name": "n2", "extra": 2.5},
        {"offset": 3, "name": None, "extra": None},
    ]


def test_a_replacement_may_widen_the_table(derived: Callable[[], DerivedTable]) -> None:
    """By predicate, and as a whole."""
    one = derived()
    one.add(rows(1, 2), 1)
    one.replace(rows(2, extra=[2.5]), 2, "offset = 2")
    assert content(one.table) == [{"offset": 1, "name": "n1", "extra": None}, {"offset": 2, "name": "n2", "extra": 2.5}]
    one.replace(pa.table({"other": [1]}), 3, None)
    assert (one.table.read().to_pylist(), one.included()) == ([{"other": 1}], 3)


def test_the_table_is_plain_delta_lake(table: Make, tmp_path: Path) -> None:
    """Other readers see the same."""
    table().append(rows(1), {"app": 1})
    assert DeltaTable(str(tmp_path / "t")).to_pyarrow_table().to_pylist() == [{"offset": 1, "name": "n1"}]
