"""CSV and Excel files become tables of text."""

import datetime as dt
import gzip
from pathlib import Path

import pytest
import xlsxwriter

from sojae.adapters.spreadsheet import find_header, read_table
from sojae.adapters.workbook_cells import A_VALUE
from sojae.domain.errors import SpreadsheetError
from sojae.domain.table import WHOLE_ROW, Fault, Row, letters, place_of


def csv_file(folder: Path, data: bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def workbook(folder: Path, sheets: dict[str, list[list[object]]], name: str = "data.xlsx") -> Path:
    path = folder / name
    with xlsxwriter.Workbook(str(path)) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, dt.date):
                        sheet.write_datetime(row, column, cell, day)
                    elif cell == "#DIV/0!":
                        sheet.write_formula(row, column, "=1/0", None, cell)
                    elif cell is not None:
                        sheet.write(row, column, cell)
    return path


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("이름,값\n가,1\n".encode(), None),
        ("\ufeff이름,값\n가,1\n".encode(), None),
        ("이름,값\r\n가,1\r\n".encode("cp949"), "CP949"),
        ("이름,값\n가,1\n".encode("utf-16"), "UTF-16"),
        ("이름;값\n가;1\n".encode(), None),
        ("이름\t값\n가\t1\n".encode(), None),
        ('"이름","값"\n"가","1"\n'.encode(), None),
        (" 이름 ,값\n\n가,1\n,\n".encode(), None),
    ],
)
def test_a_text_file_is_read(tmp_path: Path, data: bytes, note: str | None) -> None:
    """UTF-8 with or without a mark, CP949 and UTF-16; comma, semicolon or tab: the same table, and a note on a guess."""
    table = read_table(csv_file(tmp_path, data))
    assert table.columns == ("이름", "값")
    assert [dict(row.cells) for row in table.rows] == [{"이름": "가", "값": "1"}]
    assert (table.note is None) if note is None else (note in str(table.note))


def test_row_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    """Blank rows are left out and counted; a cell with a line break is one row."""
    table = read_table(csv_file(tmp_path, b'a,b\n1,"x\ny"\n\n2,z\n'))
    assert table.rows == (Row(2, {"a": "1", "b": "x\ny"}), Row(4, {"a": "2", "b": "z"}))


def test_empty_cells_are_absent(tmp_path: Path) -> None:
    """A cell of blanks, and one that a short row lacks, are not there."""
    table = read_table(csv_file(tmp_path, b"a,b,c\n1, ,\n2\n3,x,y\n"))
    assert [dict(r.cells) for r in table.rows] == [{"a": "1"}, {"a": "2"}, {"a": "3", "b": "x", "c": "y"}]


def test_a_separator_inside_quotation_marks_is_text(tmp_path: Path) -> None:
    """A semicolon in a quoted cell does not make it the separator."""
    table = read_table(csv_file(tmp_path, b'a,b\n"x; y; z","1,5"\n'))
    assert dict(table.rows[0].cells) == {"a": "x; y; z", "b": "1,5"}


def test_a_workbook_is_read_as_it_is_typed(tmp_path: Path) -> None:
    """Numbers, dates, truth and mixed columns come as text; an error cell is no empty cell."""
    path = workbook(
        tmp_path,
        {
            "A": [
                ["이름", "n", "mixed", "day", "bad", "yes"],
                ["가", 0.1, "5a", dt.date(2021, 3, 1), "#DIV/0!", True],
                [None],
                ["나", 1500, 5, None, 3.5, None],
            ]
        },
    )
    table = read_table(path)
    assert table.columns == ("이름", "n", "mixed", "day", "bad", "yes")
    assert table.rows == (
        Row(
            2,
            {"이름": "가", "n": "0.1", "mixed": "5a", "day": "2021-03-01 00:00:00", "bad": "#DIV/0!", "yes": "true"},
            {"bad": Fault("error_cell", "#DIV/0!", A_VALUE)},
        ),
        Row(4, {"이름": "나", "n": "1500", "mixed": "5", "bad": "3.5"}),
    )


def test_a_sheet_and_a_header_row_can_be_named(tmp_path: Path) -> None:
    """Rows above the header are passed over, and row numbers stay those of the sheet."""
    path = workbook(tmp_path, {"notes": [["x"]], "data": [["Title"], [None], ["a", "b"], [1, 2]]})
    table = read_table(path, sheet="data", header_row=3)
    assert (table.columns, table.rows) == (("a", "b"), (Row(4, {"a": "1", "b": "2"}),))


def test_a_column_without_a_name_keeps_its_place(tmp_path: Path) -> None:
    """A blank header is named by its place; blank ones at the end are dropped."""
    assert read_table(csv_file(tmp_path, b"a,,b,\n1,2,3,\n")).columns == ("a", "(column 2)", "b")


BAD = [
    ("empty", "data.csv", b"", "an empty file"),
    ("blank", "data.csv", b"  \n\n", "an empty file"),
    ("header only", "data.csv", b"a,b\n", "a header without rows"),
    ("duplicate", "data.csv", b"a,b,a\n1,2,3\n", "the column a twice"),
    ("duplicate in Korean", "data.csv", "값,값\n1,2\n".encode(), "the column 값 twice"),
    ("long rows", "data.csv", b"a,b\n1,2,3\n1,2,3\n", "3 cells in row 2"),
    ("open quotation", "data.csv", b'a,b\n1,2\n"x,3\n', "row 3"),
    ("binary", "data.csv", b"\x00\x01\x02\xff\xfe\x00", "no text"),
    ("workbook by another name", "data.csv", b"PK\x03\x04....", "a zip archive"),
    ("no workbook", "data.xlsx", b"a,b\n1,2\n", "data.xlsx"),
    ("broken workbook", "data.xlsx", b"PK\x03\x04broken", "data.xlsx"),
    ("other kind", "data.json", b"[]", ".json"),
    ("no kind", "data", b"a,b\n1,2\n", "no suffix"),
]


@pytest.mark.parametrize(("name", "data", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    """One message names the file, what was got and what is needed, and the exit code is 2."""
    path = csv_file(tmp_path, data, name)
    with pytest.raises(SpreadsheetError) as caught:
        read_table(path)
    assert str(path) in caught.value.message("en")
    assert said in caught.value.message("en")
    assert caught.value.message("ko")
    assert caught.value.exit_code == 2


def test_a_row_that_is_longer_than_the_header_is_a_fault_of_that_row(tmp_path: Path) -> None:
    """The others are read."""
    table = read_table(csv_file(tmp_path, b"a,b\n1,2\n1,2,3\n4,5\n"))
    assert [WHOLE_ROW in row.faults for row in table.rows] == [False, True, False]
    assert (table.rows[1].faults[WHOLE_ROW].got, table.rows[1].number) == ("3", 3)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_header_is_found_by_its_names(tmp_path: Path, separator: str) -> None:
    """Whatever separates its cells, within the rows that are looked at."""
    data = f"Tests, of 2026\n\n{separator.join(('a', 'b', 'c'))}\n{separator.join('123')}\n".encode()
    path = csv_file(tmp_path, data)
    assert [find_header(path, names, sheet=None, within=3) for names in ({"a", "c"}, {"a", "d"})] == [3, None]
    assert find_header(path, {"a"}, sheet=None, within=2) is None


def test_columns_have_letters() -> None:
    """As a spreadsheet shows them."""
    assert [letters(n) for n in (1, 26, 27, 702, 703, 16_384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert [place_of(letters(n)) for n in range(1, 20_000)] == list(range(1, 20_000))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A missing file and a folder are named."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(SpreadsheetError, match="cannot be read"):
            read_table(path)


def test_a_sheet_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """An unknown sheet and an empty one are refused."""
    path = workbook(tmp_path, {"data": [["a"], [1]], "empty": []})
    with pytest.raises(SpreadsheetError, match="it has data"):
        read_table(path, sheet="Data1")
    with pytest.raises(SpreadsheetError):
        read_table(path, sheet="empty")


def test_a_header_row_beyond_the_end_is_refused(tmp_path: Path) -> None:
    """A header row that is not there, or is blank, is named."""
    path = csv_file(tmp_path, b"a,b\n1,2\n,\n3,4\n")
    for row in (3, 9):
        with pytest.raises(SpreadsheetError, match=f"row {row}"):
            read_table(path, header_row=row)


def test_a_file_without_header_has_columns_by_place(tmp_path: Path) -> None:
    """What the first row holds is data."""
    path = tmp_path / "blend.csv"
    path.write_text("1.0,0.0,0.19\n0.0,1.0,0.11\n", encoding="utf-8")
    table = read_table(path, header_row=0)
    assert table.columns == ("(column 1)", "(column 2)", "(column 3)")
    assert [(row.number, row.cells["(column 3)"]) for row in table.rows] == [(1, "0.19"), (2, "0.11")]


def test_a_file_packed_by_gzip_is_read(tmp_path: Path) -> None:
    """As it was packed; cut short, no gzip at all, and too large unpacked are refused."""
    path = tmp_path / "gaps.csv.gz"
    whole = gzip.compress(b"formula,gap\nMoNb,0.0\n")
    path.write_bytes(whole)
    assert [row.cells for row in read_table(path).rows] == [{"formula": "MoNb", "gap": "0.0"}]
    for data, said in ((whole[:-4], "cut short"), (b"formula,gap", "no gzip")):
        path.write_bytes(data)
        with pytest.raises(SpreadsheetError, match=said):
            read_table(path)


def test_a_gzip_file_may_not_burst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes that unpack to gigabytes are refused before they fill the memory."""
    monkeypatch.setattr("sojae.adapters.data_file.MAX_FILE_BYTES", 10_000)
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 10_000))
    with pytest.raises(SpreadsheetError, match="unpacked"):
        read_table(path)
