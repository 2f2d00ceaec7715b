"""The draws of fibres and interior textiles: clean by the checks, true to the law, and a second opinion of each rule."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.checks import check_values
from sojae_simulator import draws
from sojae_simulator.expectations import CrossRule
from sojae_simulator.institutes import NOISE, NOISE_LIMIT, offset_factor
from sojae_simulator.projects import (
    biodegradable_fibre_recipes,
    biodegradable_fibre_rules,
    interior_textile_recipes,
    interior_textile_rules,
)
from sojae_simulator.projects.biodegradable_fibre_law import fibre_property
from sojae_simulator.projects.interior_textile_law import textile_property
from sojae_simulator.specimen import Specimen

LAWS = {"biodegradable_fibre": fibre_property, "interior_textile": textile_property}
MAIN = {"biodegradable_fibre": "tenacity", "interior_textile": "colour_difference"}
RULES = {
    "biodegradable_fibre": biodegradable_fibre_rules.RULES,
    "interior_textile": interior_textile_rules.RULES,
}
CASES = Path(__file__).parent / "rule_cases"


@pytest.fixture(scope="module")
def book() -> TemplateBook:
    return load_templates()


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = {
        "biodegradable_fibre": biodegradable_fibre_recipes.FibreRecipes(),
        "interior_textile": interior_textile_recipes.TextileRecipes(),
    }
    institutes = {
        "biodegradable_fibre": biodegradable_fibre_recipes.INSTITUTES,
        "interior_textile": interior_textile_recipes.INSTITUTES,
    }
    monkeypatch.setattr(draws, "RECIPES", recipes)
    monkeypatch.setattr(draws, "INSTITUTES", institutes)


def draw(book: TemplateBook, project: str, count: int) -> list[Specimen]:
    laboratory = draws.Laboratory(project, book, np.random.default_rng(1), "test")
    return list(itertools.islice(laboratory.specimens(), count))


@pytest.mark.parametrize("project", LAWS)
def test_a_thousand_draws_have_no_finding(book: TemplateBook, project: str) -> None:
    """What carries no fault is clean by the real checks, noise included."""
    events = [event for specimen in draw(book, project, 1_000) for event in specimen.events]
    assert {event.stage for event in events} == {"raw", "composition", "process", "property"}
    for stage in ("raw", "composition", "process", "property"):
        rows = [event.values for event in events if event.stage == stage]
        findings = check_values(book.get(project, stage), rows, ["experiment"] * len(rows))
        assert [found for found in findings if found] == []


@pytest.mark.parametrize("project", LAWS)
def test_readings_follow_the_law_within_noise_and_offset(book: TemplateBook, project: str) -> None:
    """The same input fields that a model sees give the property, but for the institute's offset and 3 % noise."""
    name, noise = MAIN[project], []
    for specimen in draw(book, project, 400):
        truth = LAWS[project](specimen.design)[name] * offset_factor(specimen.measurement.institute, name)
        noise.append(float(str(specimen.measurement.values[name])) / truth - 1.0)
    assert max(map(abs, noise)) <= NOISE * NOISE_LIMIT + 1e-3
    assert np.std(noise) == pytest.approx(NOISE, rel=0.15)


@pytest.mark.parametrize("project", LAWS)
def test_the_second_opinion_agrees_on_every_rule(book: TemplateBook, project: str) -> None:
    """Written out by hand, each rule names the same fields and finds the same row."""
    cases: list[dict[str, Any]] = json.loads((CASES / f"{project}.json").read_text(encoding="utf-8"))
    assert {(c["stage"], c["rule"]) for c in cases} == {(s, r) for s, rules in RULES[project].items() for r in rules}
    for case in cases:
        own = CrossRule(*RULES[project][case["stage"]][case["rule"]])
        (found,) = check_values(book.get(project, case["stage"]), [case["broken"]], ["experiment"])
        assert (own.holds(case["keep"]), own.holds(case["broken"])) == (True, False), case["rule"]
        assert ", ".join(own.fields) in [issue.field for issue in found if issue.rule == case["rule"]]


@pytest.mark.parametrize("project", LAWS)
def test_the_second_opinion_agrees_where_values_are_missing(book: TemplateBook, project: str) -> None:
    """Of every case with one value after another left out, checks and second opinion say the same of every rule."""
    cases: list[dict[str, Any]] = json.loads((CASES / f"{project}.json").read_text(encoding="utf-8"))
    for stage, rules in RULES[project].items():
        rows = [row for c in cases if c["stage"] == stage for row in (c["keep"], c["broken"])]
        rows += [{k: v for k, v in row.items() if k != name} for row in rows for name in row]
        judged = check_values(book.get(project, stage), rows, ["experiment"] * len(rows))
        for row, issues in zip(rows, judged, strict=True):
            own = {rule for rule, plain in rules.items() if not CrossRule(*plain).holds(row)}
            assert own == {issue.rule for issue in issues} & set(rules), row
