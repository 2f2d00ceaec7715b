"""What stands in the way of publishing a template: each reason is found, named with got, expected and remedy, and nothing else is."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sojae.adapters.published import FILE_NAME, add_published, place_of, published
from sojae.adapters.template_files import packaged_folder
from sojae.adapters.template_gate import gate_faults
from sojae.cli.template_group import template as command
from sojae.domain.errors import TemplateError
from sojae.domain.evolution import collision_faults
from tests.conftest import REPOSITORY

Schema = dict[str, Any]
PROJECT = "x_kims_gate"
LABEL = {"ko": "이름", "en": "Name"}
HEADER = {"name": "header", "type": "sojae.common.Header", "label": LABEL}


def number(name: str = "hardness", **given: Any) -> Schema:
    return {
        "name": name,
        "type": ["null", "double"],
        "default": None,
        "unit": "MPa",
        "label": LABEL,
        "role": "target",
        **given,
    }


def schema(version: str = "1.0", *fields: Schema, **given: Any) -> Schema:
    return {
        "type": "record", "namespace": f"sojae.{PROJECT}", "name": "Property", "project": PROJECT, "stage": "property",
        "version": version, "institute": "kims", "label": LABEL, "includes": {"header": "1.0"}, "rules": [],
        "fields": [HEADER, *(fields or (number(),))], **given,
    }  # fmt: skip


Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(of: Schema, samples: Any = ({"hardness": 500.0},)) -> None:
        path = tmp_path / PROJECT / "property" / f"{of['version']}.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(of, ensure_ascii=False), encoding="utf-8")
        if samples is not None:
            path.with_suffix(".sample.json").write_text(json.dumps(samples), encoding="utf-8")

    return write


def faults(folder: Path) -> str:
    return "\n".join(fault.text.en for fault in gate_faults(folder)[1])


@pytest.mark.parametrize(
    "folder", [packaged_folder(), REPOSITORY / "examples" / "templates"], ids=["package", "examples"]
)
def test_what_is_shipped_passes(folder: Path) -> None:
    """All of it, with nothing to say."""
    book, found = gate_faults(folder)
    assert len(book) > 10
    assert [fault.text.en for fault in found] == []


def test_a_sound_template_passes(put: Put, tmp_path: Path) -> None:
    """With a later minor that adds a field, a word, and room."""
    put(schema("1.0", number(hard=[0, 1000]), number("route", type=["null", "string"], unit=None, one_of=["cast"])))
    wider = [number(hard=[0, 2000]), number("route", type=["null", "string"], unit=None, one_of=["cast", "wrought"])]
    put(schema("1.1", *wider, number("load", unit="N")), ({"hardness": 1500.0, "route": "wrought", "load": 9.8},))
    assert faults(tmp_path) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (schema("1.0", number(type="bytes")), "type 'bytes' of hardness"),
        (schema("1.0", number(type={"type": "fixed", "name": "F", "size": 4})), "type .*fixed.* of hardness"),
        (schema("1.0", number(type={"type": "string", "logicalType": "uuid"})), "type .*uuid.* of hardness"),
        (schema("1.0", number(type={"type": "enum", "name": "E", "symbols": ["a"], "default": "a"})), "type .*enum.* of hardness"),
        (schema("1.0", number(type=["null", "double", "string"])), "type .*'string'.* of hardness"),
        (schema("1.0", number(type=["null", f"sojae.{PROJECT}.Property"])), "type .*Property.* of hardness"),
        (schema("1.0", number("select")), "field 'select'"),
        (schema("1.0", number("institute")), "field 'institute'"),
        (schema("1.0", number(unit="stress")), "unit 'stress'"),
        (schema("1.0", number(unit="degC")), "its UCUM code 'Cel'"),
        (schema("1.0", number(unit=None)), "without a unit"),
        (schema("1.0", number(label=None)), "no label of field hardness in ko and en"),
        (schema("1.0", number(label={"ko": "", "en": "Hardness"})), "no label of field hardness in ko"),
        (schema(label=None), "no label of the template in ko and en"),
        (schema(rules=[{"id": "r", "severity": "warn", "sql": "sum(hardness) > 1", "message": LABEL}]), r"sum\(\)"),
        (schema(rules=[{"id": "r", "severity": "warn", "sql": "CAST(hardness AS INT) > 1", "message": LABEL}]), "cast"),
        (schema(rules=[{"id": "r", "severity": "warn", "sql": "hardness + 1", "message": LABEL}]), "true or false"),
        (schema(rules=[{"id": "r", "severity": "warn", "sql": "hardness > 1"}]), "no message of rule r"),
        (schema(name="Properties"), "record name"),
        (schema(institute="pnu"), "of institute pnu"),
        (schema("1.0", number(), number()), "hardness"),
    ],
)  # fmt: skip
def test_an_unsound_file_is_refused(put: Put, tmp_path: Path, wrong: Schema, said: str) -> None:
    """By file and field or rule, with what was expected."""
    put({k: v for k, v in wrong.items() if v is not None})
    with pytest.raises(AssertionError, match=said):
        assert faults(tmp_path) == ""


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (schema("1.1", number(unit="GPa")), "unit GPa of hardness, expected MPa, as in 1.0"),
        (schema("1.1", number(role="input")), "role input of hardness, expected target"),
        (schema("1.1", number(quantity="stress")), "quantity stress of hardness"),
        (schema("1.1", number(type=["null", "long"])), "kind long of hardness"),
        (schema("1.1", number("strength")), "no field hardness"),
        (schema("1.1", number(required=True)), "hardness required, expected optional"),
        (schema("1.1", number(), number("load", required=True)), "new field load, required"),
        (schema("1.1", number(hard=[0, 900])), r"possible range \[0, 900\] of hardness"),
        (schema("1.1", number(hard=[0, 1000], sum={"of": 100, "hard": 5})), "a tighter sum of hardness"),
        (schema("1.2", number()), "a minor left out, expected 1.1"),
    ],
)
def test_a_change_that_breaks_a_major_is_refused(put: Put, tmp_path: Path, later: Schema, said: str) -> None:
    """What an earlier minor took is taken, and means the same."""
    put(schema("1.0", number(hard=[0, 1000])))
    put(later, ({},))
    with pytest.raises(AssertionError, match=said):
        assert faults(tmp_path) == ""


ALLOY = number("alloy", type=["null", {"type": "map", "values": "double"}], unit="%", quantity="composition")
LOOSE = {**ALLOY, "balance": True, "sum": {"of": 100, "hard": 5, "hard_for": ["experiment"]}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"balance": False}, "alloy without a balance component"),
        ({"one_of": ["Fe"]}, "alloy without any other text"),
        ({"sum": {"of": 100, "hard": 2, "hard_for": ["experiment"]}}, "a tighter sum"),
        ({"sum": {"of": 1, "hard": 5, "hard_for": ["experiment"]}}, "a tighter sum"),
        ({"sum": {"of": 100, "hard": 5}}, "a tighter sum"),
        ({"sum": {"of": 100, "hard": 5, "hard_for": ["experiment", "production"]}}, "a tighter sum"),
    ],
)
def test_a_composition_that_was_taken_is_taken(put: Put, tmp_path: Path, changed: Schema, said: str) -> None:
    """From everybody it was taken from."""
    put(schema("1.0", LOOSE), [{"alloy": {"Fe": 100.0}}])
    put(schema("1.1", {**LOOSE, **changed}), [{"alloy": {"Fe": 100.0}}])
    assert said in faults(tmp_path)


def test_what_a_sum_only_flags_may_change(put: Put, tmp_path: Path) -> None:
    """Nothing is refused that was taken."""
    put(schema("1.0", LOOSE), [{"alloy": {"Fe": 100.0}}])
    put(schema("1.1", {**LOOSE, "sum": {"of": 100, "warn": 0.1}}), [{"alloy": {"Fe": 100.0}}])
    assert faults(tmp_path) == ""


def test_a_category_that_is_gone_is_refused(put: Put, tmp_path: Path) -> None:
    """By its name, and so is a list where any text was taken."""
    route = number("route", type=["null", "string"], unit=None, one_of=["cast", "wrought"])
    put(schema("1.0", route, number("note", type=["null", "string"], unit=None)), [{"route": "cast"}])
    narrowed = number("note", type=["null", "string"], unit=None, one_of=["good"])
    put(schema("1.1", {**route, "one_of": ["cast"]}, narrowed), [{"route": "cast"}])
    assert "got route without wrought" in faults(tmp_path)
    assert "got note without any other text" in faults(tmp_path)


def test_the_header_keeps_to_the_same_rules(put: Put, tmp_path: Path) -> None:
    """A later header that lacks what an earlier one had breaks what the samples would not show."""
    of = json.loads((packaged_folder() / "common" / "header" / "1.0.avsc").read_text(encoding="utf-8"))
    of["fields"] = [f for f in of["fields"] if f["name"] != "comment"]
    path = tmp_path / "common" / "header" / "1.1.avsc"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(of), encoding="utf-8")
    put(schema("1.0"))
    put(schema("1.1", includes={"header": "1.1"}))
    assert "got no field comment, expected the field of 1.0" in faults(tmp_path)


def test_a_field_without_a_default_is_not_read_from_older_records(put: Put, tmp_path: Path) -> None:
    """Optional in words is not enough: the schema itself must be able to fill it."""
    put(schema("1.0"))
    put(schema("1.1", number(), number("load", unit="N", type="double", default=0)), [{"hardness": 1.0, "load": 1.0}])
    assert faults(tmp_path) == ""
    bare = {k: v for k, v in number("load", unit="N", type="double").items() if k != "default"}
    put(schema("1.1", number(), bare), [{"hardness": 1.0, "load": 1.0}])
    assert "1.0 is not read by 1.1 (SchemaResolutionError" in faults(tmp_path)


def test_files_that_nobody_would_read_are_found(put: Put, tmp_path: Path) -> None:
    """A misspelt stage, a file at the wrong depth, sample data of a template that is not there."""
    put(schema())
    folder = tmp_path / PROJECT
    (folder / "properties").mkdir()
    for stray in ("properties/1.0.avsc", "1.0.avsc", "property/1.1.sample.json"):
        (folder / stray).write_text("{}", encoding="utf-8")
    found = faults(tmp_path)
    assert found.count("a file where no template lies") == 2
    assert "1.1.sample.json: got sample data of no template, expected 1.1.avsc beside it" in found


def test_ids_and_fingerprints_name_one_template(put: Put, tmp_path: Path) -> None:
    """Of 31 bits two may be equal by chance; fingerprints are shared by the versions of one name alone."""
    put(schema("1.0"))
    put(schema("1.1"))
    first, second = sorted(gate_faults(tmp_path)[0], key=lambda t: t.key)
    where = {first.key: "first", second.key: "second"}
    assert list(collision_faults([(first, b"a"), (second, b"a")], where)) == []
    clash = replace(second, sha256=first.sha256[:8] + second.sha256[8:], full_name="sojae.x_kims_other.Property")
    said = [fault.text.en for fault in collision_faults([(first, b"a"), (clash, b"a")], where)]
    assert [line.split(";")[0] for line in said] == [
        f"second: got schema id {first.schema_id}, expected another than that of {first.key}",
        f"second: got fingerprint 61, expected another than that of {first.key}",
    ]


def test_a_clash_with_a_template_of_the_package_is_found(put: Put, tmp_path: Path) -> None:
    """Both are known wherever the folder is used."""
    put(schema("1.0"))
    (mine,) = gate_faults(tmp_path)[0]
    other = replace(mine, key=mine.key._replace(project="x_kims_other"))
    (found,) = gate_faults(tmp_path, [other])[1]
    assert f"1.0.avsc: got schema id {mine.schema_id}" in found.text.en


def test_a_temperature_in_another_unit_under_one_fingerprint_is_refused(put: Put, tmp_path: Path) -> None:
    """The Avro schemas of °C and K are the same: only the unit says that a record of the one is wrong in the other."""
    put(schema("1.0", number(unit="Cel")))
    put(schema("1.1", number(unit="K")))
    assert "unit K of hardness, expected Cel" in faults(tmp_path)


def test_every_earlier_minor_is_looked_at(put: Put, tmp_path: Path) -> None:
    """A third version is held to the first, even where the second no longer shows it."""
    put(schema("1.0", number(), number("load", unit="N")))
    put(schema("1.1", number()))
    put(schema("1.2", number(), number("load", unit="kN")))
    found = faults(tmp_path)
    assert "1.1.avsc: got no field load, expected the field of 1.0" in found
    assert "1.2.avsc: got unit kN of load, expected N, as in 1.0" in found


def test_a_new_major_may_change_everything(put: Put, tmp_path: Path) -> None:
    """That is what it is for."""
    put(schema("1.0"))
    put(schema("2.0", number("strength", unit="GPa")), ({"strength": 1.0},))
    assert faults(tmp_path) == ""


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (None, "no sample data"),
        ([], "no records"),
        ({"hardness": 1.0}, "no records"),
        ([{"hardness": -1.0}], "sample 1: got hardness -1"),
        ([{"hardness": 1.0}, {"softness": 1.0}], "has no field softness"),
        ([{"hardness": "soft"}], "soft"),
    ],
)
def test_sample_data_are_there_and_sound(put: Put, tmp_path: Path, samples: object, said: str) -> None:
    """They are what compatibility is proved with."""
    put(schema("1.0", number(hard=[0, 1000])), samples)
    with pytest.raises(AssertionError, match=said):
        assert faults(tmp_path) == ""


def test_a_published_version_never_changes(put: Put, tmp_path: Path) -> None:
    """A changed label is found, a file that is gone too; what is not listed may change."""
    put(schema())
    (template,) = gate_faults(tmp_path)[0]
    add_published(tmp_path, {place_of(template): template.sha256})
    assert published(tmp_path) == {f"{PROJECT}/property/1.0.avsc": template.sha256}
    assert faults(tmp_path) == ""
    put(schema("1.0", number(label={"ko": "경도", "en": "Hardness"})))
    assert "as published" in faults(tmp_path)
    (tmp_path / PROJECT / "property" / "1.0.avsc").unlink()
    assert "no sound template, expected the published version" in faults(tmp_path)


def test_a_shared_group_is_part_of_what_is_published(put: Put, tmp_path: Path) -> None:
    """Who edits the group edits every template that includes it."""
    group = tmp_path / "common" / "hardness" / "1.0.avsc"
    group.parent.mkdir(parents=True)
    group.write_text(json.dumps({"fields": [number()]}), encoding="utf-8")
    put({**schema(), "fields": [HEADER, {"include": "common/hardness/1.0"}]})
    (template,) = gate_faults(tmp_path)[0]
    add_published(tmp_path, {place_of(template): template.sha256})
    assert faults(tmp_path) == ""
    group.write_text(json.dumps({"fields": [number(warn=[0, 1])]}), encoding="utf-8")
    assert "as published" in faults(tmp_path)


def test_a_broken_list_of_what_is_published_is_refused(put: Put, tmp_path: Path) -> None:
    """With its line: nobody may guess what was published."""
    put(schema())
    (tmp_path / FILE_NAME).write_text("abc  x/y/1.0.avsc\n", encoding="utf-8")
    with pytest.raises(TemplateError, match="line 1"):
        gate_faults(tmp_path)


def test_publishing_takes_what_passes_and_nothing_else(put: Put, tmp_path: Path) -> None:
    """The command publishes once, and again adds nothing; with a fault anywhere it publishes nothing and ends with 2."""
    put(schema())
    run = CliRunner().invoke(command, ["publish", PROJECT, "--folder", str(tmp_path)])
    assert (run.exit_code, run.output.split()[1:]) == (0, [f"{PROJECT}/property/1.0.avsc"])
    assert CliRunner().invoke(command, ["publish", PROJECT, "--folder", str(tmp_path)]).output == ""
    put(schema("1.1", number(unit="GPa")))
    run = CliRunner().invoke(command, ["publish", f"{PROJECT}/property/1.1", "--folder", str(tmp_path)])
    assert (run.exit_code, "unit GPa" in run.output) == (2, True)
    assert len(published(tmp_path)) == 1


def test_checking_lists_every_fault_and_ends_with_2(put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the language of the person."""
    put(schema("1.0", number(label=None), number("load", unit="N", label=None)))
    monkeypatch.setenv("SOJAE_LANGUAGE", "ko")
    run = CliRunner().invoke(command, ["check", str(tmp_path)])
    assert run.exit_code == 2
    assert run.output.splitlines()[-1] == "템플릿 1개 검사, 결함 2건"
    assert "템플릿 파일에 쓰십시오" in run.output


def test_one_file_is_checked_against_its_other_versions(put: Put, tmp_path: Path) -> None:
    """What is wrong with others is not said."""
    put(schema("1.0", number(label=None)))
    put(schema("1.1", number(unit="GPa")))
    file = tmp_path / PROJECT / "property" / "1.1.avsc"
    run = CliRunner().invoke(command, ["check", str(file)])
    assert run.exit_code == 2
    assert [line.count("unit GPa") for line in run.output.splitlines()] == [1, 0]
    assert run.output.splitlines()[-1] == "1 templates checked, 1 faults"


def test_a_file_that_lies_nowhere_is_refused(tmp_path: Path) -> None:
    """With the place where it would be found."""
    (tmp_path / "mine.avsc").write_text("{}", encoding="utf-8")
    run = CliRunner().invoke(command, ["check", str(tmp_path / "mine.avsc")])
    assert "move it to <project>/<stage>/<version>.avsc" in str(run.exception)
