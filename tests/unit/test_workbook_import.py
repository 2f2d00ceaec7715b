"""A workbook that was made from templates is imported without a mapping, and given back with what is wrong in it."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from sojae.adapters.template_files import load_templates
from sojae.adapters.workbook_writer import csv_text, workbook_bytes
from sojae.cli.import_file import import_file, prepare
from sojae.cli.import_parts import Named, workbook_parts
from sojae.domain.mapping_findings import ImportEvent
from sojae.domain.template import STAGES
from sojae.domain.workbook_layout import INFO_SHEET, layout
from tests.workbook_fill import filled_workbook

BOOK = load_templates()
ALLOY = "high_entropy_alloy"


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("filled") / "lab.xlsx"
    filled_workbook(path, ALLOY, 3)
    return path.read_bytes()


@pytest.fixture
def filled(tmp_path: Path, filled_once: bytes) -> Path:
    """A workbook of three specimens, their lots and their tests."""
    path = tmp_path / "lab.xlsx"
    path.write_bytes(filled_once)
    return path


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sojae.surroundings.WatchedTemplates", lambda _: lambda: BOOK)

    def run(path: Path, *options: str) -> Result:
        return CliRunner().invoke(import_file, [str(path), "--check", *options], standalone_mode=False)

    return run


def edit(path: Path, sheet: str, **cells: Any) -> None:
    """Write cells of a sheet by column key and row, as `yield_strength_4=…`."""
    workbook = openpyxl.load_workbook(path)
    page = workbook[sheet]
    places = {str(c.value): n for n, c in enumerate(page[2], start=1)}
    for name, value in cells.items():
        key, _, row = name.rpartition("_")
        page.cell(int(row), places.setdefault(key, page.max_column + 1), value)
        page.cell(2, places[key], key)
    workbook.save(path)


def errors_of(path: Path, sheet: str) -> dict[int, str]:
    page = openpyxl.load_workbook(path)[sheet]
    place = {str(c.value): n for n, c in enumerate(page[2], start=1)}["errors"]
    return {r: str(page.cell(r, place).value) for r in range(3, page.max_row + 1) if page.cell(r, place).value}


def test_a_filled_in_workbook_needs_no_mapping(filled: Path, imported: Callable[..., Result]) -> None:
    """All four sheets become records of the institute that it names."""
    run = imported(filled)
    assert run.exit_code == 0, run.output
    assert "quarantined 0 · duplicates 0 · unread 0" in run.output


def test_what_is_wrong_stands_behind_its_row(filled: Path, imported: Callable[..., Result], tmp_path: Path) -> None:
    """Row, column, rule, got and expected, in the language asked for; other cells and sheets stay as they were."""
    edit(filled, "property", yield_strength_4="fast", hardness_vickers_5=9999.0, test_type_6="bending")
    before = openpyxl.load_workbook(filled)["process"]["C4"].value
    back = tmp_path / "back.xlsx"
    run = imported(filled, "--errors", str(back), "--language", "ko")
    assert run.exit_code == 3
    found = errors_of(back, "property")
    assert set(found) == {4, 5, 6}
    assert found[4].startswith("F yield_strength [number]: fast 대신 수. ")
    assert "hardness_vickers [hard_range]: 9999 대신 10~2500" in found[5]
    assert "test_type [category]: bending 대신 tension, compression 가운데 하나" in found[6]
    assert errors_of(back, "process") == {}
    assert openpyxl.load_workbook(back)["process"]["C4"].value == before
    assert openpyxl.load_workbook(filled)["property"]["A4"].value, "the file itself is as it was"
    english = tmp_path / "english.xlsx"
    imported(filled, "--errors", str(english), "--language", "en")
    assert "expected 10 to 2500" in errors_of(english, "property")[5]


def test_a_mended_file_with_its_errors_is_read_again(
    filled: Path, imported: Callable[..., Result], tmp_path: Path
) -> None:
    """The column of errors is no data, and is written anew."""
    edit(filled, "property", yield_strength_4="fast")
    back = tmp_path / "back.xlsx"
    imported(filled, "--errors", str(back))
    edit(back, "property", yield_strength_4=300.0)
    run = imported(back, "--errors", str(tmp_path / "again.xlsx"))
    assert run.exit_code == 0, run.output
    assert errors_of(tmp_path / "again.xlsx", "property") == {}


def test_another_unit_in_the_unit_row_is_converted(
    filled: Path, imported: Callable[..., Result], tmp_path: Path
) -> None:
    """Kelvins where the template says °C: 20 times too hot would be refused, converted it is not."""
    workbook = openpyxl.load_workbook(filled)
    sheet = workbook["property"]
    place = next(n for n, c in enumerate(sheet[2], start=1) if c.value == "test_temperature")
    sheet.cell(3, place, "K")
    for row in range(4, sheet.max_row + 1):
        sheet.cell(row, place, float(sheet.cell(row, place).value) + 273.15)
    workbook.save(filled)
    assert imported(filled).exit_code == 0
    first = next(event for event in events_of(filled) if "test_temperature" in event.values)
    typed: Any = first.header["as_reported"]
    assert typed["test_temperature"] == f"{float(str(first.values['test_temperature'])) + 273.15:.12g} K"
    sheet.cell(3, place, "kg")
    workbook.save(filled)
    run = imported(filled)
    assert "unit 'kg' for test_temperature" in str(run.exception)
    assert "correct rows 2 and 3 of the sheet" in str(run.exception)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"yield_stress_4": 500.0}, "column 'yield_stress' in row 2.*near it: yield_strength"),
        ({"header.eventtime_4": "2026-01-01"}, "near it: header.event_time"),
    ],
)
def test_a_key_that_is_no_field_is_refused(
    filled: Path, imported: Callable[..., Result], change: Any, said: str
) -> None:
    """With what comes near; nothing is sent."""
    edit(filled, "property", **change)
    run = imported(filled)
    with pytest.raises(Exception, match=said):
        raise run.exception or AssertionError(run.output)


def test_a_formula_and_amounts_in_one_row_are_a_finding(filled: Path, imported: Callable[..., Result]) -> None:
    """One of them is wrong, and nobody can tell which; the other rows are read."""
    edit(filled, "composition", composition_4="CoCrNi")
    run = imported(filled)
    assert (
        "sheet composition, row 4, composition [composition, told_twice]: got CoCrNi, expected either the formula"
        in run.output
    )
    assert "unread 1" in run.output


def test_a_workbook_without_rows_is_refused(tmp_path: Path, imported: Callable[..., Result]) -> None:
    """With where to write."""
    path = tmp_path / "empty.xlsx"
    path.write_bytes(workbook_bytes([BOOK.get(ALLOY, stage) for stage in STAGES], "en"))
    assert "no row is filled in" in str(imported(path, "--institute", "kims").exception)


def test_another_file_without_a_mapping_is_told_what_to_do(tmp_path: Path, imported: Callable[..., Result]) -> None:
    """It names the three ways."""
    path = tmp_path / "lab.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    said = str(imported(path).exception)
    assert all(word in said for word in ("--mapping", "--template", "sojae template workbook"))


def test_a_version_that_is_not_known_is_named(filled: Path, imported: Callable[..., Result]) -> None:
    """A workbook of a newer Sojae is not read by an older template."""
    workbook = openpyxl.load_workbook(filled)
    for row in workbook[INFO_SHEET].iter_rows():
        if row[0].value == "template.property":
            row[1].value = "1.7"
    workbook.save(filled)
    assert (
        f"sheet property: the sheet follows template {ALLOY}/property/1.7, and known here is {ALLOY}/property/1.0; update"
    ) in str(imported(filled).exception)


def test_a_template_that_has_changed_since_is_told(filled: Path, imported: Callable[..., Result]) -> None:
    """What holds now is what is checked."""
    tell(filled, {"sha256.property": "0" * 64})
    run = imported(filled)
    assert run.exit_code == 0
    assert f"sheet property: template {ALLOY}/property/1.0 has changed since this workbook was made" in run.output


def tell(path: Path, said: dict[str, str]) -> None:
    """Change what a workbook says of itself."""
    workbook = openpyxl.load_workbook(path)
    for row in workbook[INFO_SHEET].iter_rows():
        if row[0].value in said:
            row[1].value = said[str(row[0].value)]
    workbook.save(path)


def test_a_workbook_without_a_source_comes_back_with_one(
    filled: Path, imported: Callable[..., Result], tmp_path: Path
) -> None:
    """Under another file name its rows would be other records."""
    tell(filled, {"source": ""})
    before, back = ids(filled), tmp_path / "back.xlsx"
    assert "--source" not in imported(filled, "--errors", str(back)).output
    assert ids(back) == before


def test_who_named_a_source_is_told_to_name_it_again(
    filled: Path, imported: Callable[..., Result], tmp_path: Path
) -> None:
    """The workbook names another."""
    run = imported(filled, "--errors", str(tmp_path / "back.xlsx"), "--source", "lab-2")
    assert "back.xlsx: when it is mended, import it with --source lab-2" in run.output


def test_an_institute_that_can_be_none_is_named_with_its_sheet(filled: Path, imported: Callable[..., Result]) -> None:
    """Unless the command names another."""
    tell(filled, {"institute": "KIMS Lab"})
    assert "lab.xlsx, sheet sojae: institute 'KIMS Lab': expected 2 to 32" in str(imported(filled).exception)
    assert imported(filled, "--institute", "kims").exit_code == 0


def test_a_hidden_sheet_is_not_read_and_told(filled: Path, imported: Callable[..., Result]) -> None:
    """Who hid it may not know any more what it holds."""
    workbook = openpyxl.load_workbook(filled)
    workbook["raw"].sheet_state = "hidden"
    workbook.save(filled)
    run = imported(filled, "--all")
    assert "hidden sheets raw are not read" in run.output
    assert "grades: composition" in run.output


def test_a_row_is_the_same_record_with_and_without_a_column_for_its_key(filled: Path) -> None:
    """Who deletes the empty column of row keys corrects rows, and adds none."""
    before = ids(filled)
    workbook = openpyxl.load_workbook(filled)
    for stage in STAGES:
        place = next(n for n, c in enumerate(workbook[stage][2], start=1) if c.value == "row_key")
        workbook[stage].delete_cols(place)
    workbook.save(filled)
    assert ids(filled) == before


def test_row_keys_tell_the_measurements_of_one_sample_apart(filled: Path) -> None:
    """The second stays what it is when the first goes, and no other sample's row is renamed."""
    plain = ids(filled)
    edit(filled, "property", sample_id_5="wb", row_key_5="2", sample_id_4="wb", row_key_4="1")
    before = ids(filled)
    workbook = openpyxl.load_workbook(filled)
    workbook["property"].delete_rows(4)
    workbook.save(filled)
    gone = before[-3]
    assert before[-1] == plain[-1]
    assert ids(filled) == [record_id for record_id in before if record_id != gone]


def ids(path: Path) -> list[object]:
    return [event.header["record_id"] for event in events_of(path)]


def events_of(path: Path) -> list[ImportEvent]:
    parts, institute = workbook_parts(path, BOOK, Named(None, None))
    return prepare(path, parts, Named(None, None), institute).read.events


def test_what_a_lab_adds_beside_the_columns_is_told(filled: Path, imported: Callable[..., Result]) -> None:
    """A column without a key is not read, behind the last too; a field whose name begins like the column of errors is one."""
    workbook = openpyxl.load_workbook(filled)
    sheet = workbook["property"]
    place = sheet.max_column + 2
    sheet.cell(4, place, "see notebook 7")
    sheet.cell(2, place + 1, "errors_seen")
    sheet.cell(4, place + 1, "none")
    sheet.cell(5, place + 2, "mine")
    workbook.save(filled)
    with pytest.raises(Exception, match="column 'errors_seen' in row 2"):
        raise imported(filled).exception or AssertionError
    sheet.cell(2, place + 1).value = "errors"
    workbook.save(filled)
    run = imported(filled)
    assert f"(column {place}), (column {place + 2}) without a key, not read" in run.output
    assert "unread 0" in run.output


@pytest.mark.parametrize("key", ["yield_strength:u", "header.uncertainty.yield_strength"])
def test_a_column_of_uncertainties(filled: Path, imported: Callable[..., Result], key: str) -> None:
    """In the unit of the unit row, whichever way its key is written."""
    edit(filled, "property", **{f"{key}_4": 0.012})
    workbook = openpyxl.load_workbook(filled)
    sheet = workbook["property"]
    sheet.cell(3, next(n for n, c in enumerate(sheet[2], start=1) if c.value == key), "GPa")
    workbook.save(filled)
    parts, institute = workbook_parts(filled, BOOK, Named(None, None))
    events = prepare(filled, parts, Named(None, None), institute).read.events
    spreads = [event.header.get("uncertainty") for event in events if event.template.key.stage == "property"]
    assert spreads[0] == {"yield_strength": pytest.approx(12.0)}
    assert imported(filled).exit_code == 0


def test_a_check_finds_what_is_wrong_in_the_header_too(filled: Path, imported: Callable[..., Result]) -> None:
    """As the real import would."""
    edit(filled, "property", **{"header.disclosure_4": "L9", "header.event_time_5": "1492-10-12"})
    run = imported(filled)
    assert "row 4, header.disclosure [property, category]: got L9, expected one of" in run.output
    assert "row 5, header.event_time [property, time_range]" in run.output
    assert "quarantined 2" in run.output


def test_errors_have_a_place_before_anything_is_read(filled: Path, imported: Callable[..., Result]) -> None:
    """A name of another kind is refused."""
    assert "another kind of file" in str(imported(filled, "--errors", "back.csv").exception)


def test_notes_are_in_the_language_that_was_asked_for(filled: Path, imported: Callable[..., Result]) -> None:
    """As the report is."""
    tell(filled, {"sha256.property": "0" * 64})
    assert "양식을 만든 뒤 바뀌었습니다" in imported(filled, "--language", "ko").output


def test_a_csv_file_of_a_template_goes_the_same_way(tmp_path: Path, imported: Callable[..., Result]) -> None:
    """Three rows above the data, and the errors behind them."""
    template = BOOK.get(ALLOY, "property")
    head = list(csv.reader(io.StringIO(csv_text(template, "ko").removeprefix("\ufeff"))))
    assert head[1] == [c.key for c in layout(template)]
    values = {"sample_id": "시료-1", "yield_strength": "520 ± 12", "test_type": "tension", "test_temperature": "298 K"}
    row = [values.get(key, "") for key in head[1]]
    bad = [{**values, "test_type": "bending"}.get(key, "") for key in head[1]]
    path, back = tmp_path / "p.csv", tmp_path / "back.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([*head, row, bad])
    what = f"{ALLOY}/property"
    run = imported(path, "--template", what, "--institute", "kims", "--errors", str(back))
    assert "accepted 1" in run.output
    with back.open(encoding="utf-8-sig", newline="") as file:
        marked = list(csv.reader(file))
    assert [line[-1] for line in marked[:4]] == ["", "errors", "", ""]
    assert "test_type [category]" in marked[4][-1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sample_id,yield_strength\na,500\nb,510\n", "got the key sample_id in row 1, expected it in row 2"),
        ("specimen,yield_strength\nx,y\nb,510\n", "got the key sample_id nowhere"),
    ],
)
def test_keys_in_another_row_are_told_where(
    tmp_path: Path, imported: Callable[..., Result], text: str, said: str
) -> None:
    """A script that writes one row of names above its data is told of the other two."""
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    run = imported(path, "--template", f"{ALLOY}/property", "--institute", "kims")
    assert said in str(run.exception)


def test_one_sheet_of_a_workbook_goes_by_its_template_too(tmp_path: Path, imported: Callable[..., Result]) -> None:
    """The first that is not hidden; the errors come back into it."""
    path, back = tmp_path / "p.xlsx", tmp_path / "back.xlsx"
    book = openpyxl.Workbook()
    sheet, rows = book.create_sheet("tests"), csv_text(BOOK.get(ALLOY, "property"), "en")
    book.worksheets[0].sheet_state = "hidden"
    for row in csv.reader(io.StringIO(rows.removeprefix("\ufeff"))):
        sheet.append(row)
    sheet.cell(4, 1, "a")
    sheet.cell(4, [c.value for c in sheet[2]].index("yield_strength") + 1, "fast")
    book.save(path)
    run = imported(path, "--template", f"{ALLOY}/property", "--institute", "kims", "--errors", str(back))
    assert "p.xlsx, sheet tests, row 4, yield_strength [property, number]: got fast" in run.output
    assert set(errors_of(back, "tests")) == {4}
