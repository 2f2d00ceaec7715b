"""What is derived from a template says what the template says: JSON Schema, form, store columns, documentation."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from sojae.adapters.template_files import TemplateBook, load_templates, packaged_folder, read_groups
from sojae.cli.reference_projects import project_page
from sojae.cli.template_group import template as command
from sojae.domain.checks import check_values
from sojae.domain.entry_form import entry_form
from sojae.domain.form import FormField
from sojae.domain.json_schema import json_schema
from sojae.domain.lead_projects import LEAD_PROJECTS
from sojae.domain.store_columns import record_fields, store_columns
from sojae.domain.template import STAGES, Field, Template, parse_template
from sojae.domain.workbook_layout import known_components
from sojae_ingest.record_rows import record_table
from tests.builders import book, samples, template, templates

EVERY = sorted(templates(), key=lambda t: str(t.key))
every_template = pytest.mark.parametrize("one", EVERY, ids=lambda t: str(t.key))
ALONE = {"hard_range", "category", "required", "composition_symbol", "composition_negative"}
"""Findings of one field alone; the others are beyond JSON Schema."""


def validator(one: Template) -> Any:
    schema = json_schema(one)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def variants(field: Field) -> Iterator[object]:
    """Yield values of a field at its limits and beyond, of its list and not, blank and left out."""
    yield None
    if field.kind == "double":
        low, high = field.hard or (None, None)
        yield from (low, low - 1.0) if low is not None else ()
        yield from (high, high + 1.0) if high is not None else ()
    elif field.kind == "string" and field.quantity != "formula":
        yield from ("", "no such word", *(field.one_of or ()))
    elif field.quantity == "composition":
        yield from ({"Fe": 100.0}, {"Xx": 100.0}, {"Fe": 101.0, "Ni": -1.0})


@every_template
def test_a_json_schema_takes_and_refuses_what_the_checks_do(one: Template) -> None:
    """For every field alone: at its limits, beyond them, another word, no element, left out."""
    sound = {f.name: samples(one)[0].get(f.name) for f in one.fields}
    rows = [(f.name, {**sound, f.name: value}) for f in one.fields for value in variants(f)]
    asked, refused = validator(one), 0
    findings = check_values(one, [row for _, row in rows], ["experiment"] * len(rows))
    for (name, row), issues in zip(rows, findings, strict=True):
        is_refused = any(i.rule in ALONE and i.severity == "hard" and (i.field or "").startswith(name) for i in issues)
        given = {k: v for k, v in row.items() if v is not None or k == name}
        assert asked.is_valid(given) is not is_refused, (name, row[name])
        refused += is_refused
    assert refused > 0


@every_template
def test_a_json_schema_takes_the_sample_data(one: Template) -> None:
    """And nothing that no field is called."""
    asked = validator(one)
    for row in samples(one):
        asked.validate(row)
        assert not asked.is_valid({**row, "nobody_knows": 1.0})


@every_template
def test_a_json_schema_names_units_labels_and_rules(one: Template) -> None:
    """As annotations, which other programs may show and need not know."""
    told: Any = json_schema(one)
    for field in one.fields:
        about = told["properties"][field.name]
        assert about["x-label"] == {"ko": field.label.ko, "en": field.label.en}
        assert about.get("x-unit") == field.unit
        assert about.get("x-source") == field.source
        assert about.get("examples", [None]) == [field.example]
        assert about.get("x-usual") == (None if field.warn is None else list(field.warn))
    assert [r["id"] for r in told["x-rules"]] == [r.id for r in one.rules]


def test_a_json_schema_reads_dates_and_texts_as_records_have_them() -> None:
    """A day as 2026-11-02; a lot names a sample."""
    asked = validator(template(stage="raw"))
    sound = samples(template(stage="raw"))[0]
    assert asked.is_valid({**sound, "received_on": "2026-11-02"})
    assert not asked.is_valid({**sound, "received_on": "2 November"})
    composition = validator(template(stage="composition"))
    sound = samples(template(stage="composition"))[0]
    assert not composition.is_valid({**sound, "lots": {"Al": 7}})
    assert not composition.is_valid({**sound, "lots": {"Al": " "}})


@every_template
def test_a_form_asks_for_every_field_once(one: Template) -> None:
    """What is required stands in a section that is open, in the template's order."""
    form = entry_form(one)
    asked = [(question, section) for section in form.sections for question in section.fields]
    own = {q.key: (q, section) for q, section in asked if not q.key.startswith("header.") and q.key != "sample_id"}
    assert sorted(own) == sorted(f.name for f in one.fields)
    assert len(asked) == len({q.key for q, _ in asked})
    assert [q.key for q, s in asked if s.id == "required"] == [f.name for f in one.fields if f.required]
    assert {q.key.removeprefix("header.") for q, _ in asked} <= {f.name for f in (*one.fields, *one.header_fields)}
    for field in one.fields:
        question, section = own[field.name]
        assert question.label == field.label
        assert (question.unit, question.possible, question.usual) == (field.unit, field.hard, field.warn)
        assert question.required == field.required
        assert section.open or not question.required
        assert (question.widget == "choice") == bool(question.choices)
        assert question.choices == (field.one_of or ())
        assert (question.sum and question.sum.of) == (field.sum and field.sum.of)
        assert field.source is None or field.source in question.help.ko


def test_a_form_is_json() -> None:
    """The console gets labels by language and ranges as two numbers, null for an open end."""
    told = msgspec.json.decode(msgspec.json.encode(entry_form(template(stage="composition"))))
    assert told == json.loads(json.dumps(asdict(entry_form(template(stage="composition")))))
    (required,) = (s for s in told["sections"] if s["id"] == "required")
    (composition,) = required["fields"]
    assert composition["widget"] == "amounts"
    assert composition["formula"]
    assert composition["components"][:5] == ["Al", "Co", "Cr", "Fe", "Ni"]
    assert composition["sum"] == {"of": 100.0, "usual": 0.5, "possible": 5.0}


@every_template
def test_a_form_says_which_answers_a_rule_is_about(one: Template) -> None:
    """Of each rule over one record; what is judged later is not asked for here."""
    form = entry_form(one)
    assert [r.id for r in form.rules] == [r.id for r in one.rules if r.scope == "record"]
    assert all(set(r.fields) <= {f.name for f in one.fields} and r.fields for r in form.rules)


@every_template
def test_the_store_s_columns_are_those_of_the_records_table(one: Template) -> None:
    """Names, types and units, in the order of the table that ingest writes."""
    table = record_table(record_fields([one]), [samples(one)[0]])
    columns = store_columns([one])
    assert [(c.name, c.type) for c in columns] == [(f.name, f.type) for f in table.schema]
    assert [c.unit for c in columns] == [(f.metadata or {}).get(b"unit", b"").decode() or None for f in table.schema]
    assert {f.name for f in one.fields} <= {c.name for c in columns}


def test_minor_versions_share_a_table() -> None:
    """A field that came with a minor has its column, once."""
    old = template()
    added = {"name": "toughness", "type": ["null", "double"], "default": None, "unit": "MPa.m0.5"}
    schema = {**old.schema, "version": "1.1", "fields": [*old.schema["fields"], added]}  # type: ignore[misc]  # JSON
    columns = store_columns([old, parse_template(schema, "here")])
    names = [c.name for c in columns]
    assert len(names) == len(set(names)) == len(store_columns([old])) + 1
    (toughness,) = (c for c in columns if c.name == "toughness")
    assert (toughness.type, toughness.unit) == (pa.float64(), "MPa.m0.5")


def test_components_are_those_of_list_example_and_rules() -> None:
    """In this order; lots are asked for the components of the composition."""
    alloy = template(stage="composition")
    composition = known_components(alloy, alloy.field("composition"))
    assert set(composition) == {"Al", "Co", "Cr", "Fe", "Ni", "C", "N", "O", "B"}
    assert known_components(alloy, alloy.field("lots")) == composition


@pytest.mark.parametrize("project", LEAD_PROJECTS)
def test_a_page_says_every_field_rule_and_source(project: str) -> None:
    """In both languages; nothing is left out, and what has no source says so."""
    front, *stages = project_page(project, book(), [packaged_folder()]).replace("\\", "").split("\n## ")
    lead = LEAD_PROJECTS[project]
    assert all(word in front for word in (lead.name.ko, lead.name.en, lead.family.ko))
    for stage, page in zip(STAGES, stages, strict=True):
        one = book().get(project, stage)
        for field in one.fields:
            (row,) = [line for line in page.splitlines() if line.startswith(f"| `{field.name}` | {field.label.ko} · ")]
            assert field.label.en in row
            assert ("✔" in row) == field.required
            assert field.source is not None
            assert "proposed" in row if field.source == "proposed" else field.source in page
            assert all(f"`{word}`" in row for word in field.one_of or ())
        for rule in one.rules:
            assert rule.message.ko in page
            assert rule.message.en in page
            assert (rule.source or "") in page
        assert json.dumps(samples(one)[0], ensure_ascii=False, indent=2) in page


def test_the_eight_projects_of_the_plan_are_there() -> None:
    """Two of each family of materials."""
    assert set(LEAD_PROJECTS) == set(book().projects())
    families = [lead.family.en for lead in LEAD_PROJECTS.values()]
    assert sorted(families) == sorted(["metal", "ceramic", "chemistry", "textile"] * 2)


def test_every_raw_lot_shares_its_items() -> None:
    """The group of raw lots is in all eight projects."""
    groups = read_groups(packaged_folder())
    assert {key.project for key in groups["common/raw_lot/1.0"][1]} == set(LEAD_PROJECTS)


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


def test_each_artefact_is_one_command() -> None:
    """What it prints is what the code derives."""
    what = "high_entropy_alloy/composition"
    one = template(stage="composition")
    assert json.loads(asked("json-schema", what).output) == json.loads(json.dumps(json_schema(one)))
    assert json.loads(asked("form", f"{what}/1.0").output) == json.loads(json.dumps(asdict(entry_form(one))))
    lines = asked("columns", what).output.splitlines()
    assert lines[0] == "records/high_entropy_alloy/composition/1"
    assert [line.split()[0] for line in lines[2:]] == [c.name for c in store_columns([one])]
    assert all("at%" in line for line in lines if line.startswith("composition "))


def test_a_page_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    """Or printed; of a project that there is."""
    page = project_page("high_entropy_alloy", book(), [packaged_folder()])
    assert asked("docs", "high_entropy_alloy").output == page
    asked("docs", "high_entropy_alloy", "-o", str(tmp_path / "alloy.md"))
    assert (tmp_path / "alloy.md").read_text(encoding="utf-8") == page
    assert "unknown template x/raw" in str(asked("docs", "x").exception)
    assert "cannot be written" in str(
        asked("docs", "high_entropy_alloy", "-o", str(tmp_path / "no" / "a.md")).exception
    )


def test_a_firm_s_own_project_has_a_page_too() -> None:
    """Without sample data beside it, it has no example; without being one of the eight, no field of the plan."""
    examples = packaged_folder().parents[1] / "examples" / "templates"
    own: TemplateBook = load_templates(examples)
    page = project_page("x_examples_obelix", own, [])
    assert "# x_examples_obelix" in page
    assert "```json" not in page
    assert "```json" in project_page("x_examples_obelix", own, [examples])


def test_what_is_no_template_is_refused() -> None:
    """With what there is."""
    for name in ("json-schema", "form", "columns"):
        assert "unknown template x/raw; known are" in str(asked(name, "x/raw").exception)


def test_a_question_needs_no_template_to_be_drawn() -> None:
    """All that a console shows is in the question itself."""
    question = FormField(key="a", label=template().label, widget="number", help=template().label)
    assert (question.possible, question.choices, question.required) == (None, (), False)
