"""Canonical values and the ids made from them, so that ids never depend on a library's noise."""

import datetime as dt
import hashlib
import json
import unicodedata
import uuid
from collections.abc import Mapping, Sequence

NOT_CONTENT = frozenset(
    {"event_id", "record_id", "content", "producer", "epoch", "seq", "template_version", "as_reported"}
)
"""Header fields that say who stated something and when, not what."""


def canonical(value: object) -> object:
    """Return a value as it enters the canonical JSON; nulls inside maps are left out.

    Doubles are written `format(x + 0.0, '.12g')` (1450, 1450.0 and 1.45e3 are one value, −0 is 0), strings NFC and
    stripped, times ISO 8601 in UTC to the microsecond, whole numbers decimal.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return _Number(format(value + 0.0, ".12g"))
    if isinstance(value, int):
        return _Number(str(value))
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip()
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {unicodedata.normalize("NFC", str(k)).strip(): canonical(v) for k, v in value.items() if v is not None}
    if isinstance(value, Sequence):
        return [canonical(v) for v in value]
    raise TypeError(f"no canonical form of {type(value).__name__}")


def canonical_json(value: object) -> str:
    """Return the canonical JSON text: keys sorted by code point, no blanks, nulls left out."""
    return _write(canonical(value))


def hash_id(*parts: object) -> str:
    """Return the first 128 bits of SHA-256 over the parts' canonical JSON, written as a UUIDv8."""
    digest = bytearray(hashlib.sha256(canonical_json(list(parts)).encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def content_hash(
    values: Mapping[str, object], header: Mapping[str, object], *, template: str, event_time_from_file: bool
) -> str:
    """Return the hash of what an event says: template fields plus the header fields that its mapping fills.

    `template` is project, stage and major (`ceramic_electrode/process/1`): the same values under another major are
    another statement. The event time counts only where the file gave it.
    """
    left_out = NOT_CONTENT if event_time_from_file else NOT_CONTENT | {"event_time"}
    said = {k: v for k, v in header.items() if k not in left_out and v is not None}
    return hash_id({"template": template, "values": dict(values), "header": said})


def import_record_id(source: str, key: Sequence[str], stage: str, occurrence: int) -> str:
    """Return the record_id of one stage of one row of a file; `occurrence` counts rows with the same key from 0.

    `key` are the cells of the row's key: hashed one by one, no cell can pass for two.
    """
    return hash_id(source, list(key), stage, occurrence)


class _Number(str):
    """The text of a number, written without quotation marks."""

    __slots__ = ()


def _write(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(k, ensure_ascii=False)}:{_write(v)}" for k, v in sorted(value.items()))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_write(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)
