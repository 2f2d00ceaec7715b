"""The window engine against a slow oracle, and against itself when its log is cut elsewhere."""

import dataclasses
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sojae.domain.plant import Windows
from sojae_monitor import layout
from sojae_monitor.admission import REASONS
from sojae_monitor.emitted import Emitted, Sample
from sojae_monitor.engine import Engine
from sojae_monitor.reasons import SET_ASIDE
from tests.engine_logs import WINDOWS, Log, plant, random_log
from tests.engine_oracle import Oracle

MESSAGES = 60
PROPERTY = settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])

seeds = st.integers(0, 1 << 30)
windows = st.sampled_from(
    [
        WINDOWS,
        Windows(pane_seconds=0.5, window_panes=7, emit_panes=2, lateness_seconds=0.0, horizon_seconds=3_600.0),
        Windows(pane_seconds=10.0, window_panes=4, emit_panes=4, lateness_seconds=15.0, horizon_seconds=3_600.0),
    ]
)
"""Windows whose blocks are of several panes, of one, and the whole window."""


@pytest.fixture(autouse=True)
def _short_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """With little room behind what windows need, a batch closes panes in many steps."""
    monkeypatch.setattr(layout, "SLACK_PANES", 2)


def fed(engine: Engine, cuts: Iterable[Sequence[Sample]]) -> Emitted:
    """Return all that the parts of a log gave, one part after the other."""
    whole, counts = Emitted(), Counter[str]()
    for part in cuts:
        emitted = engine.feed(part)
        whole.windows += emitted.windows
        whole.batches += emitted.batches
        whole.alarms += emitted.alarms
        counts.update(emitted.counts)
    whole.counts = dict(counts)
    return whole


def parts(log: Log, draw: random.Random) -> Iterator[Sequence[Sample]]:
    """Yield a log in random cuts."""
    at = 0
    while at < len(log.samples):
        size = draw.choice([1, 1, 2, 5, 30])
        yield log.samples[at : at + size]
        at += size


def exact(emitted: Emitted) -> str:
    """Return every bit of what was emitted, as text."""
    return repr((emitted.windows, emitted.batches, emitted.alarms))


def engine_of(log: Log, windows: Windows, cut: Callable[[Log], Iterable[Sequence[Sample]]]) -> Emitted:
    return fed(Engine(plant(windows=windows), "topic", 0), cut(log))


def near(got: object, expected: object, scale: float = 0.0) -> bool:
    """Whether two values agree to 1e-9; dictionaries by their entries."""
    if isinstance(expected, dict):
        return isinstance(got, dict) and got.keys() == expected.keys() and all(near(got[k], expected[k]) for k in got)
    if isinstance(expected, float):
        both_nan = isinstance(got, float) and math.isnan(got) and math.isnan(expected)
        return both_nan or math.isclose(got, expected, rel_tol=1e-9, abs_tol=scale)  # type: ignore[arg-type]  # floats
    return got == expected


@PROPERTY
@given(seed=seeds, windows=windows)
def test_features_are_those_of_the_oracle(seed: int, windows: Windows) -> None:
    """Windows hold what a sum over all their samples gives, to 1e-9."""
    log = random_log(seed, MESSAGES)
    oracle = Oracle(plant(windows=windows)).run(log)
    emitted = engine_of(log, windows, lambda log: [log.samples])
    assert len(emitted.windows) == len(oracle.windows)
    for window, expected in zip(emitted.windows, oracle.windows, strict=True):
        for name in ("asset", "start_us", "end_us", "offset", "batch", "so_far"):
            assert near(getattr(window, name), expected[name]), name
        for channel in window.channels:
            told = expected["channels"][channel.channel]
            # A slope near zero is the difference of large numbers: its scale is the value over the window.
            slopes = max(abs(told["maximum"]), abs(told["minimum"])) * 1e-9
            assert near(channel.slope_per_s, told.pop("slope_per_s"), slopes)
            for name, value in told.items():
                assert near(getattr(channel, name), value), name
    assert emitted.counts.get("late", 0) == oracle.late


@PROPERTY
@example(seed=44816, windows=WINDOWS)  # a message of times without series: set aside by both
@given(seed=seeds, windows=windows)
def test_batches_and_alarms_are_those_of_the_oracle(seed: int, windows: Windows) -> None:
    """Marks make batches, pane means make alarms, in the order of the log."""
    log = random_log(seed, MESSAGES)
    oracle = Oracle(plant(windows=windows)).run(log)
    emitted = engine_of(log, windows, lambda log: [log.samples])
    for got, expected in ((emitted.batches, oracle.batches), (emitted.alarms, oracle.alarms)):
        told = [dataclasses.asdict(one) for one in got]
        for one in told:
            one.pop("closed_ms", None)
        assert len(told) == len(expected)
        assert all(near(a, b) for a, b in zip(told, expected, strict=True))


@PROPERTY
@given(seed=seeds, windows=windows)
def test_cuts_of_the_log_change_no_bit(seed: int, windows: Windows) -> None:
    """One by one, all at once and in random cuts the same is emitted and counted, bit for bit."""
    log = random_log(seed, MESSAGES)
    whole = engine_of(log, windows, lambda log: [log.samples])
    for cut in (lambda log: ([s] for s in log.samples), lambda log: parts(log, random.Random(seed))):
        other = engine_of(log, windows, cut)
        assert exact(other) == exact(whole)
        assert other.counts == whole.counts


@PROPERTY
@given(seed=seeds, windows=windows)
def test_room_in_the_ring_changes_no_bit(seed: int, windows: Windows) -> None:
    """How many panes fit behind those that are needed is a matter of memory alone."""
    log = random_log(seed, MESSAGES)
    short = exact(engine_of(log, windows, lambda log: [log.samples]))
    layout.SLACK_PANES, kept = 10_000, layout.SLACK_PANES
    try:
        assert exact(engine_of(log, windows, lambda log: [log.samples])) == short
    finally:
        layout.SLACK_PANES = kept


def test_every_reason_is_explained() -> None:
    """A label of the metrics comes from a closed set: whatever is counted is one of the words that are explained."""
    counts = Counter[str]()
    for seed in range(3):
        counts.update(engine_of(random_log(seed, MESSAGES), WINDOWS, lambda log: [log.samples]).counts)
    assert counts.keys() <= SET_ASIDE.keys()
    assert {*REASONS, ""} - SET_ASIDE.keys() == {""}
