"""Files as people keep them: what stands around the data is left out and told, and what cannot be read is refused by its place."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from click.testing import CliRunner, Result

from sojae.adapters.spreadsheet import read_table
from sojae.cli.import_file import import_file

MAPPING = """
project = "high_entropy_alloy"
key = ["No"]
sample_id = "No"
[defaults]
institute = "kims"
origin = "literature"
[[columns]]
name = "YS"
field = "property.yield_strength"
unit = "MPa"
[[columns]]
name = "T"
field = "property.test_temperature"
unit = "°C"
[[columns]]
name = "Test"
field = "property.test_type"
"""
HEAD = ["No", "YS", "T", "Test"]
ROWS = [["a", 500.0, 25.0, "tension"], ["b", 600.0, 25.0, "tension"]]
Rows = Sequence[Sequence[Any]]
Import = Callable[..., tuple[dict[str, int], str]]


def csv_file(folder: Path, *rows: Sequence[Any], encoding: str = "utf-8") -> Path:
    path = folder / "lab.csv"
    path.write_bytes("\n".join(",".join(map(str, row)) for row in rows).encode(encoding))
    return path


def excel_file(
    folder: Path, rows: Rows, change: Callable[[Any, Any], None] = lambda _book, _sheet: None, **options: Any
) -> Path:
    path = folder / "lab.xlsx"
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("data")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        change(book, sheet)
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))

    def of(path: Path, mapping: str = MAPPING) -> Result:
        (tmp_path / "map.toml").write_text(mapping, encoding="utf-8")
        options = ["--mapping", str(tmp_path / "map.toml"), "--check", "--json"]
        return CliRunner().invoke(import_file, [str(path), *options])

    return of


@pytest.fixture
def imported(run: Callable[..., Result]) -> Import:
    """Return the counts of a file, and what was said of it on the way."""

    def of(path: Path, mapping: str = MAPPING) -> tuple[dict[str, int], str]:
        done = run(path, mapping)
        assert done.exit_code in (0, 3), done.exception
        counts: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
        return counts, done.stderr

    return of


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_titles_above_the_header(tmp_path: Path, imported: Import, kind: str) -> None:
    """The header is found where all of its columns stand."""
    rows = [["Tension tests of 2026", "", "", ""], ["", "", "", ""], HEAD, *ROWS]
    path = csv_file(tmp_path, *rows) if kind == "csv" else excel_file(tmp_path, rows)
    counts, said = imported(path)
    assert (counts["rows"], counts["accepted"]) == (2, 2)
    assert "the header was found in row 3" in said


def test_a_row_of_units_beneath_the_header(tmp_path: Path, imported: Import, run: Callable[..., Result]) -> None:
    """It is no data where it says what the mapping says; another unit is refused by its cell."""
    counts, said = imported(csv_file(tmp_path, HEAD, ["", "(MPa)", "[°C]", ""], *ROWS))
    assert (counts["rows"], counts["accepted"], counts["unread"]) == (2, 2, 0)
    assert "row 2 holds the units" in said
    wrong = run(csv_file(tmp_path, HEAD, ["", "ksi", "°C", ""], *ROWS))
    assert "row 2, column 'YS': the file says ksi, the mapping MPa" in str(wrong.exception)


@pytest.mark.parametrize("word", ["합계", "Total:", "mean", "평균"])
def test_totals_at_the_end(tmp_path: Path, imported: Import, word: str) -> None:
    """They sum up the rows, and are none."""
    counts, said = imported(csv_file(tmp_path, HEAD, *ROWS, [word, 1100.0, "", ""]))
    assert (counts["rows"], counts["sent"]) == (2, 2)
    assert "rows 4 sum up the others" in said


def test_a_sample_that_is_called_like_a_total_in_the_middle_is_data(tmp_path: Path, imported: Import) -> None:
    """Only the end of a file is looked at."""
    rows = [["total", 500.0, 25.0, "tension"], *([f"s{n}", 500.0, 25.0, "tension"] for n in range(9))]
    assert imported(csv_file(tmp_path, HEAD, *rows))[0]["sent"] == 10


def test_mixed_units_in_one_column(tmp_path: Path, imported: Import) -> None:
    """Each cell says its own; what none can be is a finding, and stops no other row."""
    rows = [
        ["a", "0.5 GPa", "298.15 K", "tension"],
        ["b", "72.5 ksi", "25", "tension"],
        ["c", "500 kg", "25", "tension"],
    ]
    counts, _ = imported(csv_file(tmp_path, HEAD, *rows))
    assert (counts["accepted"], counts["unread"]) == (2, 1)


def test_intervals_and_words_in_number_cells_stop_no_other_row(tmp_path: Path, imported: Import) -> None:
    """Both are findings of their row."""
    rows = [["a", "400-500", "25", "tension"], ["b", "broken", "25", "tension"], *ROWS[1:]]
    counts, _ = imported(csv_file(tmp_path, HEAD, *rows))
    assert (counts["accepted"], counts["unread"]) == (1, 2)


def test_merged_cells_are_refused_by_their_place(tmp_path: Path, run: Callable[..., Result]) -> None:
    """Merged titles above the header are not."""
    path = excel_file(tmp_path, [HEAD, *ROWS], lambda _, sheet: sheet.merge_range("C2:C3", 25.0))
    assert "sheet data: merged cells C2:C3; unmerge them" in str(run(path).exception)
    titled = [["", "", "", ""], HEAD, *ROWS]
    path = excel_file(tmp_path, titled, lambda _, sheet: sheet.merge_range("A1:D1", "Tests"))
    assert json.loads(run(path).stdout)["accepted"] == 2


def test_a_formula_counts_with_its_value_and_is_refused_without(tmp_path: Path, run: Callable[..., Result]) -> None:
    """A program that writes formulas and never calculates them leaves no value."""
    path = excel_file(tmp_path, [HEAD, *ROWS], lambda _, sheet: sheet.write_formula("B2", "=400+100", None, 500.0))
    assert json.loads(run(path).stdout)["accepted"] == 2
    path = excel_file(tmp_path, [HEAD, *ROWS], lambda _, sheet: sheet.write_formula("B2", "=400+100", None, ""))
    assert "formulas without a value B2; open the file in Excel" in str(run(path).exception)


@pytest.mark.parametrize("date_1904", [False, True])
def test_dates_of_excel(tmp_path: Path, imported: Import, date_1904: bool) -> None:
    """A date cell is that day, whichever day the workbook counts from."""
    day = dt.datetime(2026, 3, 31, 14, 5)  # noqa: DTZ001 - a cell of Excel has no zone
    mapping = MAPPING + '[[columns]]\nname = "At"\nfield = "header.event_time"\n'

    def write(book: Any, sheet: Any) -> None:
        sheet.write_datetime(1, 4, day, book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))

    path = excel_file(tmp_path, [[*HEAD, "At"], [*ROWS[0], ""]], write, date_1904=date_1904)
    assert imported(path, mapping)[0]["accepted"] == 1
    assert read_table(path).rows[0].cells["At"].startswith("2026-03-31 14:05")


def test_hidden_sheets_and_rows(tmp_path: Path, imported: Import) -> None:
    """A hidden sheet is not read unless it is named; hidden rows are, and both are told."""
    path = tmp_path / "lab.xlsx"
    with xlsxwriter.Workbook(path) as book:
        old, new = book.add_worksheet("old"), book.add_worksheet("new")
        for sheet, rows in ((old, ROWS[:1]), (new, ROWS)):
            for number, row in enumerate([HEAD, *rows]):
                sheet.write_row(number, 0, row)
        new.set_row(2, None, None, {"hidden": True})
        new.activate()
        old.hide()
    counts, said = imported(path)
    assert counts["rows"] == 2
    assert "hidden sheets old are not read" in said
    assert "1 hidden rows of sheet new are read too" in said
    assert imported(path, 'sheet = "old"\n' + MAPPING)[0]["rows"] == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_encodings(tmp_path: Path, imported: Import, encoding: str) -> None:
    """With a byte order mark, without one, and what Korean Excel saves."""
    rows = [["시료-1", 500.0, 25.0, "tension"]]
    assert imported(csv_file(tmp_path, HEAD, *rows, encoding=encoding))[0]["accepted"] == 1


def test_a_header_that_stands_twice_is_refused(tmp_path: Path, run: Callable[..., Result]) -> None:
    """Nobody knows which column is meant."""
    assert "the column YS twice" in str(run(csv_file(tmp_path, [*HEAD, "YS"], [*ROWS[0], 1])).exception)


def test_columns_without_a_name_are_left_alone(tmp_path: Path, imported: Import) -> None:
    """A blank column between two is no error."""
    assert (
        imported(csv_file(tmp_path, ["No", "", "YS", "T", "Test"], ["a", "", 500.0, 25.0, "tension"]))[0]["accepted"]
        == 1
    )
