"""Plants in tests: one plant, what it says on its topics, and a feed of it in memory."""

import asyncio
import datetime as dt
from collections.abc import Sequence

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common
from sojae.domain.plant import Asset, Channel, ForecastOf, Plant
from sojae.ports import Message, Partition, Placed
from tests.fakes import Broker

PLANT = "line-1"
BEGAN = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)

_codecs = {name: RecordCodec(read_common(name, "1.0")) for name in ("feature", "forecast", "alarm")}


def plant(name: str = PLANT, institute: str = "kims", channels: int = 1) -> Plant:
    """Return a plant with two assets."""
    return Plant(
        plant=name,
        institute=institute,
        project="ceramic_electrode",
        channels={f"t{n}": Channel(unit="Cel") for n in range(channels)},
        assets={"kiln-1": Asset(), "kiln-2": Asset()},
        forecast=ForecastOf(target="peak_power_density"),
    )


def feature(
    n: int, *, asset: str = "kiln-1", batch: str | None = "B1", name: str = PLANT, mean: float = 1450.0
) -> bytes:
    """Return the n-th window of an asset."""
    end = BEGAN + dt.timedelta(minutes=n)
    channel = {"channel": "t0", "unit": "Cel", "count": 60, "mean": mean, "minimum": mean, "maximum": mean}
    channel |= {"slope_per_s": 0.0, "dwell_s": 0.0, "dose_s": 0.0}
    return _codecs["feature"].encode(
        {
            "id": f"{asset}/{n}",
            "plant": name,
            "asset": asset,
            "start": end - dt.timedelta(minutes=1),
            "end": end,
            "batch": batch,
            "channels": [channel],
        }
    )


def forecast(n: int, *, batch: str = "B1", asset: str = "kiln-1", name: str = PLANT, **given: object) -> bytes:
    """Return the n-th forecast of a batch; with `measured` given it is a score."""
    whole: dict[str, object] = {
        "id": f"{batch}/{n}{'s' if 'measured' in given else ''}",
        "kind": "score" if "measured" in given else "forecast",
        "plant": name,
        "asset": asset,
        "batch": batch,
        "at": BEGAN + dt.timedelta(minutes=n),
        "project": "ceramic_electrode",
        "target": "peak_power_density",
        "unit": "mW/cm2",
        "model_version": 1,
        "mean": 500.0,
        "lower": 400.0 + n,
        "upper": 600.0 - n,
        "known": [f"process.x{i}" for i in range(n)],
        **given,
    }
    return _codecs["forecast"].encode(whole)


def alarm(n: int, state: str = "raised", *, name: str = PLANT) -> bytes:
    """Return the n-th alarm of a kiln, raised or cleared."""
    return _codecs["alarm"].encode(
        {
            "id": f"alarm-{n}",
            "plant": name,
            "asset": "kiln-1",
            "channel": "t0",
            "rule": "high",
            "state": state,
            "at": BEGAN,
            "began": BEGAN,
            "batch": None,
            "value": 1540.0,
            "limit": 1535.0,
            "unit": "Cel",
            "message_ko": "노 온도가 높습니다",
            "message_en": "the kiln is too hot",
        }
    )


class FakePlantFeed:
    """`sojae.ports.PlantFeed` on a Broker in memory."""

    def __init__(self, broker: Broker, topics: Sequence[str], *, last: int = 2_000) -> None:
        self._broker = broker
        self._topics = topics
        self._last = last
        self._next: dict[Partition, int] = {}
        self._ids: dict[str, str] = {}
        self.stopped = False

    async def look(self) -> Sequence[Placed]:
        placed = []
        for partition, log in sorted(self._broker.logs.items()):
            topic_id = self._broker.ids[partition.topic]
            known = partition in self._next and self._ids[partition.topic] == topic_id
            if partition.topic in self._topics and not known:
                first = max(self._broker.first[partition], len(log) - self._last)
                self._next[partition] = first
                placed.append(Placed(partition, topic_id, first, len(log)))
        self._ids = dict(self._broker.ids)
        return placed

    async def fetch(self, *, timeout_seconds: float, max_messages: int) -> Sequence[Message]:
        found: list[Message] = []
        for partition, offset in self._next.items():
            taken = self._broker.logs[partition][offset : offset + max_messages - len(found)]
            self._next[partition] = offset + len(taken)
            found += taken
        if not found:
            await asyncio.sleep(min(timeout_seconds, 0.02))
        return found

    async def stop(self) -> None:
        self.stopped = True
