"""The simulator's part of the `sojae` command."""

import click
from rich.console import Console
from rich.progress import Progress

from sojae.settings import TelemetrySettings, read
from sojae.telemetry import set_up_logging
from sojae_simulator.app import simulate
from sojae_simulator.settings import PlantSimulatorSettings, SimulatorSettings


@click.command("simulate")
@click.option("--once", is_flag=True, help="End after the first burst and the plant's batches.")
@click.option("--specimens", type=click.IntRange(1, 100_000), help="Specimens of each project in the first burst.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the draws; without it each run differs.")
@click.option("--rate", type=click.FloatRange(0), help="Events per second of the first burst; 0 = as fast as can be.")
@click.option("--plant/--no-plant", default=None, help="Whether the sintering line runs beside the laboratories.")
def simulate_command(
    *, once: bool, specimens: int | None, seed: int | None, rate: float | None, plant: bool | None
) -> None:
    """Play institutes, furnaces, testers and a plant, with planted faults that truth.jsonl lists."""
    settings = read(SimulatorSettings)
    given = {"specimens": specimens, "seed": seed, "burst_rate": rate}
    chosen = settings.model_copy(
        update={name: value for name, value in given.items() if value is not None} | {"once": once or settings.once}
    )
    line = read(PlantSimulatorSettings)
    line = line.model_copy(update={"enabled": line.enabled if plant is None else plant})
    set_up_logging(read(TelemetrySettings).level)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("simulating", total=None)
        simulate(chosen, lambda done, total: bar.update(task, completed=done, total=total), line)


commands: list[click.Command] = [simulate_command]
"""What `sojae` offers of this service."""
