"""The two framings of an Avro message: Confluent (0x00 and a 4-byte id) and single-object (0xC3 0x01 and a fingerprint)."""

import struct
from dataclasses import dataclass

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


def read_frame(message: bytes) -> Frame | None:
    """Return the frame of a message, or None when it has neither framing."""
    if message[:1] == CONFLUENT_MAGIC and len(message) >= _CONFLUENT_BYTES:
        return Frame(_CONFLUENT_BYTES, schema_id=struct.unpack(">I", message[1:_CONFLUENT_BYTES])[0])
    if message[:2] == SINGLE_OBJECT_MAGIC and len(message) >= _SINGLE_OBJECT_BYTES:
        return Frame(_SINGLE_OBJECT_BYTES, fingerprint=message[2:_SINGLE_OBJECT_BYTES])
    return None


def confluent_frame(schema_id: int, body: bytes) -> bytes:
    """Return the body behind the Confluent header of a schema id."""
    return CONFLUENT_MAGIC + struct.pack(">I", schema_id) + body


def single_object_frame(fingerprint: bytes, body: bytes) -> bytes:
    """Return the body behind the single-object header; the fingerprint is CRC-64-AVRO, little-endian."""
    return SINGLE_OBJECT_MAGIC + fingerprint + body
