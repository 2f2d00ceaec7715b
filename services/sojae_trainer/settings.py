"""Settings of the trainer."""

from pydantic import Field
from pydantic_settings import BaseSettings

from sojae.settings import group


class TrainerSettings(BaseSettings):
    """When a project is trained, and how large its inverse library is."""

    model_config = group("SOJAE_TRAINER__")

    poll_seconds: float = Field(2.0, gt=0, description="Seconds between two looks at the version of `events`.")
    quiet_seconds: float = Field(5.0, ge=0, description="Seconds without a new event after which training begins.")
    patience_seconds: float = Field(
        15.0, ge=0, description="Seconds after which training begins even though events still come."
    )
    growth: float = Field(
        0.2, gt=0, description="Share of new property records after which a project is trained again."
    )
    designs: int = Field(
        20_000, ge=2_000, le=200_000, description="Designs nobody has measured, in the library of the inverse graph."
    )
    seed: int = Field(0, ge=0, description="Seed of folds, trees and designs; the same seed gives the same bytes.")
