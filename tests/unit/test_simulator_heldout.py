"""Held-out questions for inverse design, and their judge."""

import itertools

import numpy as np
import pytest

from sojae.adapters.template_files import TemplateBook, load_templates
from sojae_simulator.draws import Laboratory
from sojae_simulator.heldout import held_out_targets, judge, target_range
from sojae_simulator.laws import LAWS, MAIN_TARGET, true_property


@pytest.fixture(scope="module")
def book() -> TemplateBook:
    return load_templates()


@pytest.mark.parametrize("project", LAWS)
def test_questions_are_reproducible_and_of_no_sent_draw(book: TemplateBook, project: str) -> None:
    """The same seed asks the same; no specimen of a run with that seed has the design."""
    questions = held_out_targets(project, 3, 40, book=book)
    assert questions == held_out_targets(project, 3, 40, book=book)
    stream = np.random.SeedSequence(3).spawn(2)[0]
    sent = itertools.islice(Laboratory(project, book, np.random.default_rng(stream), "x").specimens(), 200)
    designs = [specimen.design for specimen in sent]
    assert all(question.design not in designs for question in questions)


@pytest.mark.parametrize("project", LAWS)
def test_the_own_design_hits_and_most_others_miss(book: TemplateBook, project: str) -> None:
    """A question's own design is exactly right; designs of other questions seldom are."""
    questions = held_out_targets(project, 3, 40, book=book)
    span = target_range(project, MAIN_TARGET[project], book=book)
    assert all(judge(q, q.design, span).error == 0.0 for q in questions)
    others = [judge(q, other.design, span).hit for q in questions for other in questions if other is not q]
    assert sum(others) / len(others) < 0.35


@pytest.mark.parametrize("project", LAWS)
def test_the_judge_keeps_to_the_conditions_of_the_question(book: TemplateBook, project: str) -> None:
    """A design that brings other test conditions is judged at those that were asked for."""
    question = held_out_targets(project, 3, 1, book=book)[0]
    span = target_range(project, question.target, book=book)
    assert judge(question, {**question.design, "property__test_temperature": 1.0}, span).hit


def test_an_error_is_a_share_of_the_range(book: TemplateBook) -> None:
    """Twice the range halves the error."""
    first, second = held_out_targets("ceramic_electrode", 3, 2, book=book)
    verdicts = [judge(first, second.design, span) for span in (1.0, 2.0)]
    assert verdicts[0].error == pytest.approx(2.0 * verdicts[1].error)
    truth = true_property("ceramic_electrode", {**second.design, **first.conditions})["peak_power_density"]
    assert verdicts[0].error == pytest.approx(abs(truth - first.value))


def test_other_targets_can_be_asked_for(book: TemplateBook) -> None:
    """A target may be any property of the law, split or not."""
    question = held_out_targets("high_entropy_alloy", 3, 1, book=book, target="elongation.tension")[0]
    assert question.value == question.truth["elongation"]
