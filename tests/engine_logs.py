"""Random telemetry logs for the window engine: disorder, repeats, gaps, bad samples, bad bytes and marks, by a seed."""

import math
import random
from dataclasses import dataclass, field

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common
from sojae.domain.framing import confluent_frame
from sojae.domain.plant import Asset, Channel, Dose, Limit, Plant, Windows
from sojae.domain.template import schema_id_of, schema_sha256
from sojae_monitor.emitted import Sample

SCHEMA = read_common("telemetry", "1.0")
CODEC = RecordCodec(SCHEMA)
SINGLE_OBJECT_BYTES = 10

BEGIN_US = 1_790_000_000_400_000
SECOND_US = 1_000_000

WINDOWS = Windows(pane_seconds=1.0, window_panes=6, emit_panes=3, lateness_seconds=3.0, horizon_seconds=3_600.0)
CHANNELS = {
    "temperature": Channel(
        unit="Cel",
        limit_above=1400.0,
        dose=Dose(activation_energy_kj_mol=150.0, reference_celsius=1475.0),
        high=Limit(at=1500.0, clear=1480.0, panes=2),
        low=Limit(at=1300.0, clear=1310.0),
    ),
    "humidity": Channel(unit="g/m3", high=Limit(at=4.0, clear=4.0)),
    "power": Channel(unit="kW", limit_above=20.0),
}


def plant(assets: int = 2, windows: Windows = WINDOWS, channels: dict[str, Channel] = CHANNELS) -> Plant:
    """Return a plant of kilns kiln-0, kiln-1 …"""
    return Plant(
        plant="line-1",
        institute="firm",
        project="ceramic_electrode",
        channels=channels,
        assets={f"kiln-{n}": Asset() for n in range(assets)},
        windows=windows,
    )


def series(channel: str, values: list[float], unit: str = "", quality: tuple[tuple[int, int, int], ...] = ()) -> dict:
    """Return one series; the unit is the plant's own unless another is said."""
    runs = [{"start": s, "count": c, "code": k} for s, c, k in quality]
    own = CHANNELS[channel].unit if channel in CHANNELS else "1"
    return {"channel": channel, "unit": unit or own, "values": values, "quality": runs}


def record(seq: int = 0, t0: int = BEGIN_US, channels: list[dict] | None = None, **given: object) -> dict:
    """Return a message's record; without channels it holds no samples."""
    return {
        "asset": "kiln-0", "epoch": 1, "seq": seq, "t0": t0, "dt": 100_000.0, "times": [], "series": channels or [],
        "marks": [], "historical": False, **given,
    }  # fmt: skip


def mark(t: int, kind: str, batch: str) -> dict:
    return {"t": t, "kind": kind, "batch": batch}


def framed(content: dict, *, confluent: bool = False) -> bytes:
    """Return the framed bytes of a record."""
    whole = CODEC.encode(content)
    return confluent_frame(schema_id_of(schema_sha256(SCHEMA)), whole[SINGLE_OBJECT_BYTES:]) if confluent else whole


@dataclass
class Log:
    """A partition: what was written, and the records that it holds (None for bytes that are none)."""

    samples: list[Sample] = field(default_factory=list)
    records: list[dict | None] = field(default_factory=list)

    def add(
        self, content: dict | None, *, raw: bytes | None = None, late_ms: int = 100, confluent: bool = False
    ) -> None:
        """Append a message, or bytes that are none; Kafka's timestamp is `late_ms` after its first sample."""
        timestamp = (content["t0"] if content else BEGIN_US) // 1_000 + late_ms
        value = raw if content is None else framed(content, confluent=confluent)
        self.samples.append(Sample(len(self.samples), timestamp, value))
        self.records.append(content)


class _Kiln:
    """One asset's sender in a random log."""

    def __init__(self, draw: random.Random, name: str) -> None:
        self._draw, self.name = draw, name
        self._now, self._epoch, self._seq = BEGIN_US + draw.randrange(10 * SECOND_US), 1, 0
        self._batch, self._batches = None, 0
        self._level = 1450.0

    def message(self) -> dict:
        """Return what it says next."""
        draw = self._draw
        if draw.random() < 0.02:
            self._epoch, self._seq = self._epoch + 1, 0
        if draw.random() < 0.03:
            self._now += draw.choice([20, 90, 700]) * SECOND_US
        size = draw.choice([1, 3, 5, 10, 10, 20])
        dt = draw.choice([100_000.0, 100_000.0, 250_000.0, 1_000_000.0, 2_500_000.0, 333_333.25])
        if draw.random() < 0.02:
            size, dt = 60, 1_000_000.0
        times: list[int] = []
        if draw.random() < 0.1:
            times = sorted(draw.sample(range(3 * SECOND_US), size))
        self._level += draw.gauss(0, 15) + (1450 - self._level) * 0.1
        content = record(
            self._seq, self._now, self._channels(size), asset=self.name, epoch=self._epoch, dt=dt, times=times
        )
        end = self._now + (times[-1] if times else math.floor(size * dt))
        content["marks"] = self._marks(self._now, end)
        self._seq += 1
        self._now = end + (draw.randrange(SECOND_US) if draw.random() < 0.2 else 0)
        return content

    def _channels(self, size: int) -> list[dict]:
        draw = self._draw
        warm = [self._level + draw.gauss(0, 10) for _ in range(size)]
        found = []
        if draw.random() < 0.95:
            found.append(series("temperature", self._spoilt(warm), quality=self._runs(size)))
        if draw.random() < 0.1 and found:
            found[0] |= {"unit": "K", "values": [v + 273.15 for v in found[0]["values"]]}
        if draw.random() < 0.9:
            found.append(series("humidity", self._spoilt([draw.gauss(3, 1) for _ in range(size)])))
        if draw.random() < 0.8:
            found.append(series("power", [draw.gauss(20, 5) for _ in range(size)], quality=self._runs(size)))
        if draw.random() < 0.05:
            found.append(series("noise", [0.0] * size))
        if draw.random() < 0.05:
            found = [*found[:-1], {**found[-1], "unit": draw.choice(["Pa", "nonsense"])}] if found else []
        return found

    def _spoilt(self, values: list[float]) -> list[float]:
        if self._draw.random() < 0.2:
            values[self._draw.randrange(len(values))] = self._draw.choice([math.nan, math.inf, -math.inf, 1e200])
        return values

    def _runs(self, size: int) -> tuple[tuple[int, int, int], ...]:
        if self._draw.random() < 0.8:
            return ()
        start = self._draw.randrange(size)
        return ((start, self._draw.randint(1, size - start), self._draw.choice([1, 2])),)

    def _marks(self, begin: int, end: int) -> list[dict]:
        draw = self._draw
        if draw.random() > 0.15:
            return []
        t = draw.randint(begin, max(begin, end - 1))
        if draw.random() < 0.1:
            return [mark(t, draw.choice(["pause", "end", "start"]), f"odd-{draw.randrange(3)}")]
        if self._batch is None:
            self._batches += 1
            self._batch = f"{self.name}-{self._batches}"
            return [mark(t, "start", self._batch)]
        ended, self._batch = self._batch, None
        return [mark(t, "end", ended)]


def random_log(seed: int, messages: int, assets: int = 2) -> Log:
    """Return a log: mostly in order, with everything that a field gives."""
    draw = random.Random(seed)
    kilns = [_Kiln(draw, f"kiln-{n}") for n in range(assets)]
    sent = [draw.choice(kilns).message() for _ in range(messages)]
    for place in range(len(sent) - 1):
        if draw.random() < 0.15:
            other = min(len(sent) - 1, place + draw.choice([1, 1, 2, 6]))
            sent[place], sent[other] = sent[other], sent[place]
    log = Log()
    for content in sent:
        chance = draw.random()
        if chance < 0.02:
            log.add(None, raw=draw.choice([None, b"", b"plain", framed(content)[:-2], framed(content) + b"\x00"]))
        elif chance < 0.04:
            log.add(content | {"historical": True})
        elif chance < 0.06:
            log.add(content | draw.choice([{"asset": "stranger"}, {"dt": 0.0, "times": []}, {"t0": 12}, {"epoch": 0}]))
        elif chance < 0.08:
            log.add(content, late_ms=-7_200_000)
        log.add(content, confluent=draw.random() < 0.5)
        if draw.random() < 0.04:
            log.add(content)
    return log
