"""One class writes `events`, one telemetry, one module writes Delta tables: every other way would store a fenced writer's rows again."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.sources import modules, name_of, tree

DELTA = "sojae/adapters/delta.py"
EVENTS_TABLE = "sojae/adapters/events_table.py"
TELEMETRY_TABLE = "sojae/adapters/telemetry_table.py"
DERIVED_TABLE = "sojae/adapters/derived_table.py"


def where(found: Callable[[ast.AST], bool]) -> set[str]:
    """Return the files that hold a node of which `found` is true."""
    return {name_of(p) for p in modules() if any(found(n) for n in ast.walk(tree(p)))}


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and number of arguments of each method call; numpy's functions are no methods of a table."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if getattr(node.func.value, "id", None) == "np":
                continue
            yield node.func.attr, len(node.args) + len(node.keywords)


def named(name: str) -> Callable[[ast.AST], bool]:
    return lambda n: name in (getattr(n, "id", None), getattr(n, "attr", None), getattr(n, "name", None))


def test_one_module_writes_delta_tables() -> None:
    """Through pinned handles, with retries and positions."""
    assert where(named("write_deltalake")) == {DELTA}
    assert where(lambda n: isinstance(n, ast.ImportFrom) and n.module == "deltalake.writer") == set()


def test_no_table_is_changed_in_any_other_way() -> None:
    """A restore keeps positions, an expiry loses them, a merge or delete rewrites the truth."""
    for method in ("restore", "merge", "delete", "update", "alter"):
        found = {
            name_of(p) for p in modules() if "deltalake" in p.read_text(encoding="utf-8") and method in dict(calls(p))
        }
        assert found == set(), method
    forbidden = "delta.setTransactionRetentionDuration"
    assert {name_of(p) for p in modules() if forbidden in p.read_text(encoding="utf-8")} == {DELTA}


def test_one_class_writes_events_and_one_telemetry() -> None:
    """They alone make their tables; only they, by the class that keeps positions, and derived tables append to any."""
    assert where(named("create_or_open")) == {DELTA, EVENTS_TABLE, TELEMETRY_TABLE, DERIVED_TABLE}
    assert {name_of(p) for p in modules() if ("append", 2) in calls(p)} == {
        EVENTS_TABLE,
        DERIVED_TABLE,
        "sojae_ingest/flush.py",
        "sojae_ingest/telemetry_flush.py",
    }


def test_positions_of_partitions_are_named_in_one_place() -> None:
    """Two spellings of one position would be two positions."""
    assert where(lambda n: isinstance(n, ast.Constant) and str(n.value).startswith("ingest:")) == {EVENTS_TABLE}
    assert where(lambda n: isinstance(n, ast.Constant) and n.value == "follow:events") == {DERIVED_TABLE}


@pytest.mark.parametrize("table", ["DeltaEventsTable", "DeltaTelemetryTable"])
def test_only_ingest_makes_a_table_of_messages(table: str) -> None:
    """Others read it by version; a command takes a gap on an operator's word."""
    made = where(lambda n: isinstance(n, ast.Call) and getattr(n.func, "id", None) == table)
    assert made
    assert {name.split("/")[0] for name in made} <= {"sojae_ingest"}
