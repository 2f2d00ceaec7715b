"""`sojae import`: a CSV or Excel file becomes events, and what became of them is read back."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from sojae.adapters.avro import FastavroEncoder, RecordCodec
from sojae.adapters.kafka import AiokafkaProducer, Connection, create_topics
from sojae.adapters.outcomes_reader import OutcomesReader
from sojae.adapters.spreadsheet import read_table
from sojae.adapters.template_files import read_common
from sojae.cli.import_report import NOT_ENOUGH, ImportReport, Sent, lines
from sojae.cli.running import language
from sojae.domain.errors import MappingError, ServiceError
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_identity import ImportRun
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.mapping_rows import ImportEvent, RowsRead, read_rows
from sojae.domain.text import Text
from sojae.surroundings import Surroundings
from sojae.topics import HEADER_TEMPLATE, PARTITIONS, events_topic, outcomes_topic

PATIENCE_SECONDS = 30.0
NEW_TOPIC_SECONDS = 30.0
"""Until ingest has found a topic that did not exist before: 10 s on Kafka, up to 50 s on the mock broker."""
READ_SECONDS = 1.0
STEPS = {"send": Text(ko="보내기", en="sending"), "wait": Text(ko="결과", en="outcomes")}

Advance = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Messages:
    """Everything that an import will send, encoded before the first message leaves."""

    run: ImportRun
    read: RowsRead
    encoded: Sequence[tuple[ImportEvent, bytes]]


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_file", required=True, type=click.Path(path_type=Path), help="Mapping file (TOML).")
@click.option("--source", help="Name of the source; unset = the mapping's, else the file's name.")
@click.option("--institute", help="Institute that speaks; unset = the mapping's.")
@click.option("--json", "as_json", is_flag=True, help="Write the counts as one line of JSON instead of tables.")
def import_file(file: Path, mapping_file: Path, source: str | None, institute: str | None, as_json: bool) -> None:
    """Import a CSV or Excel FILE; the same file again adds nothing, a changed cell is a correction.

    CSV나 엑셀 파일을 가져옵니다. 같은 파일을 다시 가져와도 늘지 않고, 고친 칸은 정정이 됩니다.
    """
    around = Surroundings.read()
    # A topic that was made a moment ago has no leader yet: the client retries, and what matters becomes a BrokerError.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    mapping = load_mapping(mapping_file, around)
    messages = prepare(file, mapping, source=source, institute=institute)
    connection = around.connection()
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        disable=as_json,
    )
    with progress:
        steps = {k: progress.add_task(v[language()], total=len(messages.encoded)) for k, v in STEPS.items()}
        report = asyncio.run(send_and_wait(connection, messages, lambda step, n: progress.advance(steps[step], n)))
    if as_json:
        click.echo(json.dumps(report.counts()))
    else:
        click.echo("\n".join(lines(report, language())))
    if report.waiting:
        message = NOT_ENOUGH.format(unknown=len(report.waiting))
        raise ServiceError(en=message.en, ko=message.ko)


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


async def send_and_wait(connection: Connection, messages: Messages, advance: Advance) -> ImportReport:
    """Send everything, then read outcomes until each event has one or none came for 30 s (60 s on a new topic); raises BrokerError."""
    report = ImportReport(findings=messages.read.findings)
    if not messages.encoded:
        return report
    events, outcomes = events_topic(messages.run.institute), outcomes_topic(messages.run.institute)
    made = await asyncio.to_thread(create_topics, connection, [events, outcomes], PARTITIONS)
    codec = RecordCodec(read_common("outcome", "1.0"))
    async with OutcomesReader(connection, outcomes, codec) as reader:
        async with AiokafkaProducer(connection) as producer:
            acknowledged = []
            for event, message in messages.encoded:
                headers = {HEADER_TEMPLATE: str(event.template.key).encode()}
                acknowledged.append(await producer.enqueue(events, messages.run.producer, message, headers))
            for (event, _), acknowledgement in zip(messages.encoded, acknowledged, strict=True):
                report.add(event, Sent(*await acknowledgement))
                advance("send", 1)
        patient_until = time.monotonic() + PATIENCE_SECONDS + (NEW_TOPIC_SECONDS if made else 0.0)
        while report.waiting and time.monotonic() < patient_until:
            for outcome_message in await reader.read(timeout_seconds=READ_SECONDS):
                heard = report.hear(outcome_message, events)
                advance("wait", heard)
                if heard:
                    patient_until = max(patient_until, time.monotonic() + PATIENCE_SECONDS)
    return report
