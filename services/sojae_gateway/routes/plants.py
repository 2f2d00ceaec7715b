"""Plants as they are now."""

import datetime as dt

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery

from sojae.domain.plant import Label, Plant
from sojae.domain.text import Text
from sojae_gateway.parts import Parts, today
from sojae_gateway.plant_board import MAX_WINDOWS, AssetState
from sojae_gateway.plant_messages import Alarm, Forecast
from sojae_gateway.refusal import refused_value
from sojae_gateway.routes.asking import TheParts, WhoAsks

DEFAULT_WINDOWS = 20


class PlantLine(msgspec.Struct, frozen=True, kw_only=True):
    """One plant: `live` when something came lately, `heard` when the last message came (Kafka's time)."""

    plant: str
    label: Label | None
    institute: str
    project: str
    target: str | None
    assets: dict[str, Label | None]
    live: bool
    heard: dt.datetime | None


class PlantList(msgspec.Struct, frozen=True, kw_only=True):
    """The plants that may be seen; `note` says why there is less than one might expect."""

    plants: list[PlantLine]
    note: Text | None


class PlantWhole(msgspec.Struct, frozen=True, kw_only=True):
    """A plant as it is now: windows oldest first, alarms and scores newest first."""

    plant: PlantLine
    assets: list[AssetState]
    open_alarms: list[Alarm]
    scored: list[Forecast]
    note: Text | None


@get("/v1/plants", tags=["plants"], sync_to_thread=False)
def plants(parts: TheParts, principal: WhoAsks) -> PlantList:
    """List the plants, and whether something came from them lately."""
    lines = [_line(parts, plant) for plant in parts.plants.seen_by(principal, today())]
    return PlantList(plants=lines, note=parts.plants.note(principal, today()))


@get("/v1/plants/{plant:str}", tags=["plants"], sync_to_thread=False)
def plant(
    parts: TheParts, principal: WhoAsks, plant: FromPath[str], windows: FromQuery[int] = DEFAULT_WINDOWS
) -> PlantWhole:
    """Return a plant as it is now: latest windows, running batch with its forecasts, open alarms, last scored batches."""
    if not 0 <= windows <= MAX_WINDOWS:
        raise refused_value("windows", "windows", windows, f"0 to {MAX_WINDOWS}")
    found = parts.plants.one(plant, principal, today())
    state = parts.plants.boards[found.plant].state(windows)
    return PlantWhole(
        plant=_line(parts, found),
        assets=state.assets,
        open_alarms=state.open_alarms,
        scored=state.scored,
        note=parts.plants.note(principal, today()),
    )


def _line(parts: Parts, found: Plant) -> PlantLine:
    board = parts.plants.boards[found.plant]
    return PlantLine(
        plant=found.plant,
        label=found.label,
        institute=found.institute,
        project=found.project,
        target=found.forecast.target if found.forecast else None,
        assets={name: asset.label for name, asset in found.assets.items()},
        live=board.live(dt.datetime.now(dt.UTC)),
        heard=board.heard,
    )


HANDLERS = [plants, plant]
