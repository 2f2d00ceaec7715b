"""Run the gateway as a process: `python -m sojae_gateway`."""

from sojae.cli.running import run_process
from sojae.surroundings import Surroundings
from sojae_gateway.app import serve


def main() -> None:
    """Answer requests until told to stop."""
    run_process(lambda: serve(Surroundings.read()))


if __name__ == "__main__":
    main()
