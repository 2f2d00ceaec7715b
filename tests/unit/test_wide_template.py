"""A template of 200 fields: loaded, checked, framed, asked for in a workbook and read back like any other."""

import csv
import io
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.adapters.template_files import TemplateBook, reload_templates
from sojae.adapters.template_gate import gate_faults
from sojae.adapters.workbook_writer import csv_text, workbook_bytes
from sojae.cli.import_file import import_file
from sojae.domain.checks import check_values
from sojae.domain.errors import TemplateError
from sojae.domain.template import Template
from sojae.domain.workbook_layout import KEY_ROW, layout
from tests.builders import header

PROJECT = "x_kims_wide"
NUMBERS = [f"strength_{n}" for n in range(150)]
CHOICES = [f"route_{n}" for n in range(30)]
TEXTS = [f"note_{n}" for n in range(10)]
FLAGS = [f"flag_{n}" for n in range(9)]
NAMES = [*NUMBERS, *CHOICES, *TEXTS, *FLAGS, "composition"]


def label(name: str) -> dict[str, str]:
    return {"ko": f"항목 {name}", "en": f"Item {name}"}


def optional(name: str, kind: Any, **given: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", kind], "default": None, "label": label(name), "source": "proposed", **given}


def schema(numbers: list[str] = NUMBERS) -> dict[str, Any]:
    amounts = {"type": "map", "values": "double"}
    rules = [
        {"id": f"order_{n}", "severity": "hard", "sql": f"{one} <= {other}", "message": label(f"order {n}")}
        for n, (one, other) in enumerate(itertools.pairwise(NUMBERS))
    ]
    total = {"of": 100, "warn": 0.5, "hard": 5}
    return {
        "type": "record", "namespace": f"sojae.{PROJECT}", "name": "Composition", "project": PROJECT,
        "stage": "composition", "version": "1.0", "institute": "kims", "label": label("wide"),
        "includes": {"header": "1.0"}, "rules": rules,
        "fields": [
            {"name": "header", "type": "sojae.common.Header", "label": label("header")},
            *(optional(n, "double", unit="MPa", warn=[0, 900], hard=[-1, 1000], role="input") for n in numbers),
            *(optional(n, "string", one_of=["cast", "rolled"], required=n == CHOICES[-1]) for n in CHOICES),
            *(optional(n, "string") for n in TEXTS),
            *(optional(n, "boolean") for n in FLAGS),
            optional("composition", amounts, unit="%{at}", quantity="composition", basis="at", sum=total),
        ],
    }  # fmt: skip


def row(**changed: object) -> dict[str, object]:
    return {
        **{name: float(n) for n, name in enumerate(NUMBERS)},
        **dict.fromkeys(CHOICES, "cast"),
        **{name: f"비고 {n}" for n, name in enumerate(TEXTS)},
        **{name: n % 2 == 0 for n, name in enumerate(FLAGS)},
        "composition": {"Fe": 60.0, "Ni": 40.0},
        **changed,
    }


def written(folder: Path, of: Mapping[str, Any]) -> Path:
    """Write the schema, and one record beside it, into a folder of templates."""
    path = folder / PROJECT / "composition" / "1.0.avsc"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(of, ensure_ascii=False), encoding="utf-8")
    path.with_suffix(".sample.json").write_text(json.dumps([row()], ensure_ascii=False), encoding="utf-8")
    return folder


def loaded(folder: Path) -> TemplateBook:
    """Return the templates of a folder; raises TemplateError for the first that is refused."""
    found, broken = reload_templates(folder, TemplateBook([]), packaged=False)
    if broken:
        raise broken[0]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("wide"), schema())


@pytest.fixture(scope="module")
def book(folder: Path) -> TemplateBook:
    return loaded(folder)


@pytest.fixture(scope="module")
def wide(book: TemplateBook) -> Template:
    return book.get(PROJECT, "composition")


def test_it_is_loaded_with_all_its_fields(wide: Template) -> None:
    """In the order of the file, none left out."""
    assert len(NAMES) == 200
    assert [field.name for field in wide.fields] == NAMES


def test_it_may_be_published(folder: Path) -> None:
    """The gate finds nothing: labels, rules, and the record beside it through both framings."""
    assert gate_faults(folder)[1] == []


def test_a_clean_row_has_no_finding_and_a_bad_one_has_its_own(wide: Template) -> None:
    """From the first field to the last, each fault is found in its own row and nowhere else."""
    faults: dict[str, tuple[object, str, str]] = {
        NUMBERS[0]: (-0.5, "warn_range", NUMBERS[0]),
        NUMBERS[-1]: (1001.0, "hard_range", NUMBERS[-1]),
        CHOICES[0]: ("forged", "category", CHOICES[0]),
        CHOICES[-1]: (None, "required", CHOICES[-1]),
        "composition": ({"Fe": 60.0, "Ni": 41.0}, "composition_sum", "composition"),
    }
    rows = [row(), *(row(**{name: bad}) for name, (bad, *_) in faults.items()), row()]
    found = check_values(wide, rows, ["experiment"] * len(rows))
    assert [[(i.rule, i.field) for i in issues] for issues in found] == [
        [],
        *([said] for _, *rest in faults.values() for said in [tuple(rest)]),
        [],
    ]


@pytest.mark.parametrize("place", [0, 74, 148])
def test_each_of_its_149_rules_is_asked(wide: Template, place: int) -> None:
    """A value above its right-hand neighbour breaks the rule between the two, and no other."""
    one, other = NUMBERS[place], NUMBERS[place + 1]
    values = row(**{one: float(place) + 0.5, other: float(place)}) if place == 148 else row(**{one: place + 1.5})
    (found,) = check_values(wide, [values], ["experiment"])
    assert [(issue.rule, issue.field) for issue in found] == [(f"order_{place}", f"{one}, {other}")]


@pytest.mark.parametrize("single_object", [False, True])
def test_a_record_survives_both_framings(wide: Template, book: TemplateBook, single_object: bool) -> None:
    """All 200 values come back as they were; what was not given is null."""
    encoder = FastavroEncoder(single_object=single_object)
    some = {name: value for name, value in row().items() if name in NAMES[::3]}
    sent = [encoder.encode(wide, header(n), values) for n, values in enumerate((row(), some))]
    whole, partly = FastavroDecoder(lambda: book).decode(sent)
    assert (whole.issues, partly.issues) == ((), ())
    assert (whole.values, partly.values) == (row(), {name: some.get(name) for name in NAMES})


@pytest.mark.parametrize("language", ["ko", "en"])
def test_its_workbook_asks_for_every_field(wide: Template, language: Any) -> None:
    """One column a field, in the template's order, with its label and unit; a component of the map is a column too."""
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes([wide], language)))["composition"]
    labels, keys, units = ([cell.value for cell in sheet[n]] for n in (1, KEY_ROW, 3))
    assert [k for k in keys if not str(k).startswith(("header.", "sample_id", "row_key"))] == NAMES
    where = keys.index(NUMBERS[-1])
    assert (labels[where], units[where]) == (label(NUMBERS[-1])[language], "MPa")


def test_a_file_of_all_its_columns_is_read_without_a_mapping(
    wide: Template, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of 200 values is a record; one whose last number is impossible is told by its column."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOJAE_TEMPLATES__PATH", str(folder))
    head = list(csv.reader(io.StringIO(csv_text(wide, "ko").removeprefix("\ufeff"))))
    good = {"sample_id": "시료-1", **row(composition="Fe60Ni40")}
    bad = {**good, "sample_id": "시료-2", NUMBERS[-1]: 5000.0}
    lines = [[values.get(column.key, "") for column in layout(wide)] for values in (good, bad)]
    path = tmp_path / "wide.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([*head, *lines])
    options = ["--template", f"{PROJECT}/composition", "--institute", "kims", "--check", "--language", "en"]
    run = CliRunner().invoke(import_file, [str(path), *options], standalone_mode=False)
    assert "accepted 1" in run.output, run.output or str(run.exception)
    assert f"row 5, {NUMBERS[-1]} [composition, hard_range]: got 5000" in run.output


def test_more_than_400_fields_are_refused(tmp_path: Path) -> None:
    """The limit is stated: got, expected, and what to do."""
    many = [f"strength_{n}" for n in range(352)]
    with pytest.raises(TemplateError, match="402 fields, expected at most 400; correct the template file"):
        loaded(written(tmp_path, schema(many)))
