"""Every rule of every standard template: a row that keeps it, and the same row altered so that it breaks it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sojae.adapters.template_files import load_templates, packaged_folder
from sojae.domain.checks import check_values

BOOK = load_templates()
CASES = Path(__file__).parent / "rule_cases"


def cases() -> list[Any]:
    return list(_cases())


def _cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            yield pytest.param(path.stem, case, id=f"{path.stem}-{case['stage']}-{case['rule']}")


def found(project: str, stage: str, rows: list[dict[str, Any]]) -> list[set[str]]:
    """Return the rules that each row breaks, as a laboratory's own record."""
    judged = check_values(BOOK.get(project, stage), rows, ["experiment"] * len(rows))
    return [{issue.rule for issue in issues} for issues in judged]


@pytest.mark.parametrize(("project", "case"), cases())
def test_a_rule_finds_what_breaks_it(project: str, case: dict[str, Any]) -> None:
    """The one row has no finding of the rule, the other has."""
    keep, broken = found(project, case["stage"], [case["keep"], case["broken"]])
    assert (case["rule"] in keep, case["rule"] in broken) == (False, True)


def test_every_record_rule_has_a_case() -> None:
    """No rule stands in a template untried."""
    tried = {(project.values[0], project.values[1]["stage"], project.values[1]["rule"]) for project in cases()}
    rules = {(t.key.project, t.key.stage, r.id) for t in BOOK for r in t.rules if r.scope == "record"}
    assert rules == tried


@pytest.mark.parametrize("template", sorted(BOOK, key=str), ids=lambda t: str(t.key))
def test_the_samples_are_accepted(template: Any) -> None:
    """What stands beside a template as an example is a laboratory's record without a fault."""
    key = template.key
    path = packaged_folder() / key.project / key.stage / f"{key.version}.sample.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert found(key.project, key.stage, rows) == [set()] * len(rows)


@pytest.mark.parametrize("template", sorted(BOOK, key=str), ids=lambda t: str(t.key))
def test_a_stage_asks_for_few_fields(template: Any) -> None:
    """At most 15 fields are required, every field says where its range is from, every label is in both languages."""
    assert sum(f.required for f in template.fields) <= 15
    for field in template.fields:
        assert field.source, field.name
        assert field.label.ko != field.name or field.label.en != field.name, field.name


@pytest.mark.parametrize("project", BOOK.projects())
def test_every_raw_lot_may_say_what_it_costs(project: str) -> None:
    """Price and carbon footprint stand on every lot of raw material, so that a design can be cheap and low in carbon."""
    raw = BOOK.get(project, "raw")
    assert [raw.field(n).unit for n in ("carbon_footprint", "price")] == ["kg{CO2e}/kg", "{KRW}/kg"]
