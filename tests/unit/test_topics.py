"""Topic names: one per institute, and nothing else is an institute's."""

import re

import pytest

from sojae.domain.errors import UserInputError
from sojae.topics import (
    CHECKPOINTS,
    EVENTS_PATTERN,
    events_topic,
    history_topic,
    institute_of,
    outcomes_topic,
    telemetry_topic,
    topic_configuration,
)


def test_the_topics_of_an_institute_carry_its_id() -> None:
    """Events and outcomes of one institute have topics of their own."""
    assert events_topic("kims") == "sojae.events.kims"
    assert outcomes_topic("kims") == "sojae.outcomes.kims"


@pytest.mark.parametrize("institute", ["ab", "kims", "a-1", "0" * 32])
def test_an_institute_is_read_back_from_its_topic(institute: str) -> None:
    """The id is what stands behind the second dot."""
    assert institute_of(events_topic(institute)) == institute


@pytest.mark.parametrize("institute", ["", "a", "x" * 33, "KIMS", "a_b", "a.b", "a b", "한국", "kims\n"])
def test_other_ids_are_refused_in_both_languages(institute: str) -> None:
    """An id is 2 to 32 of a–z, 0–9 and -."""
    with pytest.raises(UserInputError, match="2 to 32") as refused:
        events_topic(institute)
    assert "2~32자" in refused.value.text.ko
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("topic", "ours"),
    [
        ("sojae.events.kims", True),
        ("sojae.events.a", False),
        ("sojae.events.kims.copy", False),
        ("sojaexevents.kims", False),
        ("my.sojae.events.kims", False),
        ("sojae.outcomes.kims", False),
        ("sojae.events." + "x" * 33, False),
    ],
)
def test_ingest_subscribes_to_events_topics_only(topic: str, ours: bool) -> None:
    """The pattern takes an institute's events, and no look-alike."""
    assert (re.match(EVENTS_PATTERN, topic) is not None) is ours


def test_telemetry_bears_the_broker_s_time_and_checkpoints_are_compacted() -> None:
    """A plant's clock is judged against the broker's; of checkpoints the last of each key counts."""
    times = {
        topic_configuration(topic)["message.timestamp.type"] for topic in (telemetry_topic("p1"), history_topic("p1"))
    }
    assert times == {"LogAppendTime"}
    assert topic_configuration(CHECKPOINTS)["cleanup.policy"] == "compact"
    assert topic_configuration(events_topic("kims")) == {}
