"""What a record rule looks like when it is written out by hand, and what many of them ask."""

from collections.abc import Callable

PlainRule = tuple[tuple[str, ...], Callable[..., bool], bool]
"""The fields in the order of the template's expression, whether their values pass, and whether it needs all of them."""


def all_given(*values: object) -> bool:
    """Return whether none of the values is absent."""
    return all(value is not None for value in values)


def any_given(*values: object) -> bool:
    """Return whether at least one of the values is there."""
    return any(value is not None for value in values)
