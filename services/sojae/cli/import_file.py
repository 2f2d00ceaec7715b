"""`sojae import`: a CSV or Excel file becomes events, and what became of them is read back."""

import asyncio
import json
import logging
import time
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.spreadsheet import read_table
from sojae.cli.import_lines import LEARNING, lines, unknown_text
from sojae.cli.import_outcomes import Messages, send_and_wait
from sojae.cli.import_report import ImportReport
from sojae.cli.running import language
from sojae.domain.errors import MappingError, ServiceError
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_identity import ImportRun
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.mapping_rows import read_rows
from sojae.domain.text import Text
from sojae.surroundings import Surroundings
from sojae.topics import events_topic

NOT_ALL = 3
"""Exit code when something was quarantined or could not be read: a script must notice."""

STEPS = {"send": Text(ko="보내기", en="sending"), "wait": Text(ko="결과", en="outcomes")}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_file", required=True, type=click.Path(path_type=Path), help="Mapping file (TOML).")
@click.option("--source", help="Name of the source; unset = the mapping's, else the file's name.")
@click.option("--institute", help="Institute that speaks; unset = the mapping's.")
@click.option("--all", "everything", is_flag=True, help="List every finding, not only the first 20 lines of each list.")
@click.option("--json", "as_json", is_flag=True, help="Write the counts as one line of JSON instead of the report.")
def import_file(
    file: Path, mapping_file: Path, source: str | None, institute: str | None, everything: bool, as_json: bool
) -> None:
    """Import a CSV or Excel FILE; the same file again adds nothing, a changed cell is a correction.

    Exit code: 0 all of it is stored; 3 some rows were quarantined or could not be read, and are listed; 2 the file or
    the mapping is wrong, and nothing was sent; 1 there is no broker, or nobody knows what became of some events.

    CSV나 엑셀 파일을 가져옵니다. 같은 파일을 다시 가져와도 늘지 않고, 고친 칸은 정정이 됩니다. 종료 코드: 0 모두 저장, 3 격리되었거나
    읽지 못한 행 있음, 2 파일이나 매핑이 틀림(보낸 것 없음), 1 브로커가 없거나 결과를 알 수 없음.
    """
    around = Surroundings.read()
    # A topic that was made a moment ago has no leader yet: the client retries, and what matters becomes a BrokerError.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    mapping = load_mapping(mapping_file, around)
    messages = prepare(file, mapping, source=source, institute=institute)
    report = _carried_out(around, messages, quiet=as_json)
    if as_json:
        click.echo(json.dumps(report.counts()))
    else:
        click.echo("\n".join(_report(report, mapping.project, everything=everything)))
    if report.waiting:
        message = unknown_text(report)
        raise ServiceError(en=message.en, ko=message.ko)
    if not report.is_whole:
        raise SystemExit(NOT_ALL)


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


def _report(report: ImportReport, project: str, *, everything: bool) -> list[str]:
    *found, counts = lines(report, language(), everything=everything)
    learning = [LEARNING.format(project=project)[language()]] if report.accepted else []
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


def prepare(file: Path, mapping: FileMapping, *, source: str | None, institute: str | None) -> Messages:
    """Return what would be sent; raises MappingError or SpreadsheetError, with nothing sent yet."""
    who = institute or mapping.institute
    if who is None:
        raise MappingError(
            en=f"{mapping.where}: no institute; give --institute, or [defaults] institute",
            ko=f"{mapping.where}: 기관이 없습니다. --institute나 [defaults] institute를 주십시오",
        )
    events_topic(who)
    table = read_table(file, sheet=mapping.sheet, header_row=mapping.header_row)
    if table.note is not None:
        click.echo(table.note, err=True)
    run = ImportRun(who, source or mapping.source or file.stem, time.time_ns() // 1_000_000)
    read = read_rows(mapping, table, run)
    encoder = FastavroEncoder()
    return Messages(run, read, [(e, encoder.encode(e.template, e.header, e.values)) for e in read.events])
