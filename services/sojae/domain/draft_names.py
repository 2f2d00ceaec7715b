"""ASCII names of fields from headers in any script: no SQL keyword, no header field, none twice."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from sojae.domain.draft_fields import DraftField
from sojae.domain.template_check import RESERVED, SQL_KEYWORDS

LONGEST = 60
_PLACE = re.compile(r"\(column (\d+)\)")
_OTHER = re.compile(r"[^a-z0-9]+")


def with_names(fields: Sequence[DraftField], header_fields: Collection[str]) -> list[DraftField]:
    """Return the fields, each with a name of its own in the whole project, made of its header's words.

    Without a word that can be written in ASCII it is `<stage>_field_<place in the file>`; a field that has a name keeps it.
    """
    taken = {*(field.name for field in fields if field.name)}
    found = []
    for number, field in enumerate(fields, start=1):
        name = field.name or _free(_plain(field, number, header_fields), taken)
        taken.add(name)
        found.append(replace(field, name=name))
    return found


def project_name(text: str) -> str:
    """Return a project's name in lower-case letters, digits and `_`, empty where nothing of it can be written so."""
    return _OTHER.sub("_", text.lower()).strip("_")[:40]


def _plain(field: DraftField, number: int, header_fields: Collection[str]) -> str:
    name = _OTHER.sub("_", "_".join(field.column.header.words)).strip("_")[:LONGEST].rstrip("_")
    if not name:
        place = _PLACE.fullmatch(field.column.name)
        return f"{field.stage}_field_{int(place[1]) if place else number:02d}"
    if not name[0].isalpha():
        name = f"value_{name}"
    if name in SQL_KEYWORDS | RESERVED or name in header_fields or name == "composition":
        name = f"{name}_value"
    return name


def _free(name: str, taken: Collection[str]) -> str:
    return next(n for k in range(1, len(taken) + 2) if (n := name if k == 1 else f"{name}_{k}") not in taken)
