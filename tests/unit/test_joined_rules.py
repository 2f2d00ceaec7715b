"""Rules of scope lineage and collection: asked of the materials view, never of one message, and they only flag."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from sojae.domain.errors import TemplateError
from sojae.domain.joined_columns import joined_columns
from sojae.domain.joined_rules import check_joined_rules, rule_findings
from sojae.domain.materials import HEADER_COLUMNS, Records, materials_table
from sojae.domain.template import STAGES, Stage, Template
from sojae.domain.template_rule import Rule, Spread
from sojae_simulator.draws import Laboratory
from sojae_simulator.laws import LAWS
from tests.builders import NOW, TOPIC_ID, book, complete, field, made_up, rule

COMPOSITION = made_up(
    [
        field("composition", "map_double", quantity="composition"),
        field("target", "map_double", quantity="composition"),
        field("lots", "map_string"),
    ],
    stage="composition",
)
PROCESS = made_up([field("route", "string"), field("temperature")], stage="process")
HEADER = {"institute": "kims", "sample_id": None, "origin": None, "replicate_group": None}


def ruled(*rules: Rule) -> Template:
    """Return the template of properties with these rules."""
    return made_up([field("strength"), field("grain"), field("method", "string")], rules)


def found(rows: Sequence[dict[str, object]], *rules: Rule) -> dict[str, list[int]]:
    """Return what rules find in rows of a view, given by their columns; the rules are sound."""
    of = ruled(*rules)
    check_joined_rules(of, [of, COMPOSITION, PROCESS], "here.avsc")
    names = {name: None for row in rows for name in row}
    view = pl.DataFrame([{**HEADER, **names, **row} for row in rows], infer_schema_length=None)
    return rule_findings(view, [of], joined_columns([of, COMPOSITION, PROCESS]))


def lineage(sql: str) -> Rule:
    return rule(sql, severity="warn", scope="lineage")


def duplicate(*columns: str) -> Rule:
    return rule("", severity="warn", scope="collection", duplicate=columns)


def spread(relative: float, *within: str) -> Rule:
    return rule("", severity="warn", scope="collection", spread=Spread("property__strength", within, relative))


def test_a_lineage_rule_looks_across_stages() -> None:
    """Null passes, as everywhere."""
    rows = [
        {"property__grain": 3.0, "process__temperature": 2.0},
        {"property__grain": 1.0, "process__temperature": 2.0},
        {"property__grain": 1.0, "process__temperature": None},
    ]
    assert found(rows, lineage("property__grain >= process__temperature")) == {"a_rule": [1]}


def test_an_element_that_a_composition_lacks_is_none_of_it() -> None:
    """Whether other rows have it or no row has; without a composition nothing is known."""
    rows: list[dict[str, object]] = [{"composition__el__Fe": 60.0}, {"composition__el__Fe": None}]
    assert found(rows, lineage("composition__el__Fe + composition__el__Ni > 80")) == {"a_rule": [0]}
    assert found([{"property__grain": 1.0}], lineage("composition__el__Fe > 80")) == {}


def test_a_listed_ingredient_is_as_an_element() -> None:
    """A rule may name it, it is 0 where a mix lacks it, and what is not listed is no column."""
    mix = field("composition", "map_double", quantity="composition", one_of=("cement", "water"))
    columns = joined_columns([made_up([mix], stage="composition")])
    of = ruled(lineage("composition__el__cement + composition__el__water > 80"))
    view = pl.DataFrame([{**HEADER, "composition__el__cement": 60.0}])
    assert rule_findings(view, [of], columns) == {"a_rule": [0]}
    assert columns.type_of("composition__el__gold") is None


def test_a_second_composition_has_columns_of_its_own() -> None:
    """They bear its field's name."""
    rows: list[dict[str, object]] = [{"composition__el__Fe": 60.0, "composition__target__el__Fe": 70.0}]
    sql = "abs(composition__el__Fe - composition__target__el__Fe) <= 5"
    assert found(rows, lineage(sql)) == {"a_rule": [0]}


def test_a_column_that_the_view_does_not_have_passes() -> None:
    """A stage without any record yet."""
    assert found([{"property__grain": 1.0}], lineage("process__route = 'cast'")) == {}


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("max(property__grain) > 1", r"max\(\)"),
        ("grain > 1", "unknown field grain"),
        ("property__grains > 1", "unknown field property__grains"),
        ("raw__purity > 1", "unknown field raw__purity"),
        ("composition__lots = 'x'", "unknown field composition__lots"),
        ("composition__composition.Fe > 1", "unknown field"),
        ("composition__el__Xx > 1", "unknown field composition__el__Xx"),
        ("1 > 0", "no column of the view"),
        ("property__grain + 1", "true or false|a truth"),
        ("property__method > 1", "polars can evaluate|a truth"),
    ],
)
def test_a_lineage_rule_names_columns_of_the_view_and_looks_at_one_row(sql: str, fault: str) -> None:
    """Anything else is refused when the templates are read."""
    of = ruled(lineage(sql))
    with pytest.raises(TemplateError, match=fault):
        check_joined_rules(of, [of, COMPOSITION, PROCESS], "here.avsc")


def test_a_rule_is_not_named_like_a_finding_of_the_join() -> None:
    """A row would be left out of training for it."""
    of = ruled(replace(lineage("property__grain > 1"), id="tie"))
    with pytest.raises(TemplateError, match="rule id tie"):
        check_joined_rules(of, [of], "here.avsc")


def test_rows_that_agree_in_all_columns_are_duplicates() -> None:
    """Null agrees with null; a row that has nothing of all that is none."""
    rows: list[dict[str, object]] = [
        {"property__strength": 1.0, "property__method": None},
        {"property__strength": 1.0, "property__method": None},
        {"property__strength": 1.0, "property__method": "a"},
        {"property__strength": None, "property__method": None},
        {"property__strength": None, "property__method": None},
    ]
    assert found(rows, duplicate("property__strength", "property__method")) == {"a_rule": [0, 1]}


def test_a_composition_stands_for_its_elements() -> None:
    """All of them must agree."""
    rows: list[dict[str, object]] = [
        {"composition__el__Fe": 60.0, "composition__el__Ni": 40.0},
        {"composition__el__Fe": 60.0, "composition__el__Ni": 40.0},
        {"composition__el__Fe": 60.0, "composition__el__Ni": 39.0},
    ]
    assert found(rows, duplicate("composition__composition")) == {"a_rule": [0, 1]}


def test_collections_are_an_institute_s_own() -> None:
    """What another institute has measured is no finding of mine: it would tell me of records that I may not see."""
    rows: list[dict[str, object]] = [
        {"property__strength": 1.0, "sample_id": "a"},
        {"property__strength": 1.0, "sample_id": "a", "institute": "pnu"},
    ]
    assert found(rows, duplicate("property__strength")) == {}
    rows[1]["property__strength"] = 9.0
    assert found(rows, spread(0.1, "sample_id")) == {}


def test_replicates_that_lie_too_far_apart_are_found() -> None:
    """All of their group, since nobody knows which is wrong; what is in no group is in none."""
    values = [("g", 90.0), ("g", 110.0), ("h", 100.0), ("h", 100.1), (None, 1.0), (None, 900.0)]
    rows: list[dict[str, object]] = [{"replicate_group": g, "property__strength": v} for g, v in values]
    assert found(rows, spread(0.19, "replicate_group")) == {"a_rule": [0, 1]}
    assert found(rows, spread(0.21, "replicate_group")) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        duplicate(),
        duplicate("strength"),
        duplicate("process__speed"),
        duplicate("composition__lots"),
        spread(0.1),
        spread(0.1, "composition__composition"),
        rule("", severity="warn", scope="collection", spread=Spread("property__method", ("sample_id",), 0.1)),
    ],
)
def test_a_collection_rule_names_columns_of_the_view(wrong: Rule) -> None:
    """A spread is of a number."""
    of = ruled(wrong)
    with pytest.raises(TemplateError, match="a_rule over"):
        check_joined_rules(of, [of, COMPOSITION, PROCESS], "here.avsc")


def test_a_collection_rule_whose_columns_are_not_there_yet_finds_nothing() -> None:
    """The view has no column of a template that came later."""
    assert found([{"property__grain": 1.0}] * 2, spread(0.1, "process__route"), duplicate("process__route")) == {}


@pytest.mark.parametrize("project", LAWS)
def test_clean_specimens_break_no_rule_of_the_view(project: str) -> None:
    """By the laws of the simulator, noise included."""
    templates: dict[Stage, Template] = {s: book().get(project, s) for s in STAGES}
    laboratory = Laboratory(project, book(), np.random.default_rng(5), "test")
    events = [e for s in itertools.islice(laboratory.specimens(), 300) for e in s.events]
    rows: dict[Stage, list[dict[str, Any]]] = {s: [] for s in STAGES}
    for n, event in enumerate(events):
        rows[event.stage].append(
            {
                **{name: None for name, _ in HEADER_COLUMNS},
                "institute": event.institute,
                "sample_id": event.sample_id,
                "retracted": False,
                "parents": None,
                "record_id": f"r{n}",
                "event_id": f"e{n}",
                "origin": "experiment",
                "template_version": "1.0",
                "ingest_time": NOW,
                "topic_id": TOPIC_ID,
                "partition": 0,
                "offset": n,
                **{
                    k: list(v.items()) if isinstance(v, dict) else v
                    for k, v in complete(templates[event.stage], event.values).items()
                },
            }
        )
    view = materials_table(Records(rows, templates, {s: [t] for s, t in templates.items()}), 1)
    assert {rule.scope for t in templates.values() for rule in t.rules} >= {"record", "collection"}
    assert [found for found in view["findings"].to_pylist() if found] == []
