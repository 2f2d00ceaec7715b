"""A page of each project's templates: what a laboratory would have to fill in, in Korean and English, with every source."""

import json
from collections.abc import Iterator, Mapping, Sequence

from sojae.adapters.published import place_of
from sojae.adapters.template_files import TemplateBook, packaged_folder
from sojae.cli.markdown import page, table
from sojae.cli.reference_templates import shown_range, shown_words, unit_code, without_tags
from sojae.domain.lead_projects import LEAD_PROJECTS
from sojae.domain.template import STAGES, Field, Template

FIELD_COLUMNS = (
    "field",
    "이름",
    "name",
    "unit",
    "required",
    "usual",
    "possible",
    "words, amounts",
    "role",
    "example",
    "source",
)
RULE_COLUMNS = ("rule", "severity", "what it asks", "한국어", "English", "source")
HOW = (
    "To fill this in: `sojae template workbook {project}` ([how](../../how-to/fill-in-a-workbook.md)). *Usual* is flagged outside, "
    "*possible* is refused outside; a source `proposed` means that no published one was found. Required fields (✔) are refused "
    "where a laboratory or a plant leaves them empty, and flagged in data from literature, banks and computations."
)


def project_page(project: str, book: TemplateBook) -> str:
    """Return the page of one project's newest templates."""
    lead = LEAD_PROJECTS[project]
    parts = [
        f"**{lead.name.ko}** · {lead.field.ko} · {lead.family.ko} — {lead.field.en}, {lead.family.en}.",
        HOW.format(project=project),
    ]
    for stage in STAGES:
        template = book.get(project, stage)
        parts += list(_stage(template))
    return page(lead.name.en, parts)


def _stage(template: Template) -> Iterator[str]:
    yield f"## {template.label.en} ({template.label.ko}): {template.key}"
    yield without_tags(str(template.schema.get("doc", "")))
    standards = template.schema.get("standards")
    if isinstance(standards, Sequence) and standards:
        yield f"Standards: {', '.join(str(s) for s in standards)}."
    yield table(FIELD_COLUMNS, [_field_row(field) for field in template.fields])
    if template.rules:
        yield "Rules:"
        yield table(RULE_COLUMNS, list(_rule_rows(template)))
    yield "A record as it is sent:"
    yield f"```json\n{_sample(template)}\n```"


def _field_row(field: Field) -> tuple[str, ...]:
    notes = [n for n in (f"standard {field.standard}" if field.standard else "", field.doc or "") if n]
    source = field.source or "–"
    return (
        f"`{field.name}`",
        field.label.ko,
        field.label.en,
        unit_code(field.unit),
        "✔" if field.required else "",
        shown_range(field.warn),
        shown_range(field.hard),
        shown_words(field),
        field.role,
        _example(field.example),
        without_tags("; ".join([source, *notes])),
    )


def _rule_rows(template: Template) -> Iterator[tuple[str, ...]]:
    for rule in template.rules:
        severity = rule.severity + (f" for {', '.join(rule.hard_for)}" if rule.hard_for is not None else "")
        scope = "" if rule.scope == "record" else f", over {rule.scope}"
        source = without_tags(rule.source or "–")
        yield f"`{rule.id}`", severity + scope, f"`{rule.says}`", rule.message.ko, rule.message.en, source


def _example(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {amount:g}" for name, amount in value.items())
    return format(value, ".12g") if isinstance(value, float) else str(value)


def _sample(template: Template) -> str:
    path = (packaged_folder() / place_of(template)).with_suffix(".sample.json")
    rows = json.loads(path.read_text(encoding="utf-8"))
    return json.dumps(rows[0], ensure_ascii=False, indent=2)
