"""What tests of the monitor share: a plant, telemetry by a seed, a tiny engine, and topics read to their end."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import msgspec

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common
from sojae.domain.plant import BatchFeature, Plant
from sojae_monitor.emitted import AlarmChange, BatchDone, ChannelWindow, Checkpoint, Emitted, Sample, Window

TELEMETRY = RecordCodec(read_common("telemetry", "1.0"))
START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000

PLANT_TOML = """
plant = "test-line"
institute = "test-firm"
project = "ceramic_electrode"

[windows]
pane_seconds = 1.0
window_panes = 10
emit_panes = 10
lateness_seconds = 3.0

[channels.temperature]
unit = "Cel"
limit_above = 1400.0
dose = { activation_energy_kj_mol = 150.0, reference_celsius = 1475.0 }
high = { at = 1490.0, clear = 1480.0, panes = 2 }
fields = { co_sinter_temperature = "mean_above", co_sinter_time = "dwell_h" }

[channels.humidity]
unit = "g/m3"
fields = { absolute_humidity = "mean" }

[plan]
"composition.nio" = { value = 49.0 }
"process.absolute_humidity" = { value = 3.0, spread = 1.5 }
"process.co_sinter_temperature" = { value = 1475.0, spread = 22.0 }
"process.co_sinter_time" = { value = 5.0, spread = 1.5 }
"process.positrode_sinter_temperature" = { value = 900.0 }
"process.negatrode_formation" = { value = "die_pressing" }

[forecast]
target = "peak_power_density"
""" + "".join(f'\n[assets.kiln-{n}]\nvalues = {{ co_sinter_furnace = "kiln-{n}" }}\n' for n in range(1, 9))

PLANT = msgspec.toml.decode(PLANT_TOML, type=Plant)


def telemetry(
    asset: str,
    seq: int,
    t0_us: int,
    channels: Mapping[str, Sequence[float]],
    *,
    dt_us: float = 100_000.0,
    marks: Sequence[tuple[int, str, str]] = (),
) -> bytes:
    """Return one framed message; marks are (Unix µs, kind, batch)."""
    units = {name: channel.unit for name, channel in PLANT.channels.items()}
    return TELEMETRY.encode(
        {
            "asset": asset,
            "epoch": 1,
            "seq": seq,
            "t0": t0_us,
            "dt": dt_us,
            "times": [],
            "series": [
                {"channel": c, "unit": units.get(c, "1"), "values": list(v), "quality": []} for c, v in channels.items()
            ],
            "marks": [{"t": t, "kind": kind, "batch": batch} for t, kind, batch in marks],
            "historical": False,
        }
    )


def log_of_plant(seed: int, assets: Sequence[str], seconds: int, batch_seconds: int) -> Iterator[tuple[str, bytes]]:
    """Yield (asset, message) of 1 s each, with marks; one in ten comes a second late, one in a hundred ten seconds."""
    draw = random.Random(seed)
    held: list[tuple[int, str, bytes]] = []
    for second in range(seconds):
        for n, asset in enumerate(assets):
            message = _second_of(draw, asset, second, batch_seconds, shift=3 * n)
            delay = 10 if draw.random() < 0.01 else int(draw.random() < 0.1)
            held.append((second + delay, asset, message))
        yield from ((asset, message) for due, asset, message in held if due <= second)
        held = [one for one in held if one[0] > second]


def _second_of(draw: random.Random, asset: str, second: int, batch_seconds: int, shift: int) -> bytes:
    t0 = START_US + second * SECOND_US
    number, inside = divmod(second + shift, batch_seconds)
    marks = []
    if inside == 1:
        marks.append((t0 + 400_000, "start", f"{asset}-{number}"))
    if inside == batch_seconds - 2:
        marks.append((t0 + 600_000, "end", f"{asset}-{number}"))
    heat = 1300.0 + 200.0 * math.sin(math.pi * inside / batch_seconds)
    temperature = [heat + draw.gauss(0.0, 2.0) for _ in range(10)]
    if draw.random() < 0.02:
        temperature[3] = math.nan
    humidity = [3.0 + draw.gauss(0.0, 0.1) for _ in range(10)]
    return telemetry(asset, second, t0, {"temperature": temperature, "humidity": humidity}, marks=marks)


class CountingEngine:
    """A window after every `every` messages of an asset, with their bytes' sum as mean; a batch after ten windows."""

    every = 5

    def __init__(self, plant: Plant, topic_id: str, partition: int) -> None:
        self.plant, self.topic_id, self.partition = plant, topic_id, partition
        self.next_offset = 0
        self.sums: dict[str, tuple[int, int]] = {}

    @property
    def replaying(self) -> bool:
        return False

    @classmethod
    def restore(cls, plant: Plant, checkpoint: Checkpoint) -> Self:
        engine = cls(plant, checkpoint.topic_id, checkpoint.partition)
        engine.next_offset = checkpoint.resume
        engine.sums = {a: (n, s) for a, (n, s) in msgspec.json.decode(checkpoint.state).items()}
        return engine

    def feed(self, samples: Sequence[Sample]) -> Emitted:
        emitted = Emitted()
        for sample in samples:
            if sample.offset == self.next_offset:
                self.next_offset += 1
                self._take(sample, emitted)
        return emitted

    def checkpoint(self) -> Checkpoint | None:
        return Checkpoint(
            topic_id=self.topic_id,
            partition=self.partition,
            position=self.next_offset,
            resume=self.next_offset,
            state=msgspec.Raw(msgspec.json.encode(self.sums)),
        )

    def _take(self, sample: Sample, emitted: Emitted) -> None:
        asset = str(TELEMETRY.decode(sample.value or b"")["asset"])
        count, total = self.sums.get(asset, (0, 0))
        count, total = count + 1, total + sum(sample.value or b"")
        self.sums[asset] = (count, total)
        if count % self.every == 0:
            emitted.windows.append(window(asset, count * SECOND_US, mean=float(total), offset=sample.offset))
        if count % (10 * self.every) == 0:
            emitted.batches.append(batch_done(asset, f"{asset}-{count}", offset=sample.offset))


def window(
    asset: str,
    end_us: int,
    *,
    mean: float = 1.0,
    offset: int = 0,
    batch: str | None = None,
    so_far: Mapping[str, Mapping[BatchFeature, float]] | None = None,
) -> Window:
    """Return a window of one channel that ends at `end_us`."""
    channel = ChannelWindow("temperature", "Cel", 10, mean, mean, mean, 0.0, 0.0, 0.0)
    return Window(asset, end_us - 10 * SECOND_US, end_us, batch, (channel,), offset, so_far or {})


def batch_done(asset: str, batch: str, *, offset: int = 0, index: int = 0, **given: object) -> BatchDone:
    """Return a complete batch found by a mark, ten hours long, that ended a minute before it was closed."""
    fields: dict[str, object] = {
        "how": "mark",
        "start_us": START_US,
        "end_us": START_US + 36_000 * SECOND_US,
        "closed_ms": START_US // 1_000 + 36_060_000,
        "complete": True,
        "features": {
            "temperature": {"mean_above": 1474.12345678, "dwell_h": 5.25},
            "humidity": {"mean": 2.999999999},
        },
        **given,
    }
    return BatchDone(asset=asset, batch=batch, offset=offset, index=index, **fields)  # type: ignore[arg-type]


def alarm(state: str = "raised", **given: object) -> AlarmChange:
    """Return an alarm of a kiln that is too hot."""
    fields: dict[str, object] = {
        "asset": "kiln-1",
        "channel": "temperature",
        "rule": "high",
        "state": state,
        "at_us": START_US,
        "began_us": START_US,
        "batch": None,
        "value": 1501.23,
        "limit": 1490.0,
        "unit": "Cel",
        "offset": 7,
        **given,
    }
    return AlarmChange(**fields)  # type: ignore[arg-type]
