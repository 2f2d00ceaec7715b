"""The draws of the simulator: clean, reproducible, shared lots, readings that follow the law."""

import itertools

import numpy as np
import pytest

from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.checks import check_values
from sojae.domain.header import is_sample_id
from sojae_simulator.columns import combined
from sojae_simulator.draws import CAMPAIGN_SPECIMENS, Laboratory
from sojae_simulator.institutes import NOISE, NOISE_LIMIT, offset_factor
from sojae_simulator.laws import LAWS, MAIN_TARGET, property_of, true_property
from sojae_simulator.specimen import Event, Specimen

PROJECTS = tuple(LAWS)


@pytest.fixture(scope="module")
def book() -> TemplateBook:
    return load_templates()


def draw(book: TemplateBook, project: str, count: int, seed: int = 1) -> list[Specimen]:
    laboratory = Laboratory(project, book, np.random.default_rng(seed), "test")
    return list(itertools.islice(laboratory.specimens(), count))


@pytest.mark.parametrize("project", PROJECTS)
def test_five_thousand_draws_have_no_finding(book: TemplateBook, project: str) -> None:
    """What carries no fault is clean by the real checks, noise included."""
    by_stage: dict[str, list[Event]] = {}
    for specimen in draw(book, project, 5_000):
        for event in specimen.events:
            by_stage.setdefault(event.stage, []).append(event)
    assert set(by_stage) == {"raw", "composition", "process", "property"}
    for stage, events in by_stage.items():
        rows = [event.values for event in events]
        findings = check_values(book.get(project, stage), rows, ["experiment"] * len(rows))
        assert [found for found in findings if found] == []


@pytest.mark.parametrize("project", PROJECTS)
def test_equal_seeds_give_equal_specimens(book: TemplateBook, project: str) -> None:
    """A seed fixes every draw; another seed gives others."""
    assert draw(book, project, 20) == draw(book, project, 20)
    assert draw(book, project, 20) != draw(book, project, 20, seed=2)


@pytest.mark.parametrize("project", PROJECTS)
def test_a_lot_is_described_once_and_shared(book: TemplateBook, project: str) -> None:
    """Every lot that a composition names has exactly one raw event, at the same institute, by several specimens used."""
    specimens = draw(book, project, 60)
    described = [(e.institute, e.sample_id) for s in specimens for e in s.new_lots]
    named = [
        (s.composition.institute, lot)
        for s in specimens
        for lot in dict(s.composition.values["lots"]).values()  # type: ignore[call-overload]
    ]
    assert len(described) == len(set(described))
    assert set(named) == set(described)
    assert max(named.count(lot) for lot in described) == CAMPAIGN_SPECIMENS


@pytest.mark.parametrize("project", PROJECTS)
def test_readings_follow_the_law_within_noise_and_offset(book: TemplateBook, project: str) -> None:
    """The same input fields that a model sees give the property, but for the institute's offset and 3 % noise."""
    name = property_of(MAIN_TARGET[project])
    noise = []
    for specimen in draw(book, project, 400):
        truth = true_property(project, specimen.design)[name] * offset_factor(specimen.measurement.institute, name)
        noise.append(float(str(specimen.measurement.values[name])) / truth - 1.0)
    assert max(map(abs, noise)) <= NOISE * NOISE_LIMIT + 1e-3
    assert np.std(noise) == pytest.approx(NOISE, rel=0.15)
    assert np.mean(noise) == pytest.approx(0.0, abs=0.006)


@pytest.mark.parametrize("project", PROJECTS)
def test_a_design_holds_inputs_and_conditions_only(book: TemplateBook, project: str) -> None:
    """No target and no intermediate result leaks into what models see."""
    roles = {f"{t.key.stage}__{f.name}": f.role for t in book if t.key.project == project for f in t.fields}
    columns = {c for s in draw(book, project, 40) for c in s.design if "__el__" not in c}
    assert {roles[column] for column in columns} <= {"input", "condition"}
    assert {roles[column] for column in columns if column.startswith("property__")} == {"condition"}


@pytest.mark.parametrize("project", PROJECTS)
def test_sample_ids_are_valid_and_of_one_specimen_each(book: TemplateBook, project: str) -> None:
    """Composition, process and property share the id of their specimen; no two specimens share one."""
    specimens = draw(book, project, 40)
    for s in specimens:
        assert s.composition.sample_id == s.process.sample_id == s.measurement.sample_id
        assert all(is_sample_id(event.sample_id) for event in s.events)
    assert len({s.composition.sample_id for s in specimens}) == len(specimens)


def test_an_institute_reads_a_property_off_by_the_same_factor_each_time() -> None:
    """The offset is fixed for ever, small, and differs between institutes and properties."""
    assert offset_factor("sim-metal-a", "density") == offset_factor("sim-metal-a", "density")
    factors = {offset_factor(i, p) for i in ("sim-metal-a", "sim-metal-b") for p in ("density", "elongation")}
    assert len(factors) == 4
    assert max(abs(f - 1.0) for f in factors) <= 0.04


def test_lots_are_combined_by_amount() -> None:
    """Numbers are averaged by amount, words follow the larger lot, absent values do not count."""
    assert combined([(100.0, 30.0), (200.0, 10.0), (None, 60.0)]) == 125.0
    assert combined([("pellet", 30.0), ("wire", 40.0)]) == "wire"
    assert combined([(None, 1.0)]) is None
