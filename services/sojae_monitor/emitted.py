"""What the engine of one telemetry partition takes and gives; plain values, equal for equal logs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from sojae.domain.plant import BatchFeature

MICROSECONDS = 1_000_000


class Sample(NamedTuple):
    """One message of a telemetry partition: its offset, Kafka's timestamp in Unix ms, and the framed bytes."""

    offset: int
    timestamp_ms: int
    value: bytes | None


class ChannelWindow(msgspec.Struct, frozen=True, gc=False):
    """One channel in one window, in the order of `common/feature/1.0`; NaN where there was no good sample.

    Thousands are made a second: a struct costs a tenth of a frozen dataclass.
    """

    channel: str
    unit: str
    count: int
    mean: float
    minimum: float
    maximum: float
    slope_per_s: float
    dwell_s: float
    dose_s: float


@dataclass(frozen=True, slots=True)
class Window:
    """One asset in one window [start_us, end_us), Unix microseconds; `offset` is the message that closed it."""

    asset: str
    start_us: int
    end_us: int
    batch: str | None
    channels: tuple[ChannelWindow, ...]
    offset: int
    so_far: Mapping[str, Mapping[BatchFeature, float]] = field(default_factory=dict)
    """What the running batch has given so far, by channel; empty without a batch."""


@dataclass(frozen=True, slots=True)
class BatchDone:
    """One batch that has ended: `offset` closed it, `index` counts the batches that this message closed.

    `features` are by channel; `complete` is false when data began in the middle of it. `closed_ms` is Kafka's timestamp
    of the closing message.
    """

    asset: str
    batch: str
    how: str
    start_us: int
    end_us: int
    offset: int
    index: int
    closed_ms: int
    complete: bool
    features: Mapping[str, Mapping[BatchFeature, float]]


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """A channel's limit raised or cleared at the end of a pane (`at_us`); `began_us` tells which alarm it is."""

    asset: str
    channel: str
    rule: str
    state: str
    at_us: int
    began_us: int
    batch: str | None
    value: float
    limit: float
    unit: str
    offset: int


@dataclass(slots=True)
class Emitted:
    """What a call of `feed` gave, each list in the order of event time of its asset."""

    windows: list[Window] = field(default_factory=list)
    batches: list[BatchDone] = field(default_factory=list)
    alarms: list[AlarmChange] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Samples and messages that were set aside, by reason."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one telemetry partition as JSON holds it: doubles survive exactly.

    `position` is the next offset that has not been fed, `resume` the one from which a replay rebuilds the open panes.
    """

    topic_id: str
    partition: int
    position: int
    resume: int
    state: msgspec.Raw
