"""The reference page of all templates: which projects there are, what they share, and every event's header."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from sojae.adapters.template_files import TemplateBook, load_templates, packaged_folder, read_groups
from sojae.cli.markdown import page, table
from sojae.cli.reference_words import what_is_written, without_tags
from sojae.domain.lead_projects import LEAD_PROJECTS
from sojae.domain.template import STAGES

LEAD = (
    "What a mapping of [`sojae import`](../../how-to/import-a-spreadsheet.md) may name as `<stage>.<field>`, and what an event may "
    "hold. A value outside the usual range is accepted and flagged, one outside the possible range is quarantined; both are "
    "in the field's unit. Other units are converted: [units](../units.md). What else is checked is in [rules](../rules.md). In the "
    "column role, `input` and `condition` are what models predict from, `target` what they predict, `intermediate` and "
    "`note` are kept and not learnt from, `identifier` names a lot or a place."
)
HEADER_LEAD = (
    "Fields of every event, which a mapping names as `header.<field>` or gives in `[defaults]`. The import itself makes "
    "those of identity."
)
SHARED_LEAD = (
    "What is common to the materials of a family is written once, in a group under `schemas/avro/common/`, and included: "
    "all projects that have an item have it under the same name, in the same unit."
)
PROJECT_COLUMNS = ("project", "이름", "name", "분야 · 소재", "field, family", *STAGES)


def templates_page() -> str:
    """Return which projects there are, the items that they share, and the fields of every event's header."""
    book = load_templates()
    header = {field.name: field for template in book for field in template.header_fields}
    rows = [
        (f"`{f.name}`", f.label.ko, f.label.en, f.kind, what_is_written(f), without_tags(f.doc or ""))
        for f in header.values()
    ]
    parts = [
        LEAD,
        table(PROJECT_COLUMNS, [_project_row(book, name) for name in LEAD_PROJECTS]),
        "In the stages: how many fields a record may fill in, and how many of them are required (✔).",
        "## Shared items",
        SHARED_LEAD,
        table(("group", "이름", "name", "items", "included by"), _group_rows()),
        "## Header",
        HEADER_LEAD,
        table(("field", "이름", "name", "kind", "what is written", "meaning"), rows),
    ]
    return page("Templates", parts)


def _project_row(book: TemplateBook, name: str) -> tuple[str, ...]:
    lead = LEAD_PROJECTS[name]
    stages = [book.get(name, stage) for stage in STAGES]
    counts = [f"{len(t.fields)} ({sum(f.required for f in t.fields)} ✔)" for t in stages]
    kind = f"{lead.field.ko} · {lead.family.ko}", f"{lead.field.en}, {lead.family.en}"
    return f"[`{name}`]({name}.md)", lead.name.ko, lead.name.en, *kind, *counts


def _group_rows() -> Iterator[tuple[str, ...]]:
    for name, (group, users) in read_groups(packaged_folder()).items():
        label = cast("Mapping[str, str]", group["label"])
        items = cast("Sequence[Mapping[str, object]]", group["fields"])
        fields = ", ".join(f"`{item['name']}`" for item in items)
        yield f"`{name}`", label["ko"], label["en"], fields, ", ".join(f"`{key.project}`" for key in users)
