"""Canonical values and ids: the same statement has the same id on every machine, however its numbers were typed."""

import datetime as dt
import hashlib
import json
import unicodedata
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.record import canonical_json, content_hash, hash_id, import_record_id

UTC = dt.UTC
TEMPLATE = "ceramic_electrode/process/1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1450, "1450"),
        (1450.0, "1450"),
        (7599.999999999999, "7600"),
        (-0.0, "0"),
        (0.0, "0"),
        (-1e-300 * 1e-300, "0"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333"),
        (123456789012.4, "123456789012"),
        (1e-7, "1e-07"),
        (1e22, "1e+22"),
        (2**53 + 1, "9007199254740993"),
        (True, "true"),
        (None, "null"),
        ("  시료 \n", '"시료"'),
        (unicodedata.normalize("NFD", "시료"), '"시료"'),
        ('a"b\\', '"a\\"b\\\\"'),
        (dt.date(2026, 1, 2), '"2026-01-02"'),
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '"2026-01-02T03:04:05.000000Z"'),
        (
            dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=9))),
            '"2026-01-01T18:04:05.000006Z"',
        ),
        (dt.datetime(33, 1, 2, tzinfo=UTC), '"0033-01-02T00:00:00.000000Z"'),
        ([1, 2.0, "x"], '[1,2,"x"]'),
        (("a", None), '["a",null]'),
        ({"b": 1, "a": None, "c": {"z": None}}, '{"b":1,"c":{}}'),
        ({"é": 1, "z": 2, "Z": 3, "가": 4}, '{"Z":3,"z":2,"é":1,"가":4}'),
        ({" k ": 1}, '{"k":1}'),
    ],
)
def test_canonical_json(value: object, text: str) -> None:
    """Keys sorted by code point, no blanks, nulls left out, numbers in twelve digits, times in UTC, texts NFC."""
    assert canonical_json(value) == text


def test_keys_are_sorted_by_code_point_not_by_utf16() -> None:
    """A character beyond the basic plane comes after all of it."""
    assert canonical_json({"\U00010000": 1, "\uffff": 2}) == '{"\uffff":2,"\U00010000":1}'


def test_decomposed_keys_are_composed() -> None:
    """A file's encoding habits do not make another key."""
    assert canonical_json({unicodedata.normalize("NFD", "온도"): 1}) == '{"온도":1}'


def test_what_has_no_canonical_form_is_refused() -> None:
    """Better no id than one that depends on a library."""
    with pytest.raises(TypeError, match="no canonical form of complex"):
        canonical_json({"x": 1j})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_and_its_text_are_one_value(number: float) -> None:
    """Writing a double in twelve digits and reading it back changes nothing any more."""
    text = canonical_json(number)
    assert canonical_json(float(text)) == text
    assert float(text) == pytest.approx(number, rel=1e-11, abs=0)


@given(st.floats(-1e11, 1e11))
def test_whole_doubles_are_written_as_whole_numbers(number: float) -> None:
    """A spreadsheet's 1450.0 is the same as an instrument's 1450."""
    assert canonical_json(float(round(number))) == canonical_json(round(number))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_canonical_json_is_json(value: object) -> None:
    """Any JSON reader understands it, and what it reads is written the same again."""
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text


def test_an_id_is_the_first_half_of_sha256_as_a_uuid_of_version_8() -> None:
    """Counted by hand: canonical JSON of the list of parts, SHA-256, 128 bits, version and variant bits set."""
    digest = hashlib.sha256(b'["mpea","row 1","process",0]').digest()[:16]
    value = int.from_bytes(digest)
    value = value & ~(0xF << 76) | (8 << 76)
    value = value & ~(0b11 << 62) | (0b10 << 62)
    expected = uuid.UUID(int=value)
    assert hash_id("mpea", "row 1", "process", 0) == str(expected)
    assert expected.version == 8
    assert expected.variant == uuid.RFC_4122


def test_parts_are_not_run_together() -> None:
    """Where one part ends and the next begins counts."""
    assert hash_id("ab", "c") != hash_id("a", "bc")
    assert hash_id("a", "b") != hash_id("a,b")
    assert hash_id("1") != hash_id(1)


@pytest.mark.parametrize(
    "other",
    [
        ("b", ["k", "12"], "raw", 0),
        ("a", ["q", "12"], "raw", 0),
        ("a", ["k1", "2"], "raw", 0),
        ("a", ["k12"], "raw", 0),
        ("a", ["12", "k"], "raw", 0),
        ("a", ["k", "12"], "process", 0),
        ("a", ["k", "12"], "raw", 1),
    ],
)
def test_a_record_id_depends_on_source_key_stage_and_occurrence(other: tuple[str, list[str], str, int]) -> None:
    """The key cell by cell; an exact duplicate row stays a record of its own."""
    assert import_record_id("a", ("k", "12"), "raw", 0) == import_record_id("a", ["k", "12"], "raw", 0)
    assert import_record_id("a", ["k", "12"], "raw", 0) != import_record_id(*other)


def content(
    values: dict[str, object] | None = None,
    template: str = TEMPLATE,
    *,
    event_time_from_file: bool = False,
    **header: object,
) -> str:
    return content_hash(
        {"co_sinter_temperature": 1450.0} if values is None else values,
        {"sample_id": "s", **header},
        template=template,
        event_time_from_file=event_time_from_file,
    )


WHO_AND_WHEN = ["event_id", "record_id", "content", "producer", "epoch", "seq", "template_version", "as_reported"]


@pytest.mark.parametrize("name", WHO_AND_WHEN)
def test_who_stated_it_and_when_is_no_content(name: str) -> None:
    """The same file sent again by a later run has the same content."""
    hashes = {
        content_hash({}, header, template=TEMPLATE, event_time_from_file=True)
        for header in ({name: "x"}, {name: "y"}, {})
    }
    assert len(hashes) == 1


def test_header_fields_of_the_mapping_are_content() -> None:
    """A changed operator is a correction as much as a changed value."""
    assert content(operator="a") != content(operator="b") != content()


def test_the_event_time_counts_only_where_the_file_gave_it() -> None:
    """Otherwise it is the time of the import, which says nothing."""
    early, late = dt.datetime(2026, 1, 1, tzinfo=UTC), dt.datetime(2026, 1, 2, tzinfo=UTC)
    assert content(event_time=early) == content(event_time=late)
    assert content(event_time=early, event_time_from_file=True) != content(event_time=late, event_time_from_file=True)


def test_another_major_is_another_statement() -> None:
    """The same numbers may mean something else there."""
    assert content() != content(template="ceramic_electrode/process/2")


def test_values_are_content_and_absent_ones_are_not() -> None:
    """A changed cell is another statement; an empty one is the same as none."""
    assert content({"a": 1.0}) != content({"a": 1.0000001})
    assert content({"a": 1.0}) == content({"a": 1, "b": None})
    assert content({"a": 7599.999999999999}) == content({"a": 7600})


def test_value_and_header_of_one_name_are_different() -> None:
    """What stands in the header is not taken for a value."""
    assert content({"comment": "x"}) != content({}, comment="x")
