"""The quality grade of a record."""

import datetime as dt

import pytest

from sojae.domain.grade import CALIBRATION_DAYS, GRADES, Grade, grade

MEASURED = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
TRACED: dict[str, object] = {
    "standard": "ISO 6892-1",
    "calibrated_on": dt.date(2026, 1, 1),
    "instrument": "UTM-1",
    "replicate_group": "g1",
    "event_time": MEASURED,
}


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [((), "A"), (("calibrated_on",), "B"), (("instrument",), "B"), (("replicate_group",), "B"), (("event_time",), "B")],
)
def test_a_needs_standard_calibration_and_replicates(left_out: tuple[str, ...], expected: Grade) -> None:
    """Without one of what makes it traceable, a measurement by a standard is B."""
    assert grade({k: v for k, v in TRACED.items() if k not in left_out}, []) == expected


@pytest.mark.parametrize(
    ("days_before", "expected"),
    [(0, "A"), (-1, "A"), (-2, "B"), (CALIBRATION_DAYS, "A"), (CALIBRATION_DAYS + 1, "B")],
)
def test_a_calibration_vouches_for_a_while(days_before: int, expected: Grade) -> None:
    """From its day on, of which laboratories in the east are ahead, for 18 months."""
    calibrated = MEASURED.date() - dt.timedelta(days=days_before)
    assert grade({**TRACED, "calibrated_on": calibrated}, []) == expected


@pytest.mark.parametrize("rule", ["required", "formula", "rule_error", "check_failed", "more_findings"])
def test_a_record_that_is_not_whole_is_not_graded_by_its_standard(rule: str) -> None:
    """Completeness is part of A and B."""
    assert grade(TRACED, [rule]) == "D"
    assert grade({**TRACED, "references": ["10.1000/182"]}, ["warn_range", rule]) == "C"


def test_other_findings_do_not_change_the_grade() -> None:
    """A value out of the usual range may be right."""
    assert grade(TRACED, ["warn_range", "a_rule", "composition_sum", "event_time_late"]) == "A"


@pytest.mark.parametrize("reference", ["10.1000/182", "ISBN 978-3-16-148410-0", "KIMS report 12"])
def test_a_record_with_a_reference_is_c(reference: str) -> None:
    """What has no standard can at least be looked up, by DOI or otherwise."""
    assert grade({"references": [reference]}, []) == "C"


@pytest.mark.parametrize(
    "header",
    [{}, {"references": []}, {"references": None, "standard": ""}, {"references": [" "], "standard": " "}],
)
def test_what_cannot_be_verified_is_d(header: dict[str, object]) -> None:
    """Neither standard nor reference; blanks are neither."""
    assert grade(header, []) == "D"


def test_every_grade_is_said_in_both_languages() -> None:
    """Best first."""
    assert list(GRADES) == ["A", "B", "C", "D"]
    assert all(text.ko and text.en for text in GRADES.values())
