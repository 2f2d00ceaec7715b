"""The path of one event, as names of topics and tables.

1. an instrument, a plant or `sojae import` writes      sojae.events.<institute>
2. the monitor reads sojae.telemetry.<plant>, writes    sojae.events.<institute>
3. ingest reads sojae.events.*, writes the store and    sojae.outcomes.<institute>
4. the trainer reads the store, writes the model shelf
5. the gateway reads shelf and store, answers HTTP
6. clients ask the gateway
"""

import re
from typing import NewType

from sojae.domain.errors import UserInputError

TopicName = NewType("TopicName", str)

IDENTITY = re.compile(r"[a-z0-9-]{2,32}")
"""What an institute's or a plant's id may look like."""

EVENTS = "sojae.events."
OUTCOMES = "sojae.outcomes."
EVENTS_PATTERN = r"^sojae\.events\.[a-z0-9-]{2,32}$"

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


def institute_of(topic: str) -> str:
    """Return the institute whose topic this is: the part behind the second dot."""
    return topic.split(".", 2)[2]


def _checked(institute: str) -> str:
    if not IDENTITY.fullmatch(institute):
        raise UserInputError(
            en=f"institute {institute!r}: expected 2 to 32 of a–z, 0–9 and -",
            ko=f"기관 {institute!r}: a–z, 0–9, - 로 된 2~32자여야 합니다",
        )
    return institute
