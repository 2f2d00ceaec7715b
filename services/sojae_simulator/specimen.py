"""What a simulated institute states: events, and the specimens that they describe."""

from collections.abc import Mapping
from dataclasses import dataclass

from sojae.domain.template import Stage


@dataclass(frozen=True, slots=True)
class Event:
    """One statement of an instrument about a sample, before it has an identity on Kafka.

    `age_seconds` is how long before sending it happened; `slot` is its place in the order of sending, one a specimen.
    `historical` says that it is sent late on purpose.
    """

    project: str
    stage: Stage
    institute: str
    instrument: str
    sample_id: str
    values: Mapping[str, object]
    age_seconds: float
    slot: float
    historical: bool = False

    @property
    def producer(self) -> str:
        """Who sends it: `<institute>/<instrument>`, the key of the message."""
        return f"{self.institute}/{self.instrument}"


@dataclass(frozen=True, slots=True)
class Lot:
    """One raw lot, and the event that describes it."""

    component: str
    event: Event


@dataclass(frozen=True, slots=True)
class Specimen:
    """One specimen: its lots, its three events, and the design whose law its property follows.

    `new_lots` are those of its lots that no earlier specimen used; their events go out with it.
    """

    project: str
    lots: tuple[Lot, ...]
    new_lots: tuple[Event, ...]
    composition: Event
    process: Event
    measurement: Event
    design: Mapping[str, object]

    @property
    def events(self) -> tuple[Event, ...]:
        """Its events in the order in which they happened."""
        return (*self.new_lots, self.composition, self.process, self.measurement)
