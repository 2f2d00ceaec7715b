"""When which project is trained: pure, told the time."""

from dataclasses import dataclass, field

from sojae_trainer.train import LEAST_ROWS


@dataclass(frozen=True, slots=True)
class Pace:
    """How long silence must last, how long it is waited for, and how much more a project must have."""

    quiet_seconds: float
    patience_seconds: float
    growth: float


@dataclass(slots=True)
class Schedule:
    """Decides from counts of property records; all times are seconds of one monotonic clock.

    A project is due when it has ≥ 40 records and was never trained or has grown by the pace's share since. Once due, it
    is trained as soon as nothing has come for `quiet_seconds`, or `patience_seconds` after it became due.
    """

    pace: Pace
    _version: int | None = None
    _heard: float = float("-inf")
    _records: dict[str, int] = field(default_factory=dict)
    _trained: dict[str, int] = field(default_factory=dict)
    _due_since: dict[str, float] = field(default_factory=dict)

    def heard(self, events_version: int, now: float) -> bool:
        """Note the version of `events` and return whether it is new: then something came just now."""
        if events_version == self._version:
            return False
        self._version, self._heard = events_version, now
        return True

    def trained(self, project: str, records: int) -> None:
        """Note that a project has been trained, or tried, on so many records."""
        self._trained[project] = records
        self._due_since.pop(project, None)

    def counted(self, project: str, records: int, now: float) -> None:
        """Note how many property records a project has."""
        self._records[project] = records
        before = self._trained.get(project)
        due = records >= LEAST_ROWS and (before is None or records >= (1.0 + self.pace.growth) * before)
        if due:
            self._due_since.setdefault(project, now)
        else:
            self._due_since.pop(project, None)

    def next(self, now: float) -> str | None:
        """Return the project to train now, the one that has waited longest, or None."""
        quiet = now - self._heard >= self.pace.quiet_seconds
        ready = [p for p, since in self._due_since.items() if quiet or now - since >= self.pace.patience_seconds]
        return min(ready, key=lambda p: (self._due_since[p], p), default=None)

    def records(self, project: str) -> int:
        """Return how many property records a project had when it was last counted."""
        return self._records.get(project, 0)
