"""Settings of the monitor."""

from pydantic import Field
from pydantic_settings import BaseSettings

from sojae.settings import group


class MonitorSettings(BaseSettings):
    """Which plants are followed, how the consumer group behaves, and how often state is kept."""

    model_config = group("SOJAE_MONITOR__")

    plants: str | None = Field(
        None, description="Plants to follow, separated by commas; unset = all of SOJAE_PLANTS__PATH."
    )
    group_id: str = Field(
        "sojae-monitor", min_length=1, description="Kafka consumer group; its offsets are for lag tools only."
    )
    instance_id: str | None = Field(
        None,
        min_length=1,
        description="Name of this worker in its group, kept over restarts; unset = made of its plants. Workers that share plants need one each.",
    )
    session_timeout_seconds: float = Field(
        30.0, ge=2, le=300, description="Silence after which Kafka gives our partitions away."
    )
    checkpoint_seconds: float = Field(
        0.5, ge=0.1, le=10, description="Seconds between two checkpoints: what is done twice after a crash."
    )
    take: int = Field(500, ge=1, le=2_000, description="Messages worked on at once.")
    stall_seconds: float = Field(
        60.0, ge=5, description="Seconds without progress, while there is lag, after which the process ends."
    )
    poll_seconds: float = Field(2.0, gt=0, description="Seconds between two looks at the model shelf and the store.")
