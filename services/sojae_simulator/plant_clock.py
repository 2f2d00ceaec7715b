"""The plant's time: faster than the wall's, never beyond it."""

import time
from collections.abc import Callable

from sojae.ports import Clock

US = 1_000_000


class EventClock:
    """Runs from `begin_us` (Unix microseconds) at `speed`, 0 = at once, until it has reached the wall clock: then with it."""

    def __init__(
        self, begin_us: int, speed: float, wall: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._begin_us, self._speed, self._wall, self._monotonic = begin_us, speed, wall, monotonic
        self._began = monotonic()

    def wall_us(self) -> int:
        """Return the time of the wall clock in Unix microseconds."""
        return int(self._wall.now().timestamp() * US)

    def now_us(self) -> int:
        """Return the plant's time in Unix microseconds."""
        if self._speed == 0:
            return self.wall_us()
        return min(self._begin_us + int((self._monotonic() - self._began) * self._speed * US), self.wall_us())

    def seconds_until(self, event_us: int) -> float:
        """Return how long it takes until the plant's time is `event_us`; 0 when it has passed."""
        until_wall = (event_us - self.wall_us()) / US
        if self._speed == 0:
            return max(until_wall, 0.0)
        elapsed = self._monotonic() - self._began
        return max((event_us - self._begin_us) / US / self._speed - elapsed, until_wall, 0.0)
