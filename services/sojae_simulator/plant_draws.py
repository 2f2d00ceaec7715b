"""The batches of a plant: how each is drawn around the plan, what its kiln's instruments show, and what is true of it."""

import math
from collections.abc import Mapping
from functools import lru_cache

import msgspec
import numpy as np

from sojae.domain.plant import Plant
from sojae_simulator.furnace_law import AMBIENT_CELSIUS, Firing, Floats, idle
from sojae_simulator.identifiers import run_tag

TEMPERATURE, TIME, HUMIDITY = (f"process.{n}" for n in ("co_sinter_temperature", "co_sinter_time", "absolute_humidity"))
"""What differs from batch to batch, as keys of the plan."""

CUT = 2.0
"""Batches are drawn from normal distributions cut off at so many standard deviations: worse ones are scrapped."""
LEAST: Mapping[str, float] = {TIME: 1.0, HUMIDITY: 0.8}
LOADING_MINUTES = (20.0, 60.0)
NOISE_K = 0.3
"""Standard deviation of a reading of the thermocouple."""
POWER_NOISE = 0.01
HUMIDITY_NOISE = 0.02
HUMIDITY_SWING, HUMIDITY_SWING_HOURS = 0.15, 6.0
"""g/m³ by which the humidity swings about its mean, and how long a swing takes."""

US = 1_000_000
SECONDS_PER_HOUR = 3_600.0


class Batch(msgspec.Struct, frozen=True):
    """One batch of one kiln: `number` counts the kiln's batches; times in Unix microseconds."""

    asset: str
    number: int
    start_us: int
    soak_celsius: float
    soak_hours: float
    humidity: float
    begin_celsius: float

    @property
    def name(self) -> str:
        """The sample_id, unique for ever: a kiln starts one batch at a time."""
        return f"SINTER-{run_tag(self.start_us // 1_000)}-{self.asset}"

    @property
    def firing(self) -> Firing:
        """What happens in the kiln."""
        return _firing(self.soak_celsius, self.soak_hours, self.begin_celsius)

    @property
    def end_us(self) -> int:
        """When the door is opened."""
        return self.start_us + int(self.firing.seconds * US)

    def humidities(self, seconds: Floats) -> Floats:
        """Return the absolute humidity of the air in g/m³; seconds since the start."""
        swing = np.sin(2.0 * math.pi * seconds / (SECONDS_PER_HOUR * HUMIDITY_SWING_HOURS) + self.number)
        value: Floats = self.humidity + HUMIDITY_SWING * swing
        return value

    def channels(self, seconds: Floats) -> dict[str, Floats]:
        """Return what there is to measure, by channel: during the batch, and after it until the next one starts."""
        firing, ended = self.firing, seconds >= self.firing.seconds
        return {
            "temperature": np.where(ended, idle(seconds - firing.seconds), firing.furnace(seconds)),
            "humidity": self.humidities(seconds),
            "power": np.where(ended, 0.0, firing.power(seconds)),
        }

    def truth(self, limit_celsius: float) -> dict[str, float]:
        """Return what is true of the ware, as process fields: mean above the limit, time above it, mean humidity."""
        mean, hours = self.firing.above(limit_celsius)
        humid = self.humidities(np.arange(0.0, self.firing.seconds, 10.0))
        fields = (TEMPERATURE, mean), (TIME, hours), (HUMIDITY, float(humid.mean()))
        return {key.partition(".")[2]: value for key, value in fields}


class BatchDraws:
    """Draws the batches of one kiln; equal seeds give equal batches."""

    def __init__(self, plant: Plant, asset: str, rng: np.random.Generator) -> None:
        self._plant, self._asset, self._rng = plant, asset, rng

    def next(self, number: int, earliest_us: int) -> Batch:
        """Return the kiln's next batch, which starts after loading; `earliest_us` is when the kiln was opened."""
        loading = float(self._rng.uniform(*LOADING_MINUTES)) * 60.0
        warm = float(idle(np.array([loading]))[0]) if number else AMBIENT_CELSIUS
        return Batch(
            asset=self._asset,
            number=number,
            start_us=earliest_us + int(loading) * US,
            soak_celsius=self._around(TEMPERATURE),
            soak_hours=self._around(TIME),
            humidity=self._around(HUMIDITY),
            begin_celsius=warm,
        )

    def _around(self, key: str) -> float:
        planned = self._plant.plan[key]
        off = float(np.clip(self._rng.standard_normal(), -CUT, CUT))
        return max(float(planned.value) + planned.spread * off, LEAST.get(key, -math.inf))


def read(channels: Mapping[str, Floats], rng: np.random.Generator) -> dict[str, Floats]:
    """Return what the instruments show of what there is: noise, and the digits that they have."""
    noise = {name: rng.standard_normal(len(values)) for name, values in channels.items()}
    return {
        "temperature": _shown(channels["temperature"] + NOISE_K * noise["temperature"], 1, -math.inf),
        "humidity": _shown(channels["humidity"] + HUMIDITY_NOISE * noise["humidity"], 2, 0.0),
        "power": _shown(channels["power"] * (1.0 + POWER_NOISE * noise["power"]), 2, 0.0),
    }


def _shown(values: Floats, digits: int, least: float) -> Floats:
    limited: Floats = np.maximum(values, least)
    return limited.round(digits)


@lru_cache(maxsize=64)
def _firing(soak_celsius: float, soak_hours: float, begin_celsius: float) -> Firing:
    """Return the firing, made once: its curves are asked for with every message."""
    return Firing(soak_celsius, soak_hours, begin_celsius)
