"""What plants say on their topics, as answers show it: windows, forecasts and their scores, alarms."""

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import msgspec

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common
from sojae.topics import ALARMS, FEATURES, FORECASTS, alarms_topic, features_topic, forecasts_topic, institute_of

Kind = Literal["feature", "forecast", "alarm", "score"]
Letter = Literal["f", "o", "a"]
"""One letter for each kind of topic: features, forecasts (and scores), alarms."""

PREFIXES: Mapping[Letter, str] = {"f": FEATURES, "o": FORECASTS, "a": ALARMS}


class ChannelWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One channel in one window, as `common/feature/1.0` describes it; null where there was no good sample."""

    channel: str
    unit: str
    count: int
    mean: float
    minimum: float
    maximum: float
    slope_per_s: float
    dwell_s: float
    dose_s: float


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What one asset did in one window of event time; `batch` was running at its end."""

    id: str
    plant: str
    asset: str
    start: dt.datetime
    end: dt.datetime
    batch: str | None
    channels: list[ChannelWindow]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The property that a running batch will have; of kind `score`, with what the laboratory has measured."""

    id: str
    kind: Literal["forecast", "score"]
    plant: str
    asset: str
    batch: str
    at: dt.datetime
    project: str
    target: str
    unit: str
    model_version: int
    mean: float
    lower: float
    upper: float
    known: list[str]
    measured: float | None = None
    record_id: str | None = None
    inside: bool | None = None
    error: float | None = None


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that a channel has passed, or come back from."""

    id: str
    plant: str
    asset: str
    channel: str
    rule: Literal["high", "low"]
    state: Literal["raised", "cleared"]
    at: dt.datetime
    began: dt.datetime
    batch: str | None
    value: float
    limit: float
    unit: str
    message_ko: str
    message_en: str


Said = Window | Forecast | Alarm


class PlantMessages:
    """Reads the messages of plants' topics."""

    def __init__(self) -> None:
        names: Mapping[Letter, str] = {"f": "feature", "o": "forecast", "a": "alarm"}
        self._codecs = {letter: RecordCodec(read_common(name, "1.0")) for letter, name in names.items()}
        self._types: Mapping[Letter, type[Said]] = {"f": Window, "o": Forecast, "a": Alarm}

    def read(self, topic: str, value: bytes | None) -> Said:
        """Return what a message says; raises ValueError when it is none of its topic's, or of another plant."""
        letter = letter_of(topic)
        try:
            said = msgspec.convert(self._codecs[letter].decode(value or b""), self._types[letter])
        except (ValueError, EOFError, IndexError, TypeError, OverflowError) as error:
            raise ValueError(f"not a message of this topic: {error}") from error
        if said.plant != institute_of(topic):
            raise ValueError(f"says it is of plant {said.plant!r}")
        return said


def kind_of(said: Said) -> Kind:
    """Return under which name a message is streamed."""
    if isinstance(said, Forecast):
        return said.kind
    return "feature" if isinstance(said, Window) else "alarm"


def letter_of(topic: str) -> Letter:
    """Return the letter of a plant's topic."""
    return next(letter for letter, prefix in PREFIXES.items() if topic.startswith(prefix))


def topics_of(plant: str) -> list[str]:
    """Return the three topics on which a plant is told of."""
    return [features_topic(plant), forecasts_topic(plant), alarms_topic(plant)]
