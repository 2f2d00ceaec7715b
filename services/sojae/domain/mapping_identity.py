"""What a row of a file is called: its key, its sample, and the producer that speaks for it."""

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sojae.domain.errors import QuantityError
from sojae.domain.header import is_sample_id
from sojae.domain.quantity import parse_number
from sojae.domain.record import hash_id
from sojae.domain.table import Row

KEY_SEPARATOR = "|"
_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in (KEY_SEPARATOR, "\\")})
_PLAIN = re.compile(r"[a-z0-9._-]")


@dataclass(frozen=True, slots=True)
class ImportRun:
    """Who imports, and when: the producer's institute, source and epoch (Unix milliseconds of the start)."""

    institute: str
    source: str
    epoch: int

    def __post_init__(self) -> None:
        """Take the source in NFC: a file name from a Mac is decomposed, and would name other records."""
        object.__setattr__(self, "source", unicodedata.normalize("NFC", self.source).strip())

    @property
    def producer(self) -> str:
        """`<institute>/import/<source>`, the source in the letters that an identifier may have."""
        return f"{self.institute}/import/{encoded_source(self.source)}"

    @property
    def started_at(self) -> dt.datetime:
        """The start, which is the event time of a record whose file gives none."""
        return dt.datetime.fromtimestamp(self.epoch / 1000, tz=dt.UTC)


@dataclass(frozen=True, slots=True)
class RowIdentity:
    """The key cells of a row for one record, how many rows with that key came before, and the sample's name."""

    key: tuple[str, ...]
    occurrence: int
    sample_id: str


def encoded_source(source: str) -> str:
    """Return a source in `[a-z0-9._-]`: lower case, every other byte of its UTF-8 as `:` and two hex digits.

    A percent sign would be the usual mark, but a producer may not hold one.
    """
    lower = unicodedata.normalize("NFC", source).strip().lower()
    return "".join(c if _PLAIN.fullmatch(c) else "".join(f":{b:02x}" for b in c.encode()) for c in lower)


def row_key(columns: Sequence[str], row: Row, numbers: Collection[str]) -> tuple[str, ...]:
    """Return the key cells of a row; in the columns `numbers`, 25, 25.0 and 2.5e1 are the same key."""
    return tuple(_part(row.cells.get(name, ""), is_number=name in numbers) for name in columns)


def named_sample(source: str, key: Sequence[str], occurrence: int) -> str:
    """Return the sample_id of a row whose mapping names none: `<source>:<key>:<occurrence>`, a long key hashed.

    The cells of the key are joined by `|`; where a cell holds one, or a backslash, it stands behind a backslash. A
    source that begins with @ begins with `:40`, since @ names another institute's sample.
    """
    shown = f":{ord('@'):x}{source[1:]}" if source.startswith("@") else source
    joined = KEY_SEPARATOR.join(part.translate(_ESCAPED) for part in key)
    named = f"{shown}:{joined}:{occurrence}"
    return named if is_sample_id(named) else f"{shown}:{hash_id(list(key))}:{occurrence}"


def _part(text: str, *, is_number: bool) -> str:
    stripped = unicodedata.normalize("NFC", text).strip()
    if is_number:
        try:
            return format(parse_number(stripped) + 0.0, ".12g")
        except QuantityError:
            return stripped
    return stripped
