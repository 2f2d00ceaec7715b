"""Each process serves /metrics and /health/{live,ready}, where its settings say."""

import ast

import pytest

from tests.contract.sources import SERVICES, tree

PROCESSES = sorted(p.parent.name for p in SERVICES.glob("*/__main__.py"))


def servers(package: str) -> list[ast.Call]:
    """Return the calls by which a package starts its health server."""
    calls = [n for p in (SERVICES / package).glob("*.py") for n in ast.walk(tree(p)) if isinstance(n, ast.Call)]
    return [call for call in calls if getattr(call.func, "id", None) == "HealthServer"]


@pytest.mark.parametrize("package", PROCESSES)
def test_each_process_serves_its_health(package: str) -> None:
    """On the port and the host of SOJAE_TELEMETRY__*, from one place."""
    (call,) = servers(package)
    told = [ast.unparse(argument) for argument in (*call.args, *(k.value for k in call.keywords))]
    assert any(argument.endswith("telemetry.port") for argument in told)
    assert any(argument.endswith("telemetry.host") for argument in told)


def test_the_processes_are_those_of_the_path() -> None:
    """Whoever adds one finds this test."""
    assert PROCESSES == [
        "sojae_gateway",
        "sojae_ingest",
        "sojae_local",
        "sojae_monitor",
        "sojae_simulator",
        "sojae_trainer",
    ]
