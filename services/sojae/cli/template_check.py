"""`sojae template check`, `list` and `publish`: what stands in the way of a template, which there are, and making one final."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table

from sojae.adapters.published import add_published, folder_of, place_of, published
from sojae.adapters.template_files import load_templates, packaged_folder
from sojae.adapters.template_gate import gate_faults
from sojae.cli.running import language
from sojae.domain.errors import TemplateError
from sojae.domain.template import STAGES, Template
from sojae.domain.text import Text
from sojae.settings import TemplatesSettings, read

FAULTY = 2
DONE = Text(ko="템플릿 {count}개 검사, 결함 {faults}건", en="{count} templates checked, {faults} faults")
STATES = {True: Text(ko="발행됨", en="published"), False: Text(ko="초안", en="draft")}


@click.command("check")
@click.argument("places", nargs=-1, metavar="[FOLDER|FILE…]", type=click.Path(path_type=Path, exists=True))
def check(places: tuple[Path, ...]) -> None:
    """Check every template of each FOLDER (like schemas/avro; the package's when none is given), or of each FILE.

    A file is checked with the folder that it lies in, against its other versions. Exit code 0 when nothing stands in the
    way of publishing; 2 when something does, and all of it is listed.

    폴더의 모든 템플릿이나 파일 하나를 검사합니다. 결함이 있으면 모두 보여 주고 2로 끝납니다.
    """
    found, count = [], 0
    for folder, files in _by_folder(places or (packaged_folder(),)).items():
        book, faults = gate_faults(folder, _beside(folder))
        count += len(files) or len(book)
        found += [fault for fault in faults if not files or any(file in fault.text.en for file in files)]
    for fault in found:
        click.echo(fault.text[language()])
    click.echo(DONE.format(count=str(count), faults=str(len(found)))[language()])
    if found:
        raise SystemExit(FAULTY)


def _by_folder(places: Iterable[Path]) -> Mapping[Path, list[str]]:
    """Return each folder of templates that is spoken of, with the files that are asked for; none = all of it."""
    found: dict[Path, list[str]] = {}
    whole = {place for place in places if place.is_dir()}
    for place in places:
        folder = place if place in whole else folder_of(place)
        asked = found.setdefault(folder, [])
        if folder not in whole:
            stem = place.resolve().name.removesuffix(".avsc").removesuffix(".sample.json")
            asked.append(str(place.resolve().parent / f"{stem}."))
    return found


def _beside(folder: Path) -> Iterable[Template]:
    """Return the templates that are always known beside those of a folder."""
    return () if folder.resolve() == packaged_folder().resolve() else load_templates()


@click.command("list")
def list_templates() -> None:
    """List every template: project, stage, version, schema id, and whether it is published.

    모든 템플릿을 보여 줍니다.
    """
    extra = read(TemplatesSettings).path
    known = {**published(packaged_folder()), **(published(extra) if extra is not None else {})}
    table = Table("template", "이름", "name", "fields", "rules", "schema id", "", box=None, pad_edge=False)
    for template in sorted(load_templates(extra), key=_order):
        state = STATES[known.get(place_of(template)) == template.sha256][language()]
        count, rules = str(len(template.fields)), str(len(template.rules))
        table.add_row(
            str(template.key), template.label.ko, template.label.en, count, rules, str(template.schema_id), state
        )
    Console(width=160).print(table)


@click.command("publish")
@click.argument("what")
@click.option("--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Unset = the package's.")
def publish(what: str, folder: Path | None) -> None:
    """Publish WHAT, as PROJECT, PROJECT/STAGE or PROJECT/STAGE/VERSION: from then on it never changes.

    Everything in the folder must pass `sojae template check` first; nothing is published otherwise.

    템플릿을 발행합니다. 발행한 버전은 바뀌지 않습니다. 먼저 폴더 전체가 검사를 통과해야 합니다.
    """
    place = folder or packaged_folder()
    book, faults = gate_faults(place, _beside(place))
    if faults:
        for fault in faults:
            click.echo(fault.text[language()])
        raise SystemExit(FAULTY)
    chosen = [t for t in book if f"{t.key}/".startswith(f"{what.strip('/')}/")]
    if not chosen:
        raise TemplateError(
            en=f"no template {what} in {place}; known are {', '.join(book.projects())}",
            ko=f"{place}에 {what} 템플릿이 없습니다. 있는 것: {', '.join(book.projects())}",
        )
    new = {place_of(t): t.sha256 for t in chosen if place_of(t) not in published(place)}
    add_published(place, new)
    for name, sha256 in sorted(new.items()):
        click.echo(f"{sha256}  {name}")


def _order(template: Template) -> tuple[str, int, tuple[int, int]]:
    return template.key.project, STAGES.index(template.key.stage), template.key.number
