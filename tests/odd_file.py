"""A data file by a random law, as somebody might keep it: odd headers in two languages, LaTeX, a name twice, a row of units."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HEADERS = (
    "시료 번호", "Fe", "Cr", "Ni", "$T_{sinter}$", "소결 시간(h)", "select", "Flow", "Flow", "", "2nd gas ", "인장강도 [MPa]", "비고",
)  # fmt: skip
UNITS = ("", "wt%", "wt%", "wt%", "°C", "h", "", "mL/min", "L/min", "", "", "MPa", "")
ROUTES = ("cast", "압연", "powder")
TARGET = "인장강도 [MPa]"


@dataclass(frozen=True, slots=True)
class OddLaw:
    """Strength in MPa by a law of random coefficients: chromium, temperature and route matter, the flows do not."""

    chromium: float
    temperature: float
    time: float
    route: tuple[float, ...]

    @classmethod
    def drawn(cls, seed: int) -> "OddLaw":
        """Return a law that hardens with chromium and softens with temperature, how much by chance."""
        rng = random.Random(seed)
        route = tuple(rng.uniform(-60, 60) for _ in ROUTES)
        return cls(rng.uniform(6, 12), rng.uniform(-0.6, -0.3), rng.uniform(2, 6), route)

    def strength(self, chromium: float, temperature: float, hours: float, route: str) -> float:
        """Return the strength without noise."""
        change = self.temperature * (temperature - 1200) + self.time * hours + self.route[ROUTES.index(route)]
        return 600 + self.chromium * chromium + change


def odd_rows(rows: int, seed: int) -> list[Sequence[str]]:
    """Return the rows of the file without header and units; cells are typed as people type them."""
    law, rng = OddLaw.drawn(seed), random.Random(seed + 1)
    found: list[Sequence[str]] = []
    for number in range(1, rows + 1):
        chromium, nickel = round(rng.uniform(10, 25), 1), round(rng.uniform(5, 15), 1)
        temperature, hours, route = rng.choice((1100, 1150, 1200, 1250)), rng.randint(1, 8), rng.choice(ROUTES)
        strength = law.strength(chromium, temperature, hours, route) + rng.gauss(0, 4)
        found.append(
            (
                f"시료-{number:03d}", f"{100 - chromium - nickel:.1f}", f"{chromium}", f"{nickel} ", f"{temperature}", f"{hours}",
                route, f"{rng.uniform(10, 50):.1f}", f"{rng.uniform(1, 5):.2f}", f"{rng.uniform(0, 1):.3f}", rng.choice(("예", "아니오")),
                f"{strength:.1f}" if number % 7 else f"{strength:.1f} ± 3", "N/A" if number % 3 else "재시험",
            )
        )  # fmt: skip
    return found


def odd_file(path: Path, rows: int = 60, seed: int = 7) -> None:
    """Write the file as CSV with its header, a row of units and a row of means at the end."""
    means = ["평균", *("" for _ in HEADERS[1:-2]), "700", ""]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([HEADERS, UNITS, *odd_rows(rows, seed), means])
