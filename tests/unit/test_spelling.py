"""What was probably meant."""

from sojae.domain.spelling import near


def test_near_names_come_nearest_first() -> None:
    """In the spelling of the known name, whatever the case that was typed."""
    assert near("YIELD_STRENTH", ["test_type", "yield_stress", "Yield_strength"]) == ("Yield_strength", "yield_stress")


def test_nothing_near_is_nothing() -> None:
    """A wrong guess is worse than none."""
    assert near("zzz", ["alpha", "beta"]) == ()
