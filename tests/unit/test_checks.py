"""Validation of a batch of values: each row gets its own findings, whatever stands beside it."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.domain.checks import check_values, shown_bounds
from sojae.domain.header import ORIGINS
from sojae.domain.issue import Issue
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, Template
from sojae.domain.template_rule import Rule
from tests.builders import complete, field, made_up, rule, samples, template, templates

TEMPERATURE = field("t", unit="Cel", warn=Bounds(1415.0, 1550.0), hard=Bounds(800.0, 1700.0))


def check(of: Template, *rows: dict[str, object], origin: str = "experiment") -> list[list[Issue]]:
    return check_values(of, [complete(of, r) for r in rows], [origin] * len(rows))


def found(
    fields: Sequence[Field], row: dict[str, object], rules: Sequence[Rule] = (), origin: str = "experiment"
) -> list[tuple[str, str]]:
    (issues,) = check(made_up(fields, rules), row, origin=origin)
    return [(i.rule, i.severity) for i in issues]


@pytest.mark.parametrize("one", templates(), ids=lambda t: str(t.key))
def test_the_samples_of_every_template_are_clean(one: Template) -> None:
    """What stands beside a template as an example must pass it, measured and produced alike."""
    for origin in ("experiment", "production"):
        assert check(one, *samples(one), origin=origin) == [[] for _ in samples(one)]


def test_no_rows_have_no_findings() -> None:
    """An empty batch is a batch."""
    assert check_values(template(), [], []) == []


def test_findings_stand_with_their_row() -> None:
    """In the order of the rows."""
    rows = check(made_up([TEMPERATURE]), {"t": 1450.0}, {"t": 2000.0}, {"t": 1400.0}, {})
    assert [[i.rule for i in issues] for issues in rows] == [[], ["hard_range"], ["warn_range"], []]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (800.0, [("warn_range", "warn")]),
        (math.nextafter(800, 0), [("hard_range", "hard")]),
        (1700.0, [("warn_range", "warn")]),
        (math.nextafter(1700, 9999), [("hard_range", "hard")]),
        (1415.0, []),
        (math.nextafter(1415, 0), [("warn_range", "warn")]),
        (1550.0, []),
        (math.nextafter(1550, 9999), [("warn_range", "warn")]),
        (None, []),
    ],
)
def test_ranges_are_inclusive(value: float | None, expected: list[tuple[str, str]]) -> None:
    """A value on a bound is inside; outside hard it is told once, as hard."""
    assert found([TEMPERATURE], {"t": value}) == expected


@pytest.mark.parametrize(
    ("bounds", "value", "rule_id"), [((0.0, None), -1e-9, "hard_range"), ((None, 0.0), 1e-9, "hard_range")]
)
def test_an_open_end_is_open(bounds: tuple[float | None, float | None], value: float, rule_id: str) -> None:
    """The other end still counts."""
    one = field("x", hard=Bounds(*bounds))
    assert found([one], {"x": value}) == [(rule_id, "hard")]
    assert found([one], {"x": -value}) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_hard_and_in_no_range(value: float) -> None:
    """NaN compares as the largest number, which would make it a range finding, or none."""
    assert found([TEMPERATURE], {"t": value}) == [("non_finite", "hard")]
    assert found([field("x")], {"x": value}) == [("non_finite", "hard")]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_component_that_is_not_finite_is_hard(value: float) -> None:
    """Maps hold numbers too."""
    one = field("c", "map_double", quantity="composition")
    assert found([one], {"c": {"Fe": value}}) == [("non_finite", "hard")]


def test_whole_numbers_have_ranges_too() -> None:
    """A count is checked as a double is."""
    count = field("n", "long", warn=Bounds(1, 10), hard=Bounds(0, 100))
    assert found([count], {"n": 101}) == [("hard_range", "hard")]
    assert found([count], {"n": 0}) == [("warn_range", "warn")]
    assert found([count], {"n": 10}) == found([count], {"n": None}) == []


@pytest.mark.parametrize(
    ("origin", "severity"),
    [("experiment", "hard"), ("production", "hard"), ("bank", "warn"), ("literature", "warn"), ("computation", "warn")],
)
def test_who_measured_must_fill_in_what_is_required(origin: str, severity: str) -> None:
    """A table from the literature cannot be asked again."""
    assert found([field("x", required=True)], {}, origin=origin) == [("required", severity)]


@pytest.mark.parametrize("value", [None, "", "  ", "\t"])
def test_a_blank_text_is_missing(value: str | None) -> None:
    """Blanks fill a required cell in a spreadsheet, and say nothing."""
    assert found([field("s", "string", required=True)], {"s": value}) == [("required", "hard")]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("double", 0.0), ("long", 0), ("string", "0"), ("boolean", False), ("map_double", {}), ("strings", [])],
)
def test_zero_and_false_are_values(kind: str, value: object) -> None:
    """Only null is missing, and a blank text."""
    assert found([field("x", kind, required=True)], {"x": value}) == []


def test_what_is_not_required_may_be_missing() -> None:
    """Whoever sends it."""
    assert found([field("x"), field("s", "string", one_of=("a",))], {}) == []


def test_a_category_is_one_of_its_list() -> None:
    """Letter by letter."""
    cooling = field("cooling", "string", one_of=("air", "water"))
    assert found([cooling], {"cooling": "water"}) == found([cooling], {"cooling": None}) == []
    assert found([cooling], {"cooling": "Water"}) == [("category", "hard")]
    (issues,) = check(made_up([cooling]), {"cooling": "oil" * 100})
    assert (len(issues[0].got or ""), issues[0].expected) == (128, "air, water")


def test_a_composition_is_checked_with_its_origin() -> None:
    """The sum of a data bank's composition may be told only."""
    one = template(stage="composition")
    (issues,) = check(one, {"composition": {"Fe": 50.0}}, origin="experiment")
    assert [(i.rule, i.severity) for i in issues] == [("composition_sum", "hard")]
    (issues,) = check(one, {"composition": {"Fe": 98.0, "Xx": 2.0}}, origin="literature")
    assert [(i.rule, i.severity, i.field) for i in issues] == [("composition_symbol", "hard", "composition")]


def test_a_rule_that_does_not_hold_says_what_it_looked_at() -> None:
    """Fields, values in twelve digits, and the rule itself."""
    order = rule("a < b", "order")
    (issues,) = check(made_up([field("a"), field("b")], [order]), {"a": 0.1 + 0.2, "b": 0.25})
    assert issues == [Issue("order", "hard", "a, b", "a = 0.3; b = 0.25", "a < b")]


def test_a_rule_with_a_null_result_passes() -> None:
    """What was not given breaks no rule."""
    assert found([field("a"), field("b")], {"a": 1.0}, [rule("a < b")]) == []


@pytest.mark.parametrize(
    ("hard_for", "origin", "severity"),
    [
        (None, "experiment", "hard"),
        (None, "literature", "hard"),
        (("experiment", "production"), "experiment", "hard"),
        (("experiment", "production"), "production", "hard"),
        (("experiment", "production"), "literature", "warn"),
        ((), "experiment", "warn"),
    ],
)
def test_a_rule_may_be_hard_for_some_origins_only(hard_for: tuple[str, ...] | None, origin: str, severity: str) -> None:
    """By default it is hard for all."""
    assert found([field("a")], {"a": 1.0}, [rule("a < 1", hard_for=hard_for)], origin) == [("a_rule", severity)]


def test_a_warning_stays_one_whoever_sends() -> None:
    """`hard_for` makes nothing harder."""
    soft = rule("a < 1", severity="warn", hard_for=("experiment",))
    assert found([field("a")], {"a": 1.0}, [soft]) == [("a_rule", "warn")]


@pytest.mark.parametrize("scope", ["lineage", "collection"])
def test_rules_of_other_scopes_say_nothing_about_an_event(scope: str) -> None:
    """They are asked when the materials view is made."""
    assert found([field("a")], {"a": 1.0}, [rule("a < 1", scope=scope)]) == []


def test_a_rule_that_cannot_be_evaluated_flags_and_names_itself() -> None:
    """The event is accepted, and somebody can see it."""
    (issues,) = check(made_up([field("a")], [rule("a + 1", "broken")]), {"a": 1.0})
    assert [(i.rule, i.severity, i.got) for i in issues] == [("rule_error", "warn", "broken: a = 1")]


@pytest.mark.parametrize("total", [100.5, 99.5])
def test_the_mass_sum_of_a_cell_takes_half_a_percent(total: float) -> None:
    """The tolerance of the packaged rule holds its border in spite of rounding."""
    one = template("ceramic_electrode", "composition")
    values = samples(one)[0] | {"bczyyb": 36.4, "nio": 47.7, "starch": total - 36.4 - 47.7}
    assert check(one, values) == [[]]
    assert [i.rule for i in check(one, values | {"starch": total - 84.1 + (total - 100) * 0.01})[0]] == ["mass_sum"]


@pytest.mark.parametrize(
    ("bounds", "unit", "text"),
    [
        (Bounds(800.0, 1700.0), "Cel", "800 to 1700 Cel"),
        (Bounds(0.0, None), "um", "≥ 0 um"),
        (Bounds(None, 1.5), "1", "≤ 1.5"),
        (Bounds(1e-5, 1e5), None, "1e-05 to 100000"),
    ],
)
def test_ranges_are_shown_as_people_write_them(bounds: Bounds, unit: str | None, text: str) -> None:
    """With the unit, but for plain numbers."""
    assert shown_bounds(bounds, unit) == text


NUMBERS = st.none() | st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, float("nan"), float("inf")]) | st.floats(-1, 5)
ROW = st.fixed_dictionaries({"x": NUMBERS, "y": NUMBERS, "s": st.sampled_from([None, "", " ", "a", "b"])})


def oracle(row: dict[str, Any], origin: str) -> list[tuple[str, str]]:
    """Say in plain Python what the template of the property below wants."""
    x, y, s = row["x"], row["y"], row["s"]
    told = []
    if x is None:
        told.append(("required", "hard" if origin in ("experiment", "production") else "warn"))
    elif not math.isfinite(x):
        told.append(("non_finite", "hard"))
    elif x < 0 or x > 4:
        told.append(("hard_range", "hard"))
    elif x < 1 or x > 3:
        told.append(("warn_range", "warn"))
    if y is not None and not math.isfinite(y):
        told.append(("non_finite", "hard"))
    if s is not None and s != "a":
        told.append(("category", "hard"))
    both = x is not None and y is not None and math.isfinite(x) and math.isfinite(y)
    if both and not x < y:
        told.append(("order", "hard" if origin == "experiment" else "warn"))
    return told


@examples(max_examples=30, deadline=None)
@given(st.lists(st.tuples(ROW, st.sampled_from(ORIGINS)), min_size=1, max_size=8))
def test_a_row_s_findings_do_not_depend_on_the_batch(batch: list[tuple[dict[str, Any], str]]) -> None:
    """Checked together or alone, and as plain Python would say."""
    of = made_up(
        [
            field("x", required=True, warn=Bounds(1.0, 3.0), hard=Bounds(0.0, 4.0)),
            field("y"),
            field("s", "string", one_of=("a",)),
        ],
        [rule("x < y", "order", hard_for=("experiment",))],
    )
    rows, origins = [r for r, _ in batch], [o for _, o in batch]
    together = check_values(of, rows, origins)
    assert together == [check_values(of, [r], [o])[0] for r, o in batch]
    for (row, origin), issues in zip(batch, together, strict=True):
        finite = [
            i for i in issues if i.rule != "order" or all(v is None or math.isfinite(v) for v in (row["x"], row["y"]))
        ]
        assert [(i.rule, i.severity) for i in finite] == oracle(row, origin)


@pytest.mark.parametrize("lot", ["@/", "@@", "", "@kims/", "@K/x", "a\x00b"])
def test_a_lot_that_names_no_sample_is_refused(lot: str) -> None:
    """The first of each row, by its component."""
    (issues,) = check(made_up([field("lots", "map_string")]), {"lots": {"Ni": "Ni-7", "Co": lot, "Fe": lot}})
    assert [(i.rule, i.severity, i.field, i.got) for i in issues] == [("identifier", "hard", "lots.Co", lot)]


def test_lots_of_one_s_own_and_of_others_pass() -> None:
    """And a map of texts by another name holds whatever it likes."""
    assert found([field("lots", "map_string")], {"lots": {"Ni": "Ni-7", "Co": "@pnu/분말 3"}}) == []
    assert found([field("words", "map_string")], {"words": {"Ni": ""}}) == []


@pytest.mark.parametrize(
    ("origin", "severity"), [("experiment", "hard"), ("production", "hard"), ("literature", "warn")]
)
def test_a_text_that_is_no_formula_is_found(origin: str, severity: str) -> None:
    """A field of the quantity `formula` holds one that can be read; nothing given is nothing to read."""
    of = made_up([field("formula", "string", quantity="formula")])
    rows = [{"formula": text} for text in ("Al0.3CoFe", "Fe*2", None, "Xx2", "Fe*2")]
    found = check_values(of, rows, [origin] * 5)
    assert [[(i.rule, i.severity, i.got) for i in issues] for issues in found] == [
        [],
        [("formula", severity, "Fe*2")],
        [],
        [("formula", severity, "Xx2")],
        [("formula", severity, "Fe*2")],
    ]
