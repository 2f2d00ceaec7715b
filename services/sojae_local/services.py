"""The processes of `sojae up`, as data: what each one is, what must be ready before it, and how long it may take to end."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Service:
    """One process: `python -m module *arguments`, started once all it `depends` on are ready.

    It is ready when it answers /health/ready; `stop_seconds` is how long it may take to end after SIGTERM.
    """

    name: str
    module: str
    depends: frozenset[str] = frozenset()
    arguments: tuple[str, ...] = ()
    stop_seconds: float = 1.0


BROKER = "broker"
MONITOR = "monitor"
SIMULATOR = "simulator"
AFTER_BROKER = frozenset({BROKER})

SERVICES = (
    Service("gateway", "sojae_gateway", depends=AFTER_BROKER, stop_seconds=2.0),
    Service("trainer", "sojae_trainer", depends=AFTER_BROKER, stop_seconds=2.0),
    Service("ingest", "sojae_ingest", depends=AFTER_BROKER, stop_seconds=6.0),
    Service(MONITOR, "sojae_monitor", depends=AFTER_BROKER, stop_seconds=3.0),
    Service(SIMULATOR, "sojae_simulator", depends=frozenset({"ingest"}), stop_seconds=2.0),
)
"""They stop in the reverse of this order, the broker last; what a service `depends` on alone decides when it starts."""


def services_for(*, simulator: bool, plants: Path | None) -> tuple[Service, ...]:
    """Return the services that have something to do: no simulator where none is wanted, no monitor without plants."""
    idle = {SIMULATOR: not simulator, MONITOR: plants is None}
    return tuple(service for service in SERVICES if not idle.get(service.name, False))


def simulated_plants() -> Path:
    """Return the folder of the simulator's plant files, which come with its package; the package is not imported."""
    found = importlib.util.find_spec("sojae_simulator")
    assert found is not None, "services come in one distribution"
    assert found.origin is not None, "it is a package with files"
    return Path(found.origin).parent / "plants"


def broker_service(endpoint_file: Path, *, mock: bool) -> Service:
    """Return the process of the development broker, which says in `endpoint_file` where it answers."""
    arguments = ("broker", "--endpoint-file", str(endpoint_file), *(("--mock",) if mock else ()))
    return Service(BROKER, "sojae_local", arguments=arguments, stop_seconds=6.0)
