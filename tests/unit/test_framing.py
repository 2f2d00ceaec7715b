"""The two framings of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.framing import Frame, confluent_frame, read_frame, single_object_frame


def test_confluent_framing_is_a_zero_and_a_big_endian_id() -> None:
    """The bytes are those that every Confluent serializer writes."""
    assert confluent_frame(0x01020304, b"body") == b"\x00\x01\x02\x03\x04body"


def test_single_object_framing_is_a_mark_and_the_fingerprint() -> None:
    """The bytes are those of the Avro specification."""
    assert single_object_frame(b"12345678", b"body") == b"\xc3\x0112345678body"


@given(st.integers(0, 2**31 - 1), st.binary())
def test_a_confluent_frame_is_read_back(schema_id: int, body: bytes) -> None:
    """Id and place of the body survive."""
    message = confluent_frame(schema_id, body)
    assert read_frame(message) == Frame(5, schema_id=schema_id)
    assert message[5:] == body


@given(st.binary(min_size=8, max_size=8), st.binary())
def test_a_single_object_frame_is_read_back(fingerprint: bytes, body: bytes) -> None:
    """Fingerprint and place of the body survive."""
    message = single_object_frame(fingerprint, body)
    assert read_frame(message) == Frame(10, fingerprint=fingerprint)
    assert message[10:] == body


@pytest.mark.parametrize("message", [b"\x00\x00\x00\x00\x01", b"\xc3\x0112345678"])
def test_a_frame_without_a_body_is_a_frame(message: bytes) -> None:
    """Whether an empty body decodes is the decoder's affair."""
    assert read_frame(message) is not None


@pytest.mark.parametrize(
    "message",
    [b"", b"\x00", b"\x00\x00\x00\x01", b"\xc3", b"\xc3\x011234567", b"\xc3\x0212345678x", b"{}", b"\x01abcdefgh"],
)
def test_anything_else_is_no_frame(message: bytes) -> None:
    """Too short, or another mark."""
    assert read_frame(message) is None
