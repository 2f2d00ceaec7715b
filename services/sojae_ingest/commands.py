"""The part of the `sojae` command that belongs to ingest."""

import re

import rich_click as click

from sojae.adapters.events_table import DeltaEventsTable, PositionedTable
from sojae.adapters.kafka_admin import topic_ids
from sojae.adapters.kafka_raw import log_bounds
from sojae.adapters.telemetry_table import DeltaTelemetryTable
from sojae.domain.errors import UserInputError
from sojae.ports import Partition
from sojae.surroundings import Surroundings
from sojae.topics import TELEMETRY_PATTERN, institute_of
from sojae_ingest.__main__ import main


@click.command("ingest")
def ingest() -> None:
    """Check events from Kafka and integrate them into the store, exactly once. / 이벤트를 검사하여 저장소에 통합합니다."""
    main()


@click.command("ingest-accept-gap")
@click.argument("topic")
@click.argument("partition", type=click.IntRange(min=0))
@click.argument("offset", type=click.IntRange(min=1))
def accept_gap(topic: str, partition: int, offset: int) -> None:
    """Take the loss of everything before OFFSET of a partition, after an alarm about a gap. Stop ingest first."""
    around = Surroundings.read()
    table = _table_of(topic, around.store_uri)
    connection = around.connection()
    identity = topic_ids(connection, [topic])[topic]
    before = table.stored(identity, partition)
    first, _ = log_bounds(connection.for_librdkafka(), Partition(topic, partition))
    if offset != first:
        raise UserInputError(
            en=f"{topic}-{partition}: the log begins at {first}, so only what lies before {first} can be given up, not {offset}",
            ko=f"{topic}-{partition}: 로그는 {first}부터이므로 {first} 앞만 포기할 수 있습니다({offset} 아님)",
        )
    table.accept_gap(identity, partition, offset - 1)
    lost_from = 0 if before is None else before + 1
    click.echo(f"{topic}-{partition}: offsets {lost_from} to {offset - 1} are given up; ingest goes on from {offset}")


def _table_of(topic: str, store_uri: str) -> PositionedTable:
    """Return the table that holds the positions of a topic."""
    if re.fullmatch(TELEMETRY_PATTERN, topic):
        return DeltaTelemetryTable(store_uri, institute_of(topic))
    return DeltaEventsTable(store_uri)
