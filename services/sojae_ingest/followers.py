"""The tasks that follow `events`: outcomes and ledger right after a flush, records and materials behind it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from sojae.adapters.derived_table import OtherFollower
from sojae.domain.errors import BrokerError, CommitRefused, StoreError
from sojae.ports import EventsTable
from sojae_ingest.following import Step, steps
from sojae_ingest.ledger_table import LedgerTable
from sojae_ingest.materials_table import MaterialsViews
from sojae_ingest.metrics import IngestMetrics
from sojae_ingest.outcome_sender import OutcomeSender
from sojae_ingest.outcomes import COLUMNS, second_outcome
from sojae_ingest.records import RecordsFollower, SecondStatement
from sojae_ingest.sequence_alarm import SequenceAlarm

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
FAILED_SECONDS = 2.0
TELL_SECONDS = 30.0
STAND_BACK_SECONDS = 30.0
"""How long the loser of a race between two processes leaves the work to the winner."""

UNREADY_SECONDS = 30.0
"""How long a follower may fail before the process says that it is not ready."""

REFRESH_SHARE = 10
"""A refresh of the materials may take a tenth of the time: the records are in the same task."""


class OutcomesFollower:
    """Sends what became of events, then accounts for them in the ledger: its position is the outcomes' position."""

    def __init__(
        self,
        events: EventsTable,
        ledger: LedgerTable,
        sender: OutcomeSender,
        metrics: IngestMetrics,
        alarm: SequenceAlarm,
    ) -> None:
        self._events, self._ledger, self._sender, self._metrics, self._alarm = events, ledger, sender, metrics, alarm

    async def step(self) -> None:
        """Follow to the newest version; outcomes are sent at least once, before the commit that says so.

        Raises CommitRefused when another process was first, BrokerError when the broker is away.
        """
        after = await asyncio.to_thread(self._ledger.included)
        head = await asyncio.to_thread(self._events.refresh)
        pending = steps(self._events, after, head, COLUMNS)
        while (step := await asyncio.to_thread(next, pending, None)) is not None:
            self._metrics.followed("ledger", await self._take(step))
        self._alarm.look(self._ledger.holes())

    async def _take(self, step: Step) -> int:
        rows = step.rows.to_pylist()
        await self._sender.send(rows, step.upto)
        return await asyncio.to_thread(self._ledger.add, rows, step.upto, anew=step.anew, complete=step.complete)


class RecordsAndMaterials:
    """Brings records up to date, and the materials views at most every few seconds."""

    def __init__(
        self,
        records: RecordsFollower,
        materials: MaterialsViews,
        sender: OutcomeSender,
        metrics: IngestMetrics,
        refresh_seconds: float,
    ) -> None:
        self._records, self._materials, self._sender, self._metrics = records, materials, sender, metrics
        self._refresh_seconds = refresh_seconds
        self._due = 0.0

    async def step(self) -> None:
        """Follow to the newest version; raises CommitRefused when another process was first.

        Views are refreshed even when a records table waits: those of its project stay where they are.
        """
        try:
            written = await asyncio.to_thread(self._records.step, self._teller())
            self._metrics.followed("records", written)
        finally:
            await self._refresh()

    async def _refresh(self) -> None:
        began = time.monotonic()
        if began < self._due:
            return
        try:
            rows = await asyncio.to_thread(self._materials.refresh, self._records.complete_to)
            self._metrics.followed("materials", rows)
        finally:
            ended = time.monotonic()
            self._due = ended + max(self._refresh_seconds, REFRESH_SHARE * (ended - began))

    def _teller(self) -> Callable[[list[SecondStatement]], None]:
        """Return what the records' thread calls to have second outcomes sent before it commits."""
        loop = asyncio.get_running_loop()

        def tell(seconds: list[SecondStatement]) -> None:
            rows = [second_outcome(second) for second in seconds]
            told = self._sender.send(rows, self._records.progress)
            asyncio.run_coroutine_threadsafe(told, loop).result(TELL_SECONDS)

        return tell


class Watch:
    """Knows which followers are failing, since when, and which build a damaged table again.

    `mend` sets damaged tables aside and returns the followers that build them again; it is asked when a step fails.
    """

    def __init__(
        self,
        metrics: IngestMetrics,
        now: Callable[[], float] = time.monotonic,
        mend: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.metrics, self._now, self._mend = metrics, now, mend
        self._failing: dict[str, float] = {}
        self._rebuilding: set[str] = set()

    def mend(self) -> None:
        """Set damaged tables aside; whoever builds them again makes the process not ready until that is done."""
        try:
            self._rebuilding.update(self._mend())
        except StoreError as error:
            log.error("%s", error)

    def went_well(self, name: str) -> None:
        """Forget that a follower failed, or had a table to build again."""
        self._failing.pop(name, None)
        self._rebuilding.discard(name)

    def failed(self, name: str) -> None:
        """Count a failure, and remember the first of a row."""
        self.metrics.follower_failed(name)
        self._failing.setdefault(name, self._now())

    def ready(self) -> bool:
        """Return whether no follower has been failing for more than 30 s, nor has a damaged table to build again."""
        return not self._rebuilding and all(
            self._now() - since <= UNREADY_SECONDS for since in list(self._failing.values())
        )


async def follow(
    name: str, step: Callable[[], Awaitable[None]], wake: asyncio.Event, stop: asyncio.Event, watch: Watch
) -> None:
    """Run a follower's steps when woken, at least every 0.5 s, until `stop`; then once more.

    Whatever a step raises is logged, counted and followed by a pause: the copies of the truth never stop its intake.
    """
    refused = False
    while True:
        last = stop.is_set()
        pause, refused = await _try(name, step, watch, refused)
        if last:
            return
        wake.clear()
        await _either(wake, stop, pause)


async def _try(name: str, step: Callable[[], Awaitable[None]], watch: Watch, refused: bool) -> tuple[float, bool]:
    """Take one step; return the seconds to pause, and whether the store refused its commit."""
    try:
        await step()
    except OtherFollower:
        log.info("%s: another process was first; standing back", name)
        watch.went_well(name)
        return STAND_BACK_SECONDS, False
    except CommitRefused as error:
        # The care of the tables, most often: nobody else has done this work, so it is tried again at once.
        log.info("%s: the table changed meanwhile: %s", name, error)
        return (POLL_SECONDS if refused else 0.0), True
    except BrokerError as error:
        log.error("%s: %s", name, error)
        watch.failed(name)
        return FAILED_SECONDS, False
    except StoreError as error:
        log.error("%s: %s", name, error)
        return await _failed(name, watch)
    except Exception:
        log.exception("%s: unexpected; ingestion goes on, and this is tried again", name)
        return await _failed(name, watch)
    watch.went_well(name)
    return POLL_SECONDS, False


async def _failed(name: str, watch: Watch) -> tuple[float, bool]:
    watch.failed(name)
    await asyncio.to_thread(watch.mend)
    return FAILED_SECONDS, False


async def _either(wake: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.ensure_future(e.wait()) for e in ((wake, stop) if seconds <= POLL_SECONDS else (stop,))]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
