"""How the monitor runs and ends: with a last checkpoint when asked to, and with an error whenever a part of it ends."""

import asyncio
from types import SimpleNamespace

import pytest

from sojae.domain.errors import BrokerError, ServiceError
from sojae_monitor.running import run
from sojae_monitor.scores import Scores
from sojae_monitor.scoring import Scoring
from tests.builders import book


class App:
    """A Faust app that runs until it is stopped, or crashes."""

    def __init__(self, crash: BaseException | None = None) -> None:
        self.crash_reason = crash
        self.stopped = False

    async def start(self) -> None:
        """Start at once."""

    async def wait_until_stopped(self) -> None:
        if self.crash_reason is None:
            await asyncio.Event().wait()

    async def stop(self) -> None:
        self.stopped = True


class Agent:
    """Counts checkpoints; never fails."""

    kept = 0

    async def keep_on(self, every_seconds: float, over: asyncio.Event) -> None:
        await over.wait()
        self.kept += 1

    async def failed(self) -> None:
        await asyncio.Event().wait()


async def play(app: App, agent: Agent, *beside: object, stop: asyncio.Event | None = None) -> None:
    await run(app, agent, beside, 0.5, stop or asyncio.Event())  # type: ignore[arg-type]


async def test_a_stop_keeps_a_last_checkpoint_and_stops_faust() -> None:
    """In this order, and without an error."""
    app, agent, stop = App(), Agent(), asyncio.Event()
    stop.set()
    await play(app, agent, stop=stop)
    assert (agent.kept, app.stopped) == (1, True)


async def test_a_crash_of_faust_ends_the_worker_without_a_checkpoint() -> None:
    """With Faust's reason."""
    app, agent = App(OSError("away")), Agent()
    with pytest.raises(OSError, match="away"):
        await play(app, agent)
    assert (agent.kept, app.stopped) == (0, True)


async def test_an_error_beside_faust_ends_the_worker() -> None:
    """As it is."""

    async def failing() -> None:
        raise BrokerError(en="gone", ko="없음")

    with pytest.raises(BrokerError):
        await play(App(), Agent(), failing())


async def test_a_part_that_ends_by_itself_is_an_error() -> None:
    """A worker that does half of its work must not look well."""

    async def ending() -> None:
        return None

    with pytest.raises(ServiceError, match="by itself"):
        await play(App(), Agent(), ending())


async def test_scoring_goes_on_though_no_plant_forecasts() -> None:
    """A plant without a forecast is followed all the same."""
    scoring = Scoring(Scores({}), {}, "nowhere", book)
    running = asyncio.create_task(scoring.run(SimpleNamespace(), SimpleNamespace(), 0.0))  # type: ignore[arg-type]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
