"""The tasks that follow `events`: what they do when a step fails, and what the process says of it."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from sojae.adapters.derived_table import OtherFollower
from sojae.domain.errors import BrokerError, CommitRefused, StoreError
from sojae.ports import Position
from sojae_ingest import followers as module
from sojae_ingest.followers import OutcomesFollower, RecordsAndMaterials, Watch, follow
from sojae_ingest.ledger_table import LedgerTable
from sojae_ingest.materials_table import MaterialsViews
from sojae_ingest.metrics import IngestMetrics
from sojae_ingest.outcome_sender import OutcomeSender
from sojae_ingest.records import RecordsFollower
from sojae_ingest.sequence_alarm import SequenceAlarm
from tests.builders import NOW, events, header
from tests.fakes import FakeClock, FakeEventsTable

REFUSED = {"en": "refused", "ko": "거부"}


class Follower:
    """Raises what it was given, one by one, then does its work and asks to stop."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.steps, self.stop = list(errors), 0, asyncio.Event()

    async def step(self) -> None:
        self.steps += 1
        if self.errors:
            raise self.errors.pop(0)
        self.stop.set()


def watch(now: Callable[[], float] = lambda: 0.0) -> tuple[Watch, CollectorRegistry]:
    registry = CollectorRegistry()
    return Watch(IngestMetrics(registry), now), registry


@pytest.mark.parametrize(
    "error",
    [TimeoutError(), ValueError("x"), FileNotFoundError("x"), StoreError(**REFUSED)],
    ids=lambda e: type(e).__name__,
)
async def test_whatever_a_step_raises_it_is_tried_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, after a pause; ingestion, which runs beside it, goes on."""
    monkeypatch.setattr(module, "FAILED_SECONDS", 0.0)
    one, (watching, registry) = Follower(error, error), watch()
    await asyncio.wait_for(follow("records", one.step, asyncio.Event(), one.stop, watching), 5)
    assert one.steps == 4
    assert registry.get_sample_value("sojae_follower_failures_total", {"follower": "records"}) == 2


async def test_a_table_that_changed_otherwise_is_no_reason_to_stand_back() -> None:
    """The care of the tables moves them too: the same step is taken at once."""
    one, (watching, _) = Follower(CommitRefused(**REFUSED)), watch()
    await asyncio.wait_for(follow("outcomes", one.step, asyncio.Event(), one.stop, watching), 5)
    assert (one.steps, watching.ready()) == (3, True)


async def test_the_loser_of_a_race_stands_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The winner does the work meanwhile."""
    waited: list[float] = []

    async def note(_wake: asyncio.Event, _stop: asyncio.Event, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(module, "_either", note)
    one, (watching, _) = Follower(OtherFollower(**REFUSED)), watch()
    await follow("records", one.step, asyncio.Event(), one.stop, watching)
    assert waited == [module.STAND_BACK_SECONDS, module.POLL_SECONDS]


def test_a_process_is_not_ready_while_a_follower_fails_for_long() -> None:
    """More than 30 s since the first failure of a row; the next success ends it."""
    now = [100.0]
    watching, _ = watch(lambda: now[0])
    assert watching.ready()
    watching.failed("records")
    now[0] += 30
    watching.failed("records")
    assert watching.ready()
    now[0] += 1
    watching.went_well("outcomes")
    assert not watching.ready()
    watching.went_well("records")
    assert watching.ready()


async def test_a_damaged_table_is_set_aside_and_the_process_is_not_ready_until_it_is_built_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The step that failed for it is taken again at once after the pause."""
    monkeypatch.setattr(module, "FAILED_SECONDS", 0.0)
    ready: list[bool] = []
    one = Follower(StoreError(**REFUSED))
    watching = Watch(IngestMetrics(CollectorRegistry()), mend=lambda: ["records"])

    async def step() -> None:
        ready.append(watching.ready())
        await one.step()

    await asyncio.wait_for(follow("records", step, asyncio.Event(), one.stop, watching), 5)
    assert ready == [True, False, True]


async def test_a_broker_that_is_away_is_no_reason_to_look_at_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a folder that cannot be moved end anything."""
    monkeypatch.setattr(module, "FAILED_SECONDS", 0.0)
    asked: list[int] = []

    def stuck() -> list[str]:
        asked.append(1)
        raise StoreError(**REFUSED)

    one = Follower(BrokerError(**REFUSED), StoreError(**REFUSED))
    watching = Watch(IngestMetrics(CollectorRegistry()), mend=stuck)
    await asyncio.wait_for(follow("records", one.step, asyncio.Event(), one.stop, watching), 5)
    assert (one.steps, asked, watching.ready()) == (4, [1], True)


class Sender:
    """Keeps what it was to tell."""

    def __init__(self) -> None:
        self.told: list[int] = []

    async def send(self, rows: list[Mapping[str, object]], _version: int) -> None:
        self.told += [cast("int", r["seq"]) for r in rows]


async def test_outcomes_and_ledger_are_rebuilt_when_the_log_was_cleaned_up(tmp_path: Path) -> None:
    """From all rows, in one commit: a ledger that stopped behind the clean-up counts nothing twice."""
    table, ledger, sender = FakeEventsTable(), LedgerTable(str(tmp_path)), Sender()
    watching, _ = watch()
    alarm = SequenceAlarm(watching.metrics, FakeClock(NOW))
    one = OutcomesFollower(table, ledger, cast("OutcomeSender", sender), watching.metrics, alarm)
    for n in range(6):
        table.append(events([header(n)]), [Position("id", 0, n)])
        if n == 1:
            await one.step()
    table.log.oldest = 5
    await one.step()
    assert sorted(set(sender.told)) == [0, 1, 2, 3, 4, 5]
    assert ledger.included() == table.version
    again = LedgerTable(str(tmp_path))
    again.included()
    assert [(a.seen.ranges(), a.counts["accepted"]) for _, a in again._accounts.items()] == [([(0, 5)], 6)]
    await one.step()
    assert len(sender.told) == 8


class Records:
    """Records that are complete, or wait for a template."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.progress = error, 7

    def step(self, _tell: object) -> int:
        if self.error is not None:
            raise self.error
        return 1

    def complete_to(self, _project: str) -> int:
        return self.progress


class Views:
    """Counts refreshes, each of which takes so long."""

    def __init__(self, advance: Callable[[], None]) -> None:
        self.refreshed, self._advance = 0, advance

    def refresh(self, complete_to: Callable[[str], int]) -> int:
        assert complete_to("any") == 7
        assert threading.current_thread() is not threading.main_thread()
        self.refreshed += 1
        self._advance()
        return 0


@pytest.mark.parametrize(("takes", "then", "refreshed"), [(0.1, 1.9, 1), (0.1, 2.1, 2), (5.0, 49.0, 1), (5.0, 51.0, 2)])
async def test_views_are_refreshed_at_most_a_tenth_of_the_time(
    monkeypatch: pytest.MonkeyPatch, takes: float, then: float, refreshed: int
) -> None:
    """And not more often than the setting says."""
    now = [1_000.0]
    monkeypatch.setattr("sojae_ingest.followers.time.monotonic", lambda: now[0])
    views = Views(lambda: now.__setitem__(0, now[0] + takes))
    watching, _ = watch()
    one = _derived(Records(), views, watching)
    await one.step()
    now[0] += then
    await one.step()
    assert views.refreshed == refreshed


async def test_views_are_refreshed_while_a_records_table_waits() -> None:
    """One project's missing template does not stop the others."""
    views = Views(lambda: None)
    watching, _ = watch()
    with pytest.raises(StoreError):
        await _derived(Records(StoreError(**REFUSED)), views, watching).step()
    assert views.refreshed == 1


def _derived(records: Records, views: Views, watching: Watch) -> RecordsAndMaterials:
    return RecordsAndMaterials(
        cast("RecordsFollower", records),
        cast("MaterialsViews", views),
        cast("OutcomeSender", Sender()),
        watching.metrics,
        2.0,
    )
