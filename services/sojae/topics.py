"""The path of one event, as names of topics and tables.

1. an instrument, a plant or `sojae import` writes      sojae.events.<institute>, sojae.telemetry.<plant>
2. the monitor reads sojae.telemetry.<plant>, writes    sojae.events.<institute>, sojae.features.<plant>,
                                                        sojae.forecasts.<plant>, sojae.alarms.<plant>
3. ingest reads sojae.events.*, sojae.telemetry.*,
   sojae.history.*, writes the store and                sojae.outcomes.<institute>
4. the trainer reads the store, writes the model shelf
5. the gateway reads shelf, store, features, forecasts
   and alarms, answers HTTP
6. clients ask the gateway
"""

import re
from collections.abc import Mapping
from typing import NewType

from sojae.domain.errors import UserInputError

TopicName = NewType("TopicName", str)

IDENTITY = re.compile(r"[a-z0-9-]{2,32}")
"""What an institute's or a plant's id may look like."""

EVENTS = "sojae.events."
OUTCOMES = "sojae.outcomes."
TELEMETRY = "sojae.telemetry."
HISTORY = "sojae.history."
FEATURES = "sojae.features."
FORECASTS = "sojae.forecasts."
ALARMS = "sojae.alarms."
CHECKPOINTS = TopicName("sojae.checkpoints.monitor")
"""The compacted topic of the monitor's checkpoints, keyed by telemetry topic id and partition."""

EVENTS_PATTERN = r"^sojae\.events\.[a-z0-9-]{2,32}$"
TELEMETRY_PATTERN = r"^sojae\.(telemetry|history)\.[a-z0-9-]{2,32}$"

PARTITIONS = 4
"""Partitions of a topic made in development; the count of a topic never changes."""

HEADER_TEMPLATE = "sojae-template"
HEADER_TRACEPARENT = "traceparent"


def events_topic(institute: str) -> TopicName:
    """Return the topic into which an institute's events go; raises UserInputError on an invalid id."""
    return TopicName(EVENTS + _checked(institute))


def outcomes_topic(institute: str) -> TopicName:
    """Return the topic on which an institute reads what became of its events."""
    return TopicName(OUTCOMES + _checked(institute))


def telemetry_topic(plant: str) -> TopicName:
    """Return the topic of a plant's live samples; raises UserInputError on an invalid id."""
    return TopicName(TELEMETRY + _checked(plant, what=("plant", "설비")))


def history_topic(plant: str) -> TopicName:
    """Return the topic of a plant's old samples, which the monitor never reads."""
    return TopicName(HISTORY + _checked(plant, what=("plant", "설비")))


def features_topic(plant: str) -> TopicName:
    """Return the topic of a plant's windows."""
    return TopicName(FEATURES + _checked(plant, what=("plant", "설비")))


def forecasts_topic(plant: str) -> TopicName:
    """Return the topic of a plant's forecasts and their scores."""
    return TopicName(FORECASTS + _checked(plant, what=("plant", "설비")))


def alarms_topic(plant: str) -> TopicName:
    """Return the topic of a plant's alarms."""
    return TopicName(ALARMS + _checked(plant, what=("plant", "설비")))


def topic_configuration(topic: str) -> Mapping[str, str]:
    """Return the broker's settings of a topic that is made in development.

    Telemetry bears the broker's time, against which the clock of a plant is judged; of checkpoints the last counts.
    """
    if topic.startswith((TELEMETRY, HISTORY)):
        return {"message.timestamp.type": "LogAppendTime"}
    if topic == CHECKPOINTS:
        return {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
    return {}


def institute_of(topic: str) -> str:
    """Return the institute or plant whose topic this is: the part behind the second dot."""
    return topic.split(".", 2)[2]


def _checked(identity: str, what: tuple[str, str] = ("institute", "기관")) -> str:
    if not IDENTITY.fullmatch(identity):
        raise UserInputError(
            en=f"{what[0]} {identity!r}: expected 2 to 32 of a–z, 0–9 and -",
            ko=f"{what[1]} {identity!r}: a–z, 0–9, - 로 된 2~32자여야 합니다",
        )
    return identity
