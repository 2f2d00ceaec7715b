"""The present state of one plant in bounded memory: windows, open alarms, the running batch, scores."""

import datetime as dt
from collections import OrderedDict
from typing import TypeVar

import msgspec

from sojae.domain.plant import Label, Plant
from sojae_gateway.plant_messages import Alarm, Forecast, Said, Window

MAX_WINDOWS = 360
MAX_CHANNEL_WINDOWS = 20_000
"""Windows kept of one asset, and all channels of them together: an asset of hundreds of channels has fewer windows."""
MAX_FORECASTS = 360
MAX_SCORED = 100
MAX_OPEN_ALARMS = 1_000
LATELY_SECONDS = 120.0
"""A plant that was silent for less is live; a plant with long windows may be silent for two of them."""

T = TypeVar("T")


class RunningBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The batch that runs, with what has been forecast of it, oldest first: the last one is the latest."""

    batch: str
    forecasts: list[Forecast]


class AssetState(msgspec.Struct, frozen=True, kw_only=True):
    """One asset: its latest windows, oldest first, and the batch that runs."""

    asset: str
    label: Label | None
    windows: list[Window]
    running: RunningBatch | None


class PlantState(msgspec.Struct, frozen=True, kw_only=True):
    """A plant as it is now; alarms and scores newest first."""

    assets: list[AssetState]
    open_alarms: list[Alarm]
    scored: list[Forecast]


class PlantBoard:
    """Takes what a plant says, in the order of each asset, and shows what holds now; the same message twice is one."""

    def __init__(self, plant: Plant) -> None:
        kept = max(1, min(MAX_WINDOWS, MAX_CHANNEL_WINDOWS // len(plant.channels)))
        windows = plant.windows
        self._silence = max(LATELY_SECONDS, 2 * windows.emit_panes * windows.pane_seconds + windows.lateness_seconds)
        self._assets = {name: _AssetBoard(asset.label, kept) for name, asset in plant.assets.items()}
        self._alarms: OrderedDict[str, Alarm] = OrderedDict()
        self._scored: OrderedDict[str, Forecast] = OrderedDict()
        self.heard: dt.datetime | None = None

    def take(self, said: Said, heard: dt.datetime | None) -> None:
        """Take one message, with the time that Kafka gave it; of an asset that the plant does not have, nothing is kept."""
        if heard is not None and (self.heard is None or heard > self.heard):
            self.heard = heard
        asset = self._assets.get(said.asset)
        if asset is None:
            return
        if isinstance(said, Window):
            asset.window(said)
        elif isinstance(said, Alarm):
            self._alarm(said)
        elif said.kind == "forecast":
            asset.forecast(said)
        else:
            _keep(self._scored, said.id, said, MAX_SCORED)

    def live(self, now: dt.datetime) -> bool:
        """Return whether something came lately: within two minutes, or two windows where these are longer."""
        return self.heard is not None and (now - self.heard).total_seconds() <= self._silence

    def state(self, windows: int) -> PlantState:
        """Return the present state, with so many windows of each asset."""
        return PlantState(
            assets=[board.state(name, windows) for name, board in self._assets.items()],
            open_alarms=list(reversed(self._alarms.values())),
            scored=list(reversed(self._scored.values())),
        )

    def _alarm(self, alarm: Alarm) -> None:
        if alarm.state == "raised":
            _keep(self._alarms, alarm.id, alarm, MAX_OPEN_ALARMS)
        else:
            self._alarms.pop(alarm.id, None)


class _AssetBoard:
    """One asset's windows, and the forecasts of its last batches."""

    def __init__(self, label: Label | None, kept: int) -> None:
        self._label = label
        self._kept = kept
        self._windows: OrderedDict[str, Window] = OrderedDict()
        self._forecasts: OrderedDict[str, Forecast] = OrderedDict()

    def window(self, window: Window) -> None:
        _keep(self._windows, window.id, window, self._kept)

    def forecast(self, forecast: Forecast) -> None:
        _keep(self._forecasts, forecast.id, forecast, MAX_FORECASTS)

    def state(self, name: str, windows: int) -> AssetState:
        last = next(reversed(self._windows.values()), None)
        running = None
        if last is not None and last.batch is not None:
            of_it = [forecast for forecast in self._forecasts.values() if forecast.batch == last.batch]
            running = RunningBatch(batch=last.batch, forecasts=of_it)
        shown = list(self._windows.values())[-windows:] if windows else []
        return AssetState(asset=name, label=self._label, windows=shown, running=running)


def _keep(kept: "OrderedDict[str, T]", key: str, value: T, limit: int) -> None:
    """Add what is not there yet, and forget the oldest beyond the limit."""
    kept.setdefault(key, value)
    while len(kept) > limit:
        kept.popitem(last=False)
