"""Judged messages as rows of `events`: everything is kept, and nothing that is doubtful misleads a look-up."""

import datetime as dt
from typing import Any

import pytest

from sojae.adapters.events_schema import EVENTS, HEADER
from sojae.domain.issue import Issue
from sojae.ports import Decoded
from sojae_ingest.judgement import CHECKS_VERSION, Judged
from sojae_ingest.rows import CLAIM_FREE, MAX_TEXT, events_rows
from tests.builders import NOW, NOW_US, TOPIC_ID, decoded, header, judged, message, template


def row(one: Judged, ingest_time_us: int = NOW_US) -> dict[str, Any]:
    (only,) = events_rows([one], ingest_time_us).to_pylist()
    return dict(only)


def test_a_row_has_every_column_of_the_table() -> None:
    """In its order and types, whatever stands in it."""
    assert events_rows([judged(header())], NOW_US).schema == EVENTS
    assert events_rows([], NOW_US).schema == EVENTS


def test_a_row_holds_the_message_as_it_came() -> None:
    """Position, times, key, headers and all bytes: a replay needs no Kafka."""
    what = message(b"\x00raw", 7, partition=3, headers={"sojae-template": b"x"}, timestamp_ms=1_700_000_000_123)
    got = row(judged(header(), message=what))
    assert (got["topic"], got["topic_id"], got["partition"], got["offset"]) == ("sojae.events.kims", TOPIC_ID, 3, 7)
    assert got["broker_time"] == dt.datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=dt.UTC)
    assert (got["message_key"], got["message_headers"], got["raw"]) == (
        b"kims/furnace-1",
        [("sojae-template", b"x")],
        b"\x00raw",
    )


def test_a_row_holds_the_header_s_columns() -> None:
    """Each with its value and type."""
    one = header(content="abc", supersedes="e", repairs="t/0/1", retracted=True, disclosure="L1", record_id="r")
    got = row(judged(one))
    assert {name: got[name] for name, _ in HEADER} == {name: one.get(name) for name, _ in HEADER}


def test_a_row_holds_the_verdict() -> None:
    """Status, findings, template, schema and the version of the checks."""
    issue = Issue("hard_range", "hard", "density", "99", "0.5 to 23 g/cm3")
    got = row(judged(header(), status="quarantined", issues=[issue]))
    assert got["status"] == "quarantined"
    assert got["issues"] == [
        {"rule": "hard_range", "field": "density", "severity": "hard", "got": "99", "expected": "0.5 to 23 g/cm3"}
    ]
    assert (got["project"], got["stage"], got["schema_sha256"]) == ("high_entropy_alloy", "property", template().sha256)
    assert got["rule_version"] == CHECKS_VERSION


@pytest.mark.parametrize(("status", "grade"), [("accepted", "B"), ("quarantined", None), ("duplicate", None)])
def test_a_row_holds_the_grade_of_what_is_accepted(status: str, grade: str | None) -> None:
    """From header and findings; what is not accepted has none."""
    flagged = [Issue("warn_range", "warn", "density", "99", "0.5 to 23 g/cm3")]
    assert row(judged(header(standard="ISO 6892-1"), status=status, issues=flagged))["grade"] == grade


def test_all_rows_of_a_flush_have_one_ingest_time() -> None:
    """To the microsecond, with its month as partition."""
    rows = events_rows([judged(header(0)), judged(header(1), offset=1)], NOW_US + 1).to_pylist()
    assert {r["ingest_time"] for r in rows} == {NOW + dt.timedelta(microseconds=1)}
    assert {r["ingest_month"] for r in rows} == {"2026-11"}
    assert [r["seq"] for r in rows] == [0, 1]


def test_a_month_begins_at_midnight_utc() -> None:
    """The last microsecond belongs to the month before."""
    first = int(dt.datetime(2026, 12, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000
    assert row(judged(header()), first)["ingest_month"] == "2026-12"
    assert row(judged(header()), first - 1)["ingest_month"] == "2026-11"


def test_a_message_that_was_not_decoded_has_position_reason_and_bytes() -> None:
    """And the institute of its topic, since nobody else may see it."""
    got = row(judged({}, decoded=Decoded(), identified=False, status="quarantined", message=message(None, key=None)))
    assert (got["raw"], got["message_key"], got["offset"], got["institute"]) == (None, None, 0, "kims")
    assert all(got[name] is None for name, _ in HEADER if name != "institute")
    assert (got["project"], got["schema_sha256"]) == (None, None)


def test_claims_of_a_doubtful_identity_are_left_out() -> None:
    """Only what claims no identity stays; the whole header is in the bytes."""
    one = header(content="c", supersedes="s", repairs="r", disclosure="L5", retracted=True, institute="pnu")
    got = row(judged(one, identified=False, status="quarantined"))
    kept = {name for name, _ in HEADER if got[name] is not None}
    assert kept == CLAIM_FREE | {"institute"}
    assert got["institute"] == "kims"


def test_a_flag_of_a_doubtful_identity_is_left_out_too() -> None:
    """It must not retract anything."""
    assert row(judged(header(retracted=True), identified=False))["retracted"] is None


@pytest.mark.parametrize(("length", "kept"), [(MAX_TEXT, MAX_TEXT), (MAX_TEXT + 1, MAX_TEXT), (100_000, MAX_TEXT)])
def test_a_text_that_is_too_long_is_cut(length: int, kept: int) -> None:
    """A hostile header does not make the column large."""
    assert len(row(judged(header(sample_id="x" * length), identified=False))["sample_id"]) == kept


@pytest.mark.parametrize(
    ("number", "kept"), [(2**63 - 1, 2**63 - 1), (2**63, None), (-(2**63), -(2**63)), (-(2**63) - 1, None)]
)
def test_a_number_that_is_too_large_is_left_out(number: int, kept: int | None) -> None:
    """The column has 64 bits."""
    assert row(judged(header(seq=number)))["seq"] == kept


@pytest.mark.parametrize("year", [1, 9999])
def test_times_at_the_calendar_s_ends_are_kept(year: int) -> None:
    """They are quarantined, and still shown."""
    time = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    assert row(judged(header(event_time=time)))["event_time"] == time


def test_a_value_of_another_institute_s_header_is_not_taken() -> None:
    """The topic says whose the message is."""
    assert row(judged(header(institute="pnu"), decoded=decoded(header(institute="pnu"))))["institute"] == "kims"
