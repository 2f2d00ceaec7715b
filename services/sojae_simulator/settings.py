"""Settings of the simulator."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from sojae.settings import group
from sojae_simulator.laws import LAWS


class SimulatorSettings(BaseSettings):
    """What is simulated, how fast, and with how many faults."""

    model_config = group("SOJAE_SIMULATOR__")

    projects: str = Field(
        "high_entropy_alloy,ceramic_electrode", description="Projects to simulate, separated by commas."
    )
    specimens: int = Field(160, ge=1, le=100_000, description="Specimens of each project in the first burst.")
    seed: int | None = Field(None, ge=0, description="Seed of the draws; unset = the epoch, so that each run differs.")
    burst_rate: float = Field(100.0, ge=0, description="Events per second of the first burst; 0 = as fast as can be.")
    trickle_rate: float = Field(0.5, gt=0, le=1000, description="Events per second after the first burst.")
    fault_scale: float = Field(1.0, ge=0, le=5, description="Factor of all fault rates; 0 = no faults.")
    once: bool = Field(default=False, description="Whether to end after the first burst.")

    @field_validator("projects")
    @classmethod
    def _known(cls, value: str) -> str:
        unknown = [name for name in value.split(",") if name.strip() not in LAWS]
        if unknown:
            raise ValueError(f"no law for {', '.join(unknown) or 'nothing'}; known are {', '.join(LAWS)}")
        return value

    @property
    def project_names(self) -> tuple[str, ...]:
        """The projects to simulate, each once, in the order given."""
        return tuple(dict.fromkeys(name.strip() for name in self.projects.split(",")))


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
