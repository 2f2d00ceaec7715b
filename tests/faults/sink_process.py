"""An ingest process under test: the real one with a wide window before its commit, or one of two controls that lose.

Run as `python tests/faults/sink_process.py {sound,faulty,by-path}`. The controls prove that the test can see:

* faulty: tells Kafka a batch's offset even after a refused commit, keeps positions over reassignments, and takes records
  that were fetched before its own seek;
* by-path: writes by path instead of through the pinned handle, so that a fenced writer's rows are stored a second time.

A file `die-before-kafka-commit` in SOJAE_HOME makes the process that finds it kill itself between the store's commit
and Kafka's.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, Transaction, write_deltalake

from sojae.adapters.events_table import DeltaEventsTable, app_id, events_uri
from sojae.adapters.kafka import AiokafkaSource
from sojae.adapters.kafka_connection import Connection
from sojae.cli.running import run_process
from sojae.domain.errors import CommitRefused
from sojae.ports import Message, Partition, Position
from sojae.surroundings import Surroundings
from sojae.topics import EVENTS_PATTERN
from sojae_ingest.agent import IngestAgent
from sojae_ingest.app import Parts, serve
from sojae_ingest.positions import Chain, Positions
from sojae_ingest.settings import IngestSettings

WINDOW_SECONDS = 0.5
DIE = "die-before-kafka-commit"
WINDOW = "in-window-"


def wait_in_window(positions: Sequence[Position]) -> None:
    """Stay between snapshot and commit for a while, and let the scenario see for which partitions."""
    mark = Path(os.environ["SOJAE_HOME"]) / f"{WINDOW}{os.getpid()}"
    mark.write_text(" ".join(app_id(p.topic_id, p.partition) for p in positions), encoding="utf-8")
    time.sleep(WINDOW_SECONDS)
    mark.unlink()


class WideWindowTable(DeltaEventsTable):
    """Waits between reading the snapshot and committing or seeking, so that others can come between."""

    def refresh(self) -> int:
        version = super().refresh()
        time.sleep(WINDOW_SECONDS)
        return version

    def append(self, rows: pa.Table, positions: Sequence[Position]) -> int:
        wait_in_window(positions)
        return super().append(rows, positions)


class ByPathTable(WideWindowTable):
    """Control: commits by path, which checks against the newest version instead of the one that was read."""

    def __init__(self, store_uri: str) -> None:
        super().__init__(store_uri)
        self._uri = events_uri(store_uri)

    def append(self, rows: pa.Table, positions: Sequence[Position]) -> int:
        wait_in_window(positions)
        transactions = [Transaction(app_id(p.topic_id, p.partition), p.offset) for p in positions]
        write_deltalake(
            self._uri, rows, mode="append", commit_properties=CommitProperties(app_transactions=transactions)
        )
        return self.refresh()


class DyingSource(AiokafkaSource):
    """Kills the process between the store's commit and Kafka's, when it finds the order to."""

    order = Path(os.environ.get("SOJAE_HOME", ".")) / DIE

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        try:
            self.order.unlink()
        except FileNotFoundError:
            await super().commit(offsets)
        else:
            os.kill(os.getpid(), signal.SIGKILL)


class ForgetfulPositions(Positions):
    """Control: keeps stale positions, takes what was fetched before our seek, and does not know where a chain began."""

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Keep everything: the mistake."""

    def place(self, partition: Partition, topic_id: str, offset: int) -> None:
        """Take the new position only where there was none."""
        self._chains.setdefault(partition, Chain(partition, topic_id, 0)).topic_id = topic_id

    def take(self, batches: Mapping[Partition, Sequence[Message]]) -> int:
        """Take every record beyond the last one taken, whoever owned the partition in between."""
        for partition, messages in batches.items():
            chain = self._chains.setdefault(partition, Chain(partition, "", 0))
            fresh = [m for m in messages if m.offset >= chain.next_offset]
            chain.messages.extend(fresh)
            self._count(fresh, 1)
        return 0

    def hand_over(self) -> list[Chain]:
        """Give the chains as if each began at the start of the log, so that no hole is ever seen."""
        full = super().hand_over()
        for chain in self._chains.values():
            chain.start = 0
        return full


class FaultyAgent(IngestAgent):
    """Control: the first version of a store-side-offset sink, which looked right and lost data."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self._positions = ForgetfulPositions()
        self._flusher.flush = self._telling(self._flusher.flush)  # type: ignore[method-assign]

    def _telling(self, flush):  # type: ignore[no-untyped-def]
        loop = asyncio.get_event_loop()

        def tell_always(chains: Sequence[Chain]):  # type: ignore[no-untyped-def]
            try:
                return flush(chains)
            except CommitRefused:
                told = self._source.commit({c.partition: c.next_offset for c in chains})
                asyncio.run_coroutine_threadsafe(told, loop).result(10)
                raise

        return tell_always

    async def _refuse_gaps(self, jumps: dict[Partition, int]) -> None:
        """Look at nothing."""

    async def _drop_renewed_topics(self) -> None:
        """Ask for no topic's id."""

    async def _place_again(self, partitions: Iterable[Partition]) -> None:
        """Go on as if the refused commit had been stored."""
        await asyncio.to_thread(self._table.refresh)


def _source(connection: Connection, settings: IngestSettings) -> DyingSource:
    return DyingSource(
        connection,
        pattern=EVENTS_PATTERN,
        group_id=settings.group_id,
        session_timeout_ms=int(settings.session_timeout_seconds * 1000),
    )


VARIANTS = {
    "sound": Parts(table=WideWindowTable, source=_source),
    "faulty": Parts(table=WideWindowTable, source=_source, agent=FaultyAgent),
    "by-path": Parts(table=ByPathTable, source=_source),
}

if __name__ == "__main__":
    run_process(lambda: asyncio.run(serve(Surroundings.read(), VARIANTS[sys.argv[1]])))
