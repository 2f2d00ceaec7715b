"""The engine's state as JSON holds it: what a replay from `resume` cannot rebuild, and nothing else."""

import math
from collections.abc import Iterable

import msgspec
import numpy as np

from sojae_monitor.alarms import Watch
from sojae_monitor.assets import Restart
from sojae_monitor.batches import BATCH_SUMS, Mark, Running
from sojae_monitor.layout import STATE_VERSION, Floats
from sojae_monitor.sequence import Seen


class RunningRecord(msgspec.Struct, frozen=True):
    """A batch under way. JSON has no infinity: the smallest and largest of a channel without a sample are null."""

    batch: str | None
    start_us: int | None
    sums: list[list[float]]
    low: list[float | None]
    high: list[float | None]


class RestartRecord(msgspec.Struct, frozen=True):
    """What an asset was just before the offset from which it is replayed; `mask` in hex."""

    offset: int
    watermark: int
    epoch: int | None
    last: int
    mask: str


class AlarmRecord(msgspec.Struct, frozen=True):
    """The state of one limit that is not at rest."""

    channel: str
    rule: str
    run: int
    began: int | None


class AssetRecord(msgspec.Struct, frozen=True):
    """One asset: panes before `closed` are done, the marks wait."""

    asset: str
    closed: int
    restart: RestartRecord
    running: RunningRecord | None
    marks: list[Mark]
    alarms: list[AlarmRecord]


class EngineRecord(msgspec.Struct, frozen=True):
    """The whole state; `layout` is the digest of the plant's layout that it belongs to."""

    layout: str
    assets: list[AssetRecord]
    version: int = STATE_VERSION


def read_record(state: msgspec.Raw, layout: str) -> EngineRecord:
    """Return the state of a checkpoint; raises ValueError when it is damaged, or of another layout or version."""
    version = msgspec.json.decode(state, type=dict[str, object]).get("version")
    if version != STATE_VERSION:
        raise ValueError(f"its state is of version {version}, and {STATE_VERSION} is read")
    record = msgspec.json.decode(state, type=EngineRecord)
    if record.layout != layout:
        raise ValueError("its state is of another plant, or of other windows, channels, units, limits or doses")
    return record


def running_record(running: Running | None) -> RunningRecord | None:
    """Return a batch under way as JSON holds it."""
    if running is None:
        return None
    low, high = _without_infinity(running.low), _without_infinity(running.high)
    return RunningRecord(running.batch, running.start_us, running.sums.tolist(), low, high)


def running_of(record: RunningRecord | None, channels: int) -> Running | None:
    """Return the batch under way; raises ValueError when it is not of so many channels."""
    if record is None:
        return None
    sums = np.array(record.sums, dtype=np.float64)
    low, high = _with_infinity(record.low, math.inf), _with_infinity(record.high, -math.inf)
    if sums.shape != (BATCH_SUMS, channels) or low.shape != (channels,) or high.shape != (channels,):
        raise ValueError(f"its batch has sums of shape {sums.shape}, and {channels} channels are followed")
    return Running(record.batch, record.start_us, sums, low, high)


def restart_record(restart: Restart) -> RestartRecord:
    """Return a place to begin as JSON holds it."""
    epoch, last, mask = restart.seen
    return RestartRecord(restart.offset, restart.watermark, epoch, last, f"{mask:x}")


def seen_of(record: RestartRecord) -> Seen:
    """Return what was seen before the place."""
    return Seen(record.epoch, record.last, int(record.mask, 16))


def alarm_records(names: Iterable[tuple[str, str]], states: Iterable[Watch]) -> list[AlarmRecord]:
    """Return the limits that are not at rest; `names` has channel and rule of each."""
    pairs = zip(names, states, strict=True)
    return [AlarmRecord(*name, state.run, state.began) for name, state in pairs if state != Watch()]


def _without_infinity(values: Floats) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _with_infinity(values: list[float | None], empty: float) -> Floats:
    return np.array([empty if value is None else value for value in values], dtype=np.float64)
