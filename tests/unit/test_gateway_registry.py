"""The templates as a schema registry has them: subjects, versions, look-up, and whether a schema could follow."""

import contextlib
import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any, cast

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.avro_compatibility import MAX_STEPS
from sojae.domain.template import Template, parse_template, schema_id_of
from sojae_gateway.refusal import Refused
from sojae_gateway.registry import Registry
from tests.builders import template, templates

SUBJECT = "sojae.high_entropy_alloy.Property"
Change = Callable[[dict[str, Any]], object]


def changed(version: str = "1.0", change: Change = lambda _: None) -> dict[str, Any]:
    """Return the alloys' property schema as another version, changed."""
    schema = copy.deepcopy(cast("dict[str, Any]", template().schema))
    schema["version"] = version
    change(schema)
    return schema


def made(*schemas: dict[str, Any]) -> list[Template]:
    return [parse_template(schema, "test") for schema in schemas]


def add(*names: str) -> Change:
    """Return a change that adds numbers."""
    kind = {"type": ["null", "double"], "default": None, "unit": "1"}
    return lambda schema: schema["fields"].extend({"name": name, **kind} for name in names)


def field(schema: dict[str, Any], name: str = "yield_strength") -> dict[str, Any]:
    found: dict[str, Any] = next(f for f in schema["fields"] if f["name"] == name)
    return found


REGISTRY = Registry(
    made(
        changed("1.10", add("ninth", "tenth")),
        changed("2.0", lambda s: field(s).update(unit="GPa")),
        changed("1.0"),
        changed("1.9", add("ninth")),
    )
)


def refused(call: Callable[..., object], *arguments: object) -> str:
    """Return the rule of a refusal that speaks both languages."""
    with pytest.raises(Refused) as caught:
        call(*arguments)
    assert caught.value.text.ko
    assert caught.value.text.en
    return caught.value.rule


def test_every_template_is_a_version_of_its_record_s_name() -> None:
    """RecordNameStrategy: the subject is what the Avro record is called."""
    registry = Registry(templates())
    assert registry.subjects() == sorted({t.full_name for t in templates()})
    assert registry.subjects("sojae.high_") == [s for s in registry.subjects() if s.startswith("sojae.high_")]
    assert [one.template for one in registry.versions(SUBJECT)] == [template()]


def test_versions_are_counted_in_the_order_of_the_templates_versions() -> None:
    """1.10 comes after 1.9."""
    assert [(v.version, v.template.key.version) for v in REGISTRY.versions(SUBJECT)] == [
        (1, "1.0"),
        (2, "1.9"),
        (3, "1.10"),
        (4, "2.0"),
    ]
    assert REGISTRY.one(SUBJECT, "2").template.key.version == "1.9"
    assert REGISTRY.one(SUBJECT, "latest") == REGISTRY.one(SUBJECT, "-1") == REGISTRY.versions(SUBJECT)[3]


def test_what_is_served_is_what_frames_messages() -> None:
    """The SHA-256 of the served text gives the id, and an Avro library takes it."""
    for one in (Registry(templates()).one(t.full_name, "latest") for t in templates()):
        assert schema_id_of(hashlib.sha256(one.text.encode()).hexdigest()) == one.template.schema_id
        assert fastavro.parse_schema(json.loads(one.text))
        assert Registry(templates()).by_id(str(one.template.schema_id)) == one


@pytest.mark.parametrize("version", ["0", "5x", "", "-2", "²", "2147483648", "9" * 5000])
def test_what_is_no_version_is_refused(version: str) -> None:
    """Another rule than for a version that there is not."""
    assert refused(REGISTRY.one, SUBJECT, version) == "invalid_version"
    assert refused(REGISTRY.one, SUBJECT, "5") == "unknown_version"


def test_what_is_not_there_is_refused() -> None:
    """Subject, id and schema each by a rule of its own."""
    assert refused(REGISTRY.versions, "sojae.events.kims-value") == "unknown_subject"
    assert refused(REGISTRY.by_id, "1") == "unregistered_schema"
    assert refused(REGISTRY.find, SUBJECT, '"string"') == "unregistered_schema"
    assert refused(REGISTRY.find, "nowhere", '"string"') == "unknown_subject"


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, "1", "null", '"Nowhere"', '{"type": "record"}', "[]x", '{"a": 1}']
)
def test_what_is_no_schema_is_refused(text: str) -> None:
    """Whatever is sent, in the words of one rule."""
    assert refused(REGISTRY.find, SUBJECT, text) == "invalid_schema"
    assert refused(REGISTRY.register, SUBJECT, text) == "invalid_schema"
    assert refused(REGISTRY.objections, SUBJECT, text) == "invalid_schema"


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "name", "fields", "items", "symbols", "x"]), inner)
), max_leaves=8))  # fmt: skip
def test_any_json_is_found_or_refused(document: object) -> None:
    """Nothing else comes of it."""
    for call in (REGISTRY.find, REGISTRY.register, REGISTRY.objections):
        with contextlib.suppress(Refused):
            assert call(SUBJECT, json.dumps(document))


def rewritten(schema: Any) -> Any:
    """Return a schema as another library may write it: other order, full names, objects around plain types."""
    if isinstance(schema, str):
        return {"type": schema}
    if isinstance(schema, list):
        return [rewritten(branch) for branch in schema]
    plain = dict(reversed(schema.items()))
    if "namespace" in plain:
        plain["name"] = f"{plain.pop('namespace')}.{plain['name']}"
    if plain["type"] in ("map", "array"):
        inner = "values" if plain["type"] == "map" else "items"
        plain[inner] = rewritten(plain[inner])
    if "fields" in plain:
        plain["fields"] = [{**f, "type": rewritten(f["type"])} for f in plain["fields"]]
    return plain


def test_a_schema_is_found_however_it_is_written() -> None:
    """Every one of them: order, blanks and long names do not matter."""
    registry = Registry(templates())
    for one in templates():
        text = json.dumps(rewritten(one.schema), indent=3, ensure_ascii=False)
        assert registry.find(one.full_name, text).template == one
        assert registry.register(one.full_name, text).template == one


def test_a_schema_is_found_only_as_it_is() -> None:
    """With one unit changed it is another one, though its bytes would be the same."""
    text = json.dumps(changed("1.0", lambda s: field(s).update(unit="GPa")))
    assert refused(REGISTRY.find, SUBJECT, text) == "unregistered_schema"
    assert refused(REGISTRY.register, SUBJECT, text) == "published_by_file"
    assert refused(REGISTRY.register, "sojae.mine.Property", text) == "published_by_file"


def test_a_further_minor_could_follow_all_of_its_major() -> None:
    """Held to 1.0, 1.9 and 1.10, not to 2.0, in which a unit has changed."""
    assert REGISTRY.objections(SUBJECT, json.dumps(changed("1.11", add("ninth", "tenth", "more")))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["fields"].append({"name": "new", "type": "double", "unit": "1"}), "a default"),
        (lambda s: field(s).update(type=["null", "string"], unit=None), "MISSING_UNION_BRANCH"),
        (lambda s: s.update(name="Other"), "NAME_MISMATCH"),
        (lambda s: field(s).update(unit="GPa"), "unit GPa of yield_strength"),
        (lambda s: s["fields"].remove(field(s)), "no field yield_strength"),
    ],
)
def test_what_cannot_follow_is_told_why(change: Change, said: str) -> None:
    """By Avro's rules, and by what a template means."""
    objections = REGISTRY.objections(SUBJECT, json.dumps(changed("1.11", change)), "1")
    assert any(said in objection for objection in objections), objections


def test_every_version_of_the_major_is_asked() -> None:
    """What 1.10 cannot read is found though 1.0 can."""
    odd = {"name": "tenth", "type": ["null", "string"], "default": None}
    text = json.dumps(changed("1.11", lambda s: s["fields"].append(odd)))
    assert REGISTRY.objections(SUBJECT, text, "1") == []
    assert {objection.partition(":")[0] for objection in REGISTRY.objections(SUBJECT, text)} >= {
        "the new schema cannot read version 3",
        "version 3 cannot read the new schema",
    }


def test_a_plain_schema_is_held_to_the_newest_major_by_avro_s_rules_alone() -> None:
    """A reader that names the fields it wants and nothing more."""
    plain = {"type": "record", "name": "Property", "fields": [{"name": "yield_strength", "type": ["null", "double"]}]}
    said = REGISTRY.objections(SUBJECT, json.dumps(plain))
    assert said
    assert all(s.startswith("version 4 cannot read the new schema: READER_FIELD_MISSING_DEFAULT") for s in said)


def test_what_cannot_be_compared_is_refused() -> None:
    """A union of thousands of types, each of which would be tried."""
    many = [{"type": "fixed", "name": f"F{n}", "size": 1} for n in range(MAX_STEPS // 2)]
    text = json.dumps(changed("1.11", lambda s: field(s).update(type=many)))
    assert refused(REGISTRY.objections, SUBJECT, text, "1") == "invalid_schema"
