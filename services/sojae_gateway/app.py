"""The composition root of the gateway: builds the application, binds its port, serves until told to stop."""

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import FrameType

import uvicorn
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from prometheus_client import CollectorRegistry

from sojae.adapters.plant_feed import KafkaPlantFeed
from sojae.adapters.plant_files import load_plants
from sojae.domain.errors import ServiceError, SettingsError
from sojae.domain.plant import Plant
from sojae.ports import PlantFeed
from sojae.settings import PlantsSettings, read
from sojae.surroundings import Surroundings
from sojae.telemetry import HealthServer
from sojae_gateway import openapi, problems
from sojae_gateway.agent import running
from sojae_gateway.parts import Parts, Sources, open_parts
from sojae_gateway.plant_follower import OpenFeed
from sojae_gateway.plant_messages import topics_of
from sojae_gateway.routes import answers, artefacts, asking, health, models, plants, registry, rows, stream, templates
from sojae_gateway.settings import FollowingSettings, GatewaySettings

log = logging.getLogger(__name__)

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
ROUTES = [
    *health.HANDLERS,
    *templates.HANDLERS,
    *artefacts.HANDLERS,
    *models.HANDLERS,
    *answers.HANDLERS,
    *rows.HANDLERS,
    *plants.HANDLERS,
    *stream.HANDLERS,
    *registry.HANDLERS,
]
GRACE_SECONDS = 4
KEEP_ALIVE_SECONDS = 30
BACKLOG = 512


def build(parts: Parts, open_feed: OpenFeed, started: Callable[[], None] = lambda: None) -> Litestar:
    """Return the application over open parts; its tasks run as long as it does. `started` is called when they do."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with running(parts, open_feed):
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
        guards=[asking.reached_rightly, asking.known_parameters],
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
    settings, following = read(GatewaySettings), read(FollowingSettings)
    folder, book = read(PlantsSettings).path, around.templates
    known = {} if folder is None else load_plants(folder, book())
    sources = Sources(around.store_uri, around.home.index, book, known)
    # uvicorn, once it has stopped, raises the signal again for whoever had it before: then the parts are closed, here.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _end)
    registry = CollectorRegistry()
    with (
        bind(settings) as listener,
        open_parts(settings, following, sources, registry) as parts,
        HealthServer(registry, parts.ready, around.telemetry.port, around.telemetry.host),
    ):
        host, port = listener.getsockname()[:2]
        config = uvicorn.Config(
            build(parts, lambda: _feed(around, known), started=_settle),
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
        if settings.open:
            log.warning("open: whoever reaches %s:%d may ask, and sees what is public; nothing can be sent", host, port)
        _Server(config, parts.streams.close).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends the streams as soon as it is told to stop: it would wait for them."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take note of the loop: a signal comes outside of it."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping)
        super().handle_exit(sig, frame)


def _feed(around: Surroundings, plants: Mapping[str, Plant]) -> PlantFeed:
    """Return what is heard of the plants; raises BrokerError when no broker is known."""
    return KafkaPlantFeed(around.connection(), [topic for plant in plants for topic in topics_of(plant)])


def bind(settings: GatewaySettings) -> socket.socket:
    """Return the socket that will be listened on.

    Raises SettingsError for a host of the network when the gateway is not open, ServiceError when the port is taken.
    """
    if settings.host not in LOCAL and not settings.open:
        raise SettingsError(
            en=f"SOJAE_GATEWAY__HOST={settings.host}: there are no API keys yet, so the gateway serves this machine only; unset it, "
            "or set SOJAE_GATEWAY__OPEN=true to let anybody read what is public",
            ko=f"SOJAE_GATEWAY__HOST={settings.host}: 아직 API 키가 없어 게이트웨이는 이 컴퓨터에서만 씁니다. 지우거나, 누구나 공개 "
            "자료를 읽게 하려면 SOJAE_GATEWAY__OPEN=true로 하십시오",
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
