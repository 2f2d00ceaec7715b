"""Files as people keep them: what stands around the data is left out and told, and what cannot be read is named by its place."""

import datetime as dt
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from click.testing import CliRunner, Result

from sojae.adapters.spreadsheet import read_table
from sojae.adapters.template_files import load_templates
from sojae.cli.import_file import import_file, prepare
from sojae.cli.import_parts import Named, mapped_part
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_rows import RowsRead

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
BOOK = load_templates()
HEAD: list[Any] = ["No", "YS", "T", "Test"]
ROWS: list[list[Any]] = [["a", 500.0, 25.0, "tension"], ["b", 600.0, 25.0, "tension"]]
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
    monkeypatch.setattr("sojae.surroundings.WatchedTemplates", lambda _: lambda: BOOK)

    def of(path: Path, mapping: str = MAPPING) -> Result:
        (tmp_path / "map.toml").write_text(mapping, encoding="utf-8")
        return CliRunner().invoke(import_file, [str(path), "--mapping", str(tmp_path / "map.toml"), "--check"])

    return of


@pytest.fixture
def imported(run: Callable[..., Result]) -> Import:
    """Return the counts of a file, and all that was said of it."""

    def of(path: Path, mapping: str = MAPPING) -> tuple[dict[str, int], str]:
        done = run(path, mapping)
        assert done.exit_code in (0, 3), done.exception
        return {word: int(n) for word, n in re.findall(r"(\w+) (\d+)", done.stdout.splitlines()[-1])}, done.output

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


@pytest.mark.parametrize("word", ["합계", "합 계", "Total:", "Grand total", "mean", "평균", "Std. dev.", "최댓값"])
def test_totals_at_the_end(tmp_path: Path, imported: Import, word: str) -> None:
    """They sum up the rows, and are none."""
    counts, said = imported(csv_file(tmp_path, HEAD, *ROWS, [word, 1100.0, "", ""]))
    assert (counts["rows"], counts["sent"]) == (2, 2)
    assert "rows 4 sum up the others" in said


def test_a_sample_that_is_called_like_a_total_in_the_middle_is_data(tmp_path: Path, imported: Import) -> None:
    """It is told, since it may be none."""
    rows = [["total", 500.0, 25.0, "tension"], *([f"s{n}", 500.0, 25.0, "tension"] for n in range(9))]
    counts, said = imported(csv_file(tmp_path, HEAD, *rows))
    assert counts["sent"] == 10
    assert "rows 2 are called like totals, and are read as data" in said


def test_a_mean_whose_key_has_a_number_too_is_none(tmp_path: Path, imported: Import) -> None:
    """The mean of a column that is part of the key says nothing of what the row is."""
    mapping = MAPPING.replace('key = ["No"]', 'key = ["No", "T"]')
    assert imported(csv_file(tmp_path, HEAD, *ROWS, ["평균", 550.0, 25.0, ""]), mapping)[0]["sent"] == 2


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


def test_merged_cells_hold_back_their_rows(tmp_path: Path, imported: Import) -> None:
    """Nobody knows which row has the value; titles above the header may be merged."""
    path = excel_file(tmp_path, [HEAD, *ROWS, ["c", 700.0, 25.0, "tension"]], merged("C2:C3", 25.0))
    counts, said = imported(path)
    assert (counts["accepted"], counts["unread"]) == (1, 2)
    assert "lab.xlsx, sheet data, rows 2–3 (2 rows), T [property, merged]: got C2:C3, expected a value in each" in said
    titled = excel_file(tmp_path, [["", "", "", ""], HEAD, *ROWS], merged("A1:D1", "Tests"))
    assert imported(titled)[0]["accepted"] == 2


def test_a_line_across_the_table_is_one_finding(tmp_path: Path, imported: Import) -> None:
    """As `Batch A` over all columns between two rows."""
    path = excel_file(tmp_path, [HEAD, ROWS[0], ["", "", "", ""], ROWS[1]], merged("A3:D3", "Batch A"))
    counts, said = imported(path)
    assert (counts["accepted"], counts["unread"]) == (2, 1)
    assert "row 3, YS [property, merged]: got A3:D3" in said


def test_a_name_that_is_merged_over_its_rows_names_them_all(tmp_path: Path, imported: Import) -> None:
    """That is how one specimen with three tests is written."""
    rows = [["a", 500.0, 25.0, "tension"], ["", 450.0, 200.0, "tension"], ["", 300.0, 600.0, "tension"], ROWS[1]]
    counts, said = imported(excel_file(tmp_path, [HEAD, *rows], merged("A2:A4", "a")))
    assert (counts["accepted"], counts["unread"]) == (4, 0)
    assert "what stands in the merged cells A2:A4 names each of their rows" in said


def merged(area: str, value: object) -> Callable[[Any, Any], None]:
    return lambda _, sheet: sheet.merge_range(area, value)


@pytest.mark.parametrize("value", ["", 0])
def test_a_formula_counts_with_its_value_and_is_a_finding_without(
    tmp_path: Path, imported: Import, value: object
) -> None:
    """A program that writes formulas and never calculates them leaves none, or a 0 and the rest to Excel."""
    path = excel_file(tmp_path, [HEAD, *ROWS], formula("=400+100", 500.0))
    assert imported(path)[0]["accepted"] == 2
    path = excel_file(tmp_path, [HEAD, *ROWS], formula("=400+100", value))
    counts, said = imported(path)
    assert (counts["accepted"], counts["unread"]) == (1, 1)
    assert "row 2, YS [property, not_calculated]: got =400+100, expected the value of the formula; open" in said


def formula(text: str, value: object) -> Callable[[Any, Any], None]:
    return lambda _, sheet: sheet.write_formula("B2", text, None, value)


@pytest.mark.parametrize(("shown", "kind", "values"), [("0", "", [0.0, 600.0]), ("", ' t="str"', [None, 600.0])])
def test_what_excel_has_calculated_is_believed(
    tmp_path: Path, shown: str, kind: str, values: list[float | None]
) -> None:
    """A 0 is a 0, and an empty text is an empty cell."""
    path = excel_file(tmp_path, [HEAD, *ROWS], formula("=A9", 500))
    rewrite(path, b'<c r="B2"><f>A9</f><v>500</v>', f'<c r="B2"{kind}><f>A9</f><v>{shown}</v>'.encode())
    found = read(tmp_path, path)
    assert [event.values.get("yield_strength") for event in found.events] == values
    assert found.findings == []


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Change a text in the parts of a workbook, and take from it that it leaves calculating to Excel."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, text in parts.items():
            book.writestr(name, text.replace(b' fullCalcOnLoad="1"', b"").replace(old, new))


def test_an_error_of_excel_is_a_finding_in_any_column(tmp_path: Path, imported: Import) -> None:
    """In a column of words too, where it would pass for one."""
    rows = [["a", "#DIV/0!", 25.0, "tension"], ["b", 600.0, 25.0, "#N/A"], *ROWS[1:]]

    def errors(_: Any, sheet: Any) -> None:
        sheet.write_formula("B2", "=1/0", None, "#DIV/0!")
        sheet.write_formula("D3", "=NA()", None, "#N/A")

    counts, said = imported(excel_file(tmp_path, [HEAD, *rows], errors))
    assert (counts["accepted"], counts["unread"]) == (1, 2)
    assert "row 2, YS [property, error_cell]: got #DIV/0!, expected a value; correct the formula" in said
    assert "row 3, Test [property, error_cell]: got #N/A" in said


def test_a_percentage_is_what_people_see(tmp_path: Path, run: Callable[..., Result]) -> None:
    """Excel keeps 12 % as 0.12, and shows 12 %."""
    mapping = MAPPING + '[[columns]]\nname = "A"\nfield = "property.elongation"\nunit = "%"\n'

    def percentages(book: Any, sheet: Any) -> None:
        for row, code in enumerate(["0%", "0.00%", '0.0" of 100"'], start=1):
            sheet.write_number(row, 4, 0.12, book.add_format({"num_format": code}))

    path = excel_file(tmp_path, [[*HEAD, "A"], *ROWS, ["c", 700.0, 25.0, "tension"]], percentages)
    events = read(tmp_path, path, mapping).events
    assert [event.values["elongation"] for event in events] == [12.0, 12.0, 0.12]
    assert [(event.header["as_reported"] or {}) for event in events] == [{"elongation": "12 %"}] * 2 + [{}]


def test_a_number_that_excel_made_a_date_of_is_a_finding(tmp_path: Path, imported: Import) -> None:
    """`5-10` becomes the tenth of May."""

    def date(book: Any, sheet: Any) -> None:
        sheet.write_datetime("B2", dt.datetime(2026, 5, 10), book.add_format({"num_format": "d-mmm"}))  # noqa: DTZ001

    counts, said = imported(excel_file(tmp_path, [HEAD, *ROWS], date))
    assert (counts["accepted"], counts["unread"]) == (1, 1)
    assert "YS [property, date_for_number]: got 2026-05-10 00:00:00, expected a number; Excel has made a date" in said


def test_a_row_that_is_longer_than_the_header_stops_no_other(tmp_path: Path, imported: Import) -> None:
    """A cell holds the separator."""
    counts, said = imported(
        csv_file(tmp_path, HEAD, *ROWS, ["c", 700.0, 25.0, "tension", "x"], ["d", 1.0, 2.0, "tension"])
    )
    assert (counts["rows"], counts["sent"], counts["unread"]) == (4, 3, 1)
    assert "lab.csv, row 4 [row_length]: got 5, expected 4 cells, as in the header; put cells that hold" in said


def test_signs_and_uncertainties_are_kept_beside_the_number(tmp_path: Path) -> None:
    """In the header, under the field's name; what was typed as it was."""
    rows = [
        ["a", "> 500", "≈ 25", "tension"],
        ["b", "512.3 ± 1.2", "25(2)", "tension"],
        ["c", "<1E-3 GPa", "25", "tension"],
    ]
    events = read(tmp_path, csv_file(tmp_path, HEAD, *rows)).events
    assert [e.header.get("qualifiers") for e in events] == [
        {"yield_strength": ">", "test_temperature": "≈"}, None, {"yield_strength": "<"},
    ]  # fmt: skip
    assert events[1].header["uncertainty"] == {"yield_strength": 1.2, "test_temperature": 2.0}
    assert events[2].values["yield_strength"] == pytest.approx(1.0)
    assert events[2].header["as_reported"] == {"yield_strength": "<1E-3 GPa"}


def read(folder: Path, path: Path, mapping: str = MAPPING) -> RowsRead:
    (folder / "map.toml").write_text(mapping, encoding="utf-8")
    parts = mapped_part(path, read_mapping(mapping, "map.toml", BOOK))
    return prepare(path, parts, Named(None, None)).read


FIBRE = """
project = "biodegradable_fibre"
key = ["No"]
[defaults]
institute = "kitech"
origin = "literature"
[[columns]]
name = "RH"
field = "process.chamber_humidity"
unit = "%RH"
"""


def test_an_interval_fills_the_fields_of_its_ends(tmp_path: Path) -> None:
    """Where a template has one for each; with a column of an end beside it, nobody knows which is meant."""
    path = csv_file(tmp_path, ["No", "RH", "Low"], ["a", "15-25", ""], ["b", "40", ""], ["c", "15-25", "10"])
    end = '[[columns]]\nname = "Low"\nfield = "process.chamber_humidity_low"\nunit = "%RH"\n'
    found = read(tmp_path, path, FIBRE + end)
    assert [dict(event.values) for event in found.events] == [
        {"chamber_humidity_low": 15.0, "chamber_humidity_high": 25.0}, {"chamber_humidity": 40.0},
    ]  # fmt: skip
    assert found.events[0].columns["chamber_humidity_high"] == "RH"
    assert found.events[0].header["as_reported"] == dict.fromkeys(
        ("chamber_humidity_low", "chamber_humidity_high"), "15-25 %{RH}"
    )
    assert [(f.row, f.rule, f.got) for f in found.findings] == [(4, "told_twice", "15-25")]


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
        new.set_column(2, 2, None, None, {"hidden": True})
        new.activate()
        old.hide()
    counts, said = imported(path)
    assert counts["rows"] == 2
    assert "hidden sheets old are not read" in said
    assert "sheet new: 1 hidden rows are read too" in said
    assert "sheet new: the hidden columns T are read too" in said
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
