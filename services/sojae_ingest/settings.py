"""Settings of the ingest service."""

from pydantic import Field
from pydantic_settings import BaseSettings

from sojae.settings import group


class IngestSettings(BaseSettings):
    """When a flush is due, and how the consumer group behaves."""

    model_config = group("SOJAE_INGEST__")

    flush_rows: int = Field(50_000, ge=1, le=1_000_000, description="Messages after which a flush is due.")
    flush_bytes: int = Field(16_777_216, ge=1_024, description="Bytes of messages after which a flush is due.")
    flush_seconds: float = Field(
        0.5, gt=0, description="Seconds after which a flush is due at 1,000 messages a second or more."
    )
    trickle_seconds: float = Field(
        2.0, gt=0, description="Seconds after which a flush is due below that, so that files stay few."
    )
    group_id: str = Field(
        "sojae-ingest", min_length=1, description="Kafka consumer group; its offsets are for lag tools only."
    )
    session_timeout_seconds: float = Field(
        30.0, ge=2, le=300, description="Silence after which Kafka gives our partitions away."
    )
    stall_seconds: float = Field(
        60.0, gt=0, description="Seconds without a record, while there is lag, after which the process ends."
    )
    refresh_seconds: float = Field(2.0, gt=0, description="Least seconds between two refreshes of the materials views.")
