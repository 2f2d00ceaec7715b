"""Alloys by a known law, as a materials view: what the trainer's tests train on and are judged by."""

import datetime as dt
from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl

from sojae.adapters.template_files import load_templates
from sojae.domain.template import STAGES
from sojae_trainer.dataset import Templates
from sojae_trainer.train import Order, Trained, train

PROJECT = "high_entropy_alloy"
TARGET = "yield_strength.tension"
CREATED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

ELEMENTS = ("Al", "Co", "Cr", "Fe", "Ni")
RADII = np.array([1.432, 1.251, 1.249, 1.241, 1.246])
FRICTION = np.array([10.0, 90.0, 110.0, 80.0, 60.0])
TEMPERATURES = (25.0, 400.0, 600.0, 800.0)
ROUTES = ("cast", "wrought", "anneal")
GRAINS = {"cast": 120.0, "wrought": 8.0, "anneal": 25.0}


def yield_strength(values: Mapping[str, object]) -> float:
    """Return the yield strength in MPa, without noise: friction stress, size misfit, Hall–Petch, falling with heat."""
    amounts = np.array([float(values[f"composition.el.{e}"]) for e in ELEMENTS]) / 100.0  # type: ignore[arg-type]
    amounts = amounts / amounts.sum()
    radius = float(amounts @ RADII)
    misfit = float(np.sqrt(amounts @ np.square(1.0 - RADII / radius)))
    grain = GRAINS[str(values["process.processing_route"])]
    if values["process.processing_route"] == "anneal":
        grain *= float(np.exp((float(values["process.heat_treatment_1_temperature"]) - 950.0) / 180.0))  # type: ignore[arg-type]
    cold = float(values["process.cold_reduction"]) / 100.0  # type: ignore[arg-type]
    base = float(amounts @ FRICTION) + 5200.0 * misfit + 600.0 / np.sqrt(grain) + 350.0 * cold
    return float(base * (1.0 - 0.00055 * (float(values["property.test_temperature"]) - 25.0)))  # type: ignore[arg-type]


def alloys(rows: int, seed: int, *, noise: float = 0.03) -> pl.DataFrame:
    """Return a materials view of high_entropy_alloy: institutes with an offset of 2 %, lots, noise, two test types."""
    rng = np.random.default_rng(seed)
    institutes = [f"institute-{i}" for i in range(4)]
    offsets = rng.normal(1.0, 0.02 if noise else 0.0, len(institutes))
    records = []
    for n in range(rows):
        place = int(rng.integers(len(institutes)))
        amounts = 100.0 * rng.dirichlet(np.array([2.0, 4.0, 4.0, 4.0, 4.0]))
        route = str(rng.choice(ROUTES))
        values: dict[str, object] = {f"composition.el.{e}": float(a) for e, a in zip(ELEMENTS, amounts, strict=True)}
        values |= {
            "process.processing_route": route,
            "process.cold_reduction": float(rng.integers(0, 9) * 10) if route == "wrought" else 0.0,
            "process.heat_treatment_1_temperature": float(rng.integers(16, 25) * 50),
            "property.test_temperature": float(rng.choice(TEMPERATURES)),
        }
        strength = yield_strength(values) * offsets[place] * (1.0 + noise * rng.normal())
        records.append(
            {
                "record_id": f"p-{seed}-{n:05d}",
                "institute": institutes[place],
                "sample_id": f"s-{seed}-{n:05d}",
                "references": None,
                "findings": [],
                "events_version": 7,
                "raw__raw_lot": f"lot-{int(rng.integers(6))}",
                "property__test_type": "tension",
                "property__yield_strength": strength,
                "property__hardness_vickers": 0.3 * strength * (1.0 + noise * rng.normal()),
                **{_column(field): value for field, value in values.items()},
            }
        )
    return pl.DataFrame(records, schema_overrides={"references": pl.List(pl.String), "findings": pl.List(pl.String)})


@cache
def templates() -> Templates:
    """Return the package's templates of the project."""
    book = load_templates()
    return {stage: book.get(PROJECT, stage) for stage in STAGES}


def order(**changes: object) -> Order:
    """Return what is to be trained, with a small library unless it is said otherwise."""
    values: dict[str, object] = {"project": PROJECT, "templates": templates(), "designs": 3000, **changes}
    return Order(**values)  # type: ignore[arg-type]  # a test's own names


@cache
def trained() -> Trained:
    """Return models of 150 noisy alloys with a library of full size; trained once for all tests."""
    return train(alloys(150, 1), order(designs=20_000), CREATED)


def values_of(row: Mapping[str, object]) -> dict[str, object]:
    """Return the recipe of one row of a view, by field."""
    fields = [f"composition.el.{e}" for e in ELEMENTS]
    fields += ["process.processing_route", "process.cold_reduction", "process.heat_treatment_1_temperature"]
    fields.append("property.test_temperature")
    return {field: row[_column(field)] for field in fields}


def _column(field: str) -> str:
    return field.replace("composition.el.", "composition__el__").replace(".", "__")
