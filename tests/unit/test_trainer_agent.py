"""When a project is trained, what ends on the shelf, and what happens when there is nothing to train on."""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from deltalake import write_deltalake
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from sojae.adapters.shelf import ModelShelf, open_store
from sojae.adapters.template_files import load_templates
from sojae.cli.running import with_sentence
from sojae.domain.errors import ModelError, StoreError, UserInputError
from sojae.home import Home
from sojae_trainer.agent import TrainerAgent
from sojae_trainer.commands import train as train_command
from sojae_trainer.grouping import HoldoutRequest
from sojae_trainer.job import Workshop
from sojae_trainer.materials import DeltaMaterials, View
from sojae_trainer.metrics import TrainerMetrics
from sojae_trainer.schedule import Pace, Schedule
from tests.unit.trainer_law import PROJECT, alloys

PACE = Pace(quiet_seconds=5.0, patience_seconds=15.0, growth=0.2)
BOOK = load_templates()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class FakeMaterials:
    """Views in memory; tests are told of every look at `events` and of every reading of a view, in the caller's thread."""

    def __init__(self, frames: Mapping[str, pl.DataFrame], version: int | None = 1) -> None:
        self.frames, self.version = dict(frames), version
        self.looks = 0
        self.on_look: Callable[[int], None] = lambda _count: None
        self.on_view: Callable[[], None] = lambda: None

    def events_version(self) -> int | None:
        self.looks += 1
        self.on_look(self.looks)
        return self.version

    def records(self, project: str) -> int:
        return self.frames[project].height if project in self.frames else 0

    def view(self, project: str) -> View | None:
        self.on_view()
        return View(self.frames[project], 1) if project in self.frames else None


def workshop(materials: FakeMaterials, shelf: ModelShelf | None = None) -> Workshop:
    return Workshop(
        materials=materials,
        shelf=shelf or ModelShelf(MemoryStore()),
        book=lambda: BOOK,
        now=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        designs=2000,
        seed=0,
    )


def agent(one: Workshop, clock: Clock, registry: CollectorRegistry | None = None) -> TrainerAgent:
    metrics = TrainerMetrics(registry or CollectorRegistry())
    return TrainerAgent(one, Schedule(PACE), metrics, poll_seconds=0.01, clock=clock)


def stop_after(materials: FakeMaterials, clock: Clock, looks: int) -> asyncio.Event:
    """Return an event that is set at so many looks at `events`; the clock goes on by 100 s at each."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_look(count: int) -> None:
        clock.now = 100.0 * count
        if count >= looks:
            loop.call_soon_threadsafe(stop.set)

    materials.on_look = on_look
    return stop


def schedule(*, version: int = 1) -> Schedule:
    one = Schedule(PACE)
    one.heard(version, 0.0)
    return one


def test_first_training_needs_40_records() -> None:
    """39 are too few, 40 are enough."""
    one = schedule()
    one.counted("alloy", 39, 0.0)
    assert one.next(100.0) is None
    one.counted("alloy", 40, 100.0)
    assert one.next(100.0) == "alloy"


def test_training_waits_for_silence() -> None:
    """As long as something came within the last 5 s, it may be half of something."""
    one = schedule()
    one.counted("alloy", 40, 1.0)
    assert one.next(4.9) is None
    assert one.next(5.0) == "alloy"


def test_new_version_restarts_the_silence() -> None:
    """The same version of `events` is silence, another one is not."""
    one = schedule()
    one.counted("alloy", 40, 1.0)
    assert not one.heard(1, 4.0)
    assert one.heard(2, 4.5)
    assert one.next(9.0) is None
    assert one.next(9.5) == "alloy"


def test_patience_ends_the_wait() -> None:
    """Where events never stop, training begins 15 s after the project became due."""
    one = schedule()
    for second in range(40):
        one.heard(second + 2, float(second))
        one.counted("alloy", 40 + second, float(second))
        if one.next(float(second)) is not None:
            break
    assert second == 15


def test_next_training_needs_a_fifth_more() -> None:
    """After training on 100 records, 119 are not enough and 120 are."""
    one = schedule()
    one.trained("alloy", 100)
    one.counted("alloy", 119, 50.0)
    assert one.next(100.0) is None
    one.counted("alloy", 120, 100.0)
    assert one.next(100.0) == "alloy"


def test_who_waited_longest_is_trained_first() -> None:
    """Projects take turns by the time at which they became due."""
    one = schedule()
    one.counted("b", 40, 10.0)
    one.counted("a", 40, 20.0)
    assert one.next(30.0) == "b"
    one.trained("b", 40)
    assert one.next(30.0) == "a"


async def test_due_project_comes_onto_the_shelf() -> None:
    """One step trains what is due; the next one finds nothing to do."""
    clock, one = Clock(), workshop(FakeMaterials({PROJECT: alloys(45, 1)}))
    worker = agent(one, clock)
    assert await worker.step(asyncio.Event()) is None
    clock.now = 6.0
    published = await worker.step(asyncio.Event())
    assert published is not None
    assert one.shelf.latest(PROJECT) == published.manifest.version == "000001"
    clock.now = 60.0
    assert await worker.step(asyncio.Event()) is None


async def test_nothing_is_trained_without_a_store() -> None:
    """Before there is a table `events`, there is nothing to look at."""
    clock, one = Clock(), workshop(FakeMaterials({PROJECT: alloys(45, 1)}, version=None))
    clock.now = 100.0
    assert await agent(one, clock).step(asyncio.Event()) is None


async def test_restart_remembers_what_was_trained() -> None:
    """A new process finds on the shelf on how many records a project was trained, and waits for a fifth more."""
    materials, clock = FakeMaterials({PROJECT: alloys(45, 1)}), Clock()
    one = workshop(materials)
    one.train(PROJECT)
    stop = stop_after(materials, clock, looks=3)
    await agent(one, clock).run(stop)
    assert one.shelf.versions(PROJECT) == ["000001"]


async def test_failed_training_is_counted_and_not_repeated() -> None:
    """Where nothing can be learnt, the process goes on and tries again only when a fifth more has come."""
    frame = alloys(45, 1).with_columns(property__yield_strength=1.0, property__hardness_vickers=1.0)
    clock, registry = Clock(), CollectorRegistry()
    worker = agent(workshop(FakeMaterials({PROJECT: frame})), clock, registry)
    await worker.step(asyncio.Event())
    for clock.now in (10.0, 20.0):
        assert await worker.step(asyncio.Event()) is None
    assert registry.get_sample_value("sojae_trainings_failed_total") == 1.0


async def test_unexpected_failure_does_not_end_the_process() -> None:
    """Data that nobody thought of is logged and counted; the process goes on."""

    def fail() -> None:
        raise ZeroDivisionError

    materials, clock, registry = FakeMaterials({PROJECT: alloys(45, 1)}), Clock(), CollectorRegistry()
    materials.on_view = fail
    clock.now = 10.0
    worker = agent(workshop(materials), clock, registry)
    await worker.step(asyncio.Event())
    clock.now = 20.0
    assert await worker.step(asyncio.Event()) is None
    assert registry.get_sample_value("sojae_trainings_failed_total") == 1.0


async def test_stop_does_not_wait_for_a_training() -> None:
    """A training under way is left when the process is told to stop; nothing stands on the shelf."""
    materials, clock, stop, freed = FakeMaterials({PROJECT: alloys(45, 1)}), Clock(), asyncio.Event(), threading.Event()
    loop, one = asyncio.get_running_loop(), workshop(materials)

    def stop_and_hang() -> None:
        loop.call_soon_threadsafe(stop.set)
        freed.wait(30)
        materials.frames.clear()

    materials.on_view = stop_and_hang
    materials.on_look = lambda count: setattr(clock, "now", 10.0 * count)
    await asyncio.wait_for(agent(one, clock).run(stop), 5.0)
    assert one.shelf.latest(PROJECT) is None
    freed.set()


async def test_broken_store_is_looked_at_again() -> None:
    """A store that cannot be read for a while does not end the process; it is ready once it could look."""
    materials, clock = FakeMaterials({}), Clock()
    worker, ready = agent(workshop(materials), clock), []
    stop = stop_after(materials, clock, looks=4)
    count_and_stop = materials.on_look

    def break_twice(count: int) -> None:
        count_and_stop(count)
        ready.append(worker.ready)
        if count <= 2:
            raise StoreError(en="broken", ko="고장")

    materials.on_look = break_twice
    await worker.run(stop)
    assert ready == [False, False, False, True]


def test_unknown_project_is_refused() -> None:
    """The sentence lists the projects that there are."""
    with pytest.raises(UserInputError, match=r"unknown project 'alloys'; known are .*high_entropy_alloy"):
        workshop(FakeMaterials({})).train("alloys")


def test_project_without_records_is_a_model_error() -> None:
    """The sentence says what to do."""
    with pytest.raises(ModelError, match="no property records yet"):
        workshop(FakeMaterials({})).train(PROJECT)
    with pytest.raises(ModelError, match="no project has 40"):
        workshop(FakeMaterials({PROJECT: alloys(10, 1)})).trainable()


def test_holdout_reaches_the_manifest() -> None:
    """What was asked for on the command line is what the manifest says."""
    published = workshop(FakeMaterials({PROJECT: alloys(60, 1)})).train(PROJECT, HoldoutRequest(0.2, "row", 3))
    holdout = published.manifest.holdout
    assert holdout is not None
    assert (holdout.by, holdout.share, holdout.seed, len(holdout.records)) == ("row", 0.2, 3, 12)


def test_views_are_read_from_delta(tmp_path: Path) -> None:
    """Counts and rows come from the table as it is now; what is not there yet is nothing."""
    store = DeltaMaterials(str(tmp_path))
    assert (store.events_version(), store.records(PROJECT), store.view(PROJECT)) == (None, 0, None)
    write_deltalake(str(tmp_path / "events"), alloys(3, 1).select("record_id").to_arrow())
    write_deltalake(str(tmp_path / "materials" / PROJECT), alloys(41, 1).to_arrow())
    assert (store.events_version(), store.records(PROJECT)) == (0, 41)
    write_deltalake(str(tmp_path / "materials" / PROJECT), alloys(50, 1).to_arrow(), mode="overwrite")
    view = store.view(PROJECT)
    assert view is not None
    assert (store.records(PROJECT), view.frame.height, view.version) == (50, 50, 1)


def test_command_trains_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sojae train --once` puts a version on the shelf of the store and prints its card in five lines."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SOJAE_TRAINER__DESIGNS", "2000")
    store = Home(tmp_path / "home").prepare().store
    write_deltalake(str(store / "materials" / PROJECT), alloys(80, 1).to_arrow())
    result = CliRunner().invoke(train_command, ["--once", "--holdout", "0.2", "--holdout-by", "raw.raw_lot"])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{PROJECT} 000001\n")
    assert len(result.stdout.splitlines()) == 6
    manifest = ModelShelf(open_store(store)).load(PROJECT, "000001").manifest
    assert manifest.holdout is not None
    assert manifest.holdout.by == "raw.raw_lot"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--project", "x"], 2, "need --once"),
        (["--once", "--project", "nothing"], 2, "unknown project"),
        (["--once"], 1, "no project has 40"),
    ],
)
def test_command_says_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    """One sentence on stderr and an exit code, never a stack trace."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    with pytest.raises(SystemExit) as ended:
        with_sentence(lambda: train_command.main(arguments, standalone_mode=False))
    assert ended.value.code == code
    assert sentence in capsys.readouterr().err
