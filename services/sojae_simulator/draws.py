"""Specimens of a project, one after another: institutes take turns, lots are shared within a campaign."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from sojae.adapters.template_files import TemplateBook
from sojae.domain.template import Stage
from sojae_simulator.columns import design_of
from sojae_simulator.institutes import Institute
from sojae_simulator.projects.registry import PROJECTS
from sojae_simulator.recipes import Values
from sojae_simulator.specimen import Event, Lot, Specimen

CAMPAIGN_SPECIMENS = 10
"""Specimens of one institute that share their raw lots."""
LAG_SLOTS: Mapping[Stage, float] = {"raw": -0.5, "composition": 0.0, "process": 2.0, "property": 4.0}
"""When an event is sent, in specimens after the composition of its own: other specimens are made in between."""
AGE_HOURS: Mapping[Stage, tuple[float, float]] = {
    "raw": (12.0, 20.0),
    "composition": (5.0, 6.0),
    "process": (2.0, 4.0),
    "property": (0.1, 1.0),
}
"""How long before sending an event happened: well under the 24 h after which it is late."""


@dataclass(slots=True)
class _Campaign:
    """The lots that are open at one institute; `described` are those whose event went out."""

    name: str
    lots: Mapping[str, Values]
    used: int = 0
    described: set[str] = field(default_factory=set)


class Laboratory:
    """Draws the specimens of one project for ever; equal seeds and tags give equal specimens."""

    def __init__(self, project: str, book: TemplateBook, rng: np.random.Generator, tag: str) -> None:
        self._project = project
        self._book = book
        self._rng = rng
        self._tag = tag
        self._recipes = PROJECTS[project].recipes
        self._campaigns: dict[str, _Campaign] = {}
        self._drawn = 0

    def specimens(self) -> Iterator[Specimen]:
        """Yield specimen after specimen without end."""
        while True:
            yield self._specimen()

    def _specimen(self) -> Specimen:
        institutes = PROJECTS[self._project].institutes
        institute = institutes[self._drawn % len(institutes)]
        campaign = self._campaign(institute)
        name = f"{institute.sample_prefix}-{self._tag}-{self._drawn:04d}"
        composition, amounts = self._recipes.composition(self._rng)
        lots = tuple(self._lot(institute, campaign, component) for component in amounts)
        composition["lots"] = {lot.component: lot.event.sample_id for lot in lots}
        furnace, tester = self._one_of(institute.furnaces), self._one_of(institute.testers)
        process = self._recipes.process(self._rng, campaign.lots, furnace)
        conditions = self._recipes.conditions(self._rng)
        design = design_of(
            self._book,
            self._project,
            {"composition": composition, "process": process, "property": conditions},
            [(campaign.lots[component], amount) for component, amount in amounts.items()],
        )
        reading = self._recipes.reading(self._rng, institute.id, tester, design)
        new_lots = tuple(lot.event for lot in lots if lot.component not in campaign.described)
        campaign.described.update(amounts)
        specimen = Specimen(
            project=self._project,
            lots=lots,
            new_lots=new_lots,
            composition=self._event(institute, "composition", institute.weighing, name, composition),
            process=self._event(institute, "process", furnace, name, process),
            measurement=self._event(institute, "property", tester, name, conditions | reading),
            design=design,
        )
        self._drawn += 1
        return specimen

    def _campaign(self, institute: Institute) -> _Campaign:
        campaign = self._campaigns.get(institute.id)
        if campaign is None or campaign.used >= CAMPAIGN_SPECIMENS:
            name = f"{self._tag}-{self._drawn:04d}"
            campaign = self._campaigns[institute.id] = _Campaign(name, self._recipes.lots(self._rng, name))
        campaign.used += 1
        return campaign

    def _lot(self, institute: Institute, campaign: _Campaign, component: str) -> Lot:
        sample = f"LOT-{component}-{campaign.name}"
        return Lot(component, self._event(institute, "raw", institute.weighing, sample, campaign.lots[component]))

    def _event(
        self, institute: Institute, stage: Stage, instrument: str, sample_id: str, values: Mapping[str, object]
    ) -> Event:
        low, high = AGE_HOURS[stage]
        return Event(
            project=self._project,
            stage=stage,
            institute=institute.id,
            instrument=instrument,
            sample_id=sample_id,
            values=values,
            age_seconds=3600.0 * float(self._rng.uniform(low, high)),
            slot=self._drawn + LAG_SLOTS[stage],
        )

    def _one_of(self, names: tuple[str, ...]) -> str:
        return names[int(self._rng.integers(len(names)))]
