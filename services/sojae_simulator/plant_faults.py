"""What goes wrong in a plant at stated rates: sensors, clocks and connections, each with what must come of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sojae_simulator.plant_draws import US
from sojae_simulator.plant_stream import Reading

PlantFaultKind = Literal[
    "spike", "spike_flagged", "stuck", "nan", "bad_flagged", "bad_unflagged", "drop_out", "clock_ahead", "clock_behind",
    "out_of_order", "late", "repeated",
]  # fmt: skip

RATES: Mapping[PlantFaultKind, float] = {
    "spike": 0.002,
    "spike_flagged": 0.002,
    "stuck": 0.0005,
    "nan": 0.003,
    "bad_flagged": 0.003,
    "bad_unflagged": 0.002,
    "drop_out": 0.002,
    "clock_ahead": 0.0005,
    "clock_behind": 0.0005,
    "out_of_order": 0.004,
    "late": 0.001,
    "repeated": 0.005,
}
"""Faults of each kind that begin per message; a message has at most one, and one that marks a batch has none."""

Outcome = Literal["taken", "left_out", "absent", "clock_ahead", "late", "repeated"]
MONITOR: Mapping[PlantFaultKind, Outcome] = {
    "spike": "taken",
    "spike_flagged": "left_out",
    "stuck": "taken",
    "nan": "left_out",
    "bad_flagged": "left_out",
    "bad_unflagged": "taken",
    "drop_out": "absent",
    "clock_ahead": "clock_ahead",
    "clock_behind": "late",
    "out_of_order": "taken",
    "late": "late",
    "repeated": "repeated",
}
"""What the monitor must do: take the samples (no alarm may come of so few), leave them out of every feature, go on
without the channel, set the message aside for its clock, drop its samples as late, or ignore it as a repetition."""

STUCK_MESSAGES = 10
LATE_MESSAGES = (10, 20)
"""After how many later messages a late one is sent: well beyond what an asset is waited for."""
REPEATED_MESSAGES = (1, 4)
SPIKE_K = (150.0, 400.0)
BIAS_K = 15.0
AHEAD_DAYS = (2.0, 30.0)
BEHIND_HOURS = (2.0, 12.0)
BAD = 2
"""The code of a bad sample."""


@dataclass(frozen=True, slots=True)
class PlantFault:
    """One planted fault: in which channel (None: the message), and how many samples of it."""

    kind: PlantFaultKind
    channel: str | None
    samples: int

    @property
    def monitor(self) -> Outcome:
        """What the monitor must do."""
        return MONITOR[self.kind]

    @property
    def status(self) -> str:
        """What ingest must store it as."""
        return "duplicate" if self.kind == "repeated" else "accepted"

    @property
    def rule(self) -> str | None:
        """The finding that ingest must make; None where it must make none."""
        return {"repeated": "repeated_message", "clock_ahead": "event_time_future"}.get(self.kind)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message to send: a reading with its number, and the fault in it, if any."""

    reading: Reading
    seq: int
    fault: PlantFault | None = None


class FaultyLine:
    """Puts the readings of one asset into the order of sending, numbers them, and plants faults on the way."""

    def __init__(self, rng: np.random.Generator, *, scale: float = 1.0) -> None:
        self._rng = rng
        self._kinds = list(RATES)
        rates = np.minimum(np.array([RATES[kind] for kind in self._kinds]) * scale, 1.0)
        self._borders = np.cumsum(rates)
        self._held: list[tuple[int, Sent]] = []
        self._stuck: tuple[str, float, int] | None = None
        self._seq = 0

    def put(self, reading: Reading, wall_us: int) -> Iterator[Sent]:
        """Yield what is sent now: the reading, unless it is held back, then what was held until now.

        `wall_us` is the present time in Unix microseconds, beyond which no sound clock reads.
        """
        seq, self._seq = self._seq, self._seq + 1
        kind = self._kind(reading)
        sent, hold = self._planted(reading, seq, kind, wall_us), self._hold(kind)
        if kind in ("out_of_order", "late"):
            self._held.append((seq + hold, sent))
        else:
            yield sent
        if kind == "repeated":
            again = PlantFault("repeated", None, reading.samples)
            self._held.append((seq + hold, replace(sent, fault=again)))
        yield from self._released(seq)

    def rest(self) -> Iterator[Sent]:
        """Yield what is still held back, at the end."""
        yield from self._released(None)

    def _released(self, seq: int | None) -> Iterator[Sent]:
        for due, sent in sorted(self._held, key=lambda held: held[0]):
            if seq is None or due <= seq:
                self._held.remove((due, sent))
                yield sent

    def _kind(self, reading: Reading) -> PlantFaultKind | None:
        at = int(np.searchsorted(self._borders, self._rng.random(), side="right"))
        if reading.marks or self._stuck is not None or at >= len(self._kinds):
            return None
        return self._kinds[at]

    def _hold(self, kind: PlantFaultKind | None) -> int:
        if kind == "late":
            return int(self._rng.integers(*LATE_MESSAGES))
        return int(self._rng.integers(*REPEATED_MESSAGES)) if kind == "repeated" else 1

    def _planted(self, reading: Reading, seq: int, kind: PlantFaultKind | None, wall_us: int) -> Sent:
        if reading.marks:
            self._stuck = None  # the instrument is looked at when the kiln is loaded
            return Sent(reading, seq)
        if kind == "stuck":
            channel = self._channel(reading)
            self._stuck = (channel, float(reading.channels[channel][0]), STUCK_MESSAGES)
        if self._stuck is not None:
            return self._stick(reading, seq)
        if kind in _SENSOR:
            return Sent(*_numbered(_SENSOR[kind](reading, self._rng), seq))
        if kind in ("clock_ahead", "clock_behind"):
            return Sent(_shifted(reading, kind, self._rng, wall_us), seq, PlantFault(kind, None, reading.samples))
        if kind in ("out_of_order", "late"):
            return Sent(reading, seq, PlantFault(kind, None, reading.samples))
        return Sent(reading, seq)

    def _stick(self, reading: Reading, seq: int) -> Sent:
        assert self._stuck is not None
        channel, value, left = self._stuck
        self._stuck = (channel, value, left - 1) if left > 1 else None
        held = {**reading.channels, channel: np.full(reading.samples, value)}
        return Sent(replace(reading, channels=held), seq, PlantFault("stuck", channel, reading.samples))

    def _channel(self, reading: Reading) -> str:
        return sorted(reading.channels)[int(self._rng.integers(len(reading.channels)))]


Planted = tuple[Reading, PlantFault]


def _numbered(planted: Planted, seq: int) -> tuple[Reading, int, PlantFault]:
    return planted[0], seq, planted[1]


def _spike(reading: Reading, rng: np.random.Generator, *, flagged: bool) -> Planted:
    at, sign = int(rng.integers(reading.samples)), float(rng.choice([-1.0, 1.0]))
    values = reading.channels["temperature"].copy()
    values[at] = round(values[at] + sign * float(rng.uniform(*SPIKE_K)), 1)
    spiked = replace(reading, channels={**reading.channels, "temperature": values})
    if flagged:
        return _flag(spiked, "temperature", at, 1), PlantFault("spike_flagged", "temperature", 1)
    return spiked, PlantFault("spike", "temperature", 1)


def _missing(reading: Reading, rng: np.random.Generator) -> Planted:
    channel, start, count = _run(reading, rng)
    values = reading.channels[channel].copy()
    values[start : start + count] = np.nan
    return replace(reading, channels={**reading.channels, channel: values}), PlantFault("nan", channel, count)


def _bad(reading: Reading, rng: np.random.Generator, *, flagged: bool) -> Planted:
    """Return readings that are off: flagged ones by any amount, unflagged ones as a thermocouple that drifts."""
    if not flagged:
        values = np.round(reading.channels["temperature"] + BIAS_K, 1)
        drifted = replace(reading, channels={**reading.channels, "temperature": values})
        return drifted, PlantFault("bad_unflagged", "temperature", reading.samples)
    channel, start, count = _run(reading, rng)
    values = reading.channels[channel].copy()
    values[start : start + count] = np.round(values[start : start + count] * 3.0 + 100.0, 2)
    wrong = replace(reading, channels={**reading.channels, channel: values})
    return _flag(wrong, channel, start, count), PlantFault("bad_flagged", channel, count)


def _drop_out(reading: Reading, rng: np.random.Generator) -> Planted:
    channel, _, _ = _run(reading, rng)
    rest = {name: values for name, values in reading.channels.items() if name != channel}
    return replace(reading, channels=rest), PlantFault("drop_out", channel, reading.samples)


_SENSOR: Mapping[PlantFaultKind | None, Callable[[Reading, np.random.Generator], Planted]] = {
    "spike": lambda reading, rng: _spike(reading, rng, flagged=False),
    "spike_flagged": lambda reading, rng: _spike(reading, rng, flagged=True),
    "nan": _missing,
    "bad_flagged": lambda reading, rng: _bad(reading, rng, flagged=True),
    "bad_unflagged": lambda reading, rng: _bad(reading, rng, flagged=False),
    "drop_out": _drop_out,
}


def _run(reading: Reading, rng: np.random.Generator) -> tuple[str, int, int]:
    """Return a channel, and a run of its samples."""
    channel = sorted(reading.channels)[int(rng.integers(len(reading.channels)))]
    start = int(rng.integers(reading.samples))
    return channel, start, int(rng.integers(1, reading.samples - start + 1))


def _flag(reading: Reading, channel: str, start: int, count: int) -> Reading:
    return replace(reading, quality={**reading.quality, channel: ((start, count, BAD),)})


def _shifted(reading: Reading, kind: PlantFaultKind, rng: np.random.Generator, wall_us: int) -> Reading:
    if kind == "clock_ahead":
        return replace(reading, t0_us=wall_us + int(rng.uniform(*AHEAD_DAYS) * 86_400 * US))
    return replace(reading, t0_us=reading.t0_us - int(rng.uniform(*BEHIND_HOURS) * 3_600 * US))
