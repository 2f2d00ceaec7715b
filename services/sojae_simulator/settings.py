"""Settings of the simulator."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from sojae.settings import group
from sojae_simulator.laws import LAWS

MAX_SPECIMENS = 100_000
ALL_PROJECTS = (
    "high_entropy_alloy,ceramic_electrode,hydrogen_catalyst:30,olefin_catalyst:30,biodegradable_fibre:30,"
    "composite_resin:30,interior_textile:30,capacitor_ceramic:30"
)
"""Two projects with enough for models at once; of the others, fewer than the 40 records that a first model takes."""


class Chosen(NamedTuple):
    """A project to simulate, and how many specimens of it follow the first burst; None: it is part of the burst."""

    name: str
    later: int | None


class SimulatorSettings(BaseSettings):
    """What is simulated, how fast, and with how many faults."""

    model_config = group("SOJAE_SIMULATOR__")

    projects: str = Field(
        ALL_PROJECTS,
        description="Projects to simulate, separated by commas; NAME:COUNT sends so many specimens after the first burst.",
    )
    specimens: int = Field(160, ge=1, le=MAX_SPECIMENS, description="Specimens of each project in the first burst.")
    seed: int | None = Field(None, ge=0, description="Seed of the draws; unset = the epoch, so that each run differs.")
    burst_rate: float = Field(100.0, ge=0, description="Events per second of the first burst; 0 = as fast as can be.")
    trickle_rate: float = Field(0.5, gt=0, le=1000, description="Events per second after the first burst.")
    fault_scale: float = Field(1.0, ge=0, le=5, description="Factor of all fault rates; 0 = no faults.")
    once: bool = Field(default=False, description="Whether to end after the first burst.")

    @field_validator("projects")
    @classmethod
    def _known(cls, value: str) -> str:
        unknown = [one.name for one in _chosen(value) if one.name not in LAWS]
        if unknown:
            raise ValueError(f"no law for {', '.join(unknown) or 'nothing'}; known are {', '.join(LAWS)}")
        odd = [one.name for one in _chosen(value) if one.later is not None and not 1 <= one.later <= MAX_SPECIMENS]
        if odd:
            raise ValueError(
                f"specimens of {', '.join(odd)}: expected NAME:COUNT with a whole number from 1 to 100,000"
            )
        return value

    @property
    def project_names(self) -> tuple[str, ...]:
        """The projects to simulate, each once, in the order given."""
        return tuple(dict.fromkeys(one.name for one in _chosen(self.projects)))

    @property
    def later(self) -> Mapping[str, int]:
        """How many specimens follow the first burst, by project; one that is named without a number is in the burst."""
        in_burst = {one.name for one in _chosen(self.projects) if one.later is None}
        return {n: later for n, later in _chosen(self.projects) if later is not None and n not in in_burst}


def _chosen(projects: str) -> Iterator[Chosen]:
    for one in projects.split(","):
        name, colon, count = one.partition(":")
        # What is no number is refused like 0, with the same words.
        yield Chosen(name.strip(), (int(count) if count.strip().isdecimal() else 0) if colon else None)


class PlantSimulatorSettings(BaseSettings):
    """The simulated plant: whether it runs, how fast its time goes, and how much it puts into a message."""

    model_config = group("SOJAE_SIMULATOR_PLANT__")

    enabled: bool = Field(
        default=True, description="Whether the plant runs beside the laboratories, if its project is simulated."
    )
    speed: float = Field(
        1_500.0,
        ge=0,
        le=1e9,
        description="Seconds of the plant a second, until it has caught up; 0 = as fast as can be.",
    )
    days_ago: float = Field(730.0, ge=0, le=36_500, description="How many days ago the plant's first run begins.")
    batches: int = Field(1, ge=1, le=100_000, description="Batches after which it ends, when the simulator runs once.")
    sample_seconds: float = Field(10.0, ge=0.001, le=3_600, description="Seconds of the plant between two samples.")
    message_samples: int = Field(6, ge=1, le=10_000, description="Samples of each channel in one message.")
