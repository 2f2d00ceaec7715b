"""`sojae template workbook` and `csv`: files to fill in, which `sojae import` reads without a mapping."""

from pathlib import Path
from typing import cast

import rich_click as click

from sojae.adapters.template_files import load_templates
from sojae.adapters.workbook_writer import csv_text, workbook_bytes
from sojae.cli.running import language, writing
from sojae.domain.errors import CommandError
from sojae.domain.text import Language, Text
from sojae.settings import TemplatesSettings, read

WRITTEN = Text(
    ko="{path}: 채운 뒤 `sojae import {path}`로 가져오십시오", en="{path}: fill it in, then `sojae import {path}`"
)
LANGUAGE = click.option(
    "--language", "said", type=click.Choice(["ko", "en"]), help="Of labels and notes; unset = SOJAE_LANGUAGE."
)


@click.command("workbook")
@click.argument("project")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Unset = <project>.xlsx.")
@LANGUAGE
def workbook(project: str, output: Path | None, said: str | None) -> None:
    """Write a workbook that asks for all stages of PROJECT; an existing file is not overwritten.

    프로젝트의 네 단계를 채우는 엑셀 파일을 만듭니다.
    """
    book = load_templates(read(TemplatesSettings).path)
    templates = book.newest(project)
    path = output or Path(f"{project}.xlsx")
    _write(path, workbook_bytes(templates, _language(said)))
    click.echo(WRITTEN.format(path=str(path))[_language(said)])


@click.command("csv")
@click.argument("what", metavar="PROJECT/STAGE")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Unset = <project>.<stage>.csv.")
@LANGUAGE
def csv_file(what: str, output: Path | None, said: str | None) -> None:
    """Write the same as a CSV file for one stage; it is imported with `--template PROJECT/STAGE`.

    한 단계를 채우는 CSV 파일을 만듭니다.
    """
    project, _, stage = what.partition("/")
    template = load_templates(read(TemplatesSettings).path).get(project, stage)
    path = output or Path(f"{project}.{stage}.csv")
    _write(path, csv_text(template, _language(said)).encode())
    click.echo(f"{path}: sojae import {path} --template {what}")


def _language(said: str | None) -> Language:
    return cast("Language", said) if said else language()


def _write(path: Path, data: bytes) -> None:
    with writing(path):
        try:
            file = path.open("xb")
        except FileExistsError as error:
            raise CommandError(
                en=f"{path} is there already; give another name with --output",
                ko=f"{path} 파일이 이미 있습니다. --output으로 다른 이름을 주십시오",
            ) from error
        with file:
            file.write(data)
