"""The gateway over a store of a test, asked without a network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry

from sojae.domain.errors import BrokerError
from sojae.domain.plant import Plant
from sojae.ports import PlantFeed
from sojae_gateway.access import Principal
from sojae_gateway.app import build
from sojae_gateway.parts import Parts, Sources, open_parts
from sojae_gateway.plant_follower import OpenFeed
from sojae_gateway.settings import FollowingSettings, GatewaySettings
from tests.gateway_parts import EventStore, book

ALLOYS = "/v1/projects/high_entropy_alloy"
RECIPE = {
    "composition": {"Al": 10.0, "Cr": 20.0, "Ni": 70.0},
    "homogenisation_temperature": 900.0,
    "cooling": "water",
    "test_temperature": 25.0,
}


def no_broker() -> PlantFeed:
    """Say that there is none."""
    raise BrokerError(en="no broker", ko="브로커 없음")


@contextmanager
def opened(
    store_uri: str, index: Path, plants: Mapping[str, Plant] | None = None, **settings: object
) -> Iterator[Parts]:
    """Hold the parts over a store; nothing runs yet."""
    seconds = {"index_seconds": 0.05, "shelf_seconds": 0.05}
    seconds |= {name: settings.pop(name) for name in list(settings) if name in seconds}
    given, often = GatewaySettings(**settings), FollowingSettings(**seconds)  # type: ignore[arg-type]  # named by the caller
    with open_parts(given, often, Sources(store_uri, index, book, plants or {}), CollectorRegistry()) as parts:
        yield parts


@contextmanager
def gateway(
    store: EventStore,
    index: Path,
    principal: Principal | None = None,
    *,
    plants: Mapping[str, Plant] | None = None,
    feed: OpenFeed = no_broker,
    **settings: object,
) -> Iterator[tuple[TestClient, Parts]]:
    """Hold a running application, its client and its parts; who asks is given, else whoever the settings make it."""
    with opened(store.uri, index, plants, **settings) as parts:
        parts.principal = principal or parts.principal
        with TestClient(build(parts, feed), base_url="http://127.0.0.1:8600") as client:
            yield client, parts


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    """Return status, rule and field of a problem document that is whole."""
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    assert problem["ko"]
    assert problem["en"]
    return response.status_code, problem["rule"], problem["field"]
