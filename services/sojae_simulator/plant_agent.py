"""The loop of the simulated plant: telemetry as its time goes, laboratory events around each batch, what is true of it."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sojae.ports import Clock
from sojae_simulator.agent import MAX_UNACKNOWLEDGED, AcknowledgingProducer
from sojae_simulator.metrics import SimulatorMetrics
from sojae_simulator.plant_clock import EventClock
from sojae_simulator.plant_draws import Batch
from sojae_simulator.plant_faults import FaultyLine, Sent
from sojae_simulator.plant_lab import PlantLaboratory
from sojae_simulator.plant_messages import TelemetryWriter, iso
from sojae_simulator.plant_state import PendingTest, PlantState, save_state
from sojae_simulator.plant_stream import Kiln, Reading
from sojae_simulator.publish import Outgoing
from sojae_simulator.truth import TruthFile

log = logging.getLogger(__name__)

TICK_SECONDS = 0.1
"""Messages that are due are sent together, so often."""

KEEP_SECONDS = 1.0
"""How often it is kept how far the plant has come, beside every batch and test."""

OnAcknowledged = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PlantRun:
    """One start of the plant. `history` is sent first, in one burst; `batches` ends the run (None: it has no end)."""

    plant: str
    tag: str
    kilns: Mapping[str, Kiln]
    lines: Mapping[str, FaultyLine]
    laboratory: PlantLaboratory
    writer: TelemetryWriter
    speed: float
    history: tuple[Batch, list[Reading]] | None
    pending: list[PendingTest]
    fresh: bool
    batches: int | None


class PlantAgent:
    """Sends a plant's messages when their time has come, and writes down what is planted and true once Kafka has it."""

    def __init__(
        self, producer: AcknowledgingProducer, truth: TruthFile, metrics: SimulatorMetrics, clock: Clock, state: Path
    ) -> None:
        self._producer, self._truth, self._metrics, self._clock = producer, truth, metrics, clock
        self._state_path = state
        self._stop = asyncio.Event()
        self._sent: list[tuple[Awaitable[tuple[int, int]], str, OnAcknowledged | None]] = []
        self._pending: list[PendingTest] = []
        self._messages: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._tested = 0
        self._kept = 0.0

    def stop(self) -> None:
        """Ask the loop to end; what was sent is still waited for."""
        self._stop.set()

    async def run(self, run: PlantRun) -> None:
        """Return when the wanted batches are through, or when stopped; raises BrokerError or StateError."""
        self._pending = list(run.pending)
        begin_us = min(kiln.state.time_us for kiln in run.kilns.values())
        self._truth.write("plant_started", {"plant": run.plant, "assets": list(run.kilns), "at": iso(begin_us)})
        if run.history is not None:
            await self._send_history(run, *run.history)
        if run.fresh:
            for kiln in run.kilns.values():
                await self._prepare(run, kiln.state.batch)
        clock = EventClock(begin_us, run.speed, self._clock)
        while not self._stop.is_set() and (run.batches is None or self._tested < run.batches):
            await self._send_due(run, clock)
            await self._acknowledge(run)
            if run.batches is None or self._tested < run.batches:
                await self._wait(max(clock.seconds_until(min(k.due_us for k in run.kilns.values())), _tick(run)))
        for line in run.lines.values():
            for sent in line.rest():
                await self._send(run, sent)
        await self._acknowledge(run)
        await self._keep(run)
        totals = {"messages": dict(sorted(self._messages.items())), "faults": dict(sorted(self._faults.items()))}
        self._truth.write("plant_done", {"plant": run.plant, **totals})

    async def _send_due(self, run: PlantRun, clock: EventClock) -> None:
        """Send every message whose time has come, oldest first; a long backlog in parts."""
        while len(self._sent) < MAX_UNACKNOWLEDGED:
            kiln = min(run.kilns.values(), key=lambda k: k.due_us)
            if kiln.due_us > clock.now_us() or self._stop.is_set():
                return
            reading = kiln.next()
            for sent in run.lines[reading.asset].put(reading, clock.wall_us()):
                await self._send(run, sent)
            if reading.ended is not None:
                self._pending.append(PendingTest(run.laboratory.due_us(reading.ended), reading.ended))
            if reading.drawn is not None:
                await self._prepare(run, reading.drawn)
            await self._test_due(run, reading.end_us)

    async def _send(self, run: PlantRun, sent: Sent) -> None:
        message = run.writer.write(sent)
        awaited = await self._producer.enqueue(message.topic, message.key, message.value, {})
        told = sent.fault is not None or sent.reading.marks
        self._sent.append((awaited, message.topic, self._teller(run, sent) if told else None))

    def _teller(self, run: PlantRun, sent: Sent) -> OnAcknowledged:
        """Return what writes down, once the broker has the message, its fault or what it says of batches."""

        def tell(partition: int, offset: int) -> None:
            reading = sent.reading
            if sent.fault is not None:
                self._truth.write("plant_fault", run.writer.fault_line(sent, partition, offset))
                self._faults[sent.fault.kind] += 1
                self._metrics.planted(f"plant_{sent.fault.kind}")
                return
            if reading.started is not None:
                of = {"batch": reading.started.name, "asset": reading.asset, "plant": run.plant}
                self._truth.write("plant_batch_started", {**of, "at": iso(reading.started.start_us)})
            if reading.ended is not None:
                self._truth.write("plant_batch_done", done_line(run, reading.ended))

        return tell

    async def _send_history(self, run: PlantRun, batch: Batch, readings: list[Reading]) -> None:
        for seq, reading in enumerate(readings):
            message = run.writer.write(Sent(reading, seq), historical=True)
            awaited = await self._producer.enqueue(message.topic, message.key, message.value, {})
            self._sent.append((awaited, message.topic, None))
        await self._acknowledge(run)
        of = {"batch": batch.name, "asset": batch.asset, "plant": run.plant, "messages": len(readings)}
        self._truth.write("plant_history_sent", {**of, "start": iso(batch.start_us), "end": iso(batch.end_us)})

    async def _prepare(self, run: PlantRun, batch: Batch) -> None:
        for outgoing in run.laboratory.before(batch, run.tag, self._clock.now()):
            await self._send_event(outgoing, None)

    async def _test_due(self, run: PlantRun, now_us: int) -> None:
        for test in [t for t in self._pending if t.due_us <= now_us]:
            self._pending.remove(test)
            measured = run.laboratory.measured(test.batch, test.due_us, self._clock.now())
            event_id = measured.outgoing.event_id
            line = {"batch": test.batch.name, "record_id": event_id, "event_id": event_id, "measured": measured.values}

            def tell(_partition: int, _offset: int, line: Mapping[str, object] = line) -> None:
                self._truth.write("plant_property_sent", line)
                self._tested += 1

            await self._send_event(measured.outgoing, tell)

    async def _send_event(self, outgoing: Outgoing, tell: OnAcknowledged | None) -> None:
        awaited = await self._producer.enqueue(outgoing.topic, outgoing.key, outgoing.value, outgoing.headers)
        self._sent.append((awaited, outgoing.topic, tell))

    async def _acknowledge(self, run: PlantRun) -> None:
        """Wait for what was sent, write down what there is to tell, and keep how far the plant has come."""
        if not self._sent:
            return
        pending, self._sent = self._sent, []
        told = any(tell is not None for _, _, tell in pending)
        # All are waited for, so that a broker that is away is told once and not by every message.
        answers = await asyncio.gather(*(awaited for awaited, _, _ in pending), return_exceptions=True)
        for answer, (_, topic, tell) in zip(answers, pending, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            partition, offset = answer
            self._messages[topic] += 1
            self._metrics.acknowledged(topic)
            if tell is not None:
                tell(partition, offset)
        if told or time.monotonic() - self._kept > KEEP_SECONDS:
            await self._keep(run)

    async def _keep(self, run: PlantRun) -> None:
        kilns = {asset: kiln.state for asset, kiln in run.kilns.items()}
        state = PlantState(run.plant, run.tag, kilns, self._pending, run.laboratory.described)
        await asyncio.to_thread(save_state, self._state_path, state)
        self._kept = time.monotonic()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


def done_line(run: PlantRun, batch: Batch) -> Mapping[str, object]:
    """Return what is true of a batch that has ended: when it ran, what its ware went through, what its cells can do."""
    true = batch.truth(run.laboratory.limit)
    return {
        "batch": batch.name,
        "asset": batch.asset,
        "plant": run.plant,
        "start": iso(batch.start_us),
        "end": iso(batch.end_us),
        "true_mean_above": true["co_sinter_temperature"],
        "true_dwell_h": true["co_sinter_time"],
        "true_humidity": true["absolute_humidity"],
        "true_property": run.laboratory.truth(batch),
    }


def _tick(run: PlantRun) -> float:
    """Return the least pause between two rounds in seconds; none where the plant goes as fast as can be."""
    return TICK_SECONDS if run.speed else 0.0
