"""The part of the `sojae` command that belongs to ingest."""

import rich_click as click

from sojae.adapters.events_table import DeltaEventsTable
from sojae.adapters.kafka import topic_id
from sojae.surroundings import Surroundings
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
    table = DeltaEventsTable(around.store_uri)
    identity = topic_id(around.connection(), topic)
    before = table.stored(identity, partition)
    table.accept_gap(identity, partition, offset - 1)
    lost_from = 0 if before is None else before + 1
    click.echo(f"{topic}-{partition}: offsets {lost_from} to {offset - 1} are given up; ingest goes on from {offset}")
