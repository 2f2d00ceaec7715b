"""The entry form made of a template: its fields as questions, in sections."""

from collections.abc import Iterator, Mapping

from sojae.domain.form import Form, FormField, FormRule, FormSection, FormSum, Widget
from sojae.domain.rules import compile_rule
from sojae.domain.template import Field, Kind, Role, Template
from sojae.domain.template_rule import Rule
from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit
from sojae.domain.workbook_layout import field_note, header_asked, known_components, shown_example, takes_formula
from sojae.domain.workbook_words import HEADER_NOTES, KEYED, NOTES, SAMPLE

_WIDGETS: Mapping[Kind, Widget] = {
    "double": "number",
    "long": "whole_number",
    "string": "text",
    "boolean": "yes_no",
    "date": "date",
    "timestamp": "date_time",
    "map_double": "amounts",
    "map_string": "names",
    "strings": "list",
}
ASKED_FIRST = ("event_time", "origin")
"""Header fields that stand beside the sample; the others come last."""

_BY_ROLE: tuple[tuple[str, Text, tuple[Role, ...]], ...] = (
    ("inputs", Text(ko="원료·조성·공정 조건", en="Inputs"), ("input",)),
    ("conditions", Text(ko="시험·노출 조건", en="Conditions of test and exposure"), ("condition",)),
    ("targets", Text(ko="측정한 물성", en="Measured properties"), ("target",)),
    ("intermediates", Text(ko="미세조직과 중간 값", en="Microstructure and intermediate values"), ("intermediate",)),
    ("notes", Text(ko="식별과 비고", en="Identification and notes"), ("identifier", "note")),
)


def entry_form(template: Template) -> Form:
    """Return the form of a template: the sample, what is required, the rest by role, and what is told of the measurement."""
    return Form(
        project=template.key.project,
        stage=template.key.stage,
        version=template.key.version,
        sha256=template.sha256,
        label=template.label,
        sections=tuple(section for section in _sections(template) if section.fields),
        rules=tuple(_rule(rule) for rule in template.rules if rule.scope == "record"),
    )


def _sections(template: Template) -> Iterator[FormSection]:
    asked = header_asked(template)
    sample = FormField(key=SAMPLE, label=KEYED[SAMPLE], widget="text", required=True, help=NOTES[SAMPLE])
    first = [_header_question(f) for f in asked if f.name in ASKED_FIRST]
    yield FormSection(id="sample", label=Text(ko="시편", en="Sample"), open=True, fields=(sample, *first))
    required = tuple(_question(template, f) for f in template.fields if f.required)
    yield FormSection(id="required", label=Text(ko="꼭 필요한 항목", en="Required"), open=True, fields=required)
    for identity, label, roles in _BY_ROLE:
        fields = tuple(_question(template, f) for f in template.fields if not f.required and f.role in roles)
        yield FormSection(id=identity, label=label, open=identity == "targets", fields=fields)
    rest = tuple(_header_question(f) for f in asked if f.name not in ASKED_FIRST)
    yield FormSection(id="about", label=Text(ko="측정에 대하여", en="About the measurement"), open=False, fields=rest)


def _header_question(field: Field) -> FormField:
    return FormField(
        key=f"header.{field.name}",
        label=field.label,
        widget="choice" if field.one_of is not None else _WIDGETS[field.kind],
        required=field.name in ASKED_FIRST,
        choices=field.one_of or (),
        help=HEADER_NOTES[field.name],
    )


def _question(template: Template, field: Field) -> FormField:
    is_map = field.kind in ("map_double", "map_string")
    is_choice = field.one_of is not None and not is_map
    return FormField(
        key=field.name,
        label=field.label,
        widget="choice" if is_choice else _WIDGETS[field.kind],
        required=field.required,
        unit=field.unit,
        unit_shown=shown_unit(field.unit),
        possible=field.hard,
        usual=field.warn,
        choices=field.one_of or () if is_choice else (),
        components=known_components(template, field) if is_map else (),
        closed=is_map and field.one_of is not None,
        formula=field.quantity == "formula" or takes_formula(field),
        sum=None if field.sum is None else FormSum(of=field.sum.of, usual=field.sum.warn, possible=field.sum.hard),
        example=shown_example(field.example),
        help=field_note(field),
    )


def _rule(rule: Rule) -> FormRule:
    names = tuple(dict.fromkeys(compile_rule(rule.sql).meta.root_names()))
    return FormRule(id=rule.id, severity=rule.severity, hard_for=rule.hard_for, fields=names, message=rule.message)
