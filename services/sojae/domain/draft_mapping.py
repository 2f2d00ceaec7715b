"""The mapping of `sojae import` for a drafted project, as TOML."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sojae.domain.draft_columns import Column
from sojae.domain.draft_fields import DraftField
from sojae.domain.draft_plan import Draft
from sojae.domain.draft_schemas import DraftedFrom

LEAD = """\
# How {file} becomes records of {project}: drafted by `sojae template draft`, to be edited.
# Templates: the folder beside this file (SOJAE_TEMPLATES__PATH).
"""
HINTS = """\
origin = "experiment"   # bank, literature, experiment, computation or production
# licence = "CC-BY-4.0"   # without one, never exported
# disclosure = "L1"       # without one, the owner alone sees the values
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the table stands in the file: its sheet, the row of its header (0: none), and rows that are no records."""

    header_row: int = 1
    sheet: str | None = None
    skip: Mapping[str, Sequence[str]] | None = None


def mapping_of(draft: Draft, layout: Layout, origin: DraftedFrom, source: str) -> str:
    """Return the text of the mapping file."""
    lines = [
        LEAD.format(file=origin.file, project=origin.project),
        f"project = {_text(origin.project)}",
        f"source = {_text(source)}",
    ]
    if layout.sheet is not None:
        lines.append(f"sheet = {_text(layout.sheet)}")
    if layout.header_row != 1:
        lines.append(f"header_row = {layout.header_row}")
    lines.append(f"key = [{', '.join(_text(name) for name in draft.key)}]")
    if draft.sample is not None:
        lines.append(f"sample_id = {_text(draft.sample)}")
    if layout.skip:
        lines += ["", "[skip]", *(f"{_text(name)} = {_list(words)}" for name, words in layout.skip.items())]
    lines += ["", "[defaults]", f"institute = {_text(origin.institute)}", HINTS]
    for field in draft.fields:
        lines += [line for entry in _entries(field) for line in (*entry, "")]
    if draft.event_time is not None:
        lines += [*_head(draft.event_time, "header.event_time"), *_date(draft.event_time), ""]
    for column in draft.references:
        lines += [*_head(column, "header.references"), 'parse = "reference"', ""]
    return "\n".join(lines).rstrip() + "\n"


def _entries(field: DraftField) -> Iterator[list[str]]:
    if not field.components:
        yield _entry(field.column, f"{field.stage}.{field.name}", field)
        return
    for column, component in zip(field.columns, field.components, strict=True):
        yield _entry(column, f"{field.stage}.{field.name}.{component}", field)


def _entry(column: Column, target: str, field: DraftField) -> list[str]:
    lines = _head(column, target)
    if field.kind == "double" or field.components:
        lines.append(f"unit = {_text(field.unit or '1')}")
    if column.has_intervals:
        lines.append('interval = "middle"')
    if column.nulls:
        lines.append(f"nulls = {_list(column.nulls)}")
    return lines + (_date(column) if field.kind == "date" else [])


def _head(column: Column, target: str) -> list[str]:
    return ["[[columns]]", f"name = {_text(column.name)}", f"field = {_text(target)}"]


def _date(column: Column) -> list[str]:
    return [] if column.format is None else [f"format = {_text(column.format)}"]


def _list(words: Sequence[str]) -> str:
    return f"[{', '.join(_text(word) for word in words)}]"


def _text(value: str) -> str:
    """Return a text in quotation marks; TOML's escapes are JSON's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
