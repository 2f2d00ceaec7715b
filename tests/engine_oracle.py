"""What the window engine must give, computed sample by sample in plain Python: slow, and obviously so."""

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from sojae.domain.plant import Plant
from tests.engine_logs import Log

EARLIEST_US = 315_532_800_000_000
GAS = 8.31446261815324
ORIGIN_US = 1_790_000_000_000_000
"""From which seconds are small enough for doubles."""


class Reading(NamedTuple):
    seconds: float
    value: float
    held: float


@dataclass
class Kiln:
    epoch: int = -1
    seqs: set = field(default_factory=set)
    watermark: int | None = None
    closed: int | None = None
    panes: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    marks: list = field(default_factory=list)
    batch: str | None = None
    anonymous: bool = True
    batch_start: int = 0
    batch_readings: dict = field(default_factory=lambda: defaultdict(list))
    runs: dict = field(default_factory=dict)
    raised: dict = field(default_factory=dict)


class Oracle:
    """Follows a log; `windows`, `batches` and `alarms` are plain dictionaries in the engine's order."""

    def __init__(self, plant: Plant) -> None:
        self.plant, self.kilns = plant, defaultdict(Kiln)
        self.pane = round(plant.windows.pane_seconds * 1e6)
        self.lateness = round(plant.windows.lateness_seconds * 1e6)
        self.windows, self.batches, self.alarms = [], [], []
        self.late = 0

    def run(self, log: Log) -> "Oracle":
        for sample, content in zip(log.samples, log.records, strict=True):
            if content is not None:
                self._take(sample.offset, sample.timestamp_ms, content)
        return self

    def _take(self, offset: int, timestamp_ms: int, content: dict) -> None:
        sizes = {len(s["values"]) for s in content["series"]} or {0}
        (size,) = sizes
        times = [Fraction(t) for t in content["times"]] or [j * Fraction(content["dt"]) for j in range(size)]
        span = times[-1] if content["times"] else math.floor(size * Fraction(content["dt"]))
        end = content["t0"] + int(span)
        if self._refused(content, size, end, timestamp_ms):
            return
        kiln = self.kilns[content["asset"]]
        if content["epoch"] < kiln.epoch or (content["epoch"], content["seq"]) in kiln.seqs:
            return
        kiln.epoch = content["epoch"]
        kiln.seqs.add((content["epoch"], content["seq"]))
        late_before = -math.inf if kiln.watermark is None else (kiln.watermark - self.lateness) // self.pane
        if kiln.closed is None:
            kiln.closed = min(content["t0"] // self.pane, (end - self.lateness) // self.pane)
        held = self._held(content, times)
        for one in content["series"]:
            self._series(kiln, content, one, (times, held), late_before)
        for number, mark in enumerate(content["marks"]):
            border = math.floor(Fraction(mark["t"], self.pane) + Fraction(1, 2))
            if mark["kind"] in ("start", "end") and border >= late_before:
                kiln.marks.append((mark["t"], offset, number, mark["kind"], mark["batch"], border))
        kiln.marks.sort()
        kiln.watermark = end if kiln.watermark is None else max(kiln.watermark, end)
        self._close(content["asset"], kiln, offset)

    def _refused(self, content: dict, size: int, end: int, timestamp_ms: int) -> bool:
        return (
            content["asset"] not in self.plant.assets
            or content["historical"]
            or content["t0"] < EARLIEST_US
            or (content["times"] and len(content["times"]) != size)
            or (size > 0 and not content["times"] and content["dt"] <= 0)
            or end > timestamp_ms * 1_000 + self.plant.windows.horizon_seconds * 1e6
        )

    @staticmethod
    def _held(content: dict, times: list) -> list[float]:
        if not content["times"]:
            return [content["dt"] / 1e6] * len(times)
        steps = [float(b - a) / 1e6 for a, b in itertools.pairwise(times)]
        return [*steps, steps[-1]] if steps else [0.0]

    def _series(self, kiln: Kiln, content: dict, one: dict, grid: tuple, late_before: float) -> None:
        channel = self.plant.channels.get(one["channel"])
        if channel is None or one["unit"] not in (channel.unit, "K"):
            return
        bad = {j for r in one["quality"] if r["code"] == 2 for j in range(r["start"], r["start"] + r["count"])}
        for j, (value, since, held) in enumerate(zip(one["values"], *grid, strict=True)):
            at = content["t0"] + since
            pane = math.floor(at / self.pane)
            if not abs(value) <= 1e100 or j in bad:
                continue
            if pane < late_before:
                self.late += 1
                continue
            shown = value - 273.15 if one["unit"] == "K" else value
            kiln.panes[pane][one["channel"]].append(Reading(float(at - ORIGIN_US) / 1e6, shown, held))

    def _close(self, asset: str, kiln: Kiln, offset: int) -> None:
        windows = self.plant.windows
        until = (kiln.watermark - self.lateness) // self.pane
        while kiln.closed < until:
            pane = kiln.closed
            while kiln.marks and kiln.marks[0][-1] <= pane:
                self._mark(asset, kiln, offset)
            if kiln.batch is not None or kiln.anonymous:
                for name, readings in kiln.panes[pane].items():
                    if readings and kiln.anonymous and not kiln.batch_start:
                        kiln.batch_start = pane * self.pane
                    kiln.batch_readings[name] += readings
            self._alarms(asset, kiln, pane, offset)
            kiln.closed += 1
            if kiln.closed % windows.emit_panes == 0:
                self._window(asset, kiln, offset)
                kiln.panes.pop(kiln.closed - windows.window_panes, None)

    def _window(self, asset: str, kiln: Kiln, offset: int) -> None:
        first = kiln.closed - self.plant.windows.window_panes
        held = {
            name: [r for p in range(first, kiln.closed) for r in kiln.panes[p][name]] for name in self.plant.channels
        }
        if not any(held.values()):
            return
        so_far = self._features(kiln.batch_readings) if kiln.batch else {}
        channels = {name: self._channel(name, readings) for name, readings in held.items()}
        self.windows.append(
            {"asset": asset, "end_us": kiln.closed * self.pane, "start_us": first * self.pane, "offset": offset,
             "batch": kiln.batch, "channels": channels, "so_far": so_far}
        )  # fmt: skip

    def _channel(self, name: str, readings: list[Reading]) -> dict:
        if not readings:
            return {"count": 0} | dict.fromkeys(
                ("mean", "minimum", "maximum", "slope_per_s", "dwell_s", "dose_s"), math.nan
            )
        values, times = [r.value for r in readings], [r.seconds for r in readings]
        mean, middle = math.fsum(values) / len(values), math.fsum(times) / len(times)
        spread = math.fsum((t - middle) ** 2 for t in times)
        together = math.fsum((t - middle) * (v - mean) for t, v in zip(times, values, strict=True))
        return {
            "count": len(values), "mean": mean, "minimum": min(values), "maximum": max(values),
            "slope_per_s": together / spread if spread > 1e-9 else math.nan,
            "dwell_s": self._dwell(name, readings), "dose_s": self._dose(name, readings),
        }  # fmt: skip

    def _dwell(self, name: str, readings: list[Reading]) -> float:
        limit = self.plant.channels[name].limit_above
        return 0.0 if limit is None else math.fsum(r.held for r in readings if r.value > limit)

    def _dose(self, name: str, readings: list[Reading]) -> float:
        dose = self.plant.channels[name].dose
        if dose is None:
            return 0.0
        scale, reference = dose.activation_energy_kj_mol * 1000 / GAS, dose.reference_celsius + 273.15
        return math.fsum(r.held * math.exp(-scale * (1 / (r.value + 273.15) - 1 / reference)) for r in readings)

    def _features(self, readings: dict) -> dict:
        found = {}
        for name, channel in self.plant.channels.items():
            whole, limit = readings.get(name, []), channel.limit_above
            values = [r.value for r in whole]
            found[name] = {
                "mean": math.fsum(values) / len(values) if values else math.nan,
                "minimum": min(values, default=math.nan), "maximum": max(values, default=math.nan),
            }  # fmt: skip
            if limit is not None:
                above = [v for v in values if v > limit]
                found[name]["mean_above"] = math.fsum(above) / len(above) if above else math.nan
                found[name]["dwell_h"] = self._dwell(name, whole) / 3600 if whole else math.nan
            if channel.dose is not None:
                found[name]["dose_h"] = self._dose(name, whole) / 3600 if whole else math.nan
        return found

    def _mark(self, asset: str, kiln: Kiln, offset: int) -> None:
        t, _, _, kind, batch, _ = kiln.marks.pop(0)
        if kind == "start" and kiln.batch == batch:
            return
        if kind == "end" and kiln.batch != batch and not kiln.anonymous:
            return
        ended = kiln.batch if kind == "start" else batch
        if ended is not None:
            index = sum(b["offset"] == offset for b in self.batches)
            self.batches.append(
                {"asset": asset, "batch": ended, "how": "marks" if kind == "end" else "mark_without_end",
                 "start_us": kiln.batch_start or t, "end_us": t, "offset": offset, "index": index,
                 "complete": not kiln.anonymous, "features": self._features(kiln.batch_readings)}
            )  # fmt: skip
        kiln.batch, kiln.batch_start = (batch, t) if kind == "start" else (None, 0)
        kiln.anonymous, kiln.batch_readings = False, defaultdict(list)

    def _alarms(self, asset: str, kiln: Kiln, pane: int, offset: int) -> None:
        for name, channel in self.plant.channels.items():
            values = [r.value for r in kiln.panes[pane][name]]
            for rule, limit, sign in (("high", channel.high, 1), ("low", channel.low, -1)):
                if limit is None or not values:
                    continue
                mean, key, end = math.fsum(values) / len(values), (name, rule), (pane + 1) * self.pane
                state = None
                if key in kiln.raised:
                    if sign * mean <= sign * limit.clear:
                        state, began = "cleared", kiln.raised.pop(key)
                        kiln.runs[key] = 0
                else:
                    kiln.runs[key] = kiln.runs.get(key, 0) + 1 if sign * mean > sign * limit.at else 0
                    if kiln.runs[key] >= limit.panes:
                        state, began = "raised", end
                        kiln.raised[key] = end
                if state:
                    self.alarms.append(
                        {"asset": asset, "channel": name, "rule": rule, "state": state, "at_us": end, "began_us": began,
                         "batch": kiln.batch, "value": mean, "limit": limit.at if state == "raised" else limit.clear,
                         "unit": channel.unit, "offset": offset}
                    )  # fmt: skip
