"""The simulated plant as tests build it: at once, from a home of their own, with a clock that stands still."""

import dataclasses
import datetime as dt
from functools import cache
from pathlib import Path

from sojae.adapters.template_files import TemplateBook, load_templates
from sojae_simulator.plant_agent import PlantRun
from sojae_simulator.plant_build import PlantPlan, build_plant, plant_plan
from sojae_simulator.settings import PlantSimulatorSettings, SimulatorSettings

NOW = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)
EPOCH = 1_782_898_200_000


@cache
def book() -> TemplateBook:
    return load_templates()


def plan(home: Path, *, faults: float = 1.0, **given: object) -> PlantPlan:
    """Return the packaged plant, run once and as fast as can be."""
    settings = PlantSimulatorSettings.model_validate({"speed": 0.0, "batches": 1, **given})
    found = plant_plan(settings, SimulatorSettings.model_validate({"once": True, "fault_scale": faults}), book(), home)
    assert found is not None
    return found


def built(home: Path, *, seed: int = 7, epoch: int = EPOCH, faults: float = 1.0, **given: object) -> PlantRun:
    """Return one run of the plant."""
    return build_plant(plan(home, faults=faults, **given), book(), epoch, seed, NOW)


def endless(run: PlantRun) -> PlantRun:
    """Return the same run without an end."""
    return dataclasses.replace(run, batches=None)
