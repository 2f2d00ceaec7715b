"""From planned messages to bytes for Kafka: identities, sequence numbers without holes, event times, framing."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sojae.adapters.template_files import TemplateBook
from sojae.domain.template import Template
from sojae.ports import Encoder
from sojae.topics import events_topic
from sojae.trace import Trace
from sojae_simulator.expectations import ORIGIN
from sojae_simulator.faults import Planned
from sojae_simulator.garbling import GARBLINGS
from sojae_simulator.identifiers import uuid7
from sojae_simulator.projects.registry import PROJECTS
from sojae_simulator.specimen import Event


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as it goes to Kafka, and who it is."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, bytes]
    template: str
    event_id: str
    sample_id: str
    epoch: int
    seq: int


class Writer:
    """Turns planned messages of one run into bytes; each producer counts its messages from 0 within `epoch`."""

    def __init__(self, book: TemplateBook, encoder: Encoder, epoch: int) -> None:
        self._book = book
        self._encoder = encoder
        self._epoch = epoch
        self._trace = Trace()
        self._next_seq: Counter[str] = Counter()
        self._kept: dict[int, Outgoing] = {}
        self._wanted: set[int] = set()

    def expect_repeats(self, messages: Sequence[Planned]) -> None:
        """Remember from now on the bytes of those messages that others of this plan repeat.

        Replaces what was remembered for an earlier plan, whose messages must all have been written.
        """
        self._kept.clear()
        self._wanted = {message.repeats for message in messages if message.repeats is not None}

    def write(self, message: Planned, now: dt.datetime) -> Outgoing:
        """Return the bytes of a message sent at `now`; of a repetition, exactly those that were sent before.

        NOTE: a garbled message keeps its sequence number, as on a real line: what cannot be read is missing.
        """
        if message.repeats is not None:
            return self._kept.pop(message.repeats)
        outgoing = self._written(message, now)
        if message.number in self._wanted:
            self._kept[message.number] = outgoing
        return outgoing

    def _written(self, message: Planned, now: dt.datetime) -> Outgoing:
        event = message.event
        template = self._book.get(event.project, event.stage)
        seq = self._next_seq[event.producer]
        self._next_seq[event.producer] += 1
        event_id = uuid7(int(now.timestamp() * 1000))
        value = self._encoder.encode(template, self._header(event, template, event_id, seq, now), event.values)
        if message.fault is not None and message.fault.kind == "undecodable":
            value = GARBLINGS[message.fault.variant].garble(value)
        return Outgoing(
            topic=events_topic(event.institute),
            key=event.producer,
            value=value,
            headers=self._trace.headers(template.key),
            template=str(template.key),
            event_id=event_id,
            sample_id=event.sample_id,
            epoch=self._epoch,
            seq=seq,
        )

    def _header(self, event: Event, template: Template, event_id: str, seq: int, now: dt.datetime) -> dict[str, object]:
        return {
            "event_id": event_id,
            "record_id": event_id,
            "template_version": template.key.version,
            "institute": event.institute,
            "producer": event.producer,
            "epoch": self._epoch,
            "seq": seq,
            "event_time": now - dt.timedelta(seconds=event.age_seconds),
            "event_time_precision": "second",
            "sample_id": event.sample_id,
            "origin": ORIGIN,
            "generated_by": [event.institute],
            "contract": "creation",
            "licence": "CC-BY-4.0",
            "disclosure": "L2",
            "instrument": event.instrument,
            "operator": "simulated",
            "standard": PROJECTS[event.project].standard if event.stage == "property" else None,
            "retracted": False,
            "historical": event.historical,
            "quality": "B",
        }
