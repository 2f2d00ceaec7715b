"""Damaged tables: found by their log and their files, told from what is only not there."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from sojae.adapters.damage import damage_of, refuse_damaged_events, set_aside
from sojae.adapters.delta import PinnedTable
from sojae.domain.errors import StoreError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a table of three commits in a folder of its own."""
    place = tmp_path / "table"
    table = PinnedTable.create_or_open(str(place), pa.schema([("a", pa.int64())]))
    for n in range(3):
        table.append(pa.table({"a": [n]}), {"x": n})
    return place


def commit(folder: Path, version: int) -> Path:
    return folder / "_delta_log" / f"{version:020}.json"


def data_file(folder: Path) -> Path:
    return next(iter(sorted(folder.glob("*.parquet"))))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "garbage at the end": (lambda f: commit(f, 3).write_text("garbage"), "cannot be read"),
    "garbage at the beginning": (lambda f: commit(f, 0).write_bytes(b"\xff\x00"), "cannot be read"),
    "a commit is gone": (lambda f: commit(f, 2).unlink(), "cannot be read"),
    "the log is gone": (lambda f: shutil.rmtree(f / "_delta_log"), "is gone"),
    "a file is gone": (lambda f: data_file(f).unlink(), "is missing"),
    "a file is cut": (lambda f: data_file(f).write_bytes(b"PAR1"), "has 4 of"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_found_and_named(folder: Path, kind: str) -> None:
    """In one line."""
    damage, said = DAMAGES[kind]
    assert damage_of(str(folder)) is None
    damage(folder)
    fault = damage_of(str(folder))
    assert fault is not None
    assert said in fault
    assert len(fault.splitlines()) == 1


def test_what_is_not_there_is_not_damaged(tmp_path: Path) -> None:
    """Neither no folder, nor an empty one, nor what lies in an object store."""
    (tmp_path / "empty").mkdir()
    assert [damage_of(str(tmp_path / name)) for name in ("none", "empty")] == [None, None]
    assert damage_of("s3://bucket/store/events") is None


def test_a_file_s_uri_is_a_folder(folder: Path) -> None:
    """A store may be named so."""
    data_file(folder).unlink()
    assert damage_of(folder.as_uri()) is not None


def test_what_is_set_aside_can_be_looked_at(folder: Path) -> None:
    """Its place is free."""
    aside = set_aside(str(folder))
    assert not folder.exists()
    assert (aside.parent, aside.name.startswith("table.broken-")) == (folder.parent, True)
    assert commit(aside, 0).is_file()


def test_damaged_events_are_an_error_that_says_what_can_be_done(folder: Path) -> None:
    """Nothing is moved: they are the truth."""
    refuse_damaged_events(str(folder))
    commit(folder, 3).write_text("garbage")
    with pytest.raises(StoreError) as refused:
        refuse_damaged_events(str(folder))
    said = refused.value.text.en
    assert [word in said for word in (str(folder), "backup", "Kafka", "sojae fresh")] == [True] * 4
    assert commit(folder, 0).is_file()
