"""The quality grade of a record: how far it can be traced and checked."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sojae.domain.text import Text

Grade = Literal["A", "B", "C", "D"]
GRADES: Mapping[Grade, Text] = {
    "A": Text(
        ko="표준 시험법, 교정된 기기, 반복 측정", en="by a standard method, on a calibrated instrument, with replicates"
    ),
    "B": Text(ko="표준 시험법, 필수 값을 모두 갖춤", en="by a standard method, nothing required is missing"),
    "C": Text(ko="참고 문헌이 있음", en="with a reference in which it can be looked up"),
    "D": Text(ko="그럴듯하지만 확인할 수 없음", en="plausible, but not verifiable"),
}
"""What each grade says, best first."""

CALIBRATION_DAYS = 548
"""How long a calibration vouches for an instrument: 18 months, which testing machines may go without a verification
(ASTM E4; common in the field, not confirmed)."""

NOT_WHOLE = frozenset({"required", "formula", "rule_error", "check_failed", "more_findings"})
"""Findings of accepted records that speak against A and B: something required is missing or unreadable, or a rule could
not be asked. Others do not: a value out of its usual range may be the very thing that was sought."""


def grade(header: Mapping[str, object], rules_found: Iterable[str]) -> Grade:
    """Return the grade of an accepted record, from its header and the rules that flagged it.

    A: a standard method, an instrument whose calibration was valid on the day of the event, a replicate group, nothing
    missing. B: a standard method, nothing missing. C: a reference. D: none of these.
    """
    if _text(header.get("standard")) and NOT_WHOLE.isdisjoint(rules_found):
        return "A" if _traced(header) else "B"
    references = header.get("references")
    return "C" if isinstance(references, Sequence) and any(map(_text, references)) else "D"


def _traced(header: Mapping[str, object]) -> bool:
    """Return whether the measurement can be traced to a calibration and compared with its replicates."""
    return _text(header.get("instrument")) and _text(header.get("replicate_group")) and _calibrated(header)


def _calibrated(header: Mapping[str, object]) -> bool:
    """Return whether the calibration is not after the event and not too long before it."""
    calibrated, event_time = header.get("calibrated_on"), header.get("event_time")
    if not isinstance(calibrated, dt.date) or not isinstance(event_time, dt.datetime):
        return False
    age = (event_time.date() - calibrated).days
    # The day of a calibration is that of the laboratory, the time of an event is UTC: they may differ by one.
    return -1 <= age <= CALIBRATION_DAYS


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
