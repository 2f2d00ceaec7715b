"""A monitor killed between and inside windows sends, byte for byte, what an uninterrupted one would have sent.

The short form kills at three fixed points of the log, each inside a window and a batch: a worker that trusts Kafka's
committed offset loses the samples before them, every time. `make test-faults` kills twelve times at drawn moments.
"""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import pytest

from sojae.home import Home
from sojae_local.endpoint import Endpoint
from tests.faults.monitor_scenario import Line, Verdict
from tests.monitor_parts import PLANT, log_of_plant

ASSETS = sorted(PLANT.assets)
BATCH_SECONDS = 40
SECONDS = 100
KILLS = (34, 57, 86)
"""Seconds of the log after which the worker is killed; windows are 10 s long."""

RARELY_SECONDS = 3.0
"""Between checkpoints in the short form, so that the second kill comes between what was sent and its checkpoint."""

LONG_SECONDS = 1_200
LONG_KILLS = 12
SETTLE_SECONDS = 1.0
VARIANTS = ("sound", "trusting")

Part = list[tuple[str, bytes]]

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def verdicts(broker: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """Both workers under the same three kills, side by side."""
    lines = [Line(f"kill-{v}", Home(tmp_path_factory.mktemp(v) / "home"), broker, v, RARELY_SECONDS) for v in VARIANTS]
    with ThreadPoolExecutor(len(lines)) as pool:
        return dict(zip(VARIANTS, pool.map(play_short, lines), strict=True))


def test_three_kills_change_no_byte(verdicts: dict[str, Verdict]) -> None:
    """Windows, events and alarms are those of an uninterrupted run; what is sent twice is the same."""
    assert verdicts["sound"].sound, verdicts["sound"]


def test_a_worker_that_trusts_kafka_fails_the_same_kills(verdicts: dict[str, Verdict]) -> None:
    """The control: samples of open panes are lost, so windows differ and batches are missing."""
    assert verdicts["trusting"].missing > 0, verdicts["trusting"]
    assert verdicts["trusting"].different > 0, verdicts["trusting"]


@pytest.mark.faults
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_twelve_kills_at_drawn_moments_change_no_byte(seed: int, broker: Endpoint, tmp_path: Path) -> None:
    """The same while telemetry flows, with a kill every few seconds."""
    verdict = play_long(Line(f"long-{seed}", Home(tmp_path / "home"), broker, "sound"), seed)
    assert verdict.sound, verdict


@pytest.mark.faults
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_twelve_kills_catch_the_control(seed: int, broker: Endpoint, tmp_path: Path) -> None:
    """Every seed sees the worker that trusts Kafka."""
    verdict = play_long(Line(f"long-trusting-{seed}", Home(tmp_path / "home"), broker, "trusting"), seed)
    assert verdict.missing + verdict.different > 0, verdict


@pytest.mark.faults
@pytest.mark.parametrize("seed", [3, 4])
def test_partitions_that_move_between_two_workers_change_no_byte(seed: int, broker: Endpoint, tmp_path: Path) -> None:
    """One of two is killed or stopped, the other takes over, and gives back when it returns."""
    lines = [
        Line(f"two-{seed}", Home(tmp_path / "home"), broker, "sound", instance=f"worker-{n}", session_seconds=3.0)
        for n in range(2)
    ]
    verdict = play_two(lines, seed)
    assert verdict.sound, verdict


def play_short(line: Line) -> Verdict:
    """Kill the worker at the three points: at the second as soon as it has sent something, else when Kafka knows all."""
    try:
        line.start()
        for number, part in enumerate(_parts(list(log_of_plant(1, ASSETS, SECONDS, BATCH_SECONDS)))):
            before = len(line.found()[0])
            line.send(part)
            if number == 1:
                line.until("something new is sent", lambda before=before: len(line.found()[0]) > before)
            elif number < len(KILLS):
                line.until("the group has committed all", lambda: line.committed() == line.sent)
            if number < len(KILLS):
                line.kill()
                line.start()
        return _settled(line)
    finally:
        line.kill()


def play_long(line: Line, seed: int) -> Verdict:
    """Kill the worker twelve times at drawn moments while the log is written."""
    draw, messages = random.Random(seed), list(log_of_plant(seed, ASSETS, LONG_SECONDS, BATCH_SECONDS))
    over = threading.Event()
    sending = threading.Thread(target=_trickle, args=(line, messages, over))
    try:
        line.start()
        sending.start()
        for _ in range(LONG_KILLS):
            known = line.committed()
            line.until("it goes on", lambda known=known: line.committed() > known)
            time.sleep(draw.uniform(0.0, 1.5))
            line.kill()
            line.start()
        over.set()
        sending.join()
        return _settled(line)
    finally:
        over.set()
        line.kill()


def play_two(lines: list[Line], seed: int) -> Verdict:
    """Take one of two workers away four times, longer than its session, while the log is written."""
    draw, messages = random.Random(seed), list(log_of_plant(seed, ASSETS, LONG_SECONDS, BATCH_SECONDS))
    over = threading.Event()
    sending = threading.Thread(target=_trickle, args=(lines[0], messages, over))
    try:
        for line in lines:
            line.start()
        sending.start()
        for _ in range(4):
            time.sleep(draw.uniform(4.0, 7.0))
            gone = draw.choice(lines)
            gone.kill() if draw.random() < 0.5 else gone.stop()
            time.sleep(draw.uniform(4.0, 7.0))
            gone.start()
        over.set()
        sending.join()
        return _settled(lines[0])
    finally:
        over.set()
        for line in lines:
            line.kill()


def _trickle(line: Line, messages: Part, over: threading.Event) -> None:
    """Send 10 s of the plant a second; the rest at once when the kills are over."""
    step = 5 * len(ASSETS)
    for begin in range(0, len(messages), step):
        line.send(messages[begin : begin + step])
        over.wait(0.5)


def _parts(messages: Part) -> Iterator[Part]:
    """Yield the log in parts, cut after the seconds of it at which the worker is killed."""
    numbered = [(sum(n // len(ASSETS) >= cut for cut in KILLS), message) for n, message in enumerate(messages)]
    for _, part in groupby(numbered, key=lambda one: one[0]):
        yield [message for _, message in part]


def _settled(line: Line) -> Verdict:
    """Return the verdict once the worker has read all, and a sound one has sent all."""
    expected = line.expected()
    line.until("all is read", lambda: line.committed() == line.sent)
    deadline = time.monotonic() + 10.0
    while line.variant == "sound" and expected.keys() - line.found()[0].keys() and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(SETTLE_SECONDS)
    return line.verdict()
