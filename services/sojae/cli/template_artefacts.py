"""`sojae template json-schema`, `form`, `columns` and `docs`: what is derived from a template, for programs and for readers."""

import json
from dataclasses import asdict
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table

from sojae.adapters.template_files import TemplateBook, load_templates, packaged_folder
from sojae.cli.reference_projects import project_page
from sojae.cli.running import language, writing
from sojae.domain.entry_form import entry_form
from sojae.domain.json_schema import json_schema as schema_of
from sojae.domain.store_columns import store_columns
from sojae.domain.template import Template
from sojae.domain.unit_display import shown_unit
from sojae.settings import TemplatesSettings, read

WHAT = click.argument("what", metavar="PROJECT/STAGE[/VERSION]")


@click.command("json-schema")
@WHAT
def json_schema(what: str) -> None:
    """Print the JSON Schema (draft 2020-12) of the values of a template; the newest version unless one is named.

    템플릿 값의 JSON Schema를 출력합니다.
    """
    _print_json(schema_of(_template(_book(), what)))


@click.command("form")
@WHAT
def form(what: str) -> None:
    """Print the entry form of a template as JSON: sections, fields in order, widgets, labels, units, ranges, choices, help.

    입력 화면에 필요한 항목·이름표·단위·범위·선택지를 JSON으로 출력합니다.
    """
    _print_json(asdict(entry_form(_template(_book(), what))))


@click.command("columns")
@WHAT
def columns(what: str) -> None:
    """List the columns of the records table that a template's records are stored in: name, Arrow type, unit.

    템플릿의 기록이 저장되는 표의 열과 자료형, 단위를 보여 줍니다.
    """
    book = _book()
    stored = _template(book, what).key.records
    table = Table("column", "Arrow type", "unit", "이름", "name", box=None, pad_edge=False)
    for found in store_columns(t for t in book if t.key.records == stored):
        table.add_row(found.name, str(found.type), shown_unit(found.unit), found.label.ko, found.label.en)
    click.echo(str(stored))
    Console(width=200).print(table)


@click.command("docs")
@click.argument("project")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Unset = printed.")
def docs(project: str, output: Path | None) -> None:
    """Write the documentation page of PROJECT in Markdown, Korean and English: fields, ranges, rules, sources, an example.

    프로젝트의 문서를 Markdown으로 씁니다.
    """
    folders = [folder for folder in (read(TemplatesSettings).path, packaged_folder()) if folder is not None]
    text = project_page(project, _book(), folders)
    if output is None:
        click.echo(text, nl=False)
        return
    with writing(output):
        output.write_text(text, encoding="utf-8")
    click.echo({"ko": f"{output}: 썼습니다", "en": f"written {output}"}[language()])


def _book() -> TemplateBook:
    return load_templates(read(TemplatesSettings).path)


def _template(book: TemplateBook, what: str) -> Template:
    project, stage, version, *_ = (*what.split("/", 2), "", "")
    return book.get(project, stage, version or None)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
