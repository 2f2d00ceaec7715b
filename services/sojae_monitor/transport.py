"""Faust's aiokafka transport, with partitions placed by us: `perform_seek` is the only place where a seek survives."""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from sojae.adapters.kafka_connection import Connection
from sojae.adapters.kafka_raw import read_raw
from sojae.ports import Message, Partition

log = logging.getLogger(__name__)

AROUND = 100
"""Messages of a partition read on where aiokafka cannot."""


class Placing(Protocol):
    """Who decides where partitions are read on."""

    def place(self, partitions: Collection[Partition]) -> Awaitable[Mapping[Partition, int]]:
        """Return from which offset each partition must be read."""
        ...

    def fail(self, error: BaseException) -> None:
        """End the worker: Faust would only log what is raised here."""
        ...


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A message without its headers, in the form that Faust takes from aiokafka."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    timestamp_type: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()
    checksum: None = None
    serialized_key_size: int = 0
    serialized_value_size: int = 0


class PlacedConsumer(driver.Consumer):
    """Reads each partition from where its checkpoint says, whatever Kafka's committed offset is."""

    async def perform_seek(self) -> None:
        """Go to the committed offsets as Faust does, then place every partition of ours anew.

        Called after each rebalance, and when a fetch comes back while the flow is stopped: state and position are always
        rebuilt together.
        """
        await super().perform_seek()
        placing = cast("PlacedTransport", self.transport).placing
        try:
            starts = await placing.place([Partition(*tp) for tp in self.assignment()])
            if starts:
                self._forget(starts)
                await self.seek_wait({TP(*p): offset for p, offset in starts.items()})
        except Exception as error:
            placing.fail(error)
            raise

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Any]]:  # noqa: ASYNC109
        """Return what has come, and go on where aiokafka stumbles over a header whose name is not UTF-8.

        Its parser does not say which partition it was, and would stumble for ever: all of ours are read on without headers.
        """
        try:
            return await super()._getmany(active_partitions, timeout)
        except UnicodeDecodeError:
            log.warning("a header name is not UTF-8: read on without headers")
            return {tp: await self._read_around(tp) for tp in active_partitions or ()}

    async def _read_around(self, tp: TP) -> list[Any]:
        connection = cast("PlacedTransport", self.transport).connection
        offset = cast("int", await self.position(tp))
        found = await asyncio.to_thread(read_raw, connection.for_librdkafka(), Partition(*tp), offset, AROUND)
        if found:
            await self._seek(tp, found[-1].offset + 1)
        return list(_records(found))

    def _forget(self, starts: Mapping[Partition, int]) -> None:
        """Drop what Faust remembers of acknowledged messages: those below its committed offset it would never let go."""
        for partition, offset in starts.items():
            tp = TP(*partition)
            self._committed_offset[tp] = offset or None
            for kept in (self._acked, self._acked_index, self._gap):
                cast("dict[TP, Any]", kept).pop(tp, None)


class PlacedTransport(driver.Transport):
    """A transport whose consumer asks `placing`."""

    Consumer = PlacedConsumer
    placing: Placing
    connection: Connection


def _records(messages: Iterable[Message]) -> Iterable[ReadRecord]:
    return (ReadRecord(m.topic, m.partition, m.offset, m.timestamp_ms, m.key, m.value) for m in messages)
