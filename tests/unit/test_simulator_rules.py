"""The second opinion on the record rules of simulated projects, held to the checks on the cases of every rule."""

import json
from pathlib import Path
from typing import Any

import pytest

from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.checks import check_values
from sojae_simulator.expectations import CrossRule
from sojae_simulator.projects.registry import PROJECTS

CASES = Path(__file__).parent / "rule_cases"


@pytest.fixture(scope="module")
def book() -> TemplateBook:
    return load_templates()


@pytest.mark.parametrize("project", PROJECTS)
def test_the_second_opinion_agrees_on_every_rule(book: TemplateBook, project: str) -> None:
    """Written out by hand, each rule names the same fields and finds the same row."""
    cases: list[dict[str, Any]] = json.loads((CASES / f"{project}.json").read_text(encoding="utf-8"))
    assert {(c["stage"], c["rule"]) for c in cases} == {
        (s, r) for s, rules in PROJECTS[project].rules.items() for r in rules
    }
    for case in cases:
        own = CrossRule(*PROJECTS[project].rules[case["stage"]][case["rule"]])
        (found,) = check_values(book.get(project, case["stage"]), [case["broken"]], ["experiment"])
        assert (own.holds(case["keep"]), own.holds(case["broken"])) == (True, False), case["rule"]
        assert ", ".join(own.fields) in [issue.field for issue in found if issue.rule == case["rule"]]


@pytest.mark.parametrize("project", PROJECTS)
def test_the_second_opinion_agrees_where_values_are_missing(book: TemplateBook, project: str) -> None:
    """Of every case with one value after another left out, checks and second opinion say the same of every rule."""
    cases: list[dict[str, Any]] = json.loads((CASES / f"{project}.json").read_text(encoding="utf-8"))
    for stage, rules in PROJECTS[project].rules.items():
        rows = [row for c in cases if c["stage"] == stage for row in (c["keep"], c["broken"])]
        rows += [{k: v for k, v in row.items() if k != name} for row in rows for name in row]
        judged = check_values(book.get(project, stage), rows, ["experiment"] * len(rows))
        for row, issues in zip(rows, judged, strict=True):
            own = {rule for rule, plain in rules.items() if not CrossRule(*plain).holds(row)}
            assert own == {issue.rule for issue in issues} & set(rules), row
