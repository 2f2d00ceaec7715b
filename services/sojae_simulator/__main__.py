"""Runs the simulator as a process of its own: `python -m sojae_simulator`."""

import sys

import click

from sojae.domain.errors import SojaeError
from sojae.lifeline import watch
from sojae.settings import GeneralSettings, TelemetrySettings, check_environment, read
from sojae.telemetry import set_up_logging
from sojae_simulator.app import simulate
from sojae_simulator.settings import SimulatorSettings


def main() -> int:
    """Return the exit code: 0 after an orderly end, else the error's, which was told on stderr."""
    try:
        watch()
        check_environment()
        set_up_logging(read(TelemetrySettings).level)
        simulate(read(SimulatorSettings))
    except SojaeError as error:
        click.echo(error.message(read(GeneralSettings).language), err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
