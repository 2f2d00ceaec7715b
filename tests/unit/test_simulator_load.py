"""The load of the fault tests: valid events, numbered per producer, and the file of what was acknowledged."""

import asyncio
import io
import json
from collections.abc import Awaitable, Mapping

import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.checks import check_values
from sojae.domain.header import identifier_issues, identity_issues
from sojae_simulator.load import IN_FLIGHT, Load, load_messages, send_load


class FakeProducer:
    """Acknowledges each message in the only partition; can set an event after some."""

    def __init__(self, stop: asyncio.Event, stop_after: int) -> None:
        self.keys: list[str] = []
        self._stop, self._stop_after = stop, stop_after

    async def enqueue(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]
    ) -> Awaitable[tuple[int, int]]:
        self.keys.append(key)
        offset = len(self.keys) - 1
        if len(self.keys) == self._stop_after:
            self._stop.set()

        async def acknowledged() -> tuple[int, int]:
            return 0, offset

        return acknowledged()


@pytest.fixture(scope="module")
def book() -> TemplateBook:
    return load_templates()


def test_load_events_are_clean_and_numbered(book: TemplateBook) -> None:
    """No finding in any; each producer counts from 0 without a hole."""
    messages = list(load_messages(Load("sim-load", producers=3, count=100), book, epoch=7))
    decoded = FastavroDecoder(lambda: book).decode([m.value for m in messages])
    assert [issue for d in decoded for issue in d.issues] == []
    template = book.get("high_entropy_alloy", "property")
    assert check_values(template, [d.values for d in decoded], ["experiment"] * 100) == [[]] * 100
    seqs: dict[str, list[int]] = {}
    for message, d in zip(messages, decoded, strict=True):
        assert list(identifier_issues(d.header)) == []
        assert list(identity_issues(d.header, topic_institute="sim-load", key=message.key.encode())) == []
        assert (d.header["producer"], d.header["epoch"], d.header["seq"], d.header["event_id"]) == (
            message.key, message.epoch, message.seq, message.event_id
        )  # fmt: skip
        seqs.setdefault(message.key, []).append(message.seq)
    assert seqs == {f"sim-load/load-{i}": list(range(len(seqs[f"sim-load/load-{i}"]))) for i in range(3)}


async def test_every_acknowledged_message_is_written_down(book: TemplateBook) -> None:
    """One line a message, in the order of sending, also beyond what may be in flight."""
    count, record, stop = IN_FLIGHT + 500, io.StringIO(), asyncio.Event()
    sent = await send_load(FakeProducer(stop, 0), Load("sim-load", 4, count), book, record, stop)
    lines = [json.loads(line) for line in record.getvalue().splitlines()]
    assert sent == count
    assert [line["offset"] for line in lines] == list(range(count))
    assert [line["seq"] for line in lines if line["producer"] == "sim-load/load-1"] == list(range(count // 4))
    assert {line["topic"] for line in lines} == {"sojae.events.sim-load"}


async def test_a_stop_ends_the_load_with_all_sent_written_down(book: TemplateBook) -> None:
    """What was sent before the stop is acknowledged and recorded."""
    record, stop = io.StringIO(), asyncio.Event()
    producer = FakeProducer(stop, 30)
    assert await send_load(producer, Load("sim-load", 4, 1_000), book, record, stop) == 30
    assert len(record.getvalue().splitlines()) == len(producer.keys) == 30
