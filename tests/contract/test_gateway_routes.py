"""What the gateway promises in its documents is what its code does."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from prometheus_client import CollectorRegistry

from sojae_gateway import openapi, problems
from sojae_gateway.app import build
from sojae_gateway.metrics import GatewayMetrics
from sojae_gateway.settings import FollowingSettings, GatewaySettings
from tests.gateway_app import no_broker, opened

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "services" / "sojae_gateway"
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
REFERENCE = (REPOSITORY / "docs" / "reference" / "http.md").read_text(encoding="utf-8")

Row = tuple[str, ...]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Litestar]:
    folder = tmp_path_factory.mktemp("gateway")
    with opened(str(folder / "store"), folder / "index") as parts:
        yield build(parts, no_broker)


@pytest.fixture(scope="module")
def document(app: Litestar) -> dict[str, Any]:
    return openapi.complete(app.openapi_schema.to_schema())


def table(text: str, heading: str) -> list[Row]:
    """Return the cells of the first table behind a heading."""
    lines = text.partition(heading)[2].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")))
    return rows


def routes(app: Litestar) -> set[tuple[str, str]]:
    """Return (method, path) of every route but those of the OpenAPI document itself; raw routes answer POST."""
    found = set()
    for route in app.routes:
        if route.path.startswith("/schema"):
            continue
        for method in (getattr(route, "methods", None) or {"POST"}) - {"OPTIONS", "HEAD"}:
            found.add((method, route.path_format))
    return found


def test_openapi_lists_every_route(app: Litestar, document: dict[str, Any]) -> None:
    """Raw routes too, and nothing that is not there."""
    listed = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert listed == routes(app)


def test_openapi_refers_only_to_what_it_defines(document: dict[str, Any]) -> None:
    """Every reference is resolved inside the document."""
    referred = set(re.findall(r"#/components/schemas/([^'\"]+)", repr(document)))
    assert referred <= set(document["components"]["schemas"])
    assert {"PredictRequest", "PredictAnswer", "DesignRequest", "DesignAnswer", "Problem"} <= referred


def test_openapi_tells_of_problems_and_bodies(document: dict[str, Any]) -> None:
    """Every operation has a 200 and the problem; those that take a body say which."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert {"200", "default"} <= set(operation["responses"]), path
            assert ("requestBody" in operation) == (method == "post"), path


def test_openapi_says_what_the_reference_says(app: Litestar, document: dict[str, Any]) -> None:
    """The table of docs/reference/http.md has each route, in order, with the sentence of its handler."""
    documented = table(REFERENCE, "# HTTP")
    operations = {
        (method.upper(), path): operation["description"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert [row[1] for row in documented] == sorted(row[1] for row in documented)
    assert {(row[0], row[1]): row[2] for row in documented} == operations


def test_the_reference_lists_every_rule_with_its_status() -> None:
    """Each rule that has a status of its own stands in the row of that status."""
    documented = {int(row[0]): set(re.findall(r"[a-z_]{5,}", row[2])) for row in table(REFERENCE, "## Problems")}
    for rule, status in problems.STATUS.items():
        assert rule in documented[status]
    assert set(documented) == set(problems.TITLES)


def test_every_rule_of_the_status_table_is_raised_somewhere() -> None:
    """No dead rule: each one is named in some module besides the table."""
    sources = " ".join(p.read_text(encoding="utf-8") for p in PACKAGE.rglob("*.py"))
    for rule in problems.STATUS:
        assert sources.count(f'"{rule}"') >= 2, rule


def test_status_codes_stand_in_one_module() -> None:
    """Nowhere but in problems.py is a number an HTTP status; 500 is also a number of rows."""
    codes = {problems.OK, *problems.TITLES} - {500}
    for path in PACKAGE.rglob("*.py"):
        if path.name == "problems.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
                assert node.value not in codes, f"{path.name}:{node.lineno}"


def test_the_readme_lists_every_setting() -> None:
    """Name, default and sentence are those of the class."""
    documented = table(README, "## Settings")
    expected = [
        (f"SOJAE_GATEWAY__{name.upper()}", str(field.default), field.description)
        for group in (GatewaySettings, FollowingSettings)
        for name, field in group.model_fields.items()
    ]
    assert documented == expected


def test_the_readme_lists_every_metric() -> None:
    """Name, labels and sentence are those of the registry."""
    registry = CollectorRegistry()
    GatewayMetrics(registry)
    expected = []
    for metric in registry._names_to_collectors.values():
        (family,) = metric.describe() if hasattr(metric, "describe") else metric.collect()
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = f"{{{','.join(metric._labelnames)}}}" if metric._labelnames else ""
        expected.append((name + labels, family.documentation))
    assert table(README, "## Metrics") == list(dict.fromkeys(expected))


def test_the_client_is_light() -> None:
    """Importing the client loads neither polars nor onnxruntime, numpy nor a web framework."""
    heavy = ("polars", "onnxruntime", "numpy", "litestar", "deltalake", "pyarrow", "fastavro", "aiokafka")
    script = f"import sys, sojae.client; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_is_light_until_it_runs() -> None:
    """`sojae --help` imports every service's commands: the gateway's bring no server."""
    script = "import sys, sojae_gateway.commands; print([m for m in ('uvicorn', 'onnxruntime', 'polars') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
