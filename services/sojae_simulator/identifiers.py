"""Ids that are drawn: UUIDs of version 7, and the tag of a run in names of samples."""

import secrets
import uuid

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def uuid7(unix_ms: int, random_bits: int | None = None) -> str:
    """Return a UUID of version 7: 48 bits of Unix time in ms, then 74 random bits. RFC 9562, section 5.7.

    `random_bits` replaces the system's random source, of which 74 bits are used.
    """
    bits = secrets.randbits(74) if random_bits is None else random_bits & (2**74 - 1)
    high, low = bits >> 62, bits & (2**62 - 1)
    return str(uuid.UUID(int=(unix_ms & (2**48 - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))


def run_tag(epoch: int) -> str:
    """Return the epoch, in Unix ms, as a short word for sample names: no two runs share one."""
    digits = ""
    while epoch:
        epoch, digit = divmod(epoch, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits or "0"
