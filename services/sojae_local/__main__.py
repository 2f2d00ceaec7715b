"""`python -m sojae_local`: the commands of this package alone, under the lifeline of who started it."""

import click

from sojae.cli.running import run_process
from sojae.telemetry import set_up_logging
from sojae_local.commands import commands


def main() -> None:
    """Run the command that the arguments name."""
    set_up_logging("INFO")
    run_process(click.Group(commands=commands))


if __name__ == "__main__":
    main()
