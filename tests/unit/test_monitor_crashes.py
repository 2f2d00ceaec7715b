"""The window engine crashed anywhere: what it tells is what an uninterrupted run tells, bit for bit."""

import random
from dataclasses import dataclass, field

import msgspec
import pytest

from sojae_monitor import layout
from sojae_monitor.emitted import Checkpoint, Emitted
from sojae_monitor.engine import Engine
from tests.engine_logs import Log, plant, random_log, record, series

MESSAGES = 50


@pytest.fixture(autouse=True)
def _short_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """With little room behind what windows need, a batch closes panes in many steps."""
    monkeypatch.setattr(layout, "SLACK_PANES", 2)


@dataclass
class Told:
    """Keeps what was emitted by its identity, as a store does; a repeat must be equal to the last bit."""

    found: dict[object, str] = field(default_factory=dict)

    def take(self, emitted: Emitted) -> None:
        for w in emitted.windows:
            self._keep((w.asset, w.end_us), w)
        for b in emitted.batches:
            self._keep((b.asset, b.batch, b.start_us, b.end_us, b.offset, b.index), b)
        for a in emitted.alarms:
            self._keep((a.asset, a.channel, a.rule, a.began_us, a.state), a)

    def _keep(self, key: object, one: object) -> None:
        assert self.found.setdefault(key, repr(one)) == repr(one)


def crashed(log: Log, draw: random.Random, crashes: int) -> Told:
    """Return what a worker tells that crashes so often, each time going on from the last checkpoint that was kept."""
    told, engine, kept = Told(), Engine(plant(), "topic", 0), None
    ends = sorted(draw.randrange(len(log.samples)) for _ in range(crashes))
    while engine.next_offset < len(log.samples):
        told.take(engine.feed(log.samples[engine.next_offset : engine.next_offset + draw.choice([1, 3, 10, 40])]))
        state = engine.checkpoint()
        if state is not None and draw.random() < 0.5:
            kept = msgspec.json.decode(msgspec.json.encode(state), type=Checkpoint)
        if ends and engine.next_offset > ends[0]:
            ends.pop(0)
            engine = Engine(plant(), "topic", 0) if kept is None else Engine.restore(plant(), kept)
    return told


@pytest.mark.parametrize("seed", range(10))
def test_crash_anywhere_changes_no_bit(seed: int) -> None:
    """A checkpoint through JSON, a crash after more messages and a replay give what an uninterrupted run gives."""
    log, draw = random_log(seed, MESSAGES), random.Random(seed)
    whole = Told()
    whole.take(Engine(plant(), "topic", 0).feed(log.samples))
    assert all(crashed(log, draw, 5) == whole for _ in range(4))


def restored(engine: Engine) -> Engine:
    """Return the engine that a crash leaves."""
    state = engine.checkpoint()
    assert state is not None
    return Engine.restore(plant(), msgspec.json.decode(msgspec.json.encode(state), type=Checkpoint))


def test_replay_emits_and_counts_nothing_again() -> None:
    """Until the restored position is passed, nothing is told, and there is no checkpoint of half a replay."""
    log, engine = random_log(3, MESSAGES), Engine(plant(), "topic", 0)
    engine.feed(log.samples)
    again = restored(engine)
    assert again.replaying
    assert again.next_offset < len(log.samples)
    while again.next_offset < len(log.samples):
        assert again.checkpoint() is None
        assert again.feed([log.samples[again.next_offset]]) == Emitted()
    assert not again.replaying
    assert again.checkpoint() is not None


def test_replay_is_about_one_window() -> None:
    """What is fed again is what open panes and the next window need, however long the log is."""
    log = Log()
    for n in range(300):
        log.add(record(n, 1_790_000_000_000_000 + n * 1_000_000, [series("temperature", [1.0] * 10)]))
    engine = Engine(plant(), "topic", 0)
    for sample in log.samples:
        engine.feed([sample])
    state = engine.checkpoint()
    assert state is not None
    assert state.position - state.resume <= 6 + 3 + 2


def test_messages_other_than_the_expected_are_skipped() -> None:
    """What an older generation left in a buffer is not taken, and counted."""
    log, engine = random_log(5, 20), Engine(plant(), "topic", 0)
    engine.feed(log.samples[:10])
    emitted = engine.feed([log.samples[3], log.samples[12], *log.samples[10:12]])
    assert engine.next_offset == 12
    assert emitted.counts["unexpected_offset"] == 2


def test_engine_begins_where_the_log_does() -> None:
    """A log whose beginning is gone is followed from its first offset; an engine at work cannot be moved."""
    engine = Engine(plant(), "topic", 0)
    engine.next_offset = 700
    assert engine.next_offset == 700
    assert not engine.replaying
    engine.feed([])
    with pytest.raises(ValueError, match="cannot be moved"):
        engine.next_offset = 3


def test_state_of_another_layout_is_refused() -> None:
    """Panes of other windows are no panes of these."""
    engine = Engine(plant(), "topic", 0)
    state = engine.checkpoint()
    assert state is not None
    other = plant(windows=msgspec.structs.replace(plant().windows, window_panes=12))
    with pytest.raises(ValueError, match="another plant"):
        Engine.restore(other, state)


def test_damaged_state_is_refused() -> None:
    """A checkpoint that is none raises ValueError, from whatever it consists."""
    engine = Engine(plant(), "topic", 0)
    state = engine.checkpoint()
    assert state is not None
    for damaged in (b"{}", b"[]", b"null", b'{"version": 1}', b'{"version": 2}'):
        with pytest.raises(ValueError):  # noqa: PT011 - the message is msgspec's
            Engine.restore(plant(), msgspec.structs.replace(state, state=msgspec.Raw(damaged)))


def test_long_silence_between_two_messages_loses_nothing() -> None:
    """A gap of many rings is passed over: the windows before it close, none is told for the gap."""
    gap = 3_000
    log = Log()
    for n in range(10):
        t0 = 1_790_000_000_000_000 + (n + (gap if n >= 5 else 0)) * 1_000_000
        log.add(record(n, t0, [series("temperature", [1.0] * 10)]))
    emitted = Engine(plant(), "topic", 0).feed(log.samples)
    assert sum(w.channels[0].count for w in emitted.windows if w.offset <= 5) >= 50
    assert all(w.channels[0].count for w in emitted.windows)


def test_running_batch_survives_a_restart() -> None:
    """A batch of many windows goes on after a restart, and its features hold all of it."""
    log = Log()
    begin = 1_790_000_000_000_000
    for n in range(200):
        marks = [{"t": begin + n * 1_000_000, "kind": "start", "batch": "B-1"}] if n == 10 else []
        marks = [{"t": begin + n * 1_000_000, "kind": "end", "batch": "B-1"}] if n == 190 else marks
        log.add(record(n, begin + n * 1_000_000, [series("temperature", [1450.0 + n] * 10)], marks=marks))
    engine = Engine(plant(), "topic", 0)
    engine.feed(log.samples[:150])
    again = restored(engine)
    (done,) = again.feed(log.samples[again.next_offset :]).batches
    assert done.complete
    assert done.features["temperature"]["mean"] == pytest.approx(1450 + (10 + 189) / 2)
    assert done.features["temperature"]["dwell_h"] == pytest.approx(180 / 3600)
