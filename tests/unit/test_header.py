"""Identities in a header: their form, and who may speak for whom."""

import datetime as dt
import unicodedata

import pytest

from sojae.domain.header import (
    identifier_issues,
    identity_issues,
    is_sample_id,
    key_issues,
    sample_reference,
    value_issues,
)
from tests.builders import header, template


def fields(given: dict[str, object]) -> list[str | None]:
    issues = list(identifier_issues(given))
    assert all(i.severity == "hard" for i in issues)
    return [i.field for i in issues]


def test_a_sound_header_has_no_finding() -> None:
    """Korean sample names included."""
    assert fields(header()) == []


@pytest.mark.parametrize("name", ["event_id", "record_id", "producer"])
@pytest.mark.parametrize("value", ["", "x" * 97, "a b", "시료", "a'b", 'a"b', "a\n", None, 5])
def test_an_identifier_of_another_form_is_refused(name: str, value: object) -> None:
    """1 to 96 of A–Z a–z 0–9 . _ : / - ; quotation marks would reach SQL."""
    assert fields({**header(), name: value}) == [f"header.{name}"]


@pytest.mark.parametrize("value", ["x", "x" * 96, "kims/import/a.b-c_d:e", "0190a5f0-0000-7000-8000-000000000000"])
def test_identifiers_of_the_right_form_pass(value: str) -> None:
    """UUIDs, counters and hashes alike."""
    assert fields(header(event_id=value, record_id=value, producer=value)) == []


@pytest.mark.parametrize("value", ["K", "kims_1", "a" * 33, "KIMS", None])
def test_an_institute_has_the_form_of_a_topic_s(value: object) -> None:
    """2 to 32 of a–z 0–9 -."""
    assert fields(header(institute=value)) == ["header.institute"]


@pytest.mark.parametrize("name", ["epoch", "seq"])
@pytest.mark.parametrize("value", [-1, 2**63, 1.5, "1", None])
def test_epoch_and_seq_are_whole_numbers(name: str, value: object) -> None:
    """They count; a negative one, or one beyond 63 bits, is none."""
    assert fields(header(**{name: value})) == [f"header.{name}"]


@pytest.mark.parametrize("value", [0, 2**63 - 1])
def test_the_borders_of_epoch_and_seq_pass(value: int) -> None:
    """Zero is where counting starts."""
    assert fields(header(epoch=value, seq=value)) == []


@pytest.mark.parametrize("origin", ["Experiment", "", None, "lab"])
def test_an_unknown_origin_is_a_category_finding(origin: object) -> None:
    """What is required depends on the origin, so it cannot be left open."""
    assert [(i.rule, i.field) for i in identifier_issues(header(origin=origin))] == [("category", "header.origin")]


@pytest.mark.parametrize("sample", ["시료-12", "A", "x" * 128, "a b", "α-β 1/2", "a@b"])
def test_sample_ids_of_any_script_pass(sample: str) -> None:
    """Firms write their own names."""
    assert is_sample_id(sample)


@pytest.mark.parametrize(
    "sample", ["", "x" * 129, "@kims/x", "a\tb", "a\x00", "a\u200bb", unicodedata.normalize("NFD", "시료"), None, 5]
)
def test_other_sample_ids_are_refused(sample: object) -> None:
    """Unprintable or decomposed names look equal and are not; @ names another institute's."""
    assert not is_sample_id(sample)
    assert fields(header(sample_id=sample)) == ["header.sample_id"]


def test_parents_may_name_another_institute_s_sample() -> None:
    """A plain name is the institute's own, `@other/name` is the other's."""
    assert sample_reference("s-1", "kims") == ("kims", "s-1")
    assert sample_reference("@pnu/s/1", "kims") == ("pnu", "s/1")
    assert fields(header(parents=["s-1", "@pnu/시료"])) == []
    assert fields(header(parents=[])) == fields(header(parents=None)) == []


@pytest.mark.parametrize("parent", ["", "@pnu", "@pnu/", "@/x", "@PNU/x", "@pnu/@x", "x" * 129])
def test_a_parent_that_names_no_sample_is_refused(parent: str) -> None:
    """Lineage would look for it in vain."""
    assert fields(header(parents=["s-1", parent])) == ["header.parents"]


def test_parents_are_limited() -> None:
    """256 pass, 257 do not."""
    assert fields(header(parents=["p"] * 256)) == []
    assert fields(header(parents=["p"] * 257)) == ["header.parents"]


def test_a_message_shows_at_most_128_characters_of_what_was_sent() -> None:
    """Whatever a hostile sender writes, the finding stays readable."""
    (issue,) = identifier_issues(header(record_id="!" * 10_000))
    assert issue.got is not None
    assert len(issue.got) <= 128
    assert issue.got.startswith("!!!")


def rules(given: dict[str, object], topic: str = "kims", key: bytes | None = b"kims/furnace-1") -> list[str]:
    issues = list(identity_issues(given, topic_institute=topic, key=key))
    assert all(i.severity == "hard" for i in issues)
    return [i.rule for i in issues]


def test_an_institute_speaks_for_itself() -> None:
    """Topic, header, producer and key agree."""
    assert rules(header()) == []


def test_an_institute_cannot_speak_for_another() -> None:
    """The broker guards the topic; inside it the header must say the same."""
    assert rules(header(institute="pnu", producer="kims/furnace-1")) == ["institute_mismatch"]


@pytest.mark.parametrize("producer", ["pnu/furnace-1", "kimsx/furnace-1", "kims", "x/kims/furnace-1"])
def test_a_producer_is_its_institute_s(producer: str) -> None:
    """Its name begins with the institute and a slash."""
    assert rules(header(producer=producer), key=producer.encode()) == ["producer_foreign"]


@pytest.mark.parametrize("key", [None, b"", b"kims/furnace-2", b"\xff\xfe"])
def test_the_key_is_the_producer(key: bytes | None) -> None:
    """Otherwise a producer's events would spread over partitions and lose their order."""
    assert rules(header(), key=key) == ["key_mismatch"]


def test_a_foreign_event_in_a_topic_fails_every_test_of_identity() -> None:
    """Copied from another institute's topic, it is that institute's in every word."""
    assert rules(header(institute="pnu"), topic="kims", key=b"pnu/furnace-1") == [
        "institute_mismatch",
        "producer_foreign",
    ]


HEADER_FIELDS = template().header_fields


@pytest.mark.parametrize(
    ("name", "value"), [("disclosure", "L9"), ("disclosure", ""), ("event_time_precision", "week")]
)
def test_a_header_value_outside_its_list_is_refused(name: str, value: str) -> None:
    """A mistyped disclosure level would otherwise decide who may read the record."""
    (issue,) = value_issues(header(**{name: value}), HEADER_FIELDS)
    assert (issue.rule, issue.severity, issue.field, issue.got) == ("category", "hard", f"header.{name}", value)


def test_header_values_in_their_lists_pass() -> None:
    """Absent ones too."""
    assert (
        list(value_issues(header(disclosure="L0", event_time_precision="day", uncertainty={"a": 0.1}), HEADER_FIELDS))
        == []
    )
    assert list(value_issues(header(disclosure=None), HEADER_FIELDS)) == []


def test_the_origin_is_told_once() -> None:
    """It stands with the identities."""
    assert list(value_issues(header(origin="lab"), HEADER_FIELDS)) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_an_uncertainty_is_a_finite_number(number: float) -> None:
    """NaN and infinity are hard findings everywhere."""
    (issue,) = value_issues(header(uncertainty={"ocv": 0.1, "density": number}), HEADER_FIELDS)
    assert (issue.rule, issue.severity, issue.field) == ("non_finite", "hard", "header.uncertainty.density")


def test_event_times_are_no_affair_of_identities() -> None:
    """They are judged with the time of arrival."""
    assert fields(header(event_time=dt.datetime(1, 1, 1, tzinfo=dt.UTC))) == []


@pytest.mark.parametrize("name", ["uncertainty", "qualifiers", "as_reported"])
def test_a_map_that_speaks_of_no_field_is_flagged_once(name: str) -> None:
    """A mistyped field would lose its uncertainty in silence; a thousand of them are one finding."""
    keys = [*(f"nothing-{n}" for n in range(1000)), "yield_strength", "yield_strength.x"]
    (issue,) = key_issues(header(**{name: dict.fromkeys(keys, 0.1)}), template().fields)
    assert (issue.rule, issue.severity, issue.field) == ("unknown_key", "warn", f"header.{name}")
    assert issue.got == "nothing-0, nothing-1, nothing-2 and 997 more"


def test_fields_and_their_components_are_known() -> None:
    """Absent maps have no keys."""
    assert list(key_issues(header(uncertainty={"yield_strength": 5.0}, qualifiers=None), template().fields)) == []
    said = {"composition.Fe": "1 %{mass}"}
    assert list(key_issues(header(as_reported=said), template(stage="composition").fields)) == []
