"""What the plant's laboratory states of a batch: raw lots and composition before it, properties after it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sojae.adapters.template_files import TemplateBook
from sojae.domain.plant import Plant
from sojae.domain.template import Stage
from sojae_simulator.columns import design_of
from sojae_simulator.faults import Planned
from sojae_simulator.laws import true_property
from sojae_simulator.plant_draws import US, Batch
from sojae_simulator.projects.registry import PROJECTS
from sojae_simulator.publish import Outgoing, Writer
from sojae_simulator.recipes import Values
from sojae_simulator.specimen import Event

COMPONENTS = ("bczyyb", "nio", "starch")
"""Components of the composition that come from a lot each."""
CAMPAIGN_BATCHES = 10
"""Batches of one kiln that share their raw lots."""
WEIGHING, TESTER = "line-weighing", "line-tester"
BEFORE_HOURS: Mapping[Stage, float] = {"raw": 6.0, "composition": 1.0}
"""How long before the batch's start its lots and its composition are known."""
DELAY_HOURS = (2.0, 4.0)
"""How long after the batch's end its cells have been tested."""
HISTORICAL = dt.timedelta(hours=24)
"""What is sent later than this after it happened is marked as history."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The property event of a batch, and what it says."""

    outgoing: Outgoing
    values: Values


class PlantLaboratory:
    """Writes the plant's laboratory events; their producers belong to the line alone."""

    def __init__(
        self, plant: Plant, book: TemplateBook, writer: Writer, rng: np.random.Generator, described: Mapping[str, str]
    ) -> None:
        self._plant, self._book, self._writer, self._rng = plant, book, writer, rng
        self.described = dict(described)
        """Of each kiln the campaign whose lots have been described last."""

    def before(self, batch: Batch, tag: str, now: dt.datetime) -> list[Outgoing]:
        """Return the events of the lots, where a campaign begins, and that of the batch's composition.

        `tag` tells the campaigns of one home from those of any other.
        """
        campaign = f"{tag}-{batch.asset}-{batch.number // CAMPAIGN_BATCHES}"
        lots = {component: f"LOT-{component}-{campaign}" for component in COMPONENTS}
        fresh = {} if self.described.get(batch.asset) == campaign else lots
        self.described[batch.asset] = campaign
        raw: Values = {**self._plant.planned("raw"), "powder_batch": f"line {campaign}"}
        composition: Values = {**self._plant.planned("composition"), "lots": lots}
        return [self._write("raw", WEIGHING, lot, raw, batch.start_us, now) for lot in fresh.values()] + [
            self._write("composition", WEIGHING, batch.name, composition, batch.start_us, now)
        ]

    def due_us(self, batch: Batch) -> int:
        """Return when the batch's cells will have been tested, in Unix microseconds."""
        return batch.end_us + int(float(self._rng.uniform(*DELAY_HOURS)) * 3_600 * US)

    def design(self, batch: Batch) -> dict[str, object]:
        """Return what is true of the batch, in the columns that models see: the plan, and what the ware went through."""
        plan = self._plant.planned
        process = {**plan("process"), **self._plant.assets[batch.asset].values, **batch.truth(self.limit)}
        composition, raw = dict(plan("composition")), dict(plan("raw"))
        lots = [(raw, float(composition[component])) for component in COMPONENTS if component in composition]
        stages: dict[Stage, Mapping[str, object]] = {
            "composition": composition, "process": process, "property": plan("property"),
        }  # fmt: skip
        return design_of(self._book, self._plant.project, stages, lots)

    def truth(self, batch: Batch) -> dict[str, float]:
        """Return the noiseless properties of the batch's cells."""
        return true_property(self._plant.project, self.design(batch))

    @property
    def limit(self) -> float:
        """The temperature in °C above which the ware counts as sintering."""
        limits = [channel.limit_above for channel in self._plant.channels.values() if channel.limit_above is not None]
        return limits[0]

    def measured(self, batch: Batch, happened_us: int, now: dt.datetime) -> Measured:
        """Return the property event: the test of the plan, the readings with noise and the institute's offset."""
        recipes = PROJECTS[self._plant.project].recipes
        design = self.design(batch)
        readings = recipes.reading(self._rng, self._plant.institute, TESTER, design)
        values: Values = {**self._plant.planned("property"), **readings}
        return Measured(self._write("property", TESTER, batch.name, values, happened_us, now), readings)

    def _write(
        self, stage: Stage, instrument: str, sample_id: str, values: Values, about_us: int, now: dt.datetime
    ) -> Outgoing:
        happened = dt.datetime.fromtimestamp(about_us / US, dt.UTC) - dt.timedelta(hours=BEFORE_HOURS.get(stage, 0.0))
        happened = min(happened, now)
        event = Event(
            project=self._plant.project,
            stage=stage,
            institute=self._plant.institute,
            instrument=instrument,
            sample_id=sample_id,
            values=values,
            age_seconds=(now - happened).total_seconds(),
            slot=0.0,
            historical=now - happened > HISTORICAL,
        )
        return self._writer.write(Planned(0, event, 0.0), now)
