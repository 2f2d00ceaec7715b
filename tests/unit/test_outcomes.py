"""Outcomes: what became of each producer's events, in few messages that a broker takes."""

import datetime as dt
from typing import Any

import pytest

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common
from sojae.domain.issue import RULES, rule_text
from sojae_ingest import outcomes as module
from sojae_ingest.outcomes import COLUMNS, MAX_BYTES, MAX_EVENTS, OutcomeMessage, OutcomePacker
from tests.builders import NOW, TOPIC_ID, book, header, template

CODEC = RecordCodec(read_common("outcome", "1.0"))
ISSUE = {"rule": "hard_range", "field": "density", "severity": "hard", "got": "99", "expected": "0.5 to 23 g/cm3"}


def row(seq: int = 0, /, **given: object) -> dict[str, Any]:
    one = {
        **header(seq),
        "topic": "sojae.events.kims",
        "topic_id": TOPIC_ID,
        "partition": 1,
        "offset": seq,
        "ingest_time": NOW,
        "status": "accepted",
        "issues": [],
        "schema_sha256": template().sha256,
        "message_key": b"kims/furnace-1",
        **given,
    }
    return {name: one[name] for name in COLUMNS}


def nobody(**given: object) -> dict[str, Any]:
    empty = dict.fromkeys(("producer", "epoch", "seq", "event_id", "record_id", "sample_id", "schema_sha256"))
    return row(0, **{**empty, "status": "quarantined", "issues": [{**ISSUE, "rule": "unframed"}], **given})


def pack(*rows: dict[str, Any], version: int = 7) -> list[OutcomeMessage]:
    return OutcomePacker(CODEC, book, lambda: NOW + dt.timedelta(seconds=1)).pack(rows, version)


def items(message: OutcomeMessage) -> list[dict[str, Any]]:
    return CODEC.decode(message.value)["outcomes"]  # type: ignore[return-value]  # a list by its schema


def test_one_producer_has_one_message() -> None:
    """On its institute's topic, keyed by itself, in the rows' order."""
    (message,) = pack(row(0), row(1), row(2))
    assert (message.topic, message.key, message.events) == ("sojae.outcomes.kims", "kims/furnace-1", 3)
    record = CODEC.decode(message.value)
    assert (record["institute"], record["producer"], record["store_version"]) == ("kims", "kims/furnace-1", 7)
    assert record["sent_at"] == NOW + dt.timedelta(seconds=1)
    assert [i["seq"] for i in items(message)] == [0, 1, 2]


def test_an_outcome_says_what_it_is_about_and_what_became_of_it() -> None:
    """By position and by identity: a sender may know either."""
    (message,) = pack(row(5, status="duplicate"))
    (item,) = items(message)
    assert (item["topic"], item["partition"], item["offset"]) == ("sojae.events.kims", 1, 5)
    assert (item["event_id"], item["record_id"], item["sample_id"], item["epoch"], item["seq"]) == (
        "event-5",
        "event-5",
        "시료-12",
        1,
        5,
    )
    assert (item["status"], item["issues"]) == ("duplicate", [])


def test_a_finding_comes_with_its_sentence_in_both_languages() -> None:
    """Rule, field, got and expected too."""
    (message,) = pack(row(status="quarantined", issues=[ISSUE]))
    (issue,) = items(message)[0]["issues"]
    text = RULES["hard_range"]
    assert issue == {**ISSUE, "message_ko": text.ko, "message_en": text.en}


def test_a_template_s_own_rule_speaks_its_own_words() -> None:
    """A built-in sentence is the fallback, the rule's name the last."""
    own = template().rules[0]
    assert rule_text(own.id, template()) == own.message
    assert rule_text("hard_range", template()) == rule_text("hard_range", None) == RULES["hard_range"]
    assert rule_text(own.id, None).en == own.id
    (message,) = pack(row(issues=[{**ISSUE, "rule": own.id}]))
    assert items(message)[0]["issues"][0]["message_ko"] == own.message.ko


def test_producers_and_institutes_have_messages_of_their_own() -> None:
    """Nobody reads what became of another's."""
    messages = pack(row(0), row(1, producer="kims/other"), row(2, topic="sojae.events.pnu", producer="pnu/x"), row(3))
    assert [(m.topic, m.key, m.events) for m in messages] == [
        ("sojae.outcomes.kims", "kims/furnace-1", 2),
        ("sojae.outcomes.kims", "kims/other", 1),
        ("sojae.outcomes.pnu", "pnu/x", 1),
    ]


@pytest.mark.parametrize(
    ("key", "sender"), [(b"kims/furnace-1", "kims/furnace-1"), (b"\xff" * 200, "\ufffd" * 96), (None, None)]
)
def test_a_message_without_an_identity_is_told_by_its_key(key: bytes | None, sender: str | None) -> None:
    """The topic says whose it is."""
    (message,) = pack(nobody(message_key=key))
    assert (message.topic, message.key) == ("sojae.outcomes.kims", sender or "-")
    assert CODEC.decode(message.value)["producer"] == sender
    assert items(message)[0]["event_id"] is None


def test_no_rows_make_no_messages() -> None:
    """There is nothing to say."""
    assert pack() == []


def test_messages_are_split_by_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many in one, none left out."""
    assert (MAX_EVENTS, MAX_BYTES) == (5_000, 524_288)
    monkeypatch.setattr(module, "MAX_EVENTS", 3)
    messages = pack(*(row(n) for n in range(7)))
    assert [[i["seq"] for i in items(m)] for m in messages] == [[0, 1, 2], [3, 4, 5], [6]]


HOSTILE = [
    row(0, sample_id="시" * 128, event_id="x" * 96, record_id="y" * 96),
    nobody(sample_id="시" * 1024),
    row(0, issues=[{**ISSUE, "got": "시" * 128, "expected": "x" * 512}] * 20),
]


@pytest.mark.parametrize("one", HOSTILE, ids=["long names", "longest sample", "many findings"])
def test_messages_are_split_by_bytes(one: dict[str, Any]) -> None:
    """A message beyond the broker's limit could never be sent, and would hold up the ledger for everybody."""
    messages = pack(*([one] * 3_000))
    assert sum(m.events for m in messages) == 3_000
    assert max(len(m.value) for m in messages) <= MAX_BYTES + 1_024
    assert min(len(m.value) for m in messages[:-1]) > MAX_BYTES // 3


def test_too_many_findings_for_one_message_are_cut() -> None:
    """A broker would refuse the message, and its producer would hold up the ledger for everybody."""
    huge = row(0, issues=[{**ISSUE, "got": "x" * 5_000}] * 60_000)
    (message,) = pack(row(1), huge, row(2))
    _, item, _ = items(message)
    assert [i["rule"] for i in item["issues"]] == ["hard_range"] * 20 + ["more_findings"]
    assert item["issues"][-1]["got"] == "59980"
    assert len(message.value) < MAX_BYTES


def test_findings_that_fit_are_all_told() -> None:
    """However many."""
    (message,) = pack(row(0, issues=[ISSUE] * 500))
    assert len(items(message)[0]["issues"]) == 500
