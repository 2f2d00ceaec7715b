"""JSON Lines and Parquet files are imported as spreadsheets are."""

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from sojae.adapters.record_files import read_records
from sojae.adapters.spreadsheet import read_table
from sojae.cli.import_file import import_file
from sojae.domain.errors import SpreadsheetError

RECORDS = [
    {"sample_id": "시료-1", "composition": {"Co": 50.0, "Ni": 50.0}, "header": {"references": ["10.1000/182"], "event_time": "2026-11-02T09:30:00Z"}},
    {"sample_id": "시료-2", "composition": {"Fe": 1.0}, "formula": "Fe"},
]  # fmt: skip


def lines(path: Path, *rows: object) -> Path:
    path.write_text(
        "\n".join(r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8"
    )
    return path


def test_json_lines_become_rows(tmp_path: Path) -> None:
    """Maps have a column for each member, lists are texts, blank lines are none, numbers are those of the lines."""
    table = read_table(lines(tmp_path / "a.jsonl", RECORDS[0], "", {"on": True, "n": 3, "none": None, **RECORDS[1]}))
    assert [row.number for row in table.rows] == [1, 3]
    assert table.rows[0].cells["composition.Co"] == "50.0"
    assert table.rows[0].cells["header.references"] == "10.1000/182"
    assert {k: table.rows[1].cells.get(k) for k in ("on", "n", "none")} == {"on": "true", "n": "3", "none": None}


def test_a_parquet_file_becomes_rows(tmp_path: Path) -> None:
    """Times, numbers, structs and lists, as a data frame holds them."""
    path = tmp_path / "a.parquet"
    at = dt.datetime(2026, 1, 2, 3)  # noqa: DTZ001 - as frames hold them
    pl.DataFrame({"at": [at], "x": [1.5], "c": [{"Fe": 2.0}], "r": [["a", "b"]]}).write_parquet(path)
    (row,) = read_table(path).rows
    assert row.cells == {"at": "2026-01-02T03:00:00", "x": "1.5", "c.Fe": "2.0", "r": "a;b"}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_keys_of_a_template_need_no_mapping(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same keys as in a workbook."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    path = lines(tmp_path / "a.jsonl", *RECORDS)
    if kind == "parquet":
        pl.DataFrame(RECORDS).write_parquet(tmp_path / "a.parquet")
        path = tmp_path / "a.parquet"
    options = ["--template", "high_entropy_alloy/composition", "--institute", "kims", "--check", "--json"]
    run = CliRunner().invoke(import_file, [str(path), *options])
    told = json.loads(run.output)
    assert (told["sent"], told["accepted"], told["quarantined"], told["unread"]) == (2, 1, 1, 0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["{"], r"line 1: \{, expected one JSON object a line \(Expecting property name"),
        (["[1]", "[2]"], r"line 1: \[1\], expected"),
        (["", ""], "without records"),
        ([{f"f{n}": 1 for n in range(2_001)}], "more than 2000 fields"),
        (["[" * 100_000], "line 1: "),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, rows: list[object], said: str) -> None:
    """With the line, and what was expected."""
    with pytest.raises(SpreadsheetError, match=said):
        read_records(lines(tmp_path / "a.jsonl", *rows))


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ("[1]", "", "json"),
        ('{"a": 1, "a": 2}', "", "json"),
        (b"\xb0\xa1", "", "json"),
        ({"a": {"b": {"c": {"d": 1}}}}, "a.b.c", "nested"),
        ({"a": [[1]]}, "a", "nested"),
        ({"a": "x" * 1_000_001}, "a", "cell_length"),
    ],
)
def test_one_bad_record_stops_no_other(tmp_path: Path, row: object, column: str, rule: str) -> None:
    """A line that is no record is a fault of its row, a value too deep inside one of its cell."""
    path = lines(tmp_path / "a.jsonl", {"a": 1}, "", {"a": 3})
    whole = path.read_bytes().splitlines()
    whole[1] = row if isinstance(row, bytes) else (row if isinstance(row, str) else json.dumps(row)).encode()
    path.write_bytes(b"\n".join(whole))
    table = read_records(path)
    assert table is not None
    assert [{c: f.rule for c, f in row.faults.items()} for row in table.rows] == [{}, {column: rule}, {}]
    assert [row.cells.get("a") for row in table.rows] == ["1", None, "3"]


def test_maps_of_maps_and_lists_keep_their_names_and_items(tmp_path: Path) -> None:
    """A header in its own map, a DOI with a semicolon, a map as Parquet holds one."""
    doi = "10.1002/(SICI)1097-4636(199823)43:3<304::AID>3.0.CO;2-7"
    said = {"header": {"references": [doi], "uncertainty": {"yield_strength": 2.0}}}
    table = read_records(lines(tmp_path / "a.jsonl", said))
    assert table is not None
    assert list(table.columns) == ["header.references", "header.uncertainty.yield_strength"]
    path = tmp_path / "a.parquet"
    kind = pa.map_(pa.string(), pa.float64())
    pq.write_table(pa.table({"c": pa.array([[("Fe", 60.0), ("Ni", 40.0)]], type=kind)}), path)
    assert [row.cells for row in read_table(path).rows] == [{"c.Fe": "60.0", "c.Ni": "40.0"}]


def test_what_is_too_much_at_once_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes of Parquet may say one long text very often; too many cells are too many."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"t": ["x" * 1_000] * 100}).write_parquet(path)
    monkeypatch.setattr("sojae.adapters.record_files.MAX_CHARACTERS", 50_000)
    with pytest.raises(SpreadsheetError, match="more than 50000 characters in row 51"):
        read_records(path)
    monkeypatch.setattr("sojae.adapters.record_files.MAX_CELLS", 99)
    with pytest.raises(SpreadsheetError, match="at most 99"):
        read_records(path)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """Whatever its name says; a file that is not there too."""
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(SpreadsheetError, match="no Parquet file"):
        read_records(path)
    with pytest.raises(SpreadsheetError, match="cannot be read"):
        read_records(tmp_path / "gone.jsonl")


def test_other_files_are_no_records(tmp_path: Path) -> None:
    """They are left to the reader of spreadsheets."""
    assert read_records(tmp_path / "a.csv") is None
