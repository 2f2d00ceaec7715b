"""How large a workbook becomes is found out before it is opened."""

import re
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from sojae.adapters import workbook_size
from sojae.adapters.spreadsheet import read_table
from sojae.adapters.workbook_size import refusal
from sojae.domain.errors import SpreadsheetError
from tests.unit.test_spreadsheet import workbook

SHEET = "xl/worksheets/sheet1.xml"
FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def rewritten(folder: Path, old: str, new: str, part: str = SHEET) -> Path:
    """Return a small workbook in one part of which a text stands for another."""
    path = workbook(folder, {"data": [["a", "b"], [1, 2]]})
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    changed = parts[part].decode().replace(old, new)
    assert changed != parts[part].decode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, changed if name == part else content)
    return path


@pytest.mark.parametrize(
    "cell",
    [
        FAR,
        "<row r='1048576'><c t='inlineStr' r='XFD1048576'><is><t>x</t></is></c></row>",
        '<row r="1048576">' + "<c/>" * 100 + "<c><v>1</v></c></row>",
    ],
)
def test_a_stray_cell_far_away_is_refused(tmp_path: Path, cell: str) -> None:
    """A reader would allocate everything before it, and the process would end without a word."""
    path = rewritten(tmp_path, "</sheetData>", f"{cell}</sheetData>")
    with pytest.raises(SpreadsheetError, match=f"{re.escape(str(path))}.*row 1048576 .*stray cells") as caught:
        read_table(path)
    assert caught.value.exit_code == 2


def test_prefixed_elements_are_looked_at_too(tmp_path: Path) -> None:
    """XML may give every name a prefix."""
    prefixed = re.sub(r"<(/?)", r"<\1x:", FAR)
    path = rewritten(tmp_path, "</sheetData>", f'<x:sheetData xmlns:x="u">{prefixed}</x:sheetData></sheetData>')
    assert refusal(path.read_bytes()) is not None


def test_a_far_cell_that_holds_nothing_is_no_harm(tmp_path: Path) -> None:
    """Whole columns with a format are common."""
    path = rewritten(tmp_path, "</sheetData>", f"{FAR.replace('<v>1</v>', '')}</sheetData>")
    assert [dict(row.cells) for row in read_table(path).rows] == [{"a": "1", "b": "2"}]


def test_a_bomb_is_refused_with_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that unpacks to more than is allowed lies in a file of a few kB."""
    monkeypatch.setattr(workbook_size, "MAX_UNPACKED_BYTES", 32 << 20)
    path = workbook(tmp_path, {"data": [["a"], [1]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/a.bin", "w") as part:
        for _ in range(32):
            part.write(bytes(1 << 20))
    data = path.read_bytes()
    tracemalloc.start()
    refused = refusal(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused is not None
    assert "more than 32 MiB" in refused.got.en
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<worksheet", "<!DOCTYPE worksheet><worksheet"),
        ("</sheetData>", "</sheetDat>"),
        ("UTF-8", "UTF-88"),
        ("<worksheet", f'<worksheet a="{"x" * (5 << 20)}"'),
    ],
)
def test_a_broken_sheet_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """What cannot be looked at is not opened."""
    path = rewritten(tmp_path, old, new)
    with pytest.raises(SpreadsheetError, match=r"expected an [.]xlsx workbook"):
        read_table(path)


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0" * 100, b"no,F\n1,CoNi\n"])
def test_what_is_no_archive_is_no_workbook(tmp_path: Path, data: bytes) -> None:
    """An old .xls, a protected workbook and a renamed text."""
    path = tmp_path / "data.xlsx"
    path.write_bytes(data)
    with pytest.raises(SpreadsheetError, match="without a password"):
        read_table(path)
