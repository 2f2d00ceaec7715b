"""Waiting for what became of an import: outcomes first, the store when they stay away."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sojae.adapters.events_table import DeltaEventsTable, events_uri
from sojae.adapters.stored_outcomes import stored_outcomes
from sojae.cli.import_lines import unknown_text
from sojae.cli.import_outcomes import Patience, Waiting
from sojae.cli.import_report import ImportReport, Sent
from sojae.domain.errors import StoreError
from sojae.domain.mapping_findings import ImportEvent
from sojae.ports import Position
from tests.builders import events, header, template

TOPIC = "sojae.events.kims"
PRODUCER = "kims/import/lab"
EPOCH = 1_764_000_000_000
ISSUE = {"rule": "hard_range", "field": "yield_strength", "severity": "hard", "got": "-5", "expected": "≥ 0 MPa"}
Told = Mapping[str, object]


class Clock:
    """Moves on when somebody reads."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Silent:
    """Outcomes that never come, or those of some seconds; each read takes its whole time."""

    def __init__(self, clock: Clock, told: Mapping[int, Sequence[Told]] | None = None) -> None:
        self.clock = clock
        self.told = told or {}

    async def read(self, *, timeout_seconds: float) -> Sequence[Told]:
        self.clock.seconds += timeout_seconds
        await asyncio.sleep(0)
        return [{"outcomes": outcomes} for second, outcomes in self.told.items() if second == self.clock.seconds]


def waiting_report(count: int) -> ImportReport:
    found = ImportReport()
    for offset in range(count):
        found.add(ImportEvent(offset + 2, template(), {}, {}, {"yield_strength": "강도"}), Sent(0, offset))
    return found


def told(offset: int, status: str = "accepted") -> Told:
    return {"topic": TOPIC, "partition": 0, "offset": offset, "status": status, "issues": []}


def wait(report: ImportReport, waiting: Waiting) -> list[int]:
    """Wait, and return how many were heard of each time."""
    heard: list[int] = []
    asyncio.run(waiting.for_all(report, TOPIC, heard.append))
    return heard


def row(offset: int, **given: object) -> dict[str, object]:
    return header(offset, producer=PRODUCER, epoch=EPOCH) | {"topic": TOPIC, "partition": 0, "offset": offset} | given


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with an accepted and a quarantined event of the import, and two of others at the same places."""
    table = DeltaEventsTable(str(tmp_path))
    rows = [
        row(0, producer="kims/import/other"),
        row(0),
        row(1, status="quarantined", issues=[ISSUE]),
        row(2, epoch=EPOCH - 1),
    ]
    table.append(events(rows), [Position("id", 0, 2)])
    return str(tmp_path)


def test_what_outcomes_do_not_tell_the_store_does(store: str) -> None:
    """After ten quiet seconds the store says what became of two of three; the third stays unknown, for ever."""
    report, clock = waiting_report(3), Clock()
    heard = wait(report, Waiting(Silent(clock), lambda: stored_outcomes(store, PRODUCER, EPOCH), now=clock))
    assert heard == [2, 0]
    assert (report.accepted, report.quarantined, len(report.waiting)) == (1, 1, 1)
    assert report.refused[0].why.en.startswith("got -5, expected ≥ 0 MPa; outside what is possible")
    assert clock.seconds == 40


def test_while_outcomes_come_nobody_asks_the_store() -> None:
    """Each outcome begins the quiet time anew."""

    def never() -> Sequence[Told]:
        raise AssertionError("the store was read")

    report, clock = waiting_report(3), Clock()
    silent = Silent(clock, {9: [told(0)], 18: [told(1)], 27: [told(2, "duplicate")]})
    assert wait(report, Waiting(silent, never, now=clock)) == [1, 1, 1]
    assert (report.accepted, report.duplicates) == (2, 1)


def test_a_store_that_cannot_be_read_leaves_them_unknown() -> None:
    """The import says so at its end, with why; it does not say that the store lacks them."""

    def broken() -> Sequence[Told]:
        raise StoreError(en="broken", ko="고장")

    report, clock = waiting_report(1), Clock()
    wait(report, Waiting(Silent(clock), broken, Patience(1, 3), clock))
    assert len(report.waiting) == 1
    said = unknown_text(report)
    assert ("broken" in said.en, "고장" in said.ko) == (True, True)
    assert ("does not hold" in said.en, "없습니다" in said.ko) == (False, False)


def test_a_store_that_can_be_read_again_is_believed() -> None:
    """Only the last look counts."""
    looks: list[int] = []

    def recovering() -> Sequence[Told]:
        looks.append(1)
        if len(looks) == 1:
            raise StoreError(en="broken", ko="고장")
        return []

    report, clock = waiting_report(1), Clock()
    wait(report, Waiting(Silent(clock), recovering, Patience(1, 3), clock))
    assert "the store does not hold them" in unknown_text(report).en


def test_without_a_store_nothing_is_known_and_none_is_made(tmp_path: Path) -> None:
    """Whoever imports from another machine may have none."""
    assert stored_outcomes(str(tmp_path / "store"), PRODUCER, EPOCH) == []
    assert not (tmp_path / "store").exists()


def test_an_event_that_could_not_be_decoded_is_found_by_its_key(tmp_path: Path) -> None:
    """It has no producer in the store."""
    table = DeltaEventsTable(str(tmp_path))
    unread = row(7, producer=None, epoch=None, status="quarantined", message_key=PRODUCER.encode())
    table.append(events([unread]), [Position("id", 0, 7)])
    assert [found["offset"] for found in stored_outcomes(str(tmp_path), PRODUCER, EPOCH)] == [7]


def test_a_broken_table_is_a_store_error(store: str) -> None:
    """Not a library's."""
    for file in Path(events_uri(store)).rglob("*.parquet"):
        file.write_bytes(b"no parquet")
    with pytest.raises(StoreError):
        stored_outcomes(store, PRODUCER, EPOCH)
