"""What a project's draws must offer, and how a drawn number is written down."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

Values = dict[str, object]


class Recipes(Protocol):
    """Draws the four stages of one project; numbers lie inside the usual ranges of its templates."""

    def lots(self, rng: np.random.Generator, campaign: str) -> dict[str, Values]:
        """Return the raw values of one lot of every component that may be used; `campaign` makes lot names unique."""
        ...

    def composition(self, rng: np.random.Generator) -> tuple[Values, Mapping[str, float]]:
        """Return the composition values without lots, and the amount of each component that needs a lot."""
        ...

    def process(self, rng: np.random.Generator, lots: Mapping[str, Values], furnace: str) -> Values:
        """Return the process values of a specimen made from these lots."""
        ...

    def conditions(self, rng: np.random.Generator) -> Values:
        """Return the conditions of the test, as fields of the property stage."""
        ...

    def reading(self, rng: np.random.Generator, institute: str, tester: str, design: Mapping[str, object]) -> Values:
        """Return what the tester reads of a design, without the conditions: the law's values with offset and noise."""
        ...


def rounded(value: float, digits: int) -> float:
    """Return a number with so many significant digits, as an instrument shows it."""
    return float(format(value, f".{digits}g"))


def spread(rng: np.random.Generator, low: float, high: float, digits: int = 3) -> float:
    """Return an even draw between two numbers, with so many significant digits."""
    return rounded(float(rng.uniform(low, high)), digits)


def choice(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    """Return one of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]
