"""The checkpoints of telemetry partitions on their compacted topic: the last one of each key counts."""

import logging
from collections.abc import Awaitable, Collection, Mapping
from typing import Protocol

import msgspec

from sojae.adapters.kafka_connection import Connection
from sojae.topics import CHECKPOINTS
from sojae_monitor.emitted import Checkpoint
from sojae_monitor.log_reading import read_to_end
from sojae_monitor.messages import Outgoing

log = logging.getLogger(__name__)


class CheckpointSource(Protocol):
    """Where checkpoints are read when partitions are placed."""

    def read(self, keys: Collection[str]) -> Awaitable[Mapping[str, Checkpoint]]:
        """Return the last sound checkpoint of each key that has one; raises BrokerError."""
        ...


def checkpoint_key(topic_id: str, partition: int) -> str:
    """Return the key of a telemetry partition's checkpoints; a topic made anew has others."""
    return f"{topic_id}:{partition}"


def checkpoint_message(checkpoint: Checkpoint) -> Outgoing:
    """Return the message that keeps a checkpoint."""
    key = checkpoint_key(checkpoint.topic_id, checkpoint.partition)
    return Outgoing(CHECKPOINTS, key, msgspec.json.encode(checkpoint))


def read_checkpoint(key: str, value: bytes | None) -> Checkpoint | None:
    """Return the checkpoint of a message; None, with a warning, when it is damaged or of another partition."""
    try:
        checkpoint = msgspec.json.decode(value or b"", type=Checkpoint)
    except msgspec.MsgspecError as error:
        log.warning(
            "the checkpoint of %s is damaged (%s): its partition is followed from the log's beginning", key, error
        )
        return None
    if checkpoint_key(checkpoint.topic_id, checkpoint.partition) != key or checkpoint.resume > checkpoint.position:
        log.warning("the checkpoint of %s is not one of it: its partition is followed from the log's beginning", key)
        return None
    return checkpoint


class CheckpointTopic:
    """Reads the compacted topic from its beginning to its present end."""

    def __init__(self, connection: Connection, topic: str = CHECKPOINTS) -> None:
        self._connection = connection
        self._topic = topic

    async def read(self, keys: Collection[str]) -> Mapping[str, Checkpoint]:
        """Return the last checkpoint of each key that has a sound one; raises BrokerError."""
        wanted = {key.encode(): key for key in keys}
        last: dict[str, bytes | None] = {}
        async for record in read_to_end(self._connection, self._topic):
            if record.key in wanted:
                last[wanted[record.key]] = record.value
        found = {key: read_checkpoint(key, value) for key, value in last.items()}
        return {key: checkpoint for key, checkpoint in found.items() if checkpoint is not None}
