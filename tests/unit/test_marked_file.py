"""A file given back with what is wrong in it is otherwise the file that it was."""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet

from sojae.adapters.marked_file import check_target, write_marked
from sojae.adapters.spreadsheet import read_table
from sojae.domain.errors import SpreadsheetError
from sojae.domain.marks import Mark, MarkedTable

TABLE = MarkedTable("data", 1, ("No", "YS", "T"))
FAST = Mark("data", 2, ["YS"], "number", "got fast, expected a number; write one", refused=True)
WARM = Mark("data", 3, ["T"], "warn_range", "got 900, usual 20 to 800", refused=False)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook as somebody keeps it: a fill, a list, a note, a formula with its value, a hidden sheet."""
    path = tmp_path / "lab.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet, other = made.add_worksheet("data"), made.add_worksheet("notes")
        for number, row in enumerate([["No", "YS", "T"], ["a", "fast", 25.0], ["b", 600.0, 900.0]]):
            sheet.write_row(number, 0, row)
        sheet.write("A2", "a", made.add_format({"bg_color": "#00FF00", "bold": True}))
        sheet.write_formula("C3", "=A1*2", made.add_format({"num_format": "0.0"}), 900.0)
        sheet.data_validation("B2:B9", {"validate": "list", "source": ["1", "2"]})
        sheet.write_comment("B2", "measured twice", {"author": "kim"})
        sheet.write_comment("A1", "which specimen", {"author": "kim"})
        other.write_formula("A1", '="x"', None, "x")
        other.hide()
    return path


def given_back(source: Path, target: Path, *marks: Mark, table: MarkedTable = TABLE) -> Path:
    write_marked(source, target, [table], marks)
    return target


def sheet_of(path: Path) -> Worksheet:
    sheet = openpyxl.load_workbook(path)["data"]
    assert isinstance(sheet, Worksheet)
    return sheet


def test_each_finding_is_a_line_with_the_letter_of_its_column(book: Path, tmp_path: Path) -> None:
    """Two findings of a row are two lines; a row that cannot be read as a whole has no column."""
    whole = Mark("data", 2, [], "row_length", "got 5, expected 3 cells", refused=True)
    sheet = sheet_of(given_back(book, tmp_path / "back.xlsx", FAST, WARM, whole))
    assert [sheet.cell(row, 4).value for row in (1, 2, 3)] == [
        "errors",
        "B YS [number]: got fast, expected a number; write one\n[row_length]: got 5, expected 3 cells",
        "C T [warn_range]: got 900, usual 20 to 800",
    ]
    assert [sheet[c].fill.fgColor.rgb for c in ("B2", "C3")] == ["FFF8C9C4", "FFFCEBB6"]
    assert "[warn_range] got 900" in sheet["C3"].comment.text


def test_all_else_stays_as_it_was(book: Path, tmp_path: Path) -> None:
    """Fills, lists, notes, number formats, formulas with their values, and which sheets are hidden."""
    back = given_back(book, tmp_path / "back.xlsx", FAST)
    sheet = sheet_of(back)
    assert (sheet["A2"].fill.fgColor.rgb, sheet["A2"].font.b) == ("FF00FF00", True)
    assert [v.formula1 for v in sheet.data_validations.dataValidation] == ['"1,2"']
    assert (sheet["C3"].value, sheet["C3"].number_format) == ("=A1*2", "0.0")
    assert sheet["A1"].comment.text == "which specimen"
    assert sheet["B2"].comment.text.startswith("measured twice\n— sojae: [number]")
    assert openpyxl.load_workbook(back)["notes"].sheet_state == "hidden"
    values = openpyxl.load_workbook(back, data_only=True)
    assert (values["data"]["C3"].value, values["notes"]["A1"].value) == (900, "x")


def test_the_values_of_formulas_can_be_read_again(book: Path, tmp_path: Path) -> None:
    """Without Excel in between."""
    table = read_table(given_back(book, tmp_path / "back.xlsx", FAST))
    assert table.rows[1].cells == {"No": "b", "YS": "600", "T": "900"}
    assert [dict(row.faults) for row in table.rows] == [{}, {}]


def test_what_is_mended_is_marked_no_more(book: Path, tmp_path: Path) -> None:
    """Colour, note and line go; what others have written stays."""
    back = given_back(book, tmp_path / "back.xlsx", FAST, WARM)
    again = MarkedTable("data", 1, (*TABLE.columns, "errors"))
    sheet = sheet_of(given_back(back, back, WARM, table=again))
    assert (sheet["D2"].value, sheet["B2"].fill.fill_type, sheet["B2"].comment.text) == (None, None, "measured twice")
    assert sheet["D3"].value == "C T [warn_range]: got 900, usual 20 to 800"
    assert sheet["C3"].comment.text.count("warn_range") == 1
    assert (sheet["E1"].value, sheet["A2"].fill.fgColor.rgb) == (None, "FF00FF00")


def test_a_refused_cell_looks_refused_whatever_else_is_said_of_it(book: Path, tmp_path: Path) -> None:
    """One note tells both."""
    flagged = Mark("data", 2, ["YS"], "warn_range", "usual", refused=False)
    cell = sheet_of(given_back(book, tmp_path / "back.xlsx", FAST, flagged))["B2"]
    assert cell.fill.fgColor.rgb == "FFF8C9C4"
    assert ("[number]" in cell.comment.text, "[warn_range]" in cell.comment.text) == (True, True)


def test_of_a_map_the_components_that_are_filled_in_are_coloured(tmp_path: Path) -> None:
    """What does not add up is all of them."""
    path, book = tmp_path / "c.xlsx", openpyxl.Workbook()
    book.create_sheet("data")
    book["data"].append(["No", "composition.Fe", "composition.Ni", "composition.Co"])
    book["data"].append(["a", 50.0, 20.0])
    book.save(path)
    table = MarkedTable("data", 1, ("No", "composition.Fe", "composition.Ni", "composition.Co"))
    mark = Mark("data", 2, ["composition"], "composition_sum", "got 70", refused=True)
    sheet = sheet_of(given_back(path, path, mark, table=table))
    assert [sheet.cell(2, n).fill.fill_type for n in (1, 2, 3, 4)] == [None, "solid", "solid", None]
    assert sheet["E2"].value == "composition [composition_sum]: got 70"


def test_signs_that_excel_does_not_take_are_left_out(book: Path, tmp_path: Path) -> None:
    """A cell of a text file may hold any."""
    mark = Mark("data", 2, ["YS"], "number", "got \x07x\x1fy", refused=True)
    assert sheet_of(given_back(book, tmp_path / "back.xlsx", mark))["D2"].value == "B YS [number]: got �x�y"


def test_what_cannot_be_kept_is_told(book: Path, tmp_path: Path) -> None:
    """Lists that Excel keeps as an extension are lost on the way; the source still has them."""
    extension = (
        b'<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
        b'uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"><x14:dataValidations count="0"/></ext></extLst></worksheet>'
    )
    with zipfile.ZipFile(book) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(book, "w") as new:
        for name, text in parts.items():
            new.writestr(name, text.replace(b"</worksheet>", extension) if name.endswith("sheet1.xml") else text)
    (said,), _ = write_marked(book, tmp_path / "back.xlsx", [TABLE], [FAST])
    assert "Data Validation extension" in said.en
    assert "그대로 옮기지 못했습니다" in said.ko


def test_a_text_has_the_letters_too(tmp_path: Path) -> None:
    """So that no cell of the column begins with a sign by which Excel would know a formula."""
    path, back = tmp_path / "lab.csv", tmp_path / "back.csv"
    path.write_bytes("No;=YS\na;fast\n\nb;1\n".encode("cp949"))
    table = MarkedTable(None, 1, ("No", "=YS"))
    write_marked(path, back, [table], [Mark(None, 2, ["=YS"], "number", "got fast", refused=True)])
    text = back.read_bytes().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text), delimiter=";")) == [
        ["No", "=YS", "errors"], ["a", "fast", "B =YS [number]: got fast"], ["", "", ""], ["b", "1", ""],
    ]  # fmt: skip


def test_a_text_without_header_and_a_packed_one(tmp_path: Path) -> None:
    """The column has no name where the others have none."""
    path, back = tmp_path / "lab.csv.gz", tmp_path / "back.csv.gz"
    path.write_bytes(gzip.compress(b"1,2\n3,x\n"))
    table = MarkedTable(None, 0, ("(column 1)", "(column 2)"))
    write_marked(path, back, [table], [Mark(None, 2, ["(column 2)"], "number", "got x", refused=True)])
    assert gzip.decompress(back.read_bytes()).decode("utf-8-sig") == "1,2,\r\n3,x,B (column 2) [number]: got x\r\n"


def test_a_workbook_without_header(book: Path, tmp_path: Path) -> None:
    """The column stands behind the last."""
    table = MarkedTable("data", 0, ("(column 1)", "(column 2)", "(column 3)"))
    mark = Mark("data", 1, ["(column 1)"], "number", "got No", refused=True)
    assert sheet_of(given_back(book, tmp_path / "back.xlsx", mark, table=table))["D1"].value == (
        "A (column 1) [number]: got No"
    )


def test_records_get_a_member(tmp_path: Path) -> None:
    """Lines that are right stay letter for letter; one that is no record stays too; what was said before goes."""
    path, back = tmp_path / "a.jsonl", tmp_path / "back.jsonl"
    path.write_bytes(b'{"a": 1.10}\n{\n{"a": "x"}\n{"a": 2, "errors": ["old"]}\n')
    marks = [Mark(None, 3, ["a"], "number", "got x", refused=True)]
    write_marked(path, back, [MarkedTable(None, 1, ("a",))], marks)
    lines = back.read_bytes().splitlines()
    assert lines[:2] == [b'{"a": 1.10}', b"{"]
    assert [json.loads(line) for line in lines[2:]] == [{"a": "x", "errors": ["a [number]: got x"]}, {"a": 2}]


def test_a_parquet_file_gets_a_column(tmp_path: Path) -> None:
    """A list for each row, null where nothing is wrong."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": ["1", "x"]}).write_parquet(path)
    write_marked(path, path, [MarkedTable(None, 1, ("a",))], [Mark(None, 2, ["a"], "number", "got x", refused=True)])
    assert pl.read_parquet(path).to_dicts() == [{"a": "1", "errors": None}, {"a": "x", "errors": ["a [number]: got x"]}]


@pytest.mark.parametrize(
    ("source", "target"),
    [("a.xlsx", "b.csv"), ("a.xlsx", "b.xlsm"), ("a.csv", "b.xlsx"), ("a.jsonl", "b.parquet"), ("a.csv.gz", "b.csv")],
)
def test_another_kind_of_file_is_refused_before_anything_is_done(tmp_path: Path, source: str, target: str) -> None:
    """So is a folder that is not there."""
    with pytest.raises(SpreadsheetError, match="another kind of file"):
        check_target(tmp_path / source, tmp_path / target)
    with pytest.raises(SpreadsheetError, match="is no folder that may be written to"):
        check_target(tmp_path / source, tmp_path / "none" / source)
    check_target(tmp_path / source, tmp_path / source)


def test_kinds_of_text_and_of_json_are_one(tmp_path: Path) -> None:
    """A tab-separated file may come back under another name."""
    check_target(tmp_path / "a.tsv", tmp_path / "b.csv")
    check_target(tmp_path / "a.jsonl", tmp_path / "b.ndjson")


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stands until the new one is whole."""
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SpreadsheetError, match="No space left"):
        write_marked(path, path, [MarkedTable(None, 1, ("a",))], [])
    assert path.read_text(encoding="utf-8") == "a\n1\n"
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
