"""Settings of the gateway."""

from pydantic import Field
from pydantic_settings import BaseSettings

from sojae.settings import group


class GatewaySettings(BaseSettings):
    """Where the gateway listens, for whom, and how much it takes and gives at once."""

    model_config = group("SOJAE_GATEWAY__")

    host: str = Field(
        "127.0.0.1", description="Address to listen on; another one than this machine's needs SOJAE_GATEWAY__OPEN."
    )
    port: int = Field(8600, ge=0, le=65535, description="Port to listen on; 0 = asked from the system.")
    open: bool = Field(
        False, description="Whether anybody may read what is public, and nothing else; there are no API keys yet."
    )
    max_body_bytes: int = Field(2_000_000, ge=1_024, le=100_000_000, description="Bytes of a request body taken.")
    max_rows: int = Field(1_000, ge=1, le=100_000, description="Rows of one prediction request taken.")
    max_page_rows: int = Field(500, ge=1, le=10_000, description="Rows of one page given.")
    max_streams: int = Field(64, ge=1, le=10_000, description="Clients of /v1/stream served at the same moment.")
    reachable_probability: float = Field(
        0.05, ge=0, le=1, description="Hit probability below which the best design is said not to reach the targets."
    )


class FollowingSettings(BaseSettings):
    """How often the gateway looks at what it follows."""

    model_config = group("SOJAE_GATEWAY__")

    index_seconds: float = Field(0.5, gt=0, le=60, description="Seconds between two looks at the table events.")
    shelf_seconds: float = Field(2.0, gt=0, le=600, description="Seconds between two looks at the model shelf.")
