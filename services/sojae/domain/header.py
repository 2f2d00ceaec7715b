"""The header that every template event carries."""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from sojae.domain.issue import Issue
from sojae.domain.template import Field
from sojae.topics import IDENTITY

ORIGINS = ("bank", "literature", "experiment", "computation", "production")
STRICT_ORIGINS = ("experiment", "production")
"""Origins for which a missing required field is hard: who measured can fill it in."""

IDENTIFIER = re.compile(r"[A-Za-z0-9._:/-]{1,96}")
REFERENCE = re.compile(r"([A-Za-z0-9._-]{1,249})/(\d{1,9})/(\d{1,18})")
"""A message in Kafka: topic/partition/offset."""
OPTIONAL = frozenset({"content", "supersedes"})
"""Identifiers that an event need not have."""

MAX_SAMPLE_ID = 128
MAX_PARENTS = 256
SAMPLE_REFERENCE = "a sample_id, or @<institute>/<sample_id>"
KEYED_BY_FIELD = ("uncertainty", "qualifiers", "as_reported")
"""Maps of the header whose keys name fields of the template."""
SHOWN_KEYS = 3
MAX_LONG = 2**63 - 1


def identifier_issues(header: Mapping[str, object]) -> Iterator[Issue]:
    """Yield a hard finding for every identity of a header that has the wrong form."""
    for name in ("event_id", "record_id", "producer", "content", "supersedes"):
        value = header.get(name)
        if value is None and name in OPTIONAL:
            continue
        if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
            yield Issue("identifier", "hard", f"header.{name}", _shown(value), "1–96 of A–Z a–z 0–9 . _ : / -")
    institute = header.get("institute")
    if not isinstance(institute, str) or not IDENTITY.fullmatch(institute):
        yield Issue("identifier", "hard", "header.institute", _shown(institute), "2–32 of a–z 0–9 -")
    sample = header.get("sample_id")
    if not is_sample_id(sample):
        yield Issue(
            "identifier",
            "hard",
            "header.sample_id",
            _shown(sample),
            "1–128 printable characters, NFC, not starting with @",
        )
    for name in ("epoch", "seq"):
        value = header.get(name)
        if not isinstance(value, int) or not 0 <= value <= MAX_LONG:
            yield Issue("identifier", "hard", f"header.{name}", _shown(value), "a whole number ≥ 0")
    if header.get("origin") not in ORIGINS:
        yield Issue("category", "hard", "header.origin", _shown(header.get("origin")), ", ".join(ORIGINS))
    yield from _parent_issues(header.get("parents"))


def identity_issues(header: Mapping[str, object], *, topic_institute: str, key: bytes | None) -> Iterator[Issue]:
    """Yield hard findings where an event speaks for another institute or producer than its topic and key allow."""
    institute, producer = header.get("institute"), header.get("producer")
    if institute != topic_institute:
        yield Issue("institute_mismatch", "hard", "header.institute", _shown(institute), topic_institute)
    if not isinstance(producer, str) or not producer.startswith(f"{topic_institute}/"):
        yield Issue("producer_foreign", "hard", "header.producer", _shown(producer), f"{topic_institute}/…")
    if key is None or key.decode("utf-8", "replace") != producer:
        shown = None if key is None else key[:96].decode("utf-8", "replace")
        yield Issue("key_mismatch", "hard", "header.producer", shown, _shown(producer))


def value_issues(header: Mapping[str, object], fields: Sequence[Field]) -> Iterator[Issue]:
    """Yield a hard finding for every header value that is not in its list, and for numbers that are not finite."""
    for field in fields:
        value = header.get(field.name)
        # The origin has been judged with the identities.
        if field.one_of and isinstance(value, str) and value not in field.one_of and field.name != "origin":
            yield Issue("category", "hard", f"header.{field.name}", _shown(value), ", ".join(field.one_of))
        if field.kind == "map_double" and isinstance(value, Mapping):
            for name, number in value.items():
                if not math.isfinite(number):
                    where = f"header.{field.name}.{name[:32]}"
                    yield Issue("non_finite", "hard", where, repr(number), "a finite number")


def is_sample_id(value: object) -> bool:
    """Return whether a value may name a sample inside its institute."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_SAMPLE_ID
        and not value.startswith("@")
        and value.isprintable()
        and unicodedata.is_normalized("NFC", value)
    )


def sample_reference(reference: str, institute: str) -> tuple[str, str]:
    """Return (institute, sample_id) of a parent or lot: `@other/id` names another institute's sample."""
    if reference.startswith("@"):
        other, _, sample = reference[1:].partition("/")
        return other, sample
    return institute, reference


def is_sample_reference(reference: str) -> bool:
    """Return whether a text may name a parent or lot: a sample_id, or `@<institute>/<sample_id>`."""
    institute, sample = sample_reference(reference, "own")
    return is_sample_id(sample) and (not reference.startswith("@") or IDENTITY.fullmatch(institute) is not None)


def parse_reference(reference: str) -> tuple[str, int, int] | None:
    """Return (topic, partition, offset) of a message that an event repairs, None when the text is none."""
    match = REFERENCE.fullmatch(reference)
    return None if match is None else (match[1], int(match[2]), int(match[3]))


def key_issues(header: Mapping[str, object], fields: Sequence[Field]) -> Iterator[Issue]:
    """Yield one warning for each map of a header that speaks of something that is no field of the template.

    A key may name a component too, as `composition.Fe`.
    """
    known = {field.name for field in fields}
    for name in KEYED_BY_FIELD:
        said = header.get(name)
        strangers = [str(k) for k in said if str(k).split(".")[0] not in known] if isinstance(said, Mapping) else []
        if strangers:
            shown = ", ".join(_shown(key) for key in strangers[:SHOWN_KEYS])
            more = f" and {len(strangers) - SHOWN_KEYS} more" if len(strangers) > SHOWN_KEYS else ""
            yield Issue("unknown_key", "warn", f"header.{name}", shown + more, "names of fields of the template")


def _parent_issues(parents: object) -> Iterator[Issue]:
    if parents is None:
        return
    if not isinstance(parents, list) or len(parents) > MAX_PARENTS:
        yield Issue(
            "identifier",
            "hard",
            "header.parents",
            f"{len(parents) if isinstance(parents, list) else parents!r}",
            f"at most {MAX_PARENTS}",
        )
        return
    for parent in parents:
        if not is_sample_reference(str(parent)):
            yield Issue("identifier", "hard", "header.parents", _shown(parent), SAMPLE_REFERENCE)


def _shown(value: object) -> str:
    """Return a value as it may stand in a message: short, whatever was sent."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 128 else text[:125] + "…"
