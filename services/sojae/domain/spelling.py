"""What was probably meant: the known names that come near a mistyped one."""

from collections.abc import Sequence
from difflib import get_close_matches


def near(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return up to three known names that were probably meant, nearest first."""
    lower = {k.lower(): k for k in reversed(known)}
    return tuple(lower[n] for n in get_close_matches(text.lower(), lower, n=3, cutoff=0.5))
