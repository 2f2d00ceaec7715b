"""`sojae import`: a CSV or Excel file becomes events, and what became of them is read back."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.marked_file import check_target
from sojae.cli.import_check import checked, give_back
from sojae.cli.import_lines import LEARNING, lines, unknown_text
from sojae.cli.import_outcomes import Messages, send_and_wait
from sojae.cli.import_parts import Named, Part, mapped_part, notes, read_parts, template_part, workbook_parts
from sojae.cli.import_report import ImportReport
from sojae.cli.running import language
from sojae.domain.errors import CommandError, MappingError, ServiceError
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.text import Language, Text
from sojae.surroundings import Surroundings
from sojae.topics import events_topic

NOT_ALL = 3
"""Exit code when something was quarantined or could not be read: a script must notice."""

STEPS = {"send": Text(ko="보내기", en="sending"), "wait": Text(ko="결과", en="outcomes")}


ONLY_CHECKED = Text(
    ko="값만 검사했고 아무것도 보내지 않았습니다. '접수'와 '격리'는 보냈다면 그렇게 될 것을 뜻합니다.",
    en="Only the values were checked, and nothing was sent: accepted and quarantined are what would become of them.",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked to do, option by option."""

    file: Path
    mapping_file: Path | None
    what: str | None
    source: str | None
    institute: str | None
    everything: bool
    only_check: bool
    errors: Path | None
    language: str | None
    as_json: bool

    @property
    def said(self) -> Language:
        """The language of the report."""
        return cast("Language", self.language) if self.language else language()


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path), help="Mapping file (TOML).")
@click.option(
    "--template",
    "what",
    metavar="PROJECT/STAGE",
    help="Its keys name the columns: of a CSV file of `sojae template csv`, of JSON Lines, of Parquet.",
)
@click.option("--source", help="Name of the source; unset = the mapping's, else the file's name.")
@click.option("--institute", help="Institute that speaks; unset = the mapping's.")
@click.option("--all", "everything", is_flag=True, help="List every finding, not only the first 20 lines of each list.")
@click.option(
    "--check", "only_check", is_flag=True, help="Check the values only: no broker is needed, nothing is sent."
)
@click.option(
    "--errors", type=click.Path(path_type=Path, dir_okay=False), help="Write the file here with what is wrong."
)
@click.option("--language", type=click.Choice(["ko", "en"]), help="Of the report; unset = SOJAE_LANGUAGE.")
@click.option("--json", "as_json", is_flag=True, help="Write the counts as one line of JSON instead of the report.")
def import_file(**options: object) -> None:
    """Import a CSV or Excel FILE; the same file again adds nothing, a changed cell is a correction.

    A workbook that `sojae template workbook` made needs no mapping.

    Exit code: 0 all of it is stored; 3 some rows were quarantined or could not be read, and are listed; 2 the file or
    the mapping is wrong, and nothing was sent; 1 there is no broker, or nobody knows what became of some events.

    CSV나 엑셀 파일을 가져옵니다. 같은 파일을 다시 가져와도 늘지 않고, 고친 칸은 정정이 됩니다. 종료 코드: 0 모두 저장, 3 격리되었거나
    읽지 못한 행 있음, 2 파일이나 매핑이 틀림(보낸 것 없음), 1 브로커가 없거나 결과를 알 수 없음.
    """
    around = Surroundings.read()
    # A topic that was made a moment ago has no leader yet: the client retries, and what matters becomes a BrokerError.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asked = Asked(**options)  # type: ignore[arg-type]  # click makes each of the type of its option
    named = Named(asked.institute, asked.source)
    if asked.errors is not None:
        check_target(asked.file, asked.errors)
    parts, institute = _parts(asked, around, named)
    messages = prepare(asked.file, parts, named, institute)
    _tell(notes(parts), asked)
    report = checked(messages) if asked.only_check else _carried_out(around, messages, quiet=asked.as_json)
    if asked.errors is not None:
        _tell(give_back(asked.file, asked.errors, parts, messages.run, (report, asked.said)), asked)
    if asked.as_json:
        click.echo(json.dumps({**report.counts(), "grades": report.grades}))
    else:
        click.echo("\n".join(_report(report, parts[0].mapping.project, asked)))
    if report.waiting:
        message = unknown_text(report)
        raise ServiceError(en=message.en, ko=message.ko)
    if not report.is_whole:
        raise SystemExit(NOT_ALL)


def _tell(said: Sequence[Text], asked: Asked) -> None:
    for text in said:
        click.echo(text[asked.said], err=True)


def _carried_out(around: Surroundings, messages: Messages, *, quiet: bool) -> ImportReport:
    """Return what became of the messages, with bars on stderr unless `quiet`."""
    connection = around.connection()
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        disable=quiet,
    )
    with progress:
        steps = {k: progress.add_task(v[language()], total=len(messages.encoded)) for k, v in STEPS.items()}
        sending = send_and_wait(
            connection, around.store_uri, messages, lambda step, count: progress.advance(steps[step], count)
        )
        return asyncio.run(sending)


def _report(report: ImportReport, project: str, asked: Asked) -> list[str]:
    *found, counts = lines(report, asked.said, everything=asked.everything)
    if asked.only_check:
        return [*found, ONLY_CHECKED[asked.said], counts]
    learning = [LEARNING.format(project=project)[asked.said]] if report.accepted else []
    return [*found, *learning, counts]


def load_mapping(path: Path, around: Surroundings) -> FileMapping:
    """Return the mapping of a file; raises MappingError when it cannot be read or names what does not exist."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MappingError(
            en=f"{path}: cannot be read: {error.strerror}", ko=f"{path}: 읽을 수 없습니다: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise MappingError(en=f"{path}: not UTF-8; save it as UTF-8", ko=f"{path}: UTF-8로 저장하십시오") from error
    return read_mapping(text, str(path), around.templates())


def prepare(file: Path, parts: Sequence[Part], named: Named, institute: str | None = None) -> Messages:
    """Return what would be sent; raises MappingError or SpreadsheetError, with nothing sent yet."""
    run, read = read_parts(parts, file, named, institute)
    events_topic(run.institute)
    encoder = FastavroEncoder()
    return Messages(run, read, [(e, encoder.encode(e.template, e.header, e.values)) for e in read.events])


def _parts(asked: Asked, around: Surroundings, named: Named) -> tuple[list[Part], str | None]:
    """Return the tables of a file, and the institute that it names itself."""
    if asked.mapping_file is not None and asked.what is not None:
        raise CommandError(
            en="--mapping and --template; give one of them", ko="--mapping과 --template 가운데 하나만 주십시오"
        )
    if asked.mapping_file is not None:
        return mapped_part(asked.file, load_mapping(asked.mapping_file, around)), None
    if asked.what is not None:
        return template_part(asked.file, asked.what, around.templates(), named), None
    return workbook_parts(asked.file, around.templates(), named)
