"""Forecasts compared with what the laboratory measured later: the last forecast of each batch, remembered within a bound."""

import logging
import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar, cast

from sojae.adapters.avro import Record
from sojae.domain.header import sample_reference
from sojae.domain.plant import Plant
from sojae.topics import forecasts_topic
from sojae_monitor.identifiers import named_id
from sojae_monitor.messages import FORECAST, Outgoing

log = logging.getLogger(__name__)

MAX_BATCHES = 10_000
"""Batches whose last forecast is remembered, and values that wait; the oldest are forgotten first."""

TAIL = 5_000
"""Messages of each partition of the forecasts topic that are read at the start."""

SAME_SHARE = 0.01
"""A measurement condition is the plan's within this share of it: a furnace set to 600 °C shows 598."""


K = TypeVar("K")
V = TypeVar("V")


class LabValue(NamedTuple):
    """One laboratory record of a property: whose and of which sample, and its fields by name."""

    institute: str
    sample_id: str
    parents: Sequence[str]
    record_id: str
    event_id: str
    fields: Mapping[str, object]


class Scores:
    """Remembers the last forecast of each batch and laboratory values that wait, and scores when both are there.

    A value waits until its batch has ended: the last forecast is the one that counts, and telemetry may come after it.
    What was read from the topic at the start is of batches that ended before, unless a forecast of it comes again.
    """

    def __init__(self, plants: Mapping[str, Plant], limit: int = MAX_BATCHES) -> None:
        self._plants = plants
        self._limit = limit
        self._last: OrderedDict[tuple[str, str], Record] = OrderedDict()
        self._running: set[tuple[str, str]] = set()
        self._waiting: OrderedDict[tuple[str, str], LabValue] = OrderedDict()
        self._scored: OrderedDict[str, None] = OrderedDict()

    def restore(self, record: Record) -> None:
        """Remember a forecast or a score of the topic."""
        if record["kind"] == "score":
            self._scored[str(record["id"])] = None
            _bound(self._scored, self._limit)
        else:
            self._keep(record)

    def made(self, record: Record) -> None:
        """Remember a forecast of a running batch."""
        self._keep(record)
        self._running.add((str(record["plant"]), str(record["batch"])))

    def ended(self, plant: str, batch: str) -> None:
        """Note that a batch has ended: its last forecast counts."""
        self._running.discard((plant, batch))

    def measured(self, plant: str, values: Iterable[LabValue]) -> None:
        """Take laboratory values of a plant's institute; the oldest beyond the bound are forgotten."""
        for value in values:
            self._waiting[plant, value.event_id] = value
        _bound(self._waiting, self._limit)

    def due(self) -> list[Outgoing]:
        """Return the scores that can be given now, each once."""
        given: list[Outgoing] = []
        for (name, event_id), value in list(self._waiting.items()):
            forecast = self._forecast_of(self._plants[name], value)
            if forecast is None or (name, str(forecast["batch"])) in self._running:
                continue
            del self._waiting[name, event_id]
            record = scored(self._plants[name], forecast, value)
            if record is not None and str(record["id"]) not in self._scored:
                self.restore(record)
                given.append(Outgoing(forecasts_topic(name), str(record["asset"]), FORECAST.encode(record)))
        return given

    def _keep(self, record: Record) -> None:
        key = str(record["plant"]), str(record["batch"])
        before = self._last.get(key)
        if before is None or cast("int", before["at"]) <= cast("int", record["at"]):
            self._last[key] = record
            self._last.move_to_end(key)
            _bound(self._last, self._limit)

    def _forecast_of(self, plant: Plant, value: LabValue) -> Record | None:
        """Return the last forecast of the measured sample, or of a sample that it was made from."""
        for reference in (value.sample_id, *value.parents):
            institute, sample = sample_reference(reference, value.institute)
            found = self._last.get((plant.plant, sample)) if institute == plant.institute else None
            if found is not None:
                return found
        return None


def read_forecast(value: bytes | None) -> Record | None:
    """Return what a message of the forecasts topic says, times in Unix microseconds; None, logged, when it is none."""
    try:
        record = FORECAST.decode(value or b"")
    except (ValueError, TypeError, EOFError, IndexError) as error:
        log.warning("a message of a forecasts topic cannot be read: %s", error)
        return None
    at = record["at"]
    return {**record, "at": at if isinstance(at, int) else round(at.timestamp() * 1e6)}  # type: ignore[attr-defined]


def scored(plant: Plant, forecast: Record, value: LabValue) -> Record | None:
    """Return the score of a forecast by a laboratory value; None when there is no number, or under other conditions.

    The same value gives the same id; a corrected value is a new statement, and gives a new score.
    """
    assert plant.forecast is not None, "there is a forecast of it"
    measured = value.fields.get(plant.forecast.target.partition(".")[0])
    if not isinstance(measured, int | float) or not math.isfinite(measured) or not _as_planned(plant, value):
        return None
    lower, upper, mean = (cast("float", forecast[name]) for name in ("lower", "upper", "mean"))
    return {
        **forecast,
        "id": named_id("score", plant.plant, str(forecast["id"]), value.record_id, value.event_id),
        "kind": "score",
        "measured": float(measured),
        "record_id": value.record_id,
        "inside": lower <= measured <= upper,
        "error": mean - measured,
    }


def _as_planned(plant: Plant, value: LabValue) -> bool:
    return all(_same(value.fields.get(field), planned) for field, planned in plant.planned("property").items())


def _same(measured: object, planned: float | str) -> bool:
    if measured is None or isinstance(planned, str) or not isinstance(measured, int | float):
        return measured is None or measured == planned
    return abs(measured - planned) <= SAME_SHARE * abs(planned)


def _bound(kept: OrderedDict[K, V], limit: int) -> None:
    while len(kept) > limit:
        kept.popitem(last=False)
