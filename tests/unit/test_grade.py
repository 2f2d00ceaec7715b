"""The quality grade of a record."""

import pytest

from sojae.domain.grade import Grade, grade

TRACED = {"standard": "ISO 6892-1", "calibrated_on": "2026-01-01", "instrument": "UTM-1", "replicate_group": "g1"}


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [((), "A"), (("calibrated_on",), "B"), (("instrument",), "B"), (("replicate_group",), "B")],
)
def test_a_needs_standard_calibration_and_replicates(left_out: tuple[str, ...], expected: Grade) -> None:
    """Without one of what makes it traceable, a measurement by a standard is B."""
    assert grade({k: v for k, v in TRACED.items() if k not in left_out}, []) == expected


def test_a_record_that_lacks_a_required_value_is_not_graded_by_its_standard() -> None:
    """Completeness is part of A and B."""
    assert grade(TRACED, ["required"]) == "D"


def test_other_findings_do_not_change_the_grade() -> None:
    """A value out of the usual range may be right."""
    assert grade(TRACED, ["warn_range", "a_rule"]) == "A"


def test_a_record_with_a_reference_is_c() -> None:
    """Literature without a standard can at least be looked up."""
    assert grade({"references": ["10.1000/182"]}, []) == "C"
    assert grade({**TRACED, "references": ["10.1000/182"]}, ["required"]) == "C"


@pytest.mark.parametrize("header", [{}, {"references": []}, {"references": None, "standard": ""}])
def test_what_cannot_be_verified_is_d(header: dict[str, object]) -> None:
    """Neither standard nor reference."""
    assert grade(header, []) == "D"
