"""Workbooks of templates: what they ask for, how they are read back, and the file given back with what is wrong."""

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
from sojae.cli.import_file import import_file
from sojae.cli.template_group import template as command
from sojae.domain.template import STAGES
from sojae.domain.workbook_layout import INFO_SHEET, layout
from tests.workbook_fill import filled_workbook

BOOK = load_templates()
ALLOY = "high_entropy_alloy"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "lab.xlsx"
    filled_workbook(path, ALLOY, 3)
    return path


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))

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


@pytest.mark.parametrize("project", BOOK.projects())
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_workbook_asks_for_every_field(project: str, language: Any) -> None:
    """Labels, keys and units of each stage's sheet are the template's, choices are offered, and nothing is filled in."""
    templates = [BOOK.get(project, stage) for stage in STAGES]
    workbook = openpyxl.load_workbook(io.BytesIO(workbook_bytes(templates, language)))
    assert workbook.sheetnames == [*STAGES, INFO_SHEET]
    for template in templates:
        sheet, columns = workbook[template.key.stage], layout(template)
        rows = list(sheet.iter_rows(min_row=1, max_row=3, values_only=True))
        assert [str(v).removesuffix(" *") for v in rows[0]] == [c.label[language] for c in columns]
        assert list(rows[1]) == [c.key for c in columns]
        assert [v or "" for v in rows[2]] == [c.unit for c in columns]
        asked = {c.key.partition(".")[0] for c in columns}
        assert {f.name for f in template.fields if f.kind != "map_string"} <= asked
        listed = sum(v.type == "list" for v in sheet.data_validations.dataValidation)
        assert listed == sum(bool(c.choices) and len(",".join(c.choices)) <= 255 for c in columns)
        assert sheet.max_row == 3


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
    assert "yield_strength: 'fast'은(는) 수가 아닙니다" in found[4]
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
    assert "row 4, composition [composition]: got CoCrNi, expected either the formula" in run.output
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
    assert f"unknown template {ALLOY}/property/1.7" in str(imported(filled).exception)


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


def test_the_command_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook that somebody has filled in stays."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(command, ["workbook", ALLOY]).exit_code == 0
    run = CliRunner().invoke(command, ["workbook", ALLOY])
    assert "is there already" in str(run.exception)
    assert CliRunner().invoke(command, ["csv", f"{ALLOY}/raw"]).output.strip().endswith(f"--template {ALLOY}/raw")
