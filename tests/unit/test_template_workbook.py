"""Workbooks of templates: what they ask for."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from sojae.adapters.template_files import load_templates
from sojae.adapters.workbook_writer import workbook_bytes
from sojae.cli.template_group import template as command
from sojae.domain.template import STAGES
from sojae.domain.workbook_layout import INFO_SHEET, layout

BOOK = load_templates()
ALLOY = "high_entropy_alloy"


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
        assert listed == sum(bool(c.choices) for c in columns)
        assert sheet.max_row == 3


def test_a_workbook_says_what_it_follows() -> None:
    """Project, language, version and hash of each stage's template; institute and source are left to fill in."""
    templates = [BOOK.get(ALLOY, stage) for stage in STAGES]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes(templates, "ko")))[INFO_SHEET]
    info = {key: value for key, value, *_ in sheet.iter_rows(values_only=True)}
    assert info == {
        "project": ALLOY,
        "institute": "",
        "source": "",
        "language": "ko",
        **{f"template.{t.key.stage}": "1.0" for t in templates},
        **{f"sha256.{t.key.stage}": t.sha256 for t in templates},
    }


def test_a_workbook_warns_of_what_cannot_be() -> None:
    """Numbers by the possible range, words by the list; both may be kept, since the import judges them."""
    template = BOOK.get(ALLOY, "property")
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes([template], "en")))["property"]
    letters = {str(cell.value): cell.column_letter for cell in sheet[2]}
    found = {str(v.sqref).partition(":")[0]: v for v in sheet.data_validations.dataValidation}
    number, word = found[f"{letters['test_temperature']}4"], found[f"{letters['test_type']}4"]
    assert (number.type, float(number.formula1), float(number.formula2)) == ("decimal", -273.15, 2000.0)
    assert number.errorStyle == word.errorStyle == "warning"
    assert "Possible: -273.15 to 2000 °C." in number.error
    assert (word.type, word.formula1) == ("list", '"tension,compression"')
    note = sheet[f"{letters['test_temperature']}1"].comment.text
    assert "usual -268.8 to 1600 °C\npossible -273.15 to 2000 °C\nexample 25\nsource: seen in 1,545" in note


def test_a_long_list_stands_on_its_own() -> None:
    """Excel takes 255 characters in a drop-down; beyond that it points to cells of the last sheet."""
    words = tuple(f"grade_{number:03}" for number in range(60))
    template = BOOK.get(ALLOY, "raw")
    fields = tuple(replace(f, one_of=words) if f.name in ("element", "form") else f for f in template.fields)
    workbook = openpyxl.load_workbook(io.BytesIO(workbook_bytes([replace(template, fields=fields)], "en")))
    pointing = [v.formula1 for v in workbook["raw"].data_validations.dataValidation if "!" in str(v.formula1)]
    assert pointing == ["sojae!$F$1:$F$60"] * 2
    assert [row[0].value for row in workbook[INFO_SHEET]["F1:F60"]] == list(words)


def test_a_workbook_keeps_texts_as_they_are_typed() -> None:
    """Excel would make a day of the lot 2026-04, and 12 of 0012; days and times look like what they are."""
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes([BOOK.get(ALLOY, "raw")], "en")))["raw"]
    looks = {str(cell.value): sheet.column_dimensions[cell.column_letter].number_format for cell in sheet[2]}
    assert [looks[key] for key in ("sample_id", "lot_number", "header.references")] == ["@", "@", "@"]
    assert looks["received_on"] == looks["header.calibrated_on"] == "yyyy-mm-dd"
    assert looks["header.event_time"] == "yyyy-mm-dd hh:mm"
    assert looks["price"] == "General"


def test_a_workbook_asks_for_components_and_their_lots() -> None:
    """Those that the template names, beside one column for a formula."""
    keys = [c.key for c in layout(BOOK.get(ALLOY, "composition"))]
    assert keys[2:5] == ["composition", "composition.Al", "composition.Co"]
    assert {"composition.B", "lots.Al", "lots.B"} <= set(keys)
    lots = {c.key: c for c in layout(BOOK.get("interior_textile", "composition"))}
    assert "raw lot" in lots["lots.dye_content"].note.en
    assert "lots.dye_content" not in {c.key for c in layout(BOOK.get("interior_textile", "property"))}


def test_the_command_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook that somebody has filled in stays."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(command, ["workbook", ALLOY]).exit_code == 0
    run = CliRunner().invoke(command, ["workbook", ALLOY])
    assert "is there already" in str(run.exception)
    assert CliRunner().invoke(command, ["csv", f"{ALLOY}/raw"]).output.strip().endswith(f"--template {ALLOY}/raw")
