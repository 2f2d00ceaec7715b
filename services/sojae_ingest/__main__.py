"""Run ingest as a process: `python -m sojae_ingest`."""

import asyncio

from sojae.cli.running import run_process
from sojae.surroundings import Surroundings
from sojae_ingest.app import serve


def main() -> None:
    """Take events in until told to stop."""
    run_process(lambda: asyncio.run(serve(Surroundings.read())))


if __name__ == "__main__":
    main()
