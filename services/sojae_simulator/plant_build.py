"""From settings, the plant's file and what was kept to one run of the plant."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.plant_files import read_plant
from sojae.adapters.template_files import TemplateBook
from sojae.domain.plant import Plant
from sojae.settings import PlantsSettings, read
from sojae.topics import events_topic, history_topic, telemetry_topic
from sojae_simulator.identifiers import run_tag
from sojae_simulator.plant_agent import PlantRun
from sojae_simulator.plant_draws import US, Batch, BatchDraws
from sojae_simulator.plant_faults import FaultyLine
from sojae_simulator.plant_lab import PlantLaboratory
from sojae_simulator.plant_messages import TelemetryWriter, unix_us
from sojae_simulator.plant_state import PlantState, load_state, state_file
from sojae_simulator.plant_stream import Kiln, KilnState, Reading
from sojae_simulator.publish import Writer
from sojae_simulator.settings import PlantSimulatorSettings, SimulatorSettings

PLANT_FILE = Path(__file__).parent / "plants" / "sim-sinter.toml"
HISTORY_MESSAGE_SAMPLES = 60
HISTORY_GAP_HOURS = 1.0
"""How long before the live telemetry the old batch has ended."""
_STREAMS = 1_000
"""Where the plant's streams of random numbers begin, away from those of the laboratories."""


@dataclass(frozen=True, slots=True)
class PlantPlan:
    """Which plant is simulated, and how."""

    plant: Plant
    settings: PlantSimulatorSettings
    simulator: SimulatorSettings
    state_path: Path

    @property
    def topics(self) -> list[str]:
        """The topics that the plant writes."""
        plant = self.plant.plant
        return [telemetry_topic(plant), history_topic(plant), events_topic(self.plant.institute)]


def plant_plan(
    settings: PlantSimulatorSettings, simulator: SimulatorSettings, book: TemplateBook, home: Path
) -> PlantPlan | None:
    """Return the plant to simulate, or None when it is switched off or its project is not simulated.

    The file in SOJAE_PLANTS__PATH goes before the package's own, so that the monitor reads the same. Raises PlantError.
    """
    folder = read(PlantsSettings).path
    own = folder / PLANT_FILE.name if folder is not None else PLANT_FILE
    plant = read_plant(own if own.is_file() else PLANT_FILE, book)
    if not settings.enabled or plant.project not in simulator.project_names:
        return None
    return PlantPlan(plant, settings, simulator, state_file(home, plant.plant))


def build_plant(plan: PlantPlan, book: TemplateBook, epoch: int, seed: int, now: dt.datetime) -> PlantRun:
    """Return one run of the plant; equal plans, seeds and states give equal telemetry. Raises StateError."""
    plant, settings, kept = plan.plant, plan.settings, load_state(plan.state_path)
    first = _first_state(plan, seed, now)
    state = kept or first
    kilns, lines = {}, {}
    for number, asset in enumerate(plant.assets):
        at = state.kilns.get(asset, first.kilns[asset])
        draws, noise, faults = _streams(seed, number, at.batch.number)
        step_us = int(settings.sample_seconds * US)
        kilns[asset] = Kiln(
            plant, at, BatchDraws(plant, asset, draws), noise, step_us=step_us, samples=settings.message_samples
        )
        lines[asset] = FaultyLine(faults, scale=plan.simulator.fault_scale)
    laboratory_rng, history_rng, _ = _streams(seed, len(plant.assets), 0)
    writer = Writer(book, FastavroEncoder(), epoch)
    return PlantRun(
        plant=plant.plant,
        tag=state.tag,
        kilns=kilns,
        lines=lines,
        laboratory=PlantLaboratory(plant, book, writer, laboratory_rng, state.described),
        writer=TelemetryWriter(plant, epoch),
        speed=settings.speed,
        history=_history(plan, state, history_rng) if kept is None else None,
        pending=state.pending,
        fresh=kept is None,
        batches=settings.batches if plan.simulator.once else None,
    )


def _first_state(plan: PlantPlan, seed: int, now: dt.datetime) -> PlantState:
    """Return the state before the first run: every kiln is empty, its first batch is loaded."""
    begin_us = unix_us(now - dt.timedelta(days=plan.settings.days_ago)) // US * US
    kilns = {}
    for number, asset in enumerate(plan.plant.assets):
        draws, _, _ = _streams(seed, number, -1)
        kilns[asset] = KilnState(begin_us, BatchDraws(plan.plant, asset, draws).next(0, begin_us))
    return PlantState(plan.plant.plant, run_tag(unix_us(now) // 1_000), kilns)


def _history(plan: PlantPlan, state: PlantState, rng: np.random.Generator) -> tuple[Batch, list[Reading]]:
    """Return a batch of the first kiln that had ended before the plant was connected, and its telemetry."""
    asset = next(iter(plan.plant.assets))
    step_us = int(plan.settings.sample_seconds * US)
    drawn = BatchDraws(plan.plant, asset, rng).next(0, 0)
    ended_us = state.kilns[asset].time_us - int(HISTORY_GAP_HOURS * 3_600 * US)
    start_us = (ended_us - (drawn.end_us - drawn.start_us)) // US * US
    batch = Batch(asset, 0, start_us, drawn.soak_celsius, drawn.soak_hours, drawn.humidity, drawn.begin_celsius)
    kiln = Kiln(
        plan.plant,
        KilnState(start_us, batch),
        BatchDraws(plan.plant, asset, rng),
        rng,
        step_us=step_us,
        samples=HISTORY_MESSAGE_SAMPLES,
    )
    readings = [kiln.next()]
    while readings[-1].ended is None:
        readings.append(kiln.next())
    return batch, readings


def _streams(
    seed: int, number: int, batch: int
) -> tuple[np.random.Generator, np.random.Generator, np.random.Generator]:
    """Return three streams of random numbers of one kiln, from the batch on at which a run begins."""
    sequence = np.random.SeedSequence(seed, spawn_key=(_STREAMS + number, batch + 1))
    draws, noise, faults = (np.random.default_rng(s) for s in sequence.spawn(3))
    return draws, noise, faults
