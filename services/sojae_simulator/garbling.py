"""Ways in which a message stops being one: cut off, in an unknown schema, with bytes behind it, not Avro at all."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_FRAME_BYTES = 5


@dataclass(frozen=True, slots=True)
class Garbling:
    """What happens to the bytes of a message in Confluent framing, and the rule that must see it."""

    rule: str
    garble: Callable[[bytes], bytes]


def _cut_off(message: bytes) -> bytes:
    return message[: max(_FRAME_BYTES + 1, len(message) * 2 // 3)]


def _unknown_schema(message: bytes) -> bytes:
    # Ids of templates have 31 bits, so none has the highest one.
    schema_id = struct.unpack(">I", message[1:_FRAME_BYTES])[0] | 0x8000_0000
    return message[:1] + struct.pack(">I", schema_id) + message[_FRAME_BYTES:]


GARBLINGS: Mapping[str, Garbling] = {
    "cut off": Garbling("undecodable", _cut_off),
    "unknown schema": Garbling("unknown_schema", _unknown_schema),
    "bytes behind": Garbling("trailing_bytes", lambda message: message + b"\r\n"),
    "text": Garbling("unframed", lambda message: b'{"values": "' + message[_FRAME_BYTES:].hex().encode() + b'"}'),
}
