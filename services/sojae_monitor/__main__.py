"""Run the monitor as a process: `python -m sojae_monitor`."""

import asyncio

from sojae.cli.running import run_process
from sojae.surroundings import Surroundings
from sojae_monitor.app import serve


def main() -> None:
    """Follow plants until told to stop."""
    run_process(lambda: asyncio.run(serve(Surroundings.read())))


if __name__ == "__main__":
    main()
