"""`sojae template draft`: a project of one's own from a data file, ready to import, train and ask."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import rich_click as click

from sojae.adapters.published import published
from sojae.adapters.template_files import TemplateBook, read_common, reload_templates
from sojae.adapters.template_gate import gate_faults
from sojae.cli.draft_layout import MAX_ROWS, FoundTable, find_table
from sojae.cli.import_check import checked
from sojae.cli.import_file import prepare
from sojae.cli.import_outcomes import Messages
from sojae.cli.import_parts import Named, mapped_part
from sojae.cli.import_report import ImportReport
from sojae.cli.running import language, writing
from sojae.domain.checks import check_values
from sojae.domain.draft_mapping import mapping_of
from sojae.domain.draft_names import project_name
from sojae.domain.draft_plan import Draft, plan
from sojae.domain.draft_report import doubt_lines, field_lines
from sojae.domain.draft_schemas import HEADER_VERSION, VERSION, DraftedFrom, schema_of, written
from sojae.domain.errors import CommandError, TemplateError
from sojae.domain.issue import worst
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_findings import ImportEvent
from sojae.domain.template import STAGES
from sojae.domain.text import Text
from sojae.topics import IDENTITY

SAMPLES = 3
"""So many of the file's records stand beside each template, as its sample data."""

SAMPLES_LOOKED_AT = 50

DONE = Text(
    ko="{project}: 열 {columns}개, 행 {rows}개에서 단계 {stages}의 필드 {fields}개",
    en="{project}: {fields} fields of {stages} from {columns} columns and {rows} rows",
)
DOUBTFUL = Text(ko="확인할 것:", en="To be looked at:")
DROPPED = Text(ko="빈 열은 쓰지 않았습니다: {columns}", en="Empty columns are left out: {columns}")
CHECKED = Text(
    ko="검사: 기록 {sent}건 중 접수 {accepted}건(주의 {flagged}건), 격리 {quarantined}건, 읽지 못함 {unread}건",
    en="Checked: of {sent} records {accepted} would be accepted ({flagged} flagged), {quarantined} quarantined, {unread} unread",
)
NEXT = Text(
    ko="다음: {output} 안의 파일을 고친 뒤\n  sojae template check {output}\n  export SOJAE_TEMPLATES__PATH={path}\n  sojae import {file} --mapping {mapping}",
    en="Next, after editing the files in {output}:\n  sojae template check {output}\n  export SOJAE_TEMPLATES__PATH={path}\n"
    "  sojae import {file} --mapping {mapping}",
)


@dataclass(frozen=True, slots=True)
class Drafted:
    """Files to write by their place below the output folder, and what an import of them would do."""

    files: Mapping[str, str]
    report: ImportReport


@click.command("draft")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--institute", required=True, help="Whose project it is.")
@click.option("--project", required=True, help="Its name; the templates' is x_<institute>_<name>.")
@click.option("--target", "targets", multiple=True, metavar="COLUMN", help="What is to be predicted; may be repeated.")
@click.option("--sheet", help="Of a workbook; unset = the first visible one.")
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("templates"), show_default=True
)
@click.option("--force", is_flag=True, help="Write over the files of an earlier draft.")
def draft(**options: object) -> None:
    """Draft templates and a mapping from a data FILE, which can then be imported as it is.

    Types, units, ranges, compositions, stages and roles are inferred from the headers and the cells; what is doubtful is
    listed and stands in the files. Nothing that is there already is written over without --force.

    자료 파일에서 템플릿과 매핑의 초안을 만듭니다. 그대로 가져올 수 있고, 추측한 것은 모두 보여 줍니다.
    """
    file, output, force = options.pop("file"), options.pop("output"), options.pop("force")
    assert isinstance(file, Path)
    assert isinstance(output, Path)
    _draft(file, output, Wishes(**options), force=bool(force))  # type: ignore[arg-type]  # click makes each of the type of its option


@dataclass(frozen=True, slots=True)
class Wishes:
    """Whose project is drafted, what it is called, what it is to predict, and which sheet is read."""

    institute: str
    project: str
    targets: tuple[str, ...]
    sheet: str | None

    def name(self) -> str:
        """Return the project's own name; raises CommandError where nothing of it can stand in a file name."""
        name = project_name(self.project)
        own = f"{self._prefix()}_"
        name = name.removeprefix(own) if name.startswith(own) else name
        if not IDENTITY.fullmatch(self.institute):
            raise CommandError(
                en=f"--institute {self.institute!r}: expected 2 to 32 of a–z, 0–9 and -",
                ko=f"--institute {self.institute!r}: a–z, 0–9, - 2~32자여야 합니다",
            )
        if not name:
            raise CommandError(
                en=f"--project {self.project!r}: expected a name of a–z, 0–9 and _",
                ko=f"--project {self.project!r}: a–z, 0–9, _ 로 된 이름이어야 합니다",
            )
        return name

    def full_name(self) -> str:
        """Return what the templates call the project."""
        return f"{self._prefix()}_{self.name()}"

    def _prefix(self) -> str:
        return f"x_{self.institute.replace('-', '_')}"


def _draft(file: Path, output: Path, wishes: Wishes, *, force: bool) -> None:
    project, said = wishes.full_name(), language()
    _check_free(output, project, wishes.name(), force=force)
    found = find_table(file, wishes.sheet)
    header = [str(field["name"]) for field in read_common("header", HEADER_VERSION)["fields"]]  # type: ignore[attr-defined]  # JSON
    made = plan(found.columns(), wishes.targets, header)
    origin = DraftedFrom(project, wishes.institute, file.name, len(found.table.rows))
    drafted = _drafted(file, found, made, origin, wishes.name())
    _write(output, drafted.files, project)
    counts = {"columns": len(found.table.columns), "rows": len(found.table.rows), "fields": len(made.fields)}
    click.echo(DONE.format(project=project, stages=", ".join(made.stages()), **counts)[said])
    lines = [*(text[said] for text in found.said), *field_lines(made, said), DOUBTFUL[said], *doubt_lines(made, said)]
    if made.dropped:
        lines.append(f"  {DROPPED.format(columns=', '.join(made.dropped))[said]}")
    click.echo("\n".join(lines))
    click.echo(CHECKED.format(**drafted.report.counts())[said])
    mapping = output / f"{wishes.name()}.toml"
    click.echo(NEXT.format(output=output, path=output.resolve(), file=file, mapping=mapping)[said])


def _drafted(file: Path, found: FoundTable, made: Draft, origin: DraftedFrom, name: str) -> Drafted:
    """Return the files of a draft, after they were loaded, checked and used to read the file, in a folder of their own."""
    mapping = mapping_of(made, found.layout, origin, name)
    files = {f"{origin.project}/{s}/{VERSION}.avsc": written(schema_of(made, s, origin)) for s in made.stages()}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _put(place, files)
        book, broken = reload_templates(place, TemplateBook([]), packaged=False)
        if broken:
            raise broken[0]
        parts = mapped_part(file, read_mapping(mapping, f"{name}.toml", book))
        parts = [replace(p, table=replace(p.table, rows=p.table.rows[:MAX_ROWS])) for p in parts]
        messages = prepare(file, parts, Named(None, None))
        samples = _samples(messages)
        beside = {f"{origin.project}/{s}/{VERSION}.sample.json": samples.get(s, "[]\n") for s in made.stages()}
        _put(place, beside)
        _, faults = gate_faults(place)
        if faults:
            raise TemplateError(en=faults[0].text.en, ko=faults[0].text.ko)
    return Drafted({**files, **beside, f"{name}.toml": mapping}, checked(messages))


def _samples(messages: Messages) -> dict[str, str]:
    """Return the first records of each stage that nothing is wrong with, as JSON, which has no dates."""
    first: dict[str, list[ImportEvent]] = {}
    for event in messages.read.events:
        beginning = first.setdefault(event.template.key.stage, [])
        if len(beginning) < SAMPLES_LOOKED_AT:
            beginning.append(event)
    found = {}
    for stage, events in first.items():
        judged = check_values(events[0].template, [e.values for e in events], ["experiment"] * len(events))
        clean = [e for e, issues in zip(events, judged, strict=True) if worst(issues) == "accepted"]
        plain = {f.name for f in events[0].template.fields if f.kind != "date"}
        rows = [{name: value for name, value in e.values.items() if name in plain} for e in clean[:SAMPLES]]
        found[stage] = json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    return found


def _check_free(output: Path, project: str, name: str, *, force: bool) -> None:
    """Return when nothing is in the way; raises CommandError, for what is published even with `force`."""
    taken = sorted(p for p in [*output.glob(f"{project}/*/*"), output / f"{name}.toml"] if p.exists())
    final = [place for place in published(output) if place.startswith(f"{project}/")] if output.is_dir() else []
    if final:
        raise CommandError(
            en=f"{output / final[0]} is published and never changes; draft under another --project or --output",
            ko=f"{output / final[0]}은(는) 발행되어 바뀌지 않습니다. 다른 --project나 --output을 주십시오",
        )
    if taken and not force:
        raise CommandError(
            en=f"{taken[0]} is there already; give another --output, or --force to write over it",
            ko=f"{taken[0]} 파일이 이미 있습니다. 다른 --output을 주거나 --force로 덮어쓰십시오",
        )


def _write(output: Path, files: Mapping[str, str], project: str) -> None:
    """Write all files, each in one step, and take away stages of an earlier draft that this one has not."""
    with writing(output):
        _put(output, files)
        for stage in STAGES:
            for ending in ("avsc", "sample.json"):
                place = f"{project}/{stage}/{VERSION}.{ending}"
                if place not in files:
                    (output / place).unlink(missing_ok=True)


def _put(folder: Path, files: Mapping[str, str]) -> None:
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".draft")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
