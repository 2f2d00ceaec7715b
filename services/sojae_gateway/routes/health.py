"""Health and metrics on the gateway's own port."""

import msgspec
from litestar import MediaType, Response, get
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sojae_gateway.problems import NOT_READY, OK
from sojae_gateway.routes.asking import TheParts


class Health(msgspec.Struct, frozen=True):
    """How the process is: live, ready or not ready."""

    status: str


@get("/health/live", tags=["health"], sync_to_thread=False)
def live() -> Health:
    """Answer as long as the process does."""
    return Health("live")


@get("/health/ready", tags=["health"], sync_to_thread=False)
def ready(parts: TheParts) -> Response[Health]:
    """Answer 200 when row reads answer and are not old, else 503; whether there is a model does not matter."""
    good = parts.ready()
    return Response(Health("ready" if good else "not ready"), status_code=OK if good else NOT_READY)


TEXT_FORMAT = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
"""Litestar says the charset of every text itself."""


@get("/metrics", tags=["health"], media_type=MediaType.TEXT, sync_to_thread=False)
def metrics(parts: TheParts) -> Response[bytes]:
    """Return the metrics of this process in Prometheus's text format."""
    return Response(generate_latest(parts.metrics.registry), media_type=TEXT_FORMAT)


HANDLERS = [live, ready, metrics]
