"""The two framings of an Avro message: Confluent (0x00 and a 4-byte id) and single-object (0xC3 0x01 and a fingerprint)."""

import struct
from dataclasses import dataclass

from sojae.domain.issue import Issue

CONFLUENT_MAGIC = b"\x00"
SINGLE_OBJECT_MAGIC = b"\xc3\x01"
_CONFLUENT_BYTES = 5
_SINGLE_OBJECT_BYTES = 10


@dataclass(frozen=True, slots=True)
class Frame:
    """What a framing says: a schema id or an 8-byte Rabin fingerprint, and where the record begins."""

    body_offset: int
    schema_id: int | None = None
    fingerprint: bytes | None = None

    def __str__(self) -> str:
        return f"id {self.schema_id}" if self.fingerprint is None else f"fingerprint {self.fingerprint.hex()}"


def read_frame(message: bytes) -> Frame | None:
    """Return the frame of a message, or None when it has neither framing."""
    if message[:1] == CONFLUENT_MAGIC and len(message) >= _CONFLUENT_BYTES:
        return Frame(_CONFLUENT_BYTES, schema_id=struct.unpack(">I", message[1:_CONFLUENT_BYTES])[0])
    if message[:2] == SINGLE_OBJECT_MAGIC and len(message) >= _SINGLE_OBJECT_BYTES:
        return Frame(_SINGLE_OBJECT_BYTES, fingerprint=message[2:_SINGLE_OBJECT_BYTES])
    return None


def frame_or_issue(message: bytes | None, max_bytes: int) -> Frame | Issue:
    """Return the frame of a message, or the hard finding that says why it has none: empty, too large, unframed."""
    if not message:
        return Issue("empty_message", "hard", None, "0 bytes", "a framed Avro record")
    if len(message) > max_bytes:
        return Issue("too_large", "hard", None, f"{len(message)} bytes", f"at most {max_bytes}")
    frame = read_frame(message)
    if frame is None:
        return Issue("unframed", "hard", None, message[:8].hex(" "), "00 + schema id, or c3 01 + fingerprint")
    return frame


def confluent_frame(schema_id: int, body: bytes) -> bytes:
    """Return the body behind the Confluent header of a schema id."""
    return CONFLUENT_MAGIC + struct.pack(">I", schema_id) + body


def single_object_frame(fingerprint: bytes, body: bytes) -> bytes:
    """Return the body behind the single-object header; the fingerprint is CRC-64-AVRO, little-endian."""
    return SINGLE_OBJECT_MAGIC + fingerprint + body
