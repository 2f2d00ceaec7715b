"""What is derived from templates and served as a file: made once, and kept as long as there is room."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import msgspec

from sojae.adapters.workbook_writer import csv_text, workbook_bytes
from sojae.domain.entry_form import entry_form
from sojae.domain.json_schema import json_schema
from sojae.domain.template import Template
from sojae.domain.text import Language

Kind = Literal["json-schema", "form", "workbook", "csv"]

MAX_KEPT = 64
"""Files kept at the same moment; that of the eight projects' workbooks is some 20 kB, of others less."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One file: its kind, the templates by what they say, and the language of its labels."""

    kind: Kind
    language: Language
    sha256: tuple[str, ...]
    templates: tuple[Template, ...] = field(compare=False)


def derived(kind: Kind, templates: tuple[Template, ...], language: Language = "en") -> bytes:
    """Return the file of templates: JSON Schema, form and CSV of one, a workbook of the stages of a project."""
    return _made(Asked(kind, language, tuple(template.sha256 for template in templates), templates))


@lru_cache(maxsize=MAX_KEPT)
def _made(asked: Asked) -> bytes:
    return _MAKERS[asked.kind](asked)


_MAKERS: Mapping[Kind, Callable[[Asked], bytes]] = {
    "json-schema": lambda asked: msgspec.json.encode(json_schema(asked.templates[0])),
    "form": lambda asked: msgspec.json.encode(entry_form(asked.templates[0])),
    "workbook": lambda asked: workbook_bytes(asked.templates, asked.language),
    "csv": lambda asked: csv_text(asked.templates[0], asked.language).encode(),
}
