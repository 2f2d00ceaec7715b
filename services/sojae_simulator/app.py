"""The composition root of the simulator: from settings to a run against a broker."""

import asyncio
import datetime as dt
import itertools
import signal
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_admin import create_topics
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.home import Home, bootstrap_servers, find_home
from sojae.settings import KafkaSettings, TelemetrySettings, TemplatesSettings, read
from sojae.telemetry import HealthServer
from sojae.topics import PARTITIONS, events_topic
from sojae_simulator.agent import Agent, Progress, Run
from sojae_simulator.draws import Laboratory
from sojae_simulator.faults import Planned, plan
from sojae_simulator.identifiers import run_tag
from sojae_simulator.metrics import SimulatorMetrics
from sojae_simulator.plant_agent import PlantAgent
from sojae_simulator.plant_build import PlantPlan, build_plant, plant_plan
from sojae_simulator.projects.registry import PROJECTS
from sojae_simulator.publish import Writer
from sojae_simulator.settings import PlantSimulatorSettings, SimulatorSettings
from sojae_simulator.truth import FILE_NAME, TruthFile, next_epoch


class SystemClock:
    """The clock of the machine; see `sojae.ports.Clock`."""

    def now(self) -> dt.datetime:
        """Return the present moment in UTC."""
        return dt.datetime.now(dt.UTC)


def simulate(
    settings: SimulatorSettings, on_progress: Progress | None = None, plant: PlantSimulatorSettings | None = None
) -> None:
    """Return when the run is over: after the burst and the plant's batches with `once`, else when told to stop.

    Raises BrokerError, StateError, TemplateError or SettingsError; what was planted until then is in truth.jsonl.
    """
    home = find_home().prepare()
    connection = connect(home)
    book = load_templates(read(TemplatesSettings).path)
    plan = plant_plan(plant or read(PlantSimulatorSettings), settings, book, home.path)
    asyncio.run(_simulate(settings, connection, book, home.path / FILE_NAME, on_progress, plan))


def connect(home: Home) -> Connection:
    """Return how to reach the broker: the settings, else the one that runs in this home. Raises BrokerError."""
    kafka = read(KafkaSettings)
    running = home.live_run()
    return Connection(
        bootstrap_servers=bootstrap_servers(kafka.bootstrap_servers, home),
        security_protocol=kafka.security_protocol,
        sasl_mechanism=kafka.sasl_mechanism,
        username=kafka.username,
        password_file=kafka.password_file,
        run_id=running.run_id if running is not None else None,
    )


def build_run(settings: SimulatorSettings, book: TemplateBook, epoch: int) -> Run:
    """Return the messages of one run; equal settings, seed and epoch give equal draws and faults."""
    seed = epoch if settings.seed is None else settings.seed
    streams = np.random.SeedSequence(seed).spawn(len(settings.project_names) + 1)
    rng = np.random.default_rng(streams[-1])
    laboratories = {
        project: Laboratory(project, book, np.random.default_rng(stream), run_tag(epoch)).specimens()
        for project, stream in zip(settings.project_names, streams, strict=False)
    }

    def planned(counts: Mapping[str, int]) -> Sequence[Planned]:
        drawn = [specimen for name, n in counts.items() for specimen in itertools.islice(laboratories[name], n)]
        return plan(drawn, book, rng, scale=settings.fault_scale)

    def trickle() -> Iterator[Sequence[Planned]]:
        for project in itertools.cycle(laboratories):
            yield planned({project: 1})

    return Run(
        epoch=epoch,
        seed=seed,
        burst=planned({name: settings.specimens for name in laboratories if name not in settings.later}),
        later=planned(settings.later),
        burst_rate=settings.burst_rate,
        trickle=None if settings.once else trickle(),
        trickle_rate=settings.trickle_rate,
    )


def topics_of(projects: Sequence[str]) -> list[str]:
    """Return the topics of every institute that takes part in the projects."""
    return sorted(events_topic(institute.id) for project in projects for institute in PROJECTS[project].institutes)


async def _simulate(
    settings: SimulatorSettings,
    connection: Connection,
    book: TemplateBook,
    truth_path: Path,
    on_progress: Progress | None,
    plan: PlantPlan | None,
) -> None:
    clock, registry = SystemClock(), CollectorRegistry()
    epoch = next_epoch(truth_path, int(clock.now().timestamp() * 1000))
    run = build_run(settings, book, epoch)
    topics = sorted({*topics_of(settings.project_names), *(plan.topics if plan is not None else ())})
    await asyncio.to_thread(create_topics, connection, topics, PARTITIONS)
    with TruthFile(truth_path) as truth:
        async with AiokafkaProducer(connection) as producer:
            metrics = SimulatorMetrics(registry)
            agent = Agent(producer, Writer(book, FastavroEncoder(), epoch), truth, metrics, clock)
            stops, working = [agent.stop], [agent.run(run, on_progress)]
            if plan is not None:
                line = PlantAgent(producer, truth, metrics, clock, plan.state_path)
                stops.append(line.stop)
                working.append(line.run(build_plant(plan, book, epoch, run.seed, clock.now())))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, lambda: [stop() for stop in stops])
            telemetry = read(TelemetrySettings)
            with HealthServer(registry, lambda: agent.ready, telemetry.port, telemetry.host):
                await _together(working)


async def _together(working: Sequence[Coroutine[object, object, None]]) -> None:
    """Return when all have ended; the first error of one ends the others, and is raised."""
    tasks = [asyncio.ensure_future(one) for one in working]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()
