"""Run the trainer as a process: `python -m sojae_trainer`."""

import asyncio

from sojae.cli.running import run_process
from sojae.surroundings import Surroundings
from sojae_trainer.app import serve


def main() -> None:
    """Train what becomes due until told to stop."""
    run_process(lambda: asyncio.run(serve(Surroundings.read())))


if __name__ == "__main__":
    main()
