"""One topic read to its present end, by a consumer of no group: for what this service keeps in Kafka itself."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from sojae.adapters.kafka_connection import Connection, broker_error
from sojae.ports import Partition

FETCH_MS = 1_000
MAX_WAIT_MS = 50
"""How long the broker holds an empty fetch: a stop waits for it."""


async def read_to_end(connection: Connection, topic: str, *, last: int | None = None) -> AsyncIterator[ConsumerRecord]:
    """Yield the records that a topic holds now, each partition in order; of each only the `last` ones when it is given.

    Nothing comes of a topic that is not there. Raises BrokerError.
    """
    consumer = AIOKafkaConsumer(
        topic, **connection.for_aiokafka(), group_id=None, auto_offset_reset="earliest", fetch_max_wait_ms=MAX_WAIT_MS
    )
    try:
        await consumer.start()
        ends = await _placed(consumer, last)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for tp, records in (await consumer.getmany(timeout_ms=FETCH_MS)).items():
                for record in filter(_before(ends[tp]), records):
                    yield record
    except KafkaError as error:
        raise broker_error(connection, error) from error
    finally:
        await consumer.stop()


async def log_bounds(connection: Connection, partitions: Collection[Partition]) -> Mapping[Partition, tuple[int, int]]:
    """Return for each partition the first offset that the log holds, and the one after its last; raises BrokerError.

    NOTE: by a connection of its own: on Faust's the question would wait behind a fetch that the broker holds for 1.5 s.
    """
    consumer = AIOKafkaConsumer(**connection.for_aiokafka(), group_id=None)
    tps = [TopicPartition(*partition) for partition in partitions]
    try:
        await consumer.start()
        first, end = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
    except KafkaError as error:
        raise broker_error(connection, error) from error
    finally:
        await consumer.stop()
    return {Partition(*tp): (int(first[tp]), int(end[tp])) for tp in tps}


async def _placed(consumer: AIOKafkaConsumer, last: int | None) -> dict[TopicPartition, int]:
    partitions = list(consumer.assignment())
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions) if partitions else {}
    starts: dict[TopicPartition, int] = await consumer.beginning_offsets(partitions) if partitions else {}
    for tp, end in ends.items():
        consumer.seek(tp, starts[tp] if last is None else max(starts[tp], end - last))
    return ends


def _before(end: int) -> Callable[[ConsumerRecord], bool]:
    return lambda record: bool(record.offset < end)
