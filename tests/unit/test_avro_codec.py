"""Template events to and from framed Avro, and what is refused on the way in."""

import datetime as dt
import io
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.adapters.avro import MAX_MESSAGE_BYTES, FastavroDecoder, FastavroEncoder, RecordCodec
from sojae.adapters.template_files import load_templates, packaged_folder, rabin_fingerprint, read_common
from sojae.domain.errors import TemplateError
from sojae.domain.framing import confluent_frame, single_object_frame
from sojae.domain.template import Field, Template
from sojae.ports import Decoded
from tests.builders import NOW, book, complete, framed, header, samples, template, templates

DECODER = FastavroDecoder(book)


def decode(message: bytes | None) -> Decoded:
    (one,) = DECODER.decode([message])
    return one


def rules(message: bytes | None) -> list[str]:
    one = decode(message)
    assert all(i.severity == "hard" for i in one.issues)
    return [i.rule for i in one.issues]


def body_of(of: Template, record: Mapping[str, object]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(of.schema))), dict(record))
    return stream.getvalue()


@pytest.mark.parametrize("one", templates(), ids=lambda t: str(t.key))
@pytest.mark.parametrize("single_object", [False, True])
def test_samples_survive_both_framings(one: Template, single_object: bool) -> None:
    """Template, header and values come back as they were; what was not given is null."""
    encoder = FastavroEncoder(single_object=single_object)
    for values in samples(one):
        got = decode(encoder.encode(one, header(), values))
        assert (got.template, got.values, got.issues) == (one, complete(one, values), ())
        assert {k: v for k, v in got.header.items() if v is not None} == header()


def test_many_messages_are_decoded_in_order() -> None:
    """Bad ones among good ones change nothing for their neighbours."""
    good = [framed(template(), head=header(n)) for n in range(3)]
    found = DECODER.decode([good[0], b"junk", good[1], None, good[2]])
    assert [d.header.get("seq") for d in found] == [0, None, 1, None, 2]


NUMBERS = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1e308])
TEXTS = st.text(max_size=8)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "double": NUMBERS,
    "long": st.integers(-(2**63), 2**63 - 1),
    "string": TEXTS,
    "boolean": st.booleans(),
    "date": st.dates(),
    "timestamp": st.datetimes(timezones=st.just(dt.UTC)),
    "map_double": st.dictionaries(TEXTS, NUMBERS, max_size=3),
    "map_string": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "strings": st.lists(TEXTS, max_size=3),
}
REQUIRED = {
    "event_id",
    "record_id",
    "template_version",
    "institute",
    "producer",
    "epoch",
    "seq",
    "event_time",
    "sample_id",
    "origin",
}
BOOLEANS = {"retracted", "historical"}


def generated(fields: tuple[Field, ...], needed: set[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {f.name: KINDS[f.kind] if f.name in needed else st.none() | KINDS[f.kind] for f in fields}
    )


@examples(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
@pytest.mark.parametrize("one", templates(), ids=lambda t: str(t.key))
def test_whatever_a_template_can_say_comes_back(one: Template, data: st.DataObject) -> None:
    """Any values of its kinds, any header, in both framings, with nothing to complain about."""
    values = data.draw(generated(one.fields, set()))
    head = data.draw(generated(one.header_fields, REQUIRED | BOOLEANS)) | {"template_version": one.key.version}
    for single_object in (False, True):
        got = decode(FastavroEncoder(single_object=single_object).encode(one, head, values))
        assert (got.template, got.header, got.values, got.issues) == (one, head, values, ())


@pytest.mark.parametrize("message", [None, b""])
def test_an_empty_message_is_told(message: bytes | None) -> None:
    """A tombstone has no place on an events topic."""
    assert rules(message) == ["empty_message"]


def test_a_message_has_at_most_a_mebibyte() -> None:
    """The limit itself is decoded; what is beyond is quarantined unread."""
    assert MAX_MESSAGE_BYTES == 1_048_576
    good = framed(template())
    assert rules(good.ljust(MAX_MESSAGE_BYTES, b"\x00")) == ["trailing_bytes"]
    assert rules(good.ljust(MAX_MESSAGE_BYTES + 1, b"\x00")) == ["too_large"]


@pytest.mark.parametrize("message", [b"{}", b"\x05nonsense", b"\x00\x01", b"\xc3\x01short"])
def test_an_unknown_framing_is_told_with_its_first_bytes(message: bytes) -> None:
    """JSON sent by mistake, for instance."""
    (issue,) = decode(message).issues
    assert (issue.rule, issue.got) == ("unframed", message[:8].hex(" "))


@pytest.mark.parametrize("message", [confluent_frame(1, b"x"), single_object_frame(b"12345678", b"x")])
def test_an_unknown_schema_is_told_never_guessed(message: bytes) -> None:
    """Neither template nor header is made up for it."""
    got = decode(message)
    assert [i.rule for i in got.issues] == ["unknown_schema"]
    assert (got.template, got.header, got.values) == (None, {}, {})


@pytest.mark.parametrize("cut", [1, 2, 50])
def test_a_message_that_ends_early_is_told(cut: int) -> None:
    """The template is known, header and values are not."""
    got = decode(framed(template())[:-cut])
    assert [i.rule for i in got.issues] == ["undecodable"]
    assert (got.template, got.header) == (template(), {})


def test_bytes_behind_the_record_are_told() -> None:
    """They mean that writer and reader do not agree; the header is still known."""
    got = decode(framed(template()) + b"\x00\x00")
    assert [(i.rule, i.got) for i in got.issues] == [("trailing_bytes", "2 bytes")]
    assert got.header["event_id"] == "event-0"


def repeated(of: Template, name: str, entries: bytes) -> bytes:
    """Return a framed event whose map holds these entries: a block count, keys, values, the end."""
    marker = {"Fe": 12345.0}
    whole = body_of(of, {**samples(of)[1], name: marker, "header": header()})
    written = b"\x02\x04Fe" + struct.pack("<d", 12345.0) + b"\x00"
    assert whole.count(written) == 1
    return confluent_frame(of.schema_id, whole.replace(written, entries))


def entry(key: bytes, value: float) -> bytes:
    return bytes([2 * len(key)]) + key + struct.pack("<d", value)


def test_a_map_with_a_repeated_key_is_told() -> None:
    """One decoder would keep the last amount, another both."""
    of = template(stage="composition")
    twice = b"\x04" + entry(b"Fe", 50.0) + entry(b"Fe", 50.0) + b"\x00"
    assert rules(repeated(of, "composition", twice)) == ["repeated_key"]


def test_a_map_with_different_keys_is_sound() -> None:
    """The same bytes with another key."""
    of = template(stage="composition")
    both = b"\x04" + entry(b"Fe", 50.0) + entry(b"Ni", 50.0) + b"\x00"
    got = decode(repeated(of, "composition", both))
    assert (got.values["composition"], got.issues) == ({"Fe": 50.0, "Ni": 50.0}, ())


def test_a_map_in_two_blocks_with_a_repeated_key_is_told() -> None:
    """Blocks are another way to say a key twice."""
    of = template(stage="composition")
    blocks = b"\x02" + entry(b"Fe", 50.0) + b"\x02" + entry(b"Fe", 50.0) + b"\x00"
    assert rules(repeated(of, "composition", blocks)) == ["repeated_key"]


@pytest.mark.parametrize("version", ["1.1", "", "2.0", "1.0 "])
def test_the_header_s_version_must_be_the_schema_s(version: str) -> None:
    """A sender that mixes up two versions does not know what it sends."""
    got = decode(framed(template(), head=header(template_version=version)))
    assert [(i.rule, i.field, i.got) for i in got.issues] == [("template_version", "header.template_version", version)]


def versions(folder: Path) -> tuple[Template, Template, FastavroDecoder]:
    """Return two versions that share a fingerprint, and a decoder that knows both."""
    source = json.loads((packaged_folder() / "high_entropy_alloy/raw/1.0.avsc").read_text(encoding="utf-8"))
    path = folder / "high_entropy_alloy/raw/1.1.avsc"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(source | {"version": "1.1", "doc": "a wider range"}), encoding="utf-8")
    both = load_templates(folder)
    return (
        both.get("high_entropy_alloy", "raw", "1.0"),
        both.get("high_entropy_alloy", "raw", "1.1"),
        FastavroDecoder(lambda: both),
    )


def test_the_version_decides_among_templates_of_one_fingerprint(tmp_path: Path) -> None:
    """The fingerprint ignores what the two differ in; their ids do not."""
    old, new, decoder = versions(tmp_path)
    assert rabin_fingerprint(old.schema) == rabin_fingerprint(new.schema)
    for one in (old, new):
        message = FastavroEncoder(single_object=True).encode(
            one, header(template_version=one.key.version), samples(old)[0]
        )
        assert decoder.decode([message])[0].template == one
    (got,) = decoder.decode(
        [FastavroEncoder(single_object=True).encode(old, header(template_version="1.2"), samples(old)[0])]
    )
    assert [(i.rule, i.expected) for i in got.issues] == [("template_version", "1.1, 1.0")]
    (got,) = decoder.decode([FastavroEncoder().encode(old, header(template_version="1.1"), samples(old)[0])])
    assert [(i.rule, i.expected) for i in got.issues] == [("template_version", "1.0")]


@examples(max_examples=80, deadline=None)
@given(st.data())
def test_no_bytes_make_the_decoder_raise(data: st.DataObject) -> None:
    """Random bytes behind a known id, and sound messages with bytes changed, cut or put in."""
    one = data.draw(st.sampled_from(templates()))
    whole = bytearray(framed(one))
    for _ in range(data.draw(st.integers(1, 3))):
        place, length = data.draw(st.integers(5, len(whole))), data.draw(st.integers(0, 4))
        whole[place : place + length] = data.draw(st.binary(max_size=10))
    for message in (bytes(whole), confluent_frame(one.schema_id, data.draw(st.binary(max_size=200)))):
        got = decode(message)
        assert got.header or got.issues


@pytest.mark.parametrize("micros", [-(2**63), 2**63 - 1, 253_402_300_800_000_000, -62_135_596_800_000_001])
def test_a_time_beyond_the_calendar_is_told(micros: int) -> None:
    """A hostile time stamp must not stop a partition."""
    whole = framed(template(), head=header(event_time=NOW))
    good, bad = (_varint(v) for v in (int(NOW.timestamp() * 1_000_000), micros))
    assert whole.count(good) == 1
    assert rules(whole.replace(good, bad)) == ["undecodable"]


def _varint(value: int) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, "long", value)
    return stream.getvalue()


@pytest.mark.parametrize("given_values", [{"yield_strength": "strong"}, {"test_type": 5}, {"yield_strength": [1.0]}])
def test_values_that_do_not_fit_are_a_template_error(given_values: dict[str, object]) -> None:
    """Before anything is sent."""
    with pytest.raises(TemplateError, match=r"high_entropy_alloy/property/1\.0: the values do not fit"):
        framed(template(), given_values)


def test_a_field_that_the_template_does_not_have_is_named() -> None:
    """fastavro would drop it without a word."""
    with pytest.raises(TemplateError, match="has no field strength, toughness"):
        framed(template(), {"toughness": 1.0, "yield_strength": 1.0, "strength": 2.0})


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_a_header_without_a_required_field_does_not_fit(missing: str) -> None:
    """There is no event without it."""
    head = {k: v for k, v in header().items() if k != missing}
    with pytest.raises(TemplateError, match="do not fit"):
        framed(template(), head=head)


def test_the_header_s_flags_default_to_false() -> None:
    """A plain event is neither retracted nor historical."""
    head = {k: v for k, v in header().items() if k not in BOOLEANS}
    got = decode(framed(template(), head=head)).header
    assert (got["retracted"], got["historical"], got["parents"]) == (False, False, None)


def test_a_fixed_schema_is_packed_and_unpacked() -> None:
    """Outcomes travel in single-object framing; other messages are refused."""
    codec = RecordCodec(read_common("outcome", "1.0"))
    record: dict[str, object] = {
        "institute": "kims",
        "producer": None,
        "store_version": 7,
        "sent_at": NOW,
        "outcomes": [],
    }
    assert codec.decode(codec.encode(record)) == record
    assert codec.encode(record)[2:10] == rabin_fingerprint(read_common("outcome", "1.0"))
    for other in (framed(template()), b"", single_object_frame(b"12345678", b"")):
        with pytest.raises(ValueError, match="not a message of this schema"):
            codec.decode(other)
