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
REFETCH_SECONDS = 0.1
"""How long partitions that went back have to come again before they are asked one by one."""


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

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.next_offsets: dict[TP, int] = {}
        """Of each partition the offset behind what was handed over, or that was sought."""

    async def perform_seek(self) -> None:
        """Go to the committed offsets as Faust does, then place every partition of ours anew.

        Called after each rebalance, and when a fetch comes back while the flow is stopped: state and position are always
        rebuilt together.
        """
        await super().perform_seek()
        placing = cast("PlacedTransport", self.transport).placing
        try:
            starts = await placing.place([Partition(*tp) for tp in self.assignment()])
            self.next_offsets = {TP(*p): offset for p, offset in starts.items()}
            if starts:
                self._forget(starts)
                await self.seek_wait(self.next_offsets)
        except Exception as error:
            placing.fail(error)
            raise

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Any]]:  # noqa: ASYNC109
        """Return what has come, and go on where aiokafka stumbles over a header whose name is not UTF-8."""
        placed = self.next_offsets
        try:
            return _noted(await super()._getmany(active_partitions, timeout), placed)
        except UnicodeDecodeError:
            found = await self._one_by_one(active_partitions or set(), placed)
        # After another placing it is void: everything comes again from there.
        return {tp: records for tp, records in found.items() if records} if placed is self.next_offsets else {}

    async def _one_by_one(self, partitions: set[TP], placed: dict[TP, int]) -> Mapping[TP, list[Any]]:
        """Return what comes next of each partition; the one that aiokafka cannot read is read by another client.

        NOTE: its parser does not say which one it was, and what it had taken out of others in the same call is lost with
        the error. So all go back to what was handed over.
        """
        known = {tp: placed[tp] for tp in partitions if tp in placed}
        for tp, offset in known.items():
            await self._seek(tp, offset)
        await asyncio.sleep(REFETCH_SECONDS)
        found: dict[TP, list[Any]] = {}
        for tp in known:
            if placed is not self.next_offsets:
                break
            try:
                found.update(_noted(await super()._getmany({tp}, 0.0), placed))
            except UnicodeDecodeError:
                log.warning("%s-%d: a header name is not UTF-8: read on without headers", *tp)
                found[tp] = await self._read_around(tp, placed)
        return found

    async def _read_around(self, tp: TP, placed: dict[TP, int]) -> list[Any]:
        settings = cast("PlacedTransport", self.transport).connection.for_librdkafka()
        found = await asyncio.to_thread(read_raw, settings, Partition(*tp), placed[tp], AROUND)
        if found and placed is self.next_offsets:
            placed[tp] = found[-1].offset + 1
            await self._seek(tp, placed[tp])
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


def _noted(records: Mapping[TP, list[Any]], placed: dict[TP, int]) -> Mapping[TP, list[Any]]:
    """Return what is handed over, once it is noted where each partition goes on."""
    for tp, found in records.items():
        placed[TP(tp.topic, tp.partition)] = found[-1].offset + 1
    return records


def _records(messages: Iterable[Message]) -> Iterable[ReadRecord]:
    return (ReadRecord(m.topic, m.partition, m.offset, m.timestamp_ms, m.key, m.value) for m in messages)
