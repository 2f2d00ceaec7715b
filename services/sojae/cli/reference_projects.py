"""A page of each project's templates: what a laboratory would have to fill in, in Korean and English, with every source."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from sojae.adapters.published import place_of
from sojae.adapters.template_files import TemplateBook
from sojae.cli.markdown import page, table
from sojae.cli.reference_words import shown_range, unit_code, what_is_written, without_tags
from sojae.domain.lead_projects import LEAD_PROJECTS
from sojae.domain.template import Field, Template
from sojae.domain.text import Text
from sojae.domain.workbook_layout import shown_example

FIELD_COLUMNS = (
    "field", "이름 · name", "단위 unit", "필수 required", "적는 것 what is written", "보통 usual", "가능 possible",
    "역할 role", "시험 표준 standard", "예 example", "출처 source", "비고 remark",
)  # fmt: skip
RULE_COLUMNS = ("rule", "심각도 severity", "한국어", "English", "식 what it asks", "출처 source")
STAGE_COLUMNS = ("단계 stage", "무엇 what", "항목 fields", "필수 required", "규칙 rules")
PROPOSED = "proposed"
HOW = Text(
    en="To fill this in: `sojae template workbook {project}` ([how](../../how-to/fill-in-a-workbook.md)). Beside these fields every "
    "record says which sample it is of, when and how it arose, by which standard and with which instrument: "
    "[header](README.md#header). *Usual*: a value outside is accepted and flagged. *Possible*: a value outside is refused. "
    "*Required* (✔): refused where a laboratory or a plant leaves it empty, flagged in data from literature, banks and "
    "computations. A source `proposed` means that no published one was found.",
    ko="채우려면: `sojae template workbook {project}` ([방법](../../how-to/fill-in-a-workbook.md)). 이 항목 말고도 모든 기록은 어느 시료인지, "
    "언제 어떻게 얻었는지, 어떤 표준과 장비로 측정했는지를 함께 적습니다: [공통 머리](README.md#header). *보통* 범위를 벗어난 값은 받고 표시하며, "
    "*가능* 범위를 벗어난 값은 받지 않습니다. *필수*(✔) 항목은 실험실과 공장이 비우면 받지 않고, 문헌·데이터뱅크·계산 자료에서는 표시만 합니다. "
    "출처 `proposed`는 공개된 출처를 찾지 못해 제안한 값이라는 뜻입니다.",
)


def project_page(project: str, book: TemplateBook, folders: Sequence[Path]) -> str:
    """Return the page of a project's newest templates; `folders` are where sample data lie beside the templates.

    Raises TemplateError when there is no template of the project.
    """
    templates = book.newest(project)
    lead = LEAD_PROJECTS.get(project)
    parts = (
        []
        if lead is None
        else [f"**{lead.name.ko}** · {lead.field.ko} · {lead.family.ko} — {lead.field.en}, {lead.family.en}."]
    )
    parts += [HOW.en.format(project=project), HOW.ko.format(project=project)]
    parts.append(table(STAGE_COLUMNS, [_stage_row(template) for template in templates]))
    for template in templates:
        parts += _stage(template, folders)
    return page(project if lead is None else lead.name.en, parts)


def _heading(template: Template) -> str:
    return f"{template.label.en} ({template.label.ko})"


def _stage_row(template: Template) -> tuple[str, ...]:
    anchor = "".join(c for c in _heading(template).lower().replace(" ", "-") if c.isalnum() or c in "-_")
    required = [field.label.ko for field in template.fields if field.required]
    return (
        f"[{_heading(template)}](#{anchor})",
        without_tags(str(template.schema.get("doc", ""))),
        str(len(template.fields)),
        f"{len(required)}: {', '.join(required)}" if required else "0",
        str(len(template.rules)),
    )


def _stage(template: Template, folders: Sequence[Path]) -> Iterator[str]:
    yield f"## {_heading(template)}"
    yield f"`{template.key}`: {without_tags(str(template.schema.get('doc', '')))}"
    standards = template.schema.get("standards")
    if isinstance(standards, Sequence) and standards:
        yield f"시험 표준 Standards: {', '.join(str(s) for s in standards)}."
    sources = [f.source for f in template.fields if f.source is not None and f.source != PROPOSED]
    numbers = {source: number for number, source in enumerate(dict.fromkeys(sources), start=1)}
    yield table(FIELD_COLUMNS, [_field_row(field, numbers) for field in template.fields])
    if numbers:
        yield "출처 Sources:\n\n" + "\n".join(f"{number}. {without_tags(s)}" for s, number in numbers.items())
    if template.rules:
        yield f"### 규칙 Rules: {template.label.en}"
        yield table(RULE_COLUMNS, list(_rule_rows(template)))
    sample = _sample(template, folders)
    if sample:
        yield "기록의 예 A record as it is sent, without its header:"
        yield f"```json\n{sample}\n```"


def _field_row(field: Field, numbers: dict[str, int]) -> tuple[str, ...]:
    return (
        f"`{field.name}`",
        f"{field.label.ko} · {field.label.en}",
        unit_code(field.unit),
        "✔" if field.required else "",
        what_is_written(field),
        shown_range(field.warn),
        shown_range(field.hard),
        field.role,
        field.standard or "",
        without_tags(shown_example(field.example)),
        f"[{numbers[field.source]}]" if field.source in numbers else field.source or "–",
        without_tags(field.doc or ""),
    )


def _rule_rows(template: Template) -> Iterator[tuple[str, ...]]:
    for rule in template.rules:
        severity = rule.severity + (f" for {', '.join(rule.hard_for)}" if rule.hard_for is not None else "")
        scope = "" if rule.scope == "record" else f", over {rule.scope}"
        source = without_tags(rule.source or "–")
        yield f"`{rule.id}`", severity + scope, rule.message.ko, rule.message.en, f"`{rule.says}`", source


def _sample(template: Template, folders: Sequence[Path]) -> str:
    """Return the first record of the sample data beside a template, empty where there are none."""
    for folder in folders:
        path = (folder / place_of(template)).with_suffix(".sample.json")
        if path.is_file():
            return json.dumps(json.loads(path.read_text(encoding="utf-8"))[0], ensure_ascii=False, indent=2)
    return ""
