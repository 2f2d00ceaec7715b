"""`sojae up`: everything on one machine, from the broker to the gateway, until the tour is over or somebody stops it."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from pydantic import Field
from pydantic_settings import BaseSettings

from sojae.domain.errors import BrokerError, ServiceError, StateError
from sojae.domain.text import Text
from sojae.home import HOME_VARIABLE, Home, ProcessInfo, RunInfo, is_alive
from sojae.settings import KafkaSettings, group
from sojae_local.endpoint import Endpoint
from sojae_local.free_ports import LOOPBACK, is_free
from sojae_local.jars import Progress
from sojae_local.running_broker import Report, describe, given_endpoint, kafka_parts, mock_warning
from sojae_local.services import BROKER, SERVICES, Service, broker_service
from sojae_local.supervisor import Supervisor

INTERRUPTED = 130
LEFTOVERS_SECONDS = 10.0


class GatewayAddress(BaseSettings):
    """What the launcher of the gateway must know of it."""

    model_config = group("SOJAE_GATEWAY__")

    port: int = Field(8600, ge=1, le=65535, description="Port of the gateway on 127.0.0.1.")
    open: bool = Field(
        False, description="Whether it shows what is public only: then there is nothing to walk through."
    )


@dataclass(frozen=True, slots=True)
class Running:
    """What a tour is shown: the home, what runs in it, and where to say what happens."""

    home: Home
    run: RunInfo
    report: Report


Tour = Callable[[Running], Awaitable[int]]
"""Walks through the running system and returns the exit code: 0, or 1 when something was not as it must be."""


async def show_address(running: Running) -> int:
    """Say where the gateway answers: the shortest tour."""
    url = running.run.gateway_url
    running.report(
        Text(en=f"everything runs: {url} (Ctrl-C stops it)", ko=f"모두 실행 중입니다: {url} (Ctrl-C로 종료)")
    )
    return 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: the broker given by setting, if any, the other services, the plants, and the tour to take through them."""

    kafka: KafkaSettings
    gateway_port: int
    services: Sequence[Service] = SERVICES
    plants: Path | None = None
    tour: Tour = show_address
    tour_only: bool = False


def up(home: Home, plan: Plan, report: Report, progress: Progress | None = None) -> int:
    """Run all services in `home` and return the exit code: that of the tour, or 130 when a stop left something undone.

    With `tour_only` everything ends after the tour, else on Ctrl-C or SIGTERM, within 10 s; a second Ctrl-C kills at
    once. Raises StateError when the home is broken or in use, BrokerError when the given broker does not answer, and
    ServiceError when the gateway's port is taken or a service died too often.
    """
    with home.prepare().locked("up"):
        _refuse_other_broker(home)
        _wait_for_leftovers(home)
        if not is_free(plan.gateway_port):
            raise _port_taken(plan.gateway_port)
        endpoint = given_endpoint(plan.kafka)
        mock = endpoint is None and _must_be_mock(report, progress)
        try:
            return asyncio.run(_Session(home, plan, report, endpoint, mock=mock).run())
        finally:
            home.clear_run()


class _Session:
    """One run of everything: keeps run.json true, takes the tour, and turns signals into a stop."""

    def __init__(self, home: Home, plan: Plan, report: Report, given: Endpoint | None, *, mock: bool) -> None:
        self._home = home
        self._plan = plan
        self._report = report
        self._endpoint_file = home.kafka / "endpoint.json"
        self._stop = asyncio.Event()
        self._killed = False
        self._run: RunInfo | None = None
        self._supervisor = Supervisor(
            _started_services(plan, broker_service(self._endpoint_file, mock=mock), given),
            home,
            _environment(home, plan),
            report=report,
            on_ready=self._became_ready,
            on_change=self._write_run,
        )
        if given is not None:
            self._use(given)

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signum != signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:  # nohup stays nohup
                loop.add_signal_handler(signum, self._interrupt)
        code = await self._supervisor.keep_until(self._until_stopped())
        return INTERRUPTED if self._killed else code

    def _interrupt(self) -> None:
        if self._stop.is_set():
            self._killed = True
            self._supervisor.kill_all()
            return
        self._stop.set()
        self._report(Text(en="stopping (again: at once)", ko="종료하는 중입니다(한 번 더 누르면 즉시 종료)"))

    async def _until_stopped(self) -> int:
        stop = asyncio.create_task(self._stop.wait())
        toured = asyncio.create_task(self._take_tour())
        await asyncio.wait([stop, toured], return_when=asyncio.FIRST_COMPLETED)
        if toured.done():
            code = toured.result()
            if self._plan.tour_only:
                return code
            await stop
            return code
        toured.cancel()
        await asyncio.gather(toured, return_exceptions=True)
        return INTERRUPTED if self._plan.tour_only else 0

    async def _take_tour(self) -> int:
        await self._supervisor.all_ready()
        assert self._run is not None  # the broker is one of the services, or was given
        return await self._plan.tour(Running(self._home, self._run, self._report))

    def _became_ready(self, name: str) -> None:
        if name == BROKER:
            self._use(msgspec.json.decode(self._endpoint_file.read_bytes(), type=Endpoint))
        else:
            self._report(Text(en=f"{name} is ready", ko=f"{name} 준비 완료"))

    def _use(self, endpoint: Endpoint) -> None:
        if self._run is not None:
            if (self._run.run_id, self._run.bootstrap_servers) != (endpoint.run_id, endpoint.bootstrap_servers):
                raise _broker_changed(endpoint)
            return
        self._supervisor.environment["SOJAE_KAFKA__BOOTSTRAP_SERVERS"] = endpoint.bootstrap_servers
        self._run = RunInfo(
            launcher="up",
            run_id=endpoint.run_id,
            broker=endpoint.kind,
            bootstrap_servers=endpoint.bootstrap_servers,
            started_at=datetime.now(UTC),
            gateway_url=f"http://{LOOPBACK}:{self._plan.gateway_port}",
        )
        self._report(describe(endpoint))
        self._write_run()

    def _write_run(self) -> None:
        if self._run is not None:
            own = {"up": ProcessInfo(os.getpid())}
            self._run = msgspec.structs.replace(self._run, processes=own | self._supervisor.processes)
            self._home.write_run(self._run)


def _started_services(plan: Plan, broker: Service, given: Endpoint | None) -> list[Service]:
    if given is None:
        return [broker, *plan.services]
    return [replace(service, depends=service.depends - {BROKER}) for service in plan.services]


def _environment(home: Home, plan: Plan) -> dict[str, str]:
    plants = {} if plan.plants is None else {"SOJAE_PLANTS__PATH": str(plan.plants.absolute())}
    return {**os.environ, HOME_VARIABLE: str(home.path), "SOJAE_GATEWAY__PORT": str(plan.gateway_port), **plants}


def _must_be_mock(report: Report, progress: Progress | None) -> bool:
    # The jars are fetched here, in the foreground, where a person sees it, and not by the broker's process.
    try:
        kafka_parts(progress)
    except BrokerError as exc:
        report(mock_warning(exc.text))
        return True
    return False


def _refuse_other_broker(home: Home) -> None:
    run = home.live_run()
    if run is not None and run.launcher == "broker":
        raise StateError(
            en=f"`sojae broker` runs in {home.path}. Stop it, or use it: set SOJAE_KAFKA__BOOTSTRAP_SERVERS="
            f"{run.bootstrap_servers} and {HOME_VARIABLE} to another folder.",
            ko=f"`sojae broker`가 {home.path}에서 실행 중입니다. 멈추거나, SOJAE_KAFKA__BOOTSTRAP_SERVERS="
            f"{run.bootstrap_servers}(으)로 그것을 쓰고 {HOME_VARIABLE}을(를) 다른 폴더로 지정하십시오.",
        )


def _wait_for_leftovers(home: Home) -> None:
    # A run.json that its launcher could not remove: its processes are ending by themselves, within seconds.
    try:
        run = home.read_run()
    except StateError:
        home.clear_run()  # damaged, and we hold the lock: whoever wrote it is gone
        run = None
    deadline = time.monotonic() + LEFTOVERS_SECONDS
    pids = [] if run is None else [process.pid for process in run.processes.values()]
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)


def _port_taken(port: int) -> ServiceError:
    return ServiceError(
        en=f"Port {port} of {LOOPBACK}, where the gateway is to answer, is taken. Set SOJAE_GATEWAY__PORT to a free "
        "one, or stop the program that listens there.",
        ko=f"게이트웨이가 쓸 {LOOPBACK}의 포트 {port}을(를) 다른 프로그램이 쓰고 있습니다. SOJAE_GATEWAY__PORT에 비어 있는 "
        "포트를 지정하거나 그 프로그램을 멈추십시오.",
    )


def _broker_changed(endpoint: Endpoint) -> BrokerError:
    return BrokerError(
        en=f"The broker ended and came back as another one (at {endpoint.bootstrap_servers}), so everything stops: "
        "start again.",
        ko=f"브로커가 끝났다가 다른 브로커({endpoint.bootstrap_servers})로 다시 시작되어 모두 멈춥니다. 다시 시작하십시오.",
    )
