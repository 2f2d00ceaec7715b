"""The gateway over a store of a test, asked without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry

from sojae_gateway.access import LOCAL_OPERATOR, Principal
from sojae_gateway.app import build
from sojae_gateway.parts import Parts, open_parts
from sojae_gateway.settings import GatewaySettings
from tests.gateway_parts import EventStore, book

ALLOYS = "/v1/projects/high_entropy_alloy"
RECIPE = {
    "composition": {"Al": 10.0, "Cr": 20.0, "Ni": 70.0},
    "homogenisation_temperature": 900.0,
    "cooling": "water",
    "test_temperature": 25.0,
}


@contextmanager
def opened(store_uri: str, index: Path, **settings: object) -> Iterator[Parts]:
    """Hold the parts over a store; nothing runs yet."""
    given = GatewaySettings(**{"index_seconds": 0.05, "shelf_seconds": 0.05, **settings})  # type: ignore[arg-type]  # named by the caller
    with open_parts(given, store_uri, index, book, CollectorRegistry()) as parts:
        yield parts


@contextmanager
def gateway(
    store: EventStore, index: Path, principal: Principal = LOCAL_OPERATOR, **settings: object
) -> Iterator[tuple[TestClient, Parts]]:
    """Hold a running application, its client and its parts."""
    with opened(store.uri, index, **settings) as parts:
        parts.principal = principal
        with TestClient(build(parts), base_url="http://127.0.0.1:8600") as client:
            yield client, parts


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    """Return status, rule and field of a problem document that is whole."""
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    assert problem["ko"]
    assert problem["en"]
    return response.status_code, problem["rule"], problem["field"]
