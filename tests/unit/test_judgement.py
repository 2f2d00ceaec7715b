"""What becomes of each message: accepted, quarantined or duplicate, and why."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.domain.issue import Issue
from sojae.domain.order import Place
from sojae.domain.template import Template
from sojae.ports import Decoded, Message, Stored
from sojae_ingest.judgement import Head, Judged, judge
from tests.builders import NOW, OTHER_TOPIC_ID, TOPIC_ID, decoded, field, header, made_up, message, template
from tests.fakes import FakeSeen

ARRIVED_MS = int(NOW.timestamp() * 1000)


def judge_all(heads: Sequence[dict[str, Any]], seen: FakeSeen | None = None) -> list[Judged]:
    """Judge sound messages of one partition with these headers."""
    messages = [(message(b"raw", n, key=str(h["producer"]).encode()), TOPIC_ID) for n, h in enumerate(heads)]
    return judge(messages, [decoded(h) for h in heads], seen or FakeSeen())


def judge_one(
    seen: FakeSeen | None = None, of: Decoded | None = None, what: Message | None = None, **head: object
) -> Judged:
    one = of or decoded(header(**head))
    (verdict,) = judge([(what or message(b"raw"), TOPIC_ID)], [one], seen or FakeSeen())
    return verdict


def told(one: Judged) -> list[tuple[str, str]]:
    return [(i.rule, i.severity) for i in one.issues]


def statuses(judged: Sequence[Judged]) -> list[str]:
    return [j.status for j in judged]


def test_a_sound_event_is_accepted() -> None:
    """Nothing is found, and it counts in the ledger."""
    one = judge_one()
    assert (one.status, one.issues, one.identified) == ("accepted", [], True)


def test_verdicts_are_in_the_one_order() -> None:
    """Topic id, partition, offset: whatever the order of arrival."""
    places = [(OTHER_TOPIC_ID, 0, 0), (TOPIC_ID, 1, 0), (TOPIC_ID, 0, 9), (TOPIC_ID, 0, 2)]
    messages = [(message(b"raw", offset, partition=partition), topic_id) for topic_id, partition, offset in places]
    judged = judge(messages, [decoded(header(n)) for n in range(4)], FakeSeen())
    assert [(j.topic_id, j.message.partition, j.message.offset) for j in judged] == sorted(places)
    assert [j.header["seq"] for j in judged] == [3, 2, 1, 0]


def test_a_message_that_cannot_be_decoded_is_quarantined_with_its_reason() -> None:
    """It has no identity, and counts for no producer."""
    unframed = Issue("unframed", "hard", None, "05", "a framing")
    one = judge_one(of=Decoded(issues=(unframed,)))
    assert (one.status, one.issues, one.identified) == ("quarantined", [unframed], False)


def test_a_message_with_trailing_bytes_is_quarantined_but_known() -> None:
    """Its header is sound, so its sequence number has been used."""
    sound = decoded(header())
    one = judge_one(of=Decoded(sound.template, sound.header, sound.values, (Issue("trailing_bytes", "hard"),)))
    assert (one.status, one.identified) == ("quarantined", True)


def test_a_warning_is_accepted_and_flagged() -> None:
    """An unusual value may be right."""
    values = {"test_temperature": 25.0, "test_type": "tension", "yield_strength": 5000.0}
    one = judge_one(of=decoded(header(), values))
    assert (one.status, told(one)) == ("accepted", [("warn_range", "warn")])


def test_a_hard_finding_is_quarantined_whatever_stands_beside_it() -> None:
    """The worst finding decides."""
    values = {"test_temperature": 25.0, "test_type": "tension", "yield_strength": 5000.0, "density": 99.0}
    one = judge_one(of=decoded(header(), values))
    assert (one.status, sorted(told(one))) == ("quarantined", [("hard_range", "hard"), ("warn_range", "warn")])


def test_values_are_checked_with_the_event_s_own_origin() -> None:
    """Two events of one batch, one from the literature."""
    sound = {"test_temperature": None, "test_type": "tension", "yield_strength": 500.0}
    heads = [header(0, origin="literature"), header(1, origin="experiment")]
    messages = [(message(b"raw", n), TOPIC_ID) for n in range(2)]
    judged = judge(messages, [decoded(h, sound) for h in heads], FakeSeen())
    assert [told(j) for j in judged] == [[("required", "warn")], [("required", "hard")]]


def test_events_of_several_templates_are_checked_each_by_its_own() -> None:
    """In one flush."""
    process = template(stage="process")
    wrong = decoded(header(0), {"processing_route": "magic"}, process)
    judged = judge(
        [(message(b"a", 0), TOPIC_ID), (message(b"b", 1), TOPIC_ID)], [wrong, decoded(header(1))], FakeSeen()
    )
    assert [told(j) for j in judged] == [[("category", "hard")], []]


def test_values_of_a_doubtful_template_are_not_judged() -> None:
    """Which rules hold is not known when header and schema disagree."""
    sound = decoded(header(), {"density": 99.0})
    doubtful = Decoded(sound.template, sound.header, sound.values, (Issue("template_version", "hard"),))
    assert told(judge_one(of=doubtful)) == [("template_version", "hard")]


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        ({"institute": "pnu", "producer": "kims/furnace-1"}, "institute_mismatch"),
        ({"producer": "pnu/furnace-1"}, "producer_foreign"),
        ({"event_id": "a b", "record_id": "r"}, "identifier"),
        ({"sample_id": "@pnu/x"}, "identifier"),
        ({"seq": -1}, "identifier"),
    ],
)
def test_an_event_without_a_sound_identity_is_quarantined_and_counts_for_nobody(
    head: dict[str, Any], rule: str
) -> None:
    """What it claims to be would mislead every look-up."""
    key = str(head.get("producer", "kims/furnace-1")).encode()
    one = judge_one(what=message(b"raw", key=key), **head)
    assert rule in [i.rule for i in one.issues]
    assert (one.status, one.identified) == ("quarantined", False)


def test_a_message_with_another_key_counts_for_nobody() -> None:
    """It may lie in any partition."""
    one = judge_one(what=message(b"raw", key=b"kims/furnace-2"))
    assert (told(one), one.status, one.identified) == ([("key_mismatch", "hard")], "quarantined", False)


def institutes_own(institute: str) -> Template:
    return made_up([field("x")], institute=institute)


def test_a_firm_s_own_template_is_for_its_own_events() -> None:
    """Another institute cannot write into it."""
    assert judge_one(of=decoded(header(), {}, institutes_own("kims"))).status == "accepted"
    one = judge_one(of=decoded(header(), {}, institutes_own("pnu")))
    assert (told(one), one.status, one.identified) == ([("template_institute", "hard")], "quarantined", False)


def test_header_values_are_judged_too() -> None:
    """A disclosure level that does not exist, for instance; the identity is sound all the same."""
    one = judge_one(disclosure="L9")
    assert (told(one), one.status, one.identified) == ([("category", "hard")], "quarantined", True)


CALENDAR = dt.datetime(1800, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
TICK = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("event_time", "expected"),
    [
        (NOW, []),
        (NOW + 5 * MINUTE, []),
        (NOW + 5 * MINUTE + TICK, [("event_time_future", "warn")]),
        (NOW - DAY, []),
        (NOW - DAY - TICK, [("event_time_late", "warn")]),
        (CALENDAR[0], [("event_time_late", "warn")]),
        (CALENDAR[0] - TICK, [("time_range", "hard")]),
        (CALENDAR[1], [("event_time_future", "warn")]),
        (CALENDAR[1] + TICK, [("time_range", "hard")]),
        (dt.datetime(1, 1, 1, tzinfo=dt.UTC), [("time_range", "hard")]),
    ],
)
def test_event_times_are_held_against_the_time_of_arrival(
    event_time: dt.datetime, expected: list[tuple[str, str]]
) -> None:
    """Five minutes of a wrong clock and a day of delay pass; what no calendar of materials holds does not."""
    assert told(judge_one(event_time=event_time)) == expected


def test_a_late_event_is_told_until_when_it_was_expected() -> None:
    """A day before it came."""
    (issue,) = judge_one(event_time=NOW - 2 * DAY).issues
    assert (issue.got, issue.expected) == ((NOW - 2 * DAY).isoformat(), f"≥ {(NOW - DAY).isoformat()}")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ({"historical": True}, []),
        ({"origin": "literature"}, []),
        ({"origin": "bank"}, []),
        ({"origin": "computation"}, []),
        ({"origin": "production"}, [("event_time_late", "warn")]),
    ],
)
def test_old_data_are_late_only_where_somebody_just_measured(
    head: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """An archive says so with `historical`."""
    assert told(judge_one(event_time=NOW - 30 * DAY, **head)) == expected


def test_a_stored_message_that_comes_again_is_a_duplicate() -> None:
    """A producer that did not hear the acknowledgement sends again."""
    one = judge_one(FakeSeen({("kims/furnace-1", 1, 0): "event-0"}))
    assert (one.status, told(one)) == ("duplicate", [("repeated_message", "info")])
    assert one.issues[0].got == "1/0"


@pytest.mark.parametrize("known", [("kims/furnace-1", 2, 0), ("kims/furnace-1", 1, 1), ("kims/furnace-2", 1, 0)])
def test_a_sequence_number_is_one_of_a_producer_and_an_epoch(known: tuple[str, int, int]) -> None:
    """The same number elsewhere is another message."""
    assert judge_one(FakeSeen({known: "event-0"})).status == "accepted"


def test_a_message_that_comes_twice_in_a_flush_is_a_duplicate() -> None:
    """Earlier messages of the flush count as stored ones do."""
    assert statuses(judge_all([header(0), header(0), header(1)])) == ["accepted", "duplicate", "accepted"]


def test_another_event_of_a_used_number_is_a_conflict() -> None:
    """Two instances of one producer: quarantined with both ids, never dropped."""
    one = judge_one(FakeSeen({("kims/furnace-1", 1, 0): "other"}))
    assert one.status == "quarantined"
    assert [(i.rule, i.severity, i.got, i.expected) for i in one.issues] == [
        ("sequence_conflict", "hard", "event-0", "other")
    ]


def test_a_conflict_inside_a_flush_is_found_too() -> None:
    """The first in the order keeps the number; later ones are held against it."""
    heads = [header(0, event_id="a"), header(0, event_id="b"), header(0, event_id="a")]
    assert statuses(judge_all(heads)) == ["accepted", "quarantined", "duplicate"]


def test_a_quarantined_message_that_comes_again_is_a_duplicate() -> None:
    """Its number is used; a repair has a producer of its own."""
    bad = decoded(header(), {"density": 99.0, "yield_strength": 1.0, "test_type": "tension", "test_temperature": 1.0})
    judged = judge([(message(b"a", n), TOPIC_ID) for n in range(2)], [bad, bad], FakeSeen())
    assert statuses(judged) == ["quarantined", "duplicate"]


def test_an_unidentified_message_uses_no_number() -> None:
    """Whoever forges a header cannot make the true event a duplicate or a conflict."""
    forged, sound = header(0, event_id="forged", producer="kims/furnace-1"), header(0)
    messages = [(message(b"a", 0, key=b"else"), TOPIC_ID), (message(b"b", 1), TOPIC_ID)]
    assert statuses(judge(messages, [decoded(forged), decoded(sound)], FakeSeen())) == ["quarantined", "accepted"]


STAGE = ("high_entropy_alloy", "property")
RECORD = ("kims", *STAGE, "r")


def imported(seq: int, content: str | None, **given: object) -> dict[str, Any]:
    return header(seq, event_id=f"e{seq}", record_id="r", content=content, **given)


def with_head(content: str | None = "A", *, retracted: bool = False, event_id: str = "old") -> FakeSeen:
    return FakeSeen(heads={RECORD: Head(event_id, content, retracted)})


def test_the_same_file_again_adds_nothing() -> None:
    """Its content equals that of the current head."""
    (one,) = judge_all([imported(0, "A")], with_head())
    assert one.status == "duplicate"
    assert [(i.rule, i.severity, i.got, i.expected) for i in one.issues] == [("same_content", "info", "A", "event old")]


def test_a_changed_cell_is_a_correction_and_so_is_one_changed_back() -> None:
    """Content is compared with the head, not with everything ever said."""
    assert statuses(judge_all([imported(0, "B"), imported(1, "A"), imported(2, "A")], with_head())) == [
        "accepted",
        "accepted",
        "duplicate",
    ]


def test_a_retracted_record_may_be_said_again() -> None:
    """Then the same content is news."""
    assert statuses(judge_all([imported(0, "A")], with_head(retracted=True))) == ["accepted"]
    assert (
        statuses(judge_all([imported(0, "A"), imported(1, None, retracted=True), imported(2, "A")])) == ["accepted"] * 3
    )


def test_a_statement_without_content_is_never_the_same() -> None:
    """An instrument's readings may repeat."""
    assert statuses(judge_all([imported(0, None), imported(1, None)], with_head(None))) == ["accepted", "accepted"]


def test_a_duplicate_and_a_quarantined_event_do_not_become_the_head() -> None:
    """What is current stays."""
    bad = Decoded(template(), imported(0, "B", disclosure="L9"), {})
    later = [imported(1, "A"), imported(2, "B")]
    messages = [(message(b"raw", n), TOPIC_ID) for n in range(3)]
    judged = judge(messages, [bad, *(decoded(h) for h in later)], with_head())
    assert statuses(judged) == ["quarantined", "duplicate", "accepted"]


def test_heads_are_an_institute_s_own() -> None:
    """The same record_id elsewhere is another record."""
    seen = FakeSeen(heads={("pnu", *STAGE, "r"): Head("old", "A", retracted=False)})
    assert statuses(judge_all([imported(0, "A")], seen)) == ["accepted"]


def test_a_correction_of_what_is_current_is_not_flagged() -> None:
    """`supersedes` names the head, stored or of this flush."""
    assert told(judge_all([imported(0, "B", supersedes="old")], with_head())[0]) == []
    assert [told(j) for j in judge_all([imported(0, "A"), imported(1, "B", supersedes="e0")])] == [[], []]


@pytest.mark.parametrize(("seen", "current"), [(with_head(), "old"), (FakeSeen(), "nothing is current")])
def test_a_correction_of_something_else_is_accepted_and_flagged(seen: FakeSeen, current: str) -> None:
    """Somebody else was faster; both statements are kept."""
    (one,) = judge_all([imported(0, "B", supersedes="older")], seen)
    assert one.status == "accepted"
    assert [(i.rule, i.severity, i.got, i.expected) for i in one.issues] == [
        ("supersedes_not_head", "warn", "older", current)
    ]


def test_the_arrival_is_the_broker_s_time_in_milliseconds() -> None:
    """Not the time of the flush."""
    hour_ago = message(b"raw", timestamp_ms=ARRIVED_MS - 3_600_000)
    assert told(judge_one(what=hour_ago, event_time=NOW)) == [("event_time_future", "warn")]


def oracle(heads: list[dict[str, Any]], ids: dict[Any, Any], current: dict[Any, Head]) -> list[str]:
    """Say in plain words, one message after the other, what becomes of sound events."""
    verdicts = []
    for h in heads:
        number = (h["producer"], h["epoch"], h["seq"])
        if number in ids:
            verdicts.append("duplicate" if ids[number] == h["event_id"] else "quarantined")
            continue
        ids[number] = h["event_id"]
        head = current.get(h["record_id"])
        if h["content"] is not None and head is not None and not head.retracted and head.content == h["content"]:
            verdicts.append("duplicate")
            continue
        current[h["record_id"]] = Head(h["event_id"], h["content"], h["retracted"])
        verdicts.append("accepted")
    return verdicts


HEADS = st.builds(
    lambda seq, event, record, content, retracted: header(
        seq, event_id=event, record_id=record, content=content, retracted=retracted
    ),
    st.integers(0, 4),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["r", "s"]),
    st.sampled_from([None, "A", "B"]),
    st.booleans(),
)


@examples(max_examples=20, deadline=None)
@given(st.lists(HEADS, max_size=10), st.lists(HEADS, max_size=10))
def test_verdicts_agree_with_one_message_after_the_other(
    before: list[dict[str, Any]], now: list[dict[str, Any]]
) -> None:
    """Judged together, split in two flushes, or counted by hand: the same."""
    ids: dict[Any, Any] = {}
    current: dict[Any, Head] = {}
    expected_before, expected_now = oracle(before, ids, current), oracle(now, ids, current)
    assert statuses(judge_all([*before, *now])) == expected_before + expected_now
    stored: dict[Any, Any] = {}
    heads: dict[Any, Head] = {}
    oracle(before, stored, heads)
    seen = FakeSeen(stored, {("kims", *STAGE, record): head for record, head in heads.items()})
    assert statuses(judge_all(now, seen)) == expected_now


def test_what_was_mended_is_taken_in_under_its_own_number() -> None:
    """A quarantined event takes nothing: the same event_id and seq, mended, is accepted; once."""
    seen = FakeSeen()
    seen.known["kims/furnace-1", 1, 0] = Stored("event-0", quarantined=True)
    messages = [(message(b"mended", n), TOPIC_ID) for n in range(2)]
    judged = judge(messages, [decoded(header()), decoded(header())], seen)
    assert statuses(judged) == ["accepted", "duplicate"]


def test_a_repeat_of_what_is_in_quarantine_is_a_duplicate() -> None:
    """The same bad message again is no news."""
    seen, bad = FakeSeen(), decoded(header(), {"yield_strength": float("nan")})
    seen.known["kims/furnace-1", 1, 0] = Stored("event-0", quarantined=True)
    assert statuses(judge([(message(b"bad"), TOPIC_ID)], [bad], seen)) == ["duplicate"]


def test_another_event_does_not_take_a_number_that_is_in_quarantine() -> None:
    """Only what was mended does: two events of one number are two instances all the same."""
    seen = FakeSeen()
    seen.known["kims/furnace-1", 1, 0] = Stored("other", quarantined=True)
    one = judge_one(seen)
    assert (one.status, told(one)) == ("quarantined", [("sequence_conflict", "hard")])


def test_a_check_that_stumbles_is_a_finding_of_that_message_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a value does to a check, its neighbours are judged as ever."""

    def stumble(template: Template, rows: Sequence[Mapping[str, object]], origins: Sequence[str]) -> list[list[Issue]]:
        if any(row.get("comment_for_test") for row in rows):
            raise OverflowError("too large")
        return [[] for _ in rows]

    monkeypatch.setattr("sojae_ingest.judgement.check_values", stumble)
    heads = [decoded(header(n)) for n in range(5)]
    heads[3] = replace(heads[3], values={"comment_for_test": True})
    judged = judge([(message(b"x", n), TOPIC_ID) for n in range(5)], heads, FakeSeen())
    assert statuses(judged) == ["accepted"] * 3 + ["quarantined", "accepted"]
    assert [i.rule for i in judged[3].issues] == ["check_failed"]


def test_amounts_whose_sum_is_not_finite_are_refused() -> None:
    """Two finite doubles may add up to more than a double holds."""
    of = template("high_entropy_alloy", "composition")
    huge = decoded(header(), {"composition": {"Fe": 1e308, "Ni": 1e308}}, of)
    assert ("composition_sum", "hard") in {(i.rule, i.severity) for i in judge_one(of=huge).issues}


@pytest.mark.parametrize("milliseconds", [None])
def test_a_message_without_a_possible_time_is_flagged(milliseconds: int | None) -> None:
    """It is stored, and not called late."""
    one = judge_one(what=replace(message(b"raw"), timestamp_ms=milliseconds))
    assert (one.status, [i.rule for i in one.issues]) == ("accepted", ["broker_time"])


def test_findings_of_one_event_are_bounded() -> None:
    """A megabyte can hold a hundred thousand faults; hard ones are kept first, and the number is told."""
    many = decoded(header(uncertainty={f"f{n}": float("nan") for n in range(500)}))
    issues = judge_one(of=many).issues
    assert len(issues) == 101
    assert (issues[-1].rule, issues[0].severity) == ("more_findings", "hard")


def test_a_hard_finding_is_kept_however_many_warnings_come_before_it() -> None:
    """Else an event would be accepted for having too many faults."""
    warnings = tuple(Issue("warn_range", "warn", f"f{n}") for n in range(150))
    sound = decoded(header(), {"yield_strength": float("nan"), "test_type": "tension", "test_temperature": 25.0})
    one = judge_one(of=Decoded(sound.template, sound.header, sound.values, warnings))
    assert (one.status, one.issues[0].rule, len(one.issues)) == ("quarantined", "non_finite", 101)


@pytest.mark.parametrize("name", ["content", "supersedes"])
def test_what_is_compared_is_never_cut(name: str) -> None:
    """A content longer than its column would be judged by where a flush ends."""
    one = judge_one(of=decoded(header(**{name: "x" * 97})))
    assert (one.status, one.identified) == ("quarantined", False)


REPAIR = "sojae.events.kims/0/7"


def repairing(place: Place, head: Place | None) -> Judged:
    """Judge an event that repairs a message of this place, and then a repetition of the head; return the latter."""
    seen = FakeSeen(heads={RECORD: Head("old", "A", retracted=False, place=head)})
    seen.known_places[REPAIR] = place
    _, again = judge_all([imported(0, "B", repairs=REPAIR), imported(1, "A")], seen)
    return again


def test_a_repair_of_an_older_message_leaves_the_head() -> None:
    """What equals the head is a duplicate as before; only behind the head the repair is the head."""
    older, newer = Place(1, "t", 0, 7), Place(9, "t", 0, 7)
    assert repairing(older, Place(5, "t", 0, 3)).status == "duplicate"
    assert repairing(newer, Place(5, "t", 0, 3)).status == "accepted"
    assert repairing(newer, None).status == "duplicate"
