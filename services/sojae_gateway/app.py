"""The composition root of the gateway: builds the application, binds its port, serves until told to stop."""

import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import FrameType

import uvicorn
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from prometheus_client import CollectorRegistry

from sojae.domain.errors import ServiceError, SettingsError
from sojae.settings import read
from sojae.surroundings import Surroundings
from sojae.telemetry import HealthServer
from sojae_gateway import openapi, problems
from sojae_gateway.agent import running
from sojae_gateway.parts import Parts, open_parts
from sojae_gateway.routes import answers, asking, health, models, rows, templates
from sojae_gateway.settings import GatewaySettings

log = logging.getLogger(__name__)

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
ROUTES = [*health.HANDLERS, *templates.HANDLERS, *models.HANDLERS, *answers.HANDLERS, *rows.HANDLERS]
GRACE_SECONDS = 4
KEEP_ALIVE_SECONDS = 30
BACKLOG = 512


def build(parts: Parts, started: Callable[[], None] = lambda: None) -> Litestar:
    """Return the application over open parts; its tasks run as long as it does. `started` is called when they do."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with running(parts):
            started()
            yield

    app = Litestar(
        ROUTES,
        state=State({"parts": parts}),
        dependencies={
            "parts": Provide(asking.provide_parts),
            "principal": Provide(asking.provide_principal),
            "reads": Provide(asking.provide_reads),
            "page": Provide(asking.provide_page),
        },
        guards=[asking.local_host, asking.known_parameters],
        before_send=[asking.finish],
        exception_handlers=problems.HANDLERS,
        lifespan=[lifespan],
        openapi_config=openapi.configuration(version("sojae")),
        request_max_body_size=parts.settings.max_body_bytes,
        logging_config=None,
    )
    answers.repair_raw_routes(app)
    return app


def serve(around: Surroundings) -> None:
    """Answer requests until SIGTERM or SIGINT; raises SojaeError when it cannot begin."""
    settings = read(GatewaySettings)
    # uvicorn, once it has stopped, raises the signal again for whoever had it before: then the parts are closed, here.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _end)
    registry = CollectorRegistry()
    with (
        bind(settings) as listener,
        open_parts(settings, around.store_uri, around.home.index, around.templates, registry) as parts,
        HealthServer(registry, parts.ready, around.telemetry.port),
    ):
        host, port = listener.getsockname()[:2]
        config = uvicorn.Config(
            build(parts, started=_settle),
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        log.info("answering on http://%s:%d", host, port)
        uvicorn.Server(config).run(sockets=[listener])


def bind(settings: GatewaySettings) -> socket.socket:
    """Return the socket that will be listened on; raises SettingsError for a host of the network, ServiceError when the port is taken."""
    if settings.host not in LOCAL:
        raise SettingsError(
            en=f"SOJAE_GATEWAY__HOST={settings.host}: without API keys the gateway serves this machine only; unset it, or set 127.0.0.1",
            ko=f"SOJAE_GATEWAY__HOST={settings.host}: API 키가 없는 동안 게이트웨이는 이 컴퓨터에서만 씁니다. 지우거나 127.0.0.1로 하십시오",
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        # Listening now settles at once whose port it is: two that have only bound it would both go on.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _taken(settings, error) from error
    listener.setblocking(False)
    return listener


def _taken(settings: GatewaySettings, error: OSError) -> ServiceError:
    why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({os.strerror(error.errno or 0)})"
    why_ko = (
        "다른 것이 사용 중입니다"
        if error.errno == errno.EADDRINUSE
        else f"쓸 수 없습니다({os.strerror(error.errno or 0)})"
    )
    return ServiceError(
        en=f"port {settings.port} of {settings.host} {why}: stop what uses it, or set SOJAE_GATEWAY__PORT to another one",
        ko=f"{settings.host}의 {settings.port}번 포트: {why_ko}. 사용 중인 것을 멈추거나 SOJAE_GATEWAY__PORT를 바꾸십시오",
    )


def _end(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _settle() -> None:
    """Tell the collector that what is loaded by now lives as long as the process."""
    gc.collect()
    gc.freeze()
