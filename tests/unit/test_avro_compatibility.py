"""The rules of Avro's schema resolution, one by one and against Avro's own checker."""

import io
import json
from typing import Any

import avro.compatibility
import avro.schema
import fastavro
import pytest
from fastavro.read import SchemaResolutionError
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.avro_compatibility import MAX_STEPS, Incompatibility, incompatibilities, readable

NUMBERS = ["int", "long", "float", "double"]
Schema = Any


def record(*fields: Schema, name: str = "R", **more: Schema) -> Schema:
    """Return a record schema of fields, given as (name, type) or as whole fields."""
    whole = [f if isinstance(f, dict) else {"name": f[0], "type": f[1]} for f in fields]
    return {"type": "record", "name": name, "fields": whole, **more}


def enum(*symbols: str, name: str = "E", **more: Schema) -> Schema:
    """Return an enum schema."""
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size: int, name: str = "F") -> Schema:
    """Return a fixed schema."""
    return {"type": "fixed", "name": name, "size": size}


def kinds(reader: Schema, writer: Schema) -> list[str]:
    """Return how the two disagree."""
    return [i.kind for i in incompatibilities(reader, writer)]


@pytest.mark.parametrize("reader", NUMBERS)
@pytest.mark.parametrize("writer", NUMBERS)
def test_a_number_is_read_as_one_that_holds_more(reader: str, writer: str) -> None:
    """int → long → float → double, and never back."""
    assert readable(reader, writer) == (NUMBERS.index(writer) <= NUMBERS.index(reader))


def test_text_and_bytes_are_read_as_each_other() -> None:
    """Both ways, and as nothing else."""
    assert readable("string", "bytes")
    assert readable("bytes", "string")
    assert kinds("string", "int") == ["TYPE_MISMATCH"]
    assert kinds({"type": "string"}, {"type": "array", "items": "string"}) == ["TYPE_MISMATCH"]


def test_a_field_that_the_writer_lacks_needs_a_default() -> None:
    """Null is a default, too; what only the writer has is skipped."""
    old, new = record(("a", "int")), record(("a", "int"), ("b", "int"))
    assert readable(old, new)
    (found,) = incompatibilities(new, old)
    assert found == Incompatibility("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1", "no field b", "a default")
    assert readable(record(("a", "int"), {"name": "b", "type": ["null", "int"], "default": None}), old)


def test_a_renamed_field_is_found_by_its_alias() -> None:
    """The reader's aliases count, not the writer's."""
    before, after = record(("a", "int")), record({"name": "b", "type": "int", "aliases": ["a"]})
    assert readable(after, before)
    assert kinds(before, after) == ["READER_FIELD_MISSING_DEFAULT_VALUE"]


def test_names_are_compared_without_namespace() -> None:
    """As the specification says since 1.8; an alias is a full name."""
    assert readable(record(name="R", namespace="x"), record(name="y.R"))
    assert kinds(record(name="R"), record(name="S")) == ["NAME_MISMATCH"]
    assert readable(record(name="R", namespace="x", aliases=["S"]), record(name="x.S"))
    assert kinds(record(name="R", namespace="x", aliases=["S"]), record(name="y.S")) == ["NAME_MISMATCH"]


def test_an_enum_needs_every_symbol_or_a_default() -> None:
    """The default is the enum's own, not the field's."""
    assert readable(enum("a", "b"), enum("a"))
    (found,) = incompatibilities(enum("a"), enum("a", "b", "c"))
    assert (found.kind, found.path, found.got, found.expected) == ("MISSING_ENUM_SYMBOLS", "/symbols", "b, c", "a")
    assert readable(enum("a", default="a"), enum("a", "b"))


def test_fixed_sizes_are_equal() -> None:
    """Nothing is cut or filled."""
    assert readable(fixed(4), fixed(4))
    assert kinds(fixed(4), fixed(8)) == ["FIXED_SIZE_MISMATCH"]


def test_a_union_is_read_branch_by_branch() -> None:
    """Every branch of the writer needs one of the reader's."""
    assert readable(["null", "double"], ["null", "int"])
    assert readable(["null", "double"], "float")
    assert readable("long", ["int", "long"])
    assert kinds(["null", "int"], ["null", "string"]) == ["MISSING_UNION_BRANCH"]
    assert kinds("int", ["null", "int"]) == ["TYPE_MISMATCH"]


def test_items_and_values_are_compared() -> None:
    """With the path of what disagrees."""
    arrays = [{"type": "array", "items": kind} for kind in ("int", "string")]
    maps = [{"type": "map", "values": kind} for kind in ("int", "string")]
    assert [i.path for i in incompatibilities(arrays[0], arrays[1])] == ["/items/type"]
    assert [i.path for i in incompatibilities(maps[0], maps[1])] == ["/values/type"]


def test_a_name_stands_for_its_definition() -> None:
    """Wherever in the schema it was defined, under the namespace that holds there."""
    nested = record(("one", enum("a", "b")), ("two", "E"), ("three", "n.E"), name="R", namespace="n")
    inline = record(("one", enum("a")), ("two", {"type": "n.E"}), ("three", "E"), name="R", namespace="n")
    assert kinds(inline, nested) == ["MISSING_ENUM_SYMBOLS"] * 3
    assert readable(nested, inline)


def test_a_record_may_hold_itself() -> None:
    """Comparing ends, and still finds what is wrong in it."""
    tree = record(("value", "int"), ("next", ["null", "R"]))
    assert readable(tree, tree)
    assert kinds(record(("value", "string"), ("next", ["null", "R"])), tree) == ["TYPE_MISMATCH"]


def test_a_name_that_is_not_defined_is_refused() -> None:
    """Not taken for anything."""
    with pytest.raises(ValueError, match="does not define Nowhere"):
        incompatibilities(record(("a", "Nowhere")), record(("a", "int")))


def test_a_schema_that_doubles_with_each_record_is_refused() -> None:
    """A few kilobytes ask for 2^60 comparisons."""
    schema: Schema = "int"
    for depth in range(60):
        schema = record(("a", schema), ("b", f"R{depth - 1}" if depth else "int"), name=f"R{depth}")
    with pytest.raises(ValueError, match=f"more than {MAX_STEPS}"):
        incompatibilities(schema, schema)


names = st.sampled_from(["A", "B"])
simple = st.sampled_from(["null", "boolean", "int", "long", "float", "double", "bytes", "string"])
enums = st.builds(
    lambda name, symbols, default: enum(*symbols, name=name, **({"default": symbols[0]} if default else {})),
    st.sampled_from(["E", "E2"]),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True),
    st.booleans(),
)
fixeds = st.builds(fixed, st.sampled_from([1, 2]), st.sampled_from(["F", "F2"]))


def nesting(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Return arrays, maps, unions and records of simpler schemas."""
    return st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda values: {"type": "map", "values": values}, inner),
        st.lists(simple, min_size=1, max_size=3, unique=True).map(list),
        st.builds(
            lambda n, kinds: record(*zip("xyz", kinds, strict=False), name=n), names, st.lists(inner, max_size=3)
        ),
    )


schemas = st.recursive(st.one_of(simple, enums, fixeds), nesting, max_leaves=5)


def parsed(schema: Schema) -> avro.schema.Schema | None:
    """Return what Avro's own package makes of a schema, None where it is no valid one."""
    try:
        return avro.schema.parse(json.dumps(schema))
    except avro.errors.AvroException:
        return None


@given(reader=schemas, writer=schemas)
def test_it_says_what_avro_s_own_checker_says(reader: Schema, writer: Schema) -> None:
    """Over random pairs, and of each schema with itself."""
    wanted, given_ = parsed(reader), parsed(writer)
    if wanted is None or given_ is None:
        return
    checker = avro.compatibility.ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # not ours
    result = checker.get_compatibility(wanted, given_)
    assert readable(reader, writer) == (result.compatibility.value == "compatible")
    assert readable(reader, reader)


@given(kind=st.sampled_from(NUMBERS), value=st.integers(-1000, 1000), reader=st.sampled_from([*NUMBERS, "string"]))
def test_what_it_calls_readable_is_read(kind: str, value: int, reader: str) -> None:
    """By fastavro, which decodes our messages; and what it does not, fastavro refuses."""
    written, wanted = record(("a", kind)), record(("a", reader))
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(written), {"a": value})
    stream.seek(0)
    if readable(wanted, written):
        assert fastavro.schemaless_reader(stream, fastavro.parse_schema(written), fastavro.parse_schema(wanted)) == {
            "a": value
        }
    else:
        with pytest.raises(SchemaResolutionError):
            fastavro.schemaless_reader(stream, fastavro.parse_schema(written), fastavro.parse_schema(wanted))
