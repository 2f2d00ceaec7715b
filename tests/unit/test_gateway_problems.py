"""Problem documents: every error of the tree has one, and none tells what it should not."""

import msgspec
import pytest
from litestar.exceptions import HTTPException, NotFoundException

from sojae.domain import errors
from sojae.domain.errors import SojaeError
from sojae.domain.issue import Issue
from sojae_gateway.problems import STATUS, TITLES, problem_of
from sojae_gateway.refusal import refused_by_rule, refused_value


def tree(root: type[SojaeError]) -> list[type[SojaeError]]:
    return [root, *(leaf for branch in root.__subclasses__() for leaf in tree(branch))]


ERRORS = [kind for kind in tree(SojaeError) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_of_the_tree_has_a_problem(kind: type[SojaeError]) -> None:
    """Both languages stand in it, and its detail is in the language asked for."""
    error = kind(en="in English", ko="우리말로")
    problem = problem_of(error, "ko")
    assert (problem.en, problem.ko, problem.detail) == ("in English", "우리말로", "우리말로")
    assert problem.status in TITLES
    assert problem.type == f"urn:sojae:problem:{problem.rule}"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.StoreError(en="e", ko="k"), 503),
        (errors.StateError(en="e", ko="k"), 503),
        (errors.ModelError(en="e", ko="k"), 503),
        (errors.UserInputError(en="e", ko="k"), 422),
        (errors.TemplateError(en="e", ko="k"), 404),
        (NotFoundException(), 404),
        (HTTPException(status_code=500, detail="secret"), 500),
        (RecursionError(), 400),
        (ZeroDivisionError("secret"), 500),
    ],
)
def test_an_error_is_answered_with_its_status(error: Exception, status: int) -> None:
    """What cannot be reached now is 503, what the caller got wrong is 4xx, what we got wrong is 500 and says no more."""
    problem = problem_of(error)
    assert problem.status == status
    assert b"secret" not in msgspec.json.encode(problem)


def test_a_template_rule_is_a_problem_of_that_rule() -> None:
    """Rule, field, got and expected are those of the check."""
    issue = Issue("hard_range", "hard", "grain_size", "-1", "≥ 0 um")
    problem = problem_of(refused_by_rule(issue, "rows[2]."))
    assert (problem.status, problem.rule, problem.field) == (422, "hard_range", "rows[2].grain_size")
    assert (problem.got, problem.expected) == ("-1", "≥ 0 um")


def test_a_value_is_shown_short() -> None:
    """Whatever was sent, a message stays a sentence."""
    assert len(problem_of(refused_value("category", "field", "x" * 10_000, "a few")).detail) < 300


def test_every_status_has_a_title() -> None:
    """No rule leads to a status that has no title."""
    assert set(STATUS.values()) <= set(TITLES)
