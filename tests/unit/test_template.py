"""A resolved schema as a template: every attribute is read, and what is wrong is named."""

import copy
import hashlib
from typing import Any

import pytest

from sojae.domain.errors import TemplateError
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import SumRule, Template, TemplateKey, parse_template, schema_sha256
from tests.builders import template

FULL: dict[str, Any] = {
    "type": "record",
    "namespace": "sojae.x_kims_alloy",
    "name": "Composition",
    "project": "x_kims_alloy",
    "stage": "composition",
    "version": "2.10",
    "institute": "kims",
    "label": {"ko": "조성", "en": "Composition"},
    "rules": [
        {"id": "r1", "severity": "hard", "hard_for": ["experiment"], "sql": "x > 0", "message": {"ko": "가", "en": "a"}, "source": "s"},
        {"id": "r2", "severity": "warn", "scope": "collection", "duplicate": ["composition__x", "sample_id"]},
    ],
    "fields": [
        {"name": "header", "type": {"type": "record", "name": "Header", "fields": [{"name": "event_id", "type": "string"}]}},
        {
            "name": "x", "type": ["null", "double"], "required": True, "unit": "Cel", "label": {"ko": "엑스", "en": "X"},
            "warn": [1, 2], "hard": [0, None], "role": "condition", "example": 1.5, "source": "src", "doc": "d", "basis": "at",
            "split_by": "kind",
        },
        {"name": "kind", "type": "string", "one_of": ["a", "b"]},
        {
            "name": "composition", "type": ["null", {"type": "map", "values": "double"}], "unit": "%{at}", "quantity": "composition",
            "sum": {"of": 100, "warn": 0.5, "hard": 5, "hard_for": ["experiment"]},
        },
        {"name": "n", "type": "long"},
    ],
}  # fmt: skip


def parse(**changed: object) -> Template:
    return parse_template({**copy.deepcopy(FULL), **changed}, where="here.avsc")


def with_field(**given: object) -> Template:
    return parse(fields=[FULL["fields"][0], {"name": "y", "type": "double", **given}])


def with_rule(**given: object) -> Template:
    return parse(rules=[{"id": "r", "severity": "hard", "sql": "x > 0", **given}])


def test_a_template_says_who_it_is() -> None:
    """Key, record name, label and institute."""
    read = parse()
    assert read.key == TemplateKey("x_kims_alloy", "composition", "2.10")
    assert str(read.key) == "x_kims_alloy/composition/2.10"
    assert read.key.major == 2
    assert (read.full_name, read.institute, read.label.ko) == ("sojae.x_kims_alloy.Composition", "kims", "조성")
    assert [f.name for f in read.header_fields] == ["event_id"]


def test_a_field_keeps_every_attribute() -> None:
    """Nothing that the checks, forms or docs need is lost."""
    x = parse().field("x")
    assert (x.kind, x.required, x.unit, x.label.en, x.role, x.basis, x.split_by) == (
        "double",
        True,
        "Cel",
        "X",
        "condition",
        "at",
        "kind",
    )
    assert (x.warn, x.hard) == (Bounds(1.0, 2.0), Bounds(0.0, None))
    assert (x.example, x.source, x.doc) == (1.5, "src", "d")
    assert parse().field("kind").one_of == ("a", "b")


def test_a_composition_keeps_its_sum() -> None:
    """Of what, how far off is flagged, how far refused, and for whom."""
    composition = parse().field("composition")
    assert (composition.kind, composition.quantity) == ("map_double", "composition")
    assert composition.sum == SumRule(100.0, 0.5, 5.0, ("experiment",))


def test_a_field_without_attributes_is_a_note() -> None:
    """It is never a model input by accident, and its name is its label."""
    n = parse().field("n")
    assert (n.role, n.required, n.unit, n.warn, n.hard, n.one_of, n.sum) == (
        "note",
        False,
        None,
        None,
        None,
        None,
        None,
    )
    assert (n.label.ko, n.label.en) == ("n", "n")


def test_rules_keep_severity_scope_and_origins() -> None:
    """The scope is `record` where none is given."""
    first, second = parse().rules
    assert (first.id, first.severity, first.scope, first.hard_for, first.source) == (
        "r1",
        "hard",
        "record",
        ("experiment",),
        "s",
    )
    assert (first.message.ko, first.message.en) == ("가", "a")
    assert (second.severity, second.scope, second.hard_for, second.message.en) == ("warn", "collection", None, "r2")
    assert (second.duplicate, second.sql) == (("composition__x", "sample_id"), "")


def test_an_unknown_field_is_named() -> None:
    """The template and the name stand in the message."""
    with pytest.raises(TemplateError, match=r"x_kims_alloy/composition/2\.10 has no field 'z'"):
        parse().field("z")


@pytest.mark.parametrize(
    ("avro", "kind"),
    [
        ("double", "double"),
        ("int", "long"),
        ("long", "long"),
        ("string", "string"),
        ("boolean", "boolean"),
        (["null", "double"], "double"),
        (["double", "null"], "double"),
        ({"type": "int", "logicalType": "date"}, "date"),
        ({"type": "long", "logicalType": "timestamp-micros"}, "timestamp"),
        ({"type": "map", "values": "double"}, "map_double"),
        (["null", {"type": "map", "values": "string"}], "map_string"),
        ({"type": "array", "items": "string"}, "strings"),
    ],
)
def test_the_kinds_of_fields(avro: object, kind: str) -> None:
    """Plain or nullable."""
    assert with_field(type=avro).field("y").kind == kind


@pytest.mark.parametrize(
    "avro",
    [
        "bytes",
        "float",
        "null",
        ["double", "string"],
        ["null", "double", "string"],
        ["null", ["null", "double"]],
        {"type": "fixed", "name": "F", "size": 4},
        {"type": "string", "logicalType": "uuid"},
        {"type": "long", "logicalType": "timestamp-millis"},
        {"type": "bytes", "logicalType": "decimal", "precision": 4},
        {"type": "enum", "name": "E", "symbols": ["a"]},
        {"type": "map", "values": "long"},
        {"type": "array", "items": "double"},
        {"type": "record", "name": "R", "fields": []},
        "sojae.x_kims_alloy.Composition",
        None,
    ],
)
def test_other_types_are_refused(avro: object) -> None:
    """Bytes, fixed, uuid, recursion and wider unions make a fast decoder panic; floats lose digits."""
    with pytest.raises(TemplateError, match="of y, expected double"):
        with_field(type=avro)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"project": ""}, "project = ''"),
        ({"project": "Alloy"}, "project 'Alloy'"),
        ({"project": "a-b"}, "project 'a-b'"),
        ({"stage": "test"}, "stage 'test', expected one of raw, composition, process, property"),
        ({"version": "1"}, "version '1'"),
        ({"version": "1.0.0"}, "version '1.0.0'"),
        ({"version": 1.0}, "version = 1.0"),
        ({"name": None}, "name = None"),
        ({"label": "x"}, "label 'x'"),
        ({"label": {"ko": "x"}}, "label"),
        ({"fields": []}, "no header"),
        ({"fields": [{"name": "header", "type": "sojae.common.Header"}]}, "no header"),
    ],
)
def test_what_is_wrong_in_a_schema_is_named(changed: dict[str, object], said: str) -> None:
    """The file, what was got and what was expected, in both languages."""
    with pytest.raises(TemplateError) as refused:
        parse(**changed)
    assert said in refused.value.text.en
    assert refused.value.text.en.startswith("here.avsc: got ")
    assert refused.value.text.ko.startswith("here.avsc: ")


@pytest.mark.parametrize("bounds", [[2, 1], [1], [1, 2, 3], "1-2", [1, "2"], {"low": 1}])
@pytest.mark.parametrize("name", ["warn", "hard"])
def test_bounds_are_two_numbers_in_order(name: str, bounds: object) -> None:
    """Null is an open end; anything else is a mistake in the file."""
    with pytest.raises(TemplateError, match=f"{name} .*of y"):
        with_field(**{name: bounds})


def test_equal_bounds_pass() -> None:
    """A range of one value is a range."""
    assert with_field(hard=[1, 1]).field("y").hard == Bounds(1.0, 1.0)


@pytest.mark.parametrize("wrong", [{"one_of": "a"}, {"one_of": [1]}, {"sum": 100}, {"sum": {"warn": 1}}, {"label": []}])
def test_other_attributes_have_their_form(wrong: dict[str, object]) -> None:
    """A text where a list belongs would be read as its characters."""
    with pytest.raises(TemplateError, match="of y"):
        with_field(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"severity": "info"}, "severity 'info' of rule r"),
        ({"scope": "batch"}, "scope 'batch' of rule r"),
        ({"sql": ""}, "sql = ''"),
        ({"id": None}, "id = None"),
        ({"hard_for": "experiment"}, "hard_for 'experiment' of r"),
        ({"message": {"en": "x"}}, "message"),
    ],
)
def test_rules_have_their_form(wrong: dict[str, object], said: str) -> None:
    """The rule is named."""
    with pytest.raises(TemplateError) as refused:
        with_rule(**wrong)
    assert said in refused.value.text.en


def test_the_hash_is_that_of_the_canonical_json() -> None:
    """Blanks and the order of keys do not count; every attribute does."""
    assert schema_sha256({"b": 1, "a": "é"}) == hashlib.sha256('{"a":"é","b":1}'.encode()).hexdigest()
    schema = dict(template().schema)
    assert schema_sha256(dict(reversed(schema.items()))) == template().sha256
    assert schema_sha256({**schema, "doc": "other"}) != template().sha256


def test_the_schema_id_has_31_bits_of_the_hash() -> None:
    """A positive 32-bit integer for every Confluent client, without a counter."""
    read = template()
    assert read.schema_id == int(read.sha256[:8], 16) // 2
    assert 0 <= read.schema_id < 2**31


@pytest.mark.parametrize("value", ["false", "true", 0, 1, []])
def test_required_is_true_or_false(value: object) -> None:
    """A text "false" would be true."""
    with pytest.raises(TemplateError, match=r"required = .* expected true or false"):
        with_field(required=value)


@pytest.mark.parametrize("name", ["unit", "quantity", "basis", "split_by", "source", "doc"])
def test_an_attribute_that_is_a_text_is_a_text(name: str) -> None:
    """A number would be found where it is first used."""
    with pytest.raises(TemplateError, match=f"{name} = 5 in y"):
        with_field(**{name: 5})


def test_the_institute_is_a_text() -> None:
    """Anything else would never be a topic's institute."""
    with pytest.raises(TemplateError, match="institute = 5"):
        parse(institute=5)
