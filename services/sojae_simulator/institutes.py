"""The simulated institutes: their instruments, how they name samples, and by how much each of them reads off."""

import hashlib
from dataclasses import dataclass

import numpy as np

OFFSET = 0.02
"""Standard deviation of an institute's fixed relative offset of a property."""
NOISE = 0.03
"""Standard deviation of the relative noise of one measurement."""
OFFSET_LIMIT, NOISE_LIMIT = 2.0, 2.5
"""Where the normal distributions are cut off, in standard deviations: an instrument that is further off is repaired."""


@dataclass(frozen=True, slots=True)
class Institute:
    """One institute with its furnaces and testers; `sample_prefix` begins its sample ids."""

    id: str
    sample_prefix: str
    furnaces: tuple[str, ...] = ("furnace-1", "furnace-2")
    testers: tuple[str, ...] = ("tester-1", "tester-2")
    weighing: str = "weighing"


def offset_factor(institute: str, name: str) -> float:
    """Return by which factor an institute reads a property off: always the same, near 1."""
    digest = hashlib.sha256(f"{institute}/{name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    return 1.0 + OFFSET * _cut_normal(rng, OFFSET_LIMIT)


def measured(rng: np.random.Generator, institute: str, name: str, truth: float) -> float:
    """Return what an institute reads of a true value: its offset and the noise of one measurement."""
    return truth * offset_factor(institute, name) * (1.0 + NOISE * _cut_normal(rng, NOISE_LIMIT))


def _cut_normal(rng: np.random.Generator, limit: float) -> float:
    """Return a draw of the standard normal distribution cut off at ± limit."""
    while True:
        draw = float(rng.standard_normal())
        if abs(draw) <= limit:
            return draw
