"""`sojae template draft`: files nobody has described become projects that can be imported as they are."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from click.testing import CliRunner, Result

from sojae.adapters.template_files import TemplateBook, reload_templates
from sojae.cli.main import sojae
from sojae.domain.errors import CommandError, SpreadsheetError
from sojae.domain.template import Template
from tests.odd_file import odd_file

ROWS = [[f"S{k}", 900 + 10 * k, 20.5 + k % 7, "cast" if k % 2 else "압연", 300 + 2 * k] for k in range(12)]
HEADER = ["시편", "소결온도(℃)", "Cr (wt%)", "route", "YS (MPa)"]


def written(path: Path, *rows: Sequence[object], header: Sequence[object] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([*rows, header, *ROWS] if header else ROWS)
    return path


def draft(file: Path, output: Path, *options: str, language: str = "en") -> Result:
    arguments = ["template", "draft", str(file), "--institute", "test-lab", "--project", "own", "--output", str(output)]
    result = CliRunner().invoke(sojae, [*arguments, *options], env={"SOJAE_LANGUAGE": language})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def found(output: Path) -> dict[str, Template]:
    """Return the drafted templates by stage."""
    book, broken = reload_templates(output, TemplateBook([]), packaged=False)
    assert broken == []
    return {t.key.stage: t for t in book}


def test_a_file_becomes_templates_and_a_mapping(tmp_path: Path) -> None:
    """With units, roles, ranges and samples; the file is read whole by them."""
    result = draft(written(tmp_path / "own.csv"), tmp_path / "out")
    assert "of 36 records 36 would be accepted (0 flagged), 0 quarantined, 0 unread" in result.output
    templates = found(tmp_path / "out")
    assert list(templates) == ["composition", "process", "property"]
    (temperature, route) = templates["process"].fields
    assert (temperature.name, temperature.unit, temperature.role) == ("sintering_temperature", "Cel", "input")
    assert (temperature.label.ko, temperature.label.en) == ("소결온도", "Sintering temperature")
    assert (temperature.warn, temperature.hard) == ((880, 1030), (-273.15, None))
    assert route.one_of == ("cast", "압연")
    strength = templates["property"].field("ys")
    assert (strength.unit, strength.role, strength.required) == ("MPa", "target", True)
    sample = tmp_path / "out" / "x_test_lab_own" / "property" / "1.0.sample.json"
    assert json.loads(sample.read_text(encoding="utf-8"))[0] == {"ys": 300.0}


def test_of_a_long_file_nothing_is_said_that_an_unseen_row_gainsays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither choices nor what is required; a record that would be quarantined is no sample."""
    monkeypatch.setattr("sojae.cli.draft_layout.MAX_ROWS", 4)
    file = tmp_path / "own.csv"
    rows = [[f"S{k}", 80 - k, 20 + k, "cast", 300 + k] for k in range(12)]
    rows[1] = ["S1", 90, 80, "압연", ""]
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([["시편", "Fe (wt%)", "Cr (wt%)", "route", "YS (MPa)"], *rows])
    assert "1 quarantined" in draft(file, tmp_path / "out").output
    templates = found(tmp_path / "out")
    assert templates["process"].field("route").one_of is None
    assert not templates["property"].field("ys").required
    sample = tmp_path / "out" / "x_test_lab_own" / "composition" / "1.0.sample.json"
    shown = [one["composition"]["Fe"] for one in json.loads(sample.read_text(encoding="utf-8"))]
    assert shown == [80, 78, 77]


def test_what_was_guessed_stands_in_the_file_and_is_said(tmp_path: Path) -> None:
    """In Korean where that is asked for."""
    result = draft(written(tmp_path / "own.csv"), tmp_path / "out", language="ko")
    assert "property.ys: 목표로 추측한 열입니다" in result.output
    schema = json.loads((tmp_path / "out/x_test_lab_own/property/1.0.avsc").read_text(encoding="utf-8"))
    assert schema["fields"][1]["draft"] == ["label", "target"]


def test_odd_headers_are_no_hindrance(tmp_path: Path) -> None:
    """LaTeX, a name twice, none at all, a keyword, a row of units, a row of means."""
    odd_file(tmp_path / "odd.csv", rows=30)
    result = draft(tmp_path / "odd.csv", tmp_path / "out")
    assert "of 90 records 90 would be accepted (0 flagged), 0 quarantined, 0 unread" in result.output
    templates = found(tmp_path / "out")
    assert [(f.name, f.unit) for f in templates["process"].fields] == [
        ("t_sinter", "Cel"), ("sintering_time", "h"), ("select_value", None), ("flow", "mL/min"), ("flow_2", "L/min"),
        ("process_field_10", "1"), ("value_2nd_gas", None),
    ]  # fmt: skip
    composition = templates["composition"].field("composition")
    assert (composition.unit, composition.basis) == ("%{mass}", "mass")
    assert composition.sum is not None
    assert composition.sum.of == 100.0


def test_a_file_without_header_is_seen_as_such(tmp_path: Path) -> None:
    """Its columns are named by their places."""
    path = written(tmp_path / "own.csv", header=[])
    result = draft(path, tmp_path / "out")
    assert "of 24 records 24 would be accepted" in result.output
    assert "header_row = 0" in (tmp_path / "out" / "own.toml").read_text(encoding="utf-8")
    assert found(tmp_path / "out")["process"].fields[0].name == "process_field_02"


def test_a_row_of_units_says_what_is_meant(tmp_path: Path) -> None:
    """C beneath a temperature is the degree; a row of intervals is no row of units."""
    path = tmp_path / "own.csv"
    rows = [f"{900 + k},{k}-{k + 2},{300 + 2 * k}" for k in range(12)]
    for first, unit, kept in (("C,um,MPa", "Cel", 12), ("890,5-8,290", "1", 13)):
        path.write_text("\n".join(["T,gap,YS", first, *rows]), encoding="utf-8")
        result = draft(path, tmp_path / "out", "--force")
        assert f"of {2 * kept} records {2 * kept} would be accepted" in result.output
        assert found(tmp_path / "out")["process"].field("t").unit == unit


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    """The mapping says where the header stands."""
    result = draft(written(tmp_path / "own.csv", ["2026년 시험 결과"], []), tmp_path / "out")
    assert "36 would be accepted" in result.output
    assert "header_row = 3" in (tmp_path / "out" / "own.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", ["Total:", "Grand total", "합 계"])
def test_totals_at_the_end_are_no_records(word: str, tmp_path: Path) -> None:
    """Those that the import leaves out too."""
    file = written(tmp_path / "own.csv")
    with file.open("a", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerow([word, 99_999, 99.9, "", 99_999])
    assert "5 columns and 12 rows" in draft(file, tmp_path / "out").output


def test_workbooks_and_parquet_are_read(tmp_path: Path) -> None:
    """They give the same templates as the text does."""
    book = openpyxl.Workbook()
    assert book.active is not None
    rows: list[list[Any]] = [list(HEADER), *ROWS]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "own.xlsx")
    pl.DataFrame(ROWS, schema=HEADER, orient="row").write_parquet(tmp_path / "own.parquet")
    wanted = None
    for name in ("own.xlsx", "own.parquet"):
        assert "36 would be accepted" in draft(tmp_path / name, tmp_path / name.replace(".", "_")).output
        fields = {
            s: [(f.name, f.unit, f.role) for f in t.fields] for s, t in found(tmp_path / name.replace(".", "_")).items()
        }
        wanted = wanted or fields
        assert fields == wanted


def test_nothing_is_written_over_unasked(tmp_path: Path) -> None:
    """With --force it is, and stages that the new draft has not are taken away."""
    path, output = written(tmp_path / "own.csv"), tmp_path / "out"
    draft(path, output)
    before = (output / "own.toml").read_text(encoding="utf-8")
    with pytest.raises(CommandError, match="already"):
        draft(path, output, "--target", "Cr (wt%)")
    assert (output / "own.toml").read_text(encoding="utf-8") == before
    draft(path, output, "--force", "--target", "Cr (wt%)")
    assert list(found(output)) == ["process", "property"]
    assert not (output / "x_test_lab_own" / "composition" / "1.0.sample.json").exists()


def test_what_is_published_is_not_written_over(tmp_path: Path) -> None:
    """Not even with --force."""
    path, output = written(tmp_path / "own.csv"), tmp_path / "out"
    draft(path, output)
    assert CliRunner().invoke(sojae, ["template", "publish", "x_test_lab_own", "--folder", str(output)]).exit_code == 0
    with pytest.raises(CommandError, match="never changes"):
        draft(path, output, "--force")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--institute", "Test Lab"], "expected 2 to 32"),
        (["--project", "동시"], "expected a name"),
        (["--target", "UTS"], "no such column"),
        (["--target", "route"], "expected one of numbers"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(options: list[str], said: str, tmp_path: Path) -> None:
    """And nothing is written."""
    with pytest.raises(CommandError, match=said):
        draft(written(tmp_path / "own.csv"), tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_a_file_that_holds_no_table_is_refused(tmp_path: Path) -> None:
    """As the import would."""
    (tmp_path / "own.csv").write_text("a title\n\nand a sentence, with a comma\n", encoding="utf-8")
    with pytest.raises(SpreadsheetError):
        draft(tmp_path / "own.csv", tmp_path / "out")
