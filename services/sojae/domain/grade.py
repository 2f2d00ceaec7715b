"""The quality grade of a record: how far it can be traced and checked."""

from collections.abc import Mapping, Sequence
from typing import Literal

Grade = Literal["A", "B", "C", "D"]


def grade(header: Mapping[str, object], rules_found: Sequence[str]) -> Grade:
    """Return the grade of an accepted record.

    A: standard method, calibrated instrument, replicates. B: standard method, nothing required is missing.
    C: from the literature with a reference. D: plausible, but not verifiable.
    """
    complete = "required" not in rules_found
    if header.get("standard") and complete:
        traced = header.get("calibrated_on") and header.get("instrument") and header.get("replicate_group")
        return "A" if traced else "B"
    return "C" if header.get("references") else "D"
