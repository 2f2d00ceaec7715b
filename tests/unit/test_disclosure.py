"""The disclosure ladder, and what holds for something made of several records."""

import datetime as dt

import pytest

from sojae.domain.disclosure import (
    LEVELS,
    PARTICIPANT,
    level_of,
    shown_from,
    shown_to_institutes,
    strictest_disclosure,
    strictest_embargo,
    strictest_licence,
)

DAY = dt.date(2026, 11, 2)


def test_levels_go_up_from_the_owner() -> None:
    """What is not on the ladder is its owner's only."""
    assert [level_of(level) for level in LEVELS] == [0, 1, 2, 3, 4, 5]
    assert [level_of(odd) for odd in (None, "", "L6", 3)] == [0, 0, 0, 0]


def test_others_see_from_their_rung_upwards() -> None:
    """A participating institute sees L2 and above."""
    assert [level for level in LEVELS if shown_from(level, PARTICIPANT)] == ["L2", "L3", "L4", "L5"]
    assert [level for level in (*LEVELS, None) if shown_to_institutes(level, None, DAY)] == ["L2", "L3", "L4", "L5"]


@pytest.mark.parametrize(("days", "shown"), [(1, False), (0, True), (-1, True)])
def test_an_embargo_ends_on_its_day(days: int, shown: bool) -> None:
    """Before it, no other institute sees anything."""
    assert shown_to_institutes("L5", DAY + dt.timedelta(days=days), DAY) is shown


@pytest.mark.parametrize(
    ("levels", "expected"),
    [(["L5", "L2", "L3"], "L2"), (["L5", None], None), (["L5", "secret"], None), (["L0", "L5"], "L0"), ([], None)],
)
def test_the_lowest_level_is_the_strictest(levels: list[str | None], expected: str | None) -> None:
    """None is stricter than any."""
    assert strictest_disclosure(levels) == expected


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (["CC0-1.0", "CC0-1.0"], "CC0-1.0"),
        (["CC0-1.0", "CC-BY-4.0"], "CC-BY-4.0 AND CC0-1.0"),
        (["CC0-1.0", None], None),
        (["CC0-1.0", ""], None),
        ([], None),
    ],
)
def test_licences_hold_together(licences: list[str | None], expected: str | None) -> None:
    """Without one of any record there is none for the whole."""
    assert strictest_licence(licences) == expected


def test_the_latest_embargo_is_the_strictest() -> None:
    """Records without one do not count."""
    assert strictest_embargo([DAY, None, DAY - dt.timedelta(days=1)]) == DAY
    assert strictest_embargo([None]) is None
