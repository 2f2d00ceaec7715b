"""The loop of the simulator: one burst of specimens, a few of other projects, then a trickle until it is told to stop."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sojae.ports import Clock
from sojae_simulator.faults import Planned
from sojae_simulator.metrics import SimulatorMetrics
from sojae_simulator.publish import Outgoing, Writer
from sojae_simulator.truth import TruthFile

log = logging.getLogger(__name__)

MAX_UNACKNOWLEDGED = 1_000

Progress = Callable[[int, int], None]


class AcknowledgingProducer(Protocol):
    """Sends messages keyed by producer; see `sojae.adapters.kafka.AiokafkaProducer`."""

    async def enqueue(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]
    ) -> Awaitable[tuple[int, int]]:
        """Return, once the message is in the send buffer, what awaits its acknowledgement as (partition, offset)."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One start of the simulator: the burst, what follows at its rate, and the trickle (None: nothing); messages per second."""

    epoch: int
    seed: int
    burst: Sequence[Planned]
    later: Sequence[Planned]
    burst_rate: float
    trickle: Iterator[Sequence[Planned]] | None
    trickle_rate: float


class Agent:
    """Sends planned messages at a rate, and writes down each planted fault once the broker has it."""

    def __init__(
        self, producer: AcknowledgingProducer, writer: Writer, truth: TruthFile, metrics: SimulatorMetrics, clock: Clock
    ) -> None:
        self._producer = producer
        self._writer = writer
        self._truth = truth
        self._metrics = metrics
        self._clock = clock
        self._stop = asyncio.Event()
        self._pending: list[tuple[Planned, Outgoing, Awaitable[tuple[int, int]]]] = []
        self._messages: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()

    @property
    def ready(self) -> bool:
        """Whether the broker has acknowledged a message."""
        return bool(self._messages)

    def stop(self) -> None:
        """Ask the loop to end; what was sent is still waited for."""
        self._stop.set()

    async def run(self, run: Run, on_progress: Progress | None = None) -> None:
        """Return when all is through and there is no trickle, or when stopped; raises BrokerError.

        `burst_done` is said when the burst is, and names its projects: what follows is not waited for.
        """
        began = time.monotonic()
        self._truth.write("run_started", {"epoch": run.epoch, "seed": run.seed, "planned": len(run.burst)})
        await self._send(run.burst, run.burst_rate, on_progress)
        if not self._stop.is_set():
            seconds = round(time.monotonic() - began, 3)
            projects = sorted({message.event.project for message in run.burst})
            self._truth.write("burst_done", {**self._totals(run), "seconds": seconds, "projects": projects})
            self._metrics.burst_done()
            log.info("burst of %d messages through in %.1f s", self._messages.total(), seconds)
            for messages, rate in self._after_the_burst(run):
                await self._send(messages, rate)
                if self._stop.is_set():
                    break
        self._truth.write("run_done", self._totals(run))

    def _after_the_burst(self, run: Run) -> Iterator[tuple[Sequence[Planned], float]]:
        if run.later:
            yield run.later, run.burst_rate
        for messages in run.trickle or ():
            yield messages, run.trickle_rate

    def _totals(self, run: Run) -> dict[str, object]:
        return {
            "epoch": run.epoch,
            "messages": dict(sorted(self._messages.items())),
            "faults": dict(sorted(self._faults.items())),
            "plain": self._messages.total() - self._faults.total(),
        }

    async def _send(self, messages: Sequence[Planned], rate: float, on_progress: Progress | None = None) -> None:
        """Send messages `1/rate` seconds apart, and return when all that were sent are acknowledged."""
        self._writer.expect_repeats(messages)
        due = time.monotonic()
        for done, message in enumerate(messages, start=1):
            outgoing = self._writer.write(message, self._clock.now())
            awaited = await self._producer.enqueue(outgoing.topic, outgoing.key, outgoing.value, outgoing.headers)
            self._pending.append((message, outgoing, awaited))
            due += 1.0 / rate if rate else 0.0
            if due > time.monotonic() or len(self._pending) >= MAX_UNACKNOWLEDGED:
                await self._acknowledge()
                if on_progress is not None:
                    on_progress(done, len(messages))
            if await self._stopped_until(due):
                break
        await self._acknowledge()

    async def _acknowledge(self) -> None:
        pending, self._pending = self._pending, []
        for message, outgoing, awaited in pending:
            partition, offset = await awaited
            self._messages[outgoing.topic] += 1
            self._metrics.acknowledged(outgoing.topic)
            if message.fault is not None:
                self._truth.fault(message.fault, outgoing, partition, offset)
                self._faults[message.fault.kind] += 1
                self._metrics.planted(message.fault.kind)

    async def _stopped_until(self, due: float) -> bool:
        """Wait until `due` (monotonic seconds) or until told to stop, and return whether to stop."""
        seconds = due - time.monotonic()
        if seconds > 0 and not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), seconds)
            except TimeoutError:
                return False
        return self._stop.is_set()
