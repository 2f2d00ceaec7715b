"""Outcomes are sent to each institute; what ails one topic holds up no other."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, cast

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from prometheus_client import CollectorRegistry

from sojae.adapters.avro import RecordCodec
from sojae.adapters.kafka import AiokafkaProducer
from sojae.adapters.kafka_connection import Connection, broker_error
from sojae.adapters.template_files import read_common
from sojae.domain.errors import BrokerError
from sojae_ingest.metrics import IngestMetrics
from sojae_ingest.outcome_sender import REST_SECONDS, OutcomeSender
from sojae_ingest.outcomes import COLUMNS, OutcomePacker
from tests.builders import NOW, book, header

KIMS, PNU = "sojae.outcomes.kims", "sojae.outcomes.pnu"


class Producer:
    """Refuses what it was told to, at once or when the acknowledgement is awaited."""

    def __init__(self, refuse: Mapping[str, type[KafkaError]], *, late: bool) -> None:
        self.refuse, self.late, self.asked, self.sent = dict(refuse), late, list[str](), list[str]()

    async def enqueue(self, topic: str, *_message: object) -> Awaitable[tuple[int, int]]:
        self.asked.append(topic)
        if not self.late:
            self._raise(topic)
        return self._acknowledge(topic)

    async def _acknowledge(self, topic: str) -> tuple[int, int]:
        self._raise(topic)
        self.sent.append(topic)
        return 0, 0

    def _raise(self, topic: str) -> None:
        if topic in self.refuse:
            error = self.refuse[topic]()
            raise broker_error(Connection("nowhere:9092"), error) from error


class Sending:
    """A sender with its producer and clock."""

    def __init__(
        self, refuse: Mapping[str, type[KafkaError]], *, late: bool = True, there: tuple[str, ...] = (KIMS, PNU)
    ) -> None:
        self.producer, self.registry, self.now = Producer(refuse, late=late), CollectorRegistry(), 0.0
        packer = OutcomePacker(RecordCodec(read_common("outcome", "1.0")), book, lambda: NOW)

        async def ensure(topics: set[str]) -> set[str]:
            return topics & set(there)

        self.sender = OutcomeSender(
            cast("AiokafkaProducer", self.producer), packer, ensure, IngestMetrics(self.registry), lambda: self.now
        )

    def send(self) -> list[str]:
        """Send one outcome to each institute and return the topics that took theirs."""
        self.producer.sent.clear()
        self.producer.asked.clear()
        asyncio.run(self.sender.send([_row("kims"), _row("pnu")], 1))
        return self.producer.sent

    def untold(self) -> float | None:
        return self.registry.get_sample_value("sojae_outcomes_failed_total")


def _row(institute: str) -> dict[str, Any]:
    one: dict[str, Any] = {
        **header(0, institute=institute),
        "topic": f"sojae.events.{institute}",
        "topic_id": "id",
        "partition": 0,
        "offset": 0,
        "ingest_time": NOW,
        "status": "accepted",
        "issues": [],
        "schema_sha256": None,
        "message_key": None,
    }
    return {name: one[name] for name in COLUMNS}


def test_every_institute_hears_of_its_events() -> None:
    """And it is counted."""
    sending = Sending({})
    assert sending.send() == [KIMS, PNU]
    assert (sending.untold(), sending.registry.get_sample_value("sojae_outcomes_sent_total")) == (0, 2)


@pytest.mark.parametrize("late", [False, True], ids=["at once", "when awaited"])
@pytest.mark.parametrize(
    "error",
    [TopicAuthorizationFailedError, UnknownTopicOrPartitionError, MessageSizeTooLargeError],
    ids=lambda e: e.__name__,
)
def test_a_topic_that_takes_nothing_holds_up_no_other(error: type[KafkaError], *, late: bool) -> None:
    """What it did not take is logged and counted."""
    sending = Sending({KIMS: error}, late=late)
    assert sending.send() == [PNU]
    assert sending.untold() == 1


def test_a_topic_that_failed_rests_and_is_tried_again() -> None:
    """To learn that it is gone takes the client long, and the others would wait each time."""
    sending = Sending({KIMS: TopicAuthorizationFailedError})
    sending.send()
    sending.producer.refuse.clear()
    assert (sending.send(), sending.producer.asked) == ([PNU], [PNU])
    sending.now += REST_SECONDS
    assert sending.send() == [KIMS, PNU]
    assert sending.untold() == 2


def test_one_message_that_is_too_large_does_not_rest_its_topic() -> None:
    """The next one fits."""
    sending = Sending({KIMS: MessageSizeTooLargeError})
    sending.send()
    sending.producer.refuse.clear()
    assert sending.send() == [KIMS, PNU]


def test_a_topic_without_an_answer_is_its_own_matter_while_others_have_one() -> None:
    """The broker is there."""
    sending = Sending({KIMS: KafkaTimeoutError})
    assert sending.send() == [PNU]
    assert sending.untold() == 1


@pytest.mark.parametrize("error", [KafkaTimeoutError, KafkaConnectionError], ids=lambda e: e.__name__)
def test_a_broker_that_is_away_is_waited_for(error: type[KafkaError]) -> None:
    """The ledger must not go on: outcomes are sent again from its position."""
    with pytest.raises(BrokerError):
        Sending({KIMS: error, PNU: error}).send()


def test_a_missing_topic_is_left_out() -> None:
    """An administrator makes it; until then the store is read."""
    sending = Sending({}, there=(PNU,))
    assert sending.send() == [PNU]
    assert sending.untold() == 1
