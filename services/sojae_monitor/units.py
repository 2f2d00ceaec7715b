"""How what a sender says in another unit becomes the channel's unit: a factor and an offset, looked up once."""

from typing import Final

from sojae.domain.errors import QuantityError
from sojae.domain.quantity import MAX_UNIT_CHARACTERS, convert, delta

MAX_KNOWN: Final = 1_024
"""Pairs of units that are remembered: a sender may write anything."""

Line = tuple[float, float]
"""Factor and offset: value · factor + offset is in the channel's unit."""


class UnitLines:
    """Conversions into the units of one plant's channels."""

    def __init__(self, units: tuple[str, ...]) -> None:
        self._units = units
        self._known: dict[tuple[int, bytes], Line | None] = {}

    def line(self, channel: int, said: bytes) -> Line | None:
        """Return how `said` becomes the unit of that channel; None when it is unknown or measures something else."""
        if (channel, said) not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[channel, said] = _line(said, self._units[channel])
        return self._known[channel, said]


def _line(said: bytes, unit: str) -> Line | None:
    try:
        spelling = said.decode()
        if len(spelling) > MAX_UNIT_CHARACTERS:
            return None
        return delta(1.0, spelling, unit), convert(0.0, spelling, unit)
    except (UnicodeDecodeError, QuantityError):
        return None
