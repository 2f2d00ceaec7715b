"""Keeps a set of processes alive: starts them in the order of readiness, again when they die, and stops them in order."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from sojae.domain.errors import ServiceError
from sojae.domain.text import Text
from sojae.home import Home, ProcessInfo
from sojae.lifeline import Lifeline
from sojae_local.child import Child
from sojae_local.running_broker import Report
from sojae_local.services import Service

RESTARTS_PER_MINUTE = 5
WINDOW_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.25
STOP_SECONDS = 9.5
_RESERVE_SECONDS = 0.25
_WRONG_INPUT = 2
"""The exit code of an error that only a person can put right: starting again would not help."""


class Supervisor:
    """Runs services as processes. `environment` is theirs and may change between starts.

    `on_ready(name)` is called when a service has become ready, before those that wait for it start; `on_change` when a
    process was started. What they raise ends the run.
    """

    def __init__(
        self,
        services: Sequence[Service],
        home: Home,
        environment: dict[str, str],
        *,
        report: Report,
        on_ready: Callable[[str], None] = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.environment = environment
        self._services = services
        self._home = home
        self._report = report
        self._on_ready = on_ready
        self._on_change = on_change
        self._lifeline = Lifeline()
        self._children: dict[str, Child] = {}
        self._ready = {service.name: asyncio.Event() for service in services}

    @property
    def processes(self) -> dict[str, ProcessInfo]:
        """Return the processes started last, by name."""
        return {name: ProcessInfo(child.pid, child.telemetry_port) for name, child in self._children.items()}

    async def all_ready(self) -> None:
        """Return once every service has been ready."""
        for event in self._ready.values():
            await event.wait()

    async def keep_until(self, done: Awaitable[int]) -> int:
        """Return what `done` returns, keeping all services alive until then; at the end, however it comes, all are gone.

        Raises ServiceError with the last line of the culprit when a service died more than five times in a minute or
        ended because of wrong input.
        """
        finish = asyncio.ensure_future(done)
        keepers = [asyncio.create_task(self._keep(service)) for service in self._services]
        try:
            await asyncio.wait([finish, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for keeper in keepers:
                if keeper.done():
                    keeper.result()  # raises: a keeper ends in no other way
            return finish.result()
        finally:
            for task in (finish, *keepers):
                task.cancel()
            await asyncio.gather(finish, *keepers, return_exceptions=True)
            try:
                await self._stop_all()
            finally:
                self.kill_all()
                self._lifeline.close()

    def kill_all(self) -> None:
        """End every process at once."""
        for child in self._children.values():
            child.kill()

    async def _keep(self, service: Service) -> None:
        for name in service.depends:
            await self._ready[name].wait()
        deaths: deque[float] = deque()
        while True:
            child = self._start(service)
            was_ready = await child.became_ready()
            if was_ready:
                self._on_ready(service.name)
                self._ready[service.name].set()
                await child.ended()
            code = child.exit_code
            child.kill()
            deaths.append(time.monotonic())
            while deaths[0] < deaths[-1] - WINDOW_SECONDS:
                deaths.popleft()
            if code == _WRONG_INPUT or len(deaths) > RESTARTS_PER_MINUTE:
                raise _given_up(child, code, len(deaths))
            pause = FIRST_PAUSE_SECONDS * 2 ** (len(deaths) - 1)
            self._report(_restarting(child, code, pause))
            await asyncio.sleep(pause)

    def _start(self, service: Service) -> Child:
        child = self._children[service.name] = Child(service, self._home.logs, self.environment, self._lifeline)
        self._on_change()
        return child

    async def _stop_all(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        children = [self._children[s.name] for s in reversed(self._services) if s.name in self._children]
        for position, child in enumerate(children, start=1):
            left = deadline - time.monotonic() - _RESERVE_SECONDS * (len(children) - position)
            if not await child.stop(max(_RESERVE_SECONDS, min(child.service.stop_seconds, left))):
                self._report(_killed(child))


def _how(code: int | None) -> Text:
    if code is None:
        return Text(en="was not ready in time", ko="제때 준비되지 않았습니다")
    if code < 0:
        return Text(en=f"was ended by signal {-code}", ko=f"신호 {-code}(으)로 종료되었습니다")
    return Text(en=f"ended with exit code {code}", ko=f"종료 코드 {code}(으)로 끝났습니다")


def _restarting(child: Child, code: int | None, pause_seconds: float) -> Text:
    name, how = child.service.name, _how(code)
    return Text(
        en=f"{name} {how.en}; it is started again in {pause_seconds:g} s (log: {child.log.path})",
        ko=f"{name}: {how.ko}. {pause_seconds:g}초 뒤에 다시 시작합니다(로그: {child.log.path})",
    )


def _given_up(child: Child, code: int | None, deaths: int) -> ServiceError:
    name, how, line = child.service.name, _how(code), child.log.last_line() or "-"
    return ServiceError(
        en=f"{name} {how.en} ({deaths} in a minute), so everything stops. Its last line: {line} (log: {child.log.path})",
        ko=f"{name}: {how.ko}(1분에 {deaths}번). 모두 멈춥니다. 마지막 로그: {line} (로그: {child.log.path})",
    )


def _killed(child: Child) -> Text:
    name = child.service.name
    return Text(
        en=f"{name} did not end in time and was killed (log: {child.log.path})",
        ko=f"{name}이(가) 제때 끝나지 않아 강제로 종료했습니다(로그: {child.log.path})",
    )
