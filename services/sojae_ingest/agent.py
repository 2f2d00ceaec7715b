"""The loop of ingest: fetch, collect, flush; positions always from the store."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sojae.domain.errors import CommitRefused, ServiceError, StateError
from sojae.ports import EventSource, Message, Partition
from sojae_ingest.flush import Flushed
from sojae_ingest.positions import Chain, Positions

log = logging.getLogger(__name__)

FETCH_SECONDS = 0.1
RETRY_SECONDS = 0.2
LEAVE_SECONDS = 2.0
DRAIN_SECONDS = 4.0
"""How long the end of the log is sought after the stop."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When a flush is due (rows, bytes or age, whichever comes first; a trickle waits longer, so that files stay few),
    and how long silence is borne while there is lag.
    """

    rows: int
    bytes: int
    seconds: float
    trickle_seconds: float
    stall_seconds: float = 60.0
    trickle_rows_per_second: float = 1_000.0

    def reached(self, *, rows: int, size: int, age_seconds: float) -> bool:
        """Return whether what is collected should be stored now."""
        if rows == 0:
            return False
        if rows >= self.rows or size >= self.bytes or age_seconds >= self.trickle_seconds:
            return True
        return age_seconds >= self.seconds and rows >= self.trickle_rows_per_second * age_seconds


class Ends(Protocol):
    """Where the store ends in each partition, through pinned handles."""

    def refresh(self) -> int:
        """Move the handles to the newest versions."""
        ...

    def stored(self, topic_id: str, partition: int) -> int | None:
        """Return the last offset that is stored of a partition; None when none is."""
        ...


class Sink(Protocol):
    """Stores chains of messages; synchronous, for a thread."""

    def flush(self, chains: Sequence[Chain]) -> Flushed:
        """Store the chains and return what was done; raises CommitRefused when another writer was first."""
        ...


class Counts(Protocol):
    """What is counted of a flush and of what came before its partition was placed."""

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """Count one flush."""
        ...

    def refused(self) -> None:
        """Count a flush that the store refused."""
        ...

    def unplaced(self, count: int) -> None:
        """Count messages that came before their partition was placed."""
        ...


class IngestAgent:
    """Owns the consumer's positions; see `sojae.ports.Assignment` for how it hears of changes."""

    def __init__(
        self,
        source: EventSource,
        table: Ends,
        flusher: Sink,
        pace: Pace,
        metrics: Counts,
        *,
        stored: Callable[[Flushed], None] | None = None,
    ) -> None:
        self._source, self._table, self._flusher, self._pace, self._metrics = source, table, flusher, pace, metrics
        self._stored = stored
        self._positions = Positions()
        self._store = asyncio.Lock()  # the pinned handle is used by one at a time
        self._failure: BaseException | None = None
        self._generation = 0  # goes up at every change of assignment, so that a slow placing sees that it is too late
        self._began = 0.0
        self._heard = time.monotonic()
        self.started = False
        """Whether the group has been joined: there may be no topic yet."""

    async def run(self, stop: asyncio.Event) -> None:
        """Take in events until `stop` is set; then store what has been collected and leave the group."""
        await self._source.start(self)
        self.started = True
        try:
            while not stop.is_set():
                await self._turn()
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    while await self._lag():
                        await self._turn()
                    await self._flush()
            except TimeoutError:
                log.warning(
                    "the end of the log was not reached in %g s; the rest is read at the next start", DRAIN_SECONDS
                )
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """Leave the group, for so long as it may take: a broker that is away must not keep us, nor hide another error."""
        leaving = asyncio.ensure_future(self._source.stop())
        done, _ = await asyncio.wait([leaving], timeout=LEAVE_SECONDS)
        if not done:
            leaving.cancel()
            log.warning("the broker does not answer: left without a word")
        elif not leaving.cancelled() and leaving.exception() is not None:
            log.warning("leaving the group failed: %s", leaving.exception())

    async def _turn(self) -> None:
        if self._failure is not None:
            raise self._failure
        room = max(1, self._pace.rows - self._positions.rows)
        batches = await self._source.fetch(timeout_seconds=FETCH_SECONDS, max_messages=room)
        if batches:
            self._heard = time.monotonic()
            if self._positions.rows == 0:
                self._began = self._heard
            # NOTE: taken before anything is awaited: after a rebalance these messages would join another chain.
            jumps, back = self._jumps(batches), self._positions.went_back(batches)
            self._metrics.unplaced(self._positions.take(batches))
            await self._refuse_gaps(jumps)
            if back:
                await self._place_again(back)
        elif time.monotonic() - self._heard > self._pace.stall_seconds:
            await self._refuse_stall()
        age = time.monotonic() - self._began
        if self._pace.reached(rows=self._positions.rows, size=self._positions.bytes, age_seconds=age):
            await self._flush()

    async def _flush(self) -> None:
        began = time.monotonic()
        await self._drop_renewed_topics()
        async with self._store:
            chains = self._positions.hand_over()
            if not chains:
                return
            try:
                flushed = await asyncio.to_thread(self._flusher.flush, chains)
            except CommitRefused as refused:
                log.warning("fenced: %s", refused)
                self._metrics.refused()
                flushed = None
        if flushed is None:
            await self._place_again([c.partition for c in chains])
            return
        self._metrics.flushed(flushed, time.monotonic() - began)
        if flushed.holes:
            await self._place_again(flushed.holes)
        if flushed.next_offsets:
            await self._source.commit(flushed.next_offsets)
        if self._stored is not None and flushed.counts:
            self._stored(flushed)

    async def revoked(self, partitions: Sequence[Partition]) -> None:
        """Forget the partitions; what is not stored will be read again by whoever gets them."""
        self._generation += 1
        self._positions.forget(partitions)

    async def assigned(self, partitions: Sequence[Partition]) -> None:
        """Place the partitions where the store ends; an error is kept for the loop, since the caller swallows it."""
        self._positions.forget(partitions)
        self._generation += 1
        try:
            await self._place(partitions, self._generation)
        except Exception as error:  # noqa: BLE001 - kept and raised by the loop: aiokafka would only log it
            self._failure = error

    async def _place_again(self, partitions: Iterable[Partition]) -> None:
        """After a refusal or a hole: place what is still ours where the store ends now."""
        await asyncio.sleep(RETRY_SECONDS)
        ours = [p for p in partitions if p in self._positions.placed()]
        self._positions.forget(ours)
        await self._place(ours, self._generation)

    async def _place(self, partitions: Sequence[Partition], generation: int) -> None:
        topic_ids = await self._source.topic_ids(sorted({p.topic for p in partitions})) if partitions else {}
        async with self._store:
            await asyncio.to_thread(self._table.refresh)
            bounds = await self._source.bounds(partitions)
            for partition in partitions:
                topic_id = topic_ids[partition.topic]
                stored = self._table.stored(topic_id, partition.number)
                begin = 0 if stored is None else stored + 1
                _refuse_bounds(partition, begin=begin, bounds=bounds[partition])
                if generation != self._generation:
                    return  # the assignment changed while we asked: whoever has it now is told anew
                if self._source.seek(partition, begin):
                    self._positions.place(partition, topic_id, begin)
                    log.info("%s-%d: from offset %d", partition.topic, partition.number, begin)

    async def _lag(self) -> bool:
        """Return whether the log of any partition of ours goes on beyond what has been read."""
        return any(behind > 0 for behind in (await self._behind()).values())

    async def _behind(self) -> dict[Partition, int]:
        """Return how many offsets of each placed partition have not been read."""
        bounds = await self._source.bounds(self._positions.placed())
        expected = {p: self._positions.expected(p) for p in bounds}
        return {p: last - at for p, (_, last) in bounds.items() if (at := expected[p]) is not None}

    async def _drop_renewed_topics(self) -> None:
        """Place a topic's partitions again when it is not the one that they were placed in: deleted, and made anew."""
        known = self._positions.topic_ids()
        now = await self._source.topic_ids(sorted(known)) if known else {}
        renewed = [p for p in self._positions.placed() if now[p.topic] != known[p.topic]]
        if renewed:
            log.warning("made anew while we were reading: %s", ", ".join(sorted({p.topic for p in renewed})))
            await self._place_again(renewed)

    def _jumps(self, batches: Mapping[Partition, Sequence[Message]]) -> dict[Partition, int]:
        """Return the offset that was to come, for each partition where a later one came."""
        expected = {p: self._positions.expected(p) for p, messages in batches.items() if messages}
        return {p: at for p, at in expected.items() if at is not None and batches[p][0].offset > at}

    async def _refuse_gaps(self, jumps: dict[Partition, int]) -> None:
        """Raise when a jump in offsets is no legal hole (transaction marker, compaction) but deleted log."""
        if not jumps:
            return
        for partition, bounds in (await self._source.bounds(list(jumps))).items():
            _refuse_bounds(partition, begin=jumps[partition], bounds=bounds)

    async def _refuse_stall(self) -> None:
        """Raise when there is lag and nothing comes: consumers are known to stop in silence; a supervisor restarts us."""
        behind_by = await self._behind()
        set_back = [p for p, behind in behind_by.items() if behind < 0]
        if set_back:
            await self._place_again(set_back)
        for (topic, number), behind in behind_by.items():
            if behind > 0:
                raise ServiceError(
                    en=f"{topic}-{number}: {behind} messages wait and none comes; restarting",
                    ko=f"{topic}-{number}: 메시지 {behind}개가 대기 중인데 오지 않아 다시 시작합니다",
                )
        self._heard = time.monotonic()


def _refuse_bounds(partition: Partition, *, begin: int, bounds: tuple[int, int]) -> None:
    """Raise StateError when the log no longer holds what comes next, or ends before it: never skipped in silence."""
    where, (first, last) = f"{partition.topic}-{partition.number}", bounds
    if first > begin:
        raise StateError(
            en=f"{where}: offsets {begin} to {first - 1} are gone from the log (retention) and not in the store; "
            "restore them from a copy, or take the loss with `sojae ingest-accept-gap`",
            ko=f"{where}: 오프셋 {begin}~{first - 1}이 로그에서 지워졌고 저장소에도 없습니다. 사본에서 되살리거나 "
            "`sojae ingest-accept-gap`으로 손실을 받아들이십시오",
        )
    if begin > last:
        raise StateError(
            en=f"{where}: the store is at {begin}, but the log ends at {last}: the log was set back under the same topic id; "
            "use the store that belongs to this broker, or a new topic",
            ko=f"{where}: 저장소는 {begin}인데 로그는 {last}에서 끝납니다. 같은 토픽 id로 로그가 되돌려졌습니다. "
            "이 브로커의 저장소를 쓰거나 새 토픽을 만드십시오",
        )
