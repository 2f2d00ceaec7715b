"""What a plant file means to the arrays: channels in order, panes in microseconds, limits and doses by channel."""

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from sojae.domain.plant import Channel, Plant
from sojae_monitor.emitted import MICROSECONDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

STATE_VERSION: Final = 1
"""Larger when the same log gives other states or other windows: an older checkpoint is refused."""

SLACK_PANES: Final = 256
"""Panes kept beyond what windows and lateness need, so that a batch of messages closes panes in few steps."""

MAX_PANES: Final = 200_000
"""Panes that one asset may keep: longer windows need longer panes."""

GAS_CONSTANT: Final = 8.31446261815324
"""J/(mol K), CODATA 2018, exact."""

KELVIN_OFFSET: Final = 273.15


@dataclass(frozen=True, slots=True)
class LimitRule:
    """One limit of one channel: `sign` is 1 for high and −1 for low, so that both compare alike."""

    channel: int
    rule: str
    sign: float
    at: float
    clear: float
    panes: int


@dataclass(frozen=True, slots=True)
class PlantLayout:
    """The plant as numbers; arrays have one entry a channel, in the order of the plant file."""

    plant: str
    assets: tuple[str, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...]
    pane_us: int
    lateness_us: int
    horizon_us: int
    window_panes: int
    emit_panes: int
    ring_panes: int
    limit_above: Floats
    """NaN where a channel has none."""
    activation: Floats
    """Activation energy over the gas constant, in K; NaN where a channel has no dose."""
    reference: Floats
    """1 / reference temperature, in 1/K; NaN where a channel has no dose."""
    limits: tuple[LimitRule, ...]
    digest: str
    """Equal for plants whose states can be exchanged: names, labels, plan and alarm limits do not matter."""

    @property
    def has_limit(self) -> Flags:
        """Which channels count what is above a limit."""
        return ~np.isnan(self.limit_above)

    @property
    def has_dose(self) -> Flags:
        """Which channels have a dose."""
        return ~np.isnan(self.activation)

    def needed_from(self, closed: int) -> int:
        """Return the first pane that a window still to come holds, when the panes before `closed` are closed."""
        return (closed // self.emit_panes + 1) * self.emit_panes - self.window_panes


def layout_of(plant: Plant) -> PlantLayout:
    """Return the plant's layout; raises ValueError when its panes are too short to be counted or too many to be kept."""
    windows = plant.windows
    pane_us = round(windows.pane_seconds * MICROSECONDS)
    if pane_us < 1:
        raise ValueError(f"windows: pane_seconds = {windows.pane_seconds:g} is less than a microsecond")
    lateness_us = round(windows.lateness_seconds * MICROSECONDS)
    late_panes = -(-lateness_us // pane_us)
    ring_panes = windows.window_panes + late_panes + 2 + SLACK_PANES
    if ring_panes > MAX_PANES:
        raise ValueError(
            f"windows: window and lateness are {ring_panes - SLACK_PANES} panes, at most {MAX_PANES - SLACK_PANES} fit; "
            "make pane_seconds larger"
        )
    channels = tuple(plant.channels.values())
    return PlantLayout(
        plant=plant.plant,
        assets=tuple(plant.assets),
        channels=tuple(plant.channels),
        units=tuple(c.unit for c in channels),
        pane_us=pane_us,
        lateness_us=lateness_us,
        horizon_us=round(windows.horizon_seconds * MICROSECONDS),
        window_panes=windows.window_panes,
        emit_panes=windows.emit_panes,
        ring_panes=ring_panes,
        limit_above=np.array([math.nan if c.limit_above is None else c.limit_above for c in channels]),
        activation=np.array([_activation(c) for c in channels]),
        reference=np.array(
            [math.nan if c.dose is None else 1 / (c.dose.reference_celsius + KELVIN_OFFSET) for c in channels]
        ),
        limits=tuple(rule for i, c in enumerate(channels) for rule in _rules(i, c)),
        digest=_digest(plant, pane_us, lateness_us),
    )


def _activation(channel: Channel) -> float:
    return math.nan if channel.dose is None else channel.dose.activation_energy_kj_mol * 1000 / GAS_CONSTANT


def _rules(index: int, channel: Channel) -> list[LimitRule]:
    sides = (("high", 1.0, channel.high), ("low", -1.0, channel.low))
    return [LimitRule(index, rule, sign, side.at, side.clear, side.panes) for rule, sign, side in sides if side]


def _digest(plant: Plant, pane_us: int, lateness_us: int) -> str:
    windows = (pane_us, lateness_us, plant.windows.window_panes, plant.windows.emit_panes)
    channels = [(name, c.unit, c.limit_above, c.dose) for name, c in plant.channels.items()]
    said = msgspec.json.encode((STATE_VERSION, plant.plant, windows, channels))
    return hashlib.sha256(said).hexdigest()
