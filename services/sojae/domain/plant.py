"""A plant: its assets, what each channel of theirs means to the templates, limits, and the plan that a batch follows."""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from sojae.domain.text import Text

BatchFeature = Literal["mean", "minimum", "maximum", "mean_above", "dwell_h", "dose_h"]
"""What a whole batch gives of a channel: mean_above and dwell_h look at what is above `limit_above`."""

Identity = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{2,32}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1, le=86_400)]


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in both languages."""

    ko: str
    en: str

    @property
    def text(self) -> Text:
        """The name as a Text."""
        return Text(ko=self.ko, en=self.en)


class Windows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Windows of event time: `window_panes` panes each, one every `emit_panes`; an asset is waited for `lateness_seconds`."""

    pane_seconds: Positive = 1.0
    window_panes: Count = 60
    emit_panes: Count = 60
    lateness_seconds: Annotated[float, msgspec.Meta(ge=0)] = 5.0
    horizon_seconds: Positive = 86_400.0
    """A message whose samples lie further than this ahead of its Kafka timestamp has a wrong clock."""


class Dose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Arrhenius dose of a temperature channel in °C: exp(−Q/R·(1/T − 1/T_reference)) seconds a second."""

    activation_energy_kj_mol: Positive
    reference_celsius: float


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A limit with hysteresis: raised beyond `at` for `panes` panes in a row, cleared once back behind `clear`."""

    at: float
    clear: float
    panes: Count = 1


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel: its UCUM unit, what a batch's features of it are called in the process template, its limits."""

    unit: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    label: Label | None = None
    fields: dict[str, BatchFeature] = {}
    limit_above: float | None = None
    dose: Dose | None = None
    high: Limit | None = None
    low: Limit | None = None


class Asset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One asset: process fields that are the same for each of its batches."""

    label: Label | None = None
    values: dict[str, float | str] = {}


class Planned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan's value of one model input; `spread` is the standard deviation by which batches differ from it."""

    value: float | str
    spread: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class ForecastOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which property of a batch is forecast."""

    target: Name


class Plant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `<plant>.toml` says. `plan` is keyed `<stage>.<field>`; process values of it complete the batch's event."""

    plant: Identity
    institute: Identity
    project: Name
    channels: dict[Name, Channel]
    assets: dict[Name, Asset]
    label: Label | None = None
    windows: Windows = Windows()
    plan: dict[str, Planned] = {}
    forecast: ForecastOf | None = None

    def __post_init__(self) -> None:
        if not self.channels or not self.assets:
            raise ValueError("at least one channel and one asset are needed")
        for name, channel in self.channels.items():
            _check_channel(name, channel)
        if self.windows.emit_panes > self.windows.window_panes:
            raise ValueError("windows: emit_panes is larger than window_panes, so samples would be in no window")
        for key in self.plan:
            if key.partition(".")[0] not in {"raw", "composition", "process", "property"} or "." not in key:
                raise ValueError(f"plan: {key!r} is not <stage>.<field>")

    def planned(self, stage: str) -> Mapping[str, float | str]:
        """Return the plan's values of one stage, by field."""
        start = f"{stage}."
        return {key.removeprefix(start): p.value for key, p in self.plan.items() if key.startswith(start)}


def _check_channel(name: str, channel: Channel) -> None:
    above = {f for f, feature in channel.fields.items() if feature in ("mean_above", "dwell_h")}
    if above and channel.limit_above is None:
        raise ValueError(f"channel {name}: {', '.join(sorted(above))} need limit_above")
    if channel.dose is None and "dose_h" in channel.fields.values():
        raise ValueError(f"channel {name}: dose_h needs dose")
    if channel.dose is not None and channel.unit != "Cel":
        raise ValueError(f"channel {name}: a dose is of a temperature in Cel, and the unit is {channel.unit}")
    for side, limit in (("high", channel.high), ("low", channel.low)):
        if limit is None:
            continue
        back = limit.clear <= limit.at if side == "high" else limit.clear >= limit.at
        if not back or not (math.isfinite(limit.at) and math.isfinite(limit.clear)):
            raise ValueError(f"channel {name}: {side}.clear = {limit.clear:g} lies beyond {side}.at = {limit.at:g}")
