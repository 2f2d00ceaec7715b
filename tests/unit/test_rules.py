"""Template rules: what SQL they may hold, and how they are evaluated."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae.domain.frames import polars_frame
from sojae.domain.rules import FUNCTIONS, compile_rule, components, passes, rule_frame, sql_faults
from tests.builders import field, made_up, rule

FIELDS = ["a", "b", "composition"]


@pytest.mark.parametrize(
    "sql",
    [
        "a < b",
        "abs(a - b) <= 0.5",
        "a IS NOT NULL OR b IS NULL",
        "a between 1 and 2",
        "a in (1, 2.5, .5, 3.)",
        "a > 1e-5 AND b < 1.5E+3",
        "CASE WHEN a > 1 THEN b < 2 ELSE true END",
        "composition.Fe + composition.Cr_x <= 100",
        "b like 'sum(x) -- it''s text'",
        "coalesce(a, 0) >= 0",
        "a\n<\tb",
        "abs (a) > 1",
        "not (a > b)",
    ],
)
def test_row_wise_sql_is_allowed(sql: str) -> None:
    """Comparisons, arithmetic, CASE, and functions that look at one row."""
    assert sql_faults(sql, FIELDS) == []


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("a < max(a)", "max()"),
        ("a < avg (a)", "avg()"),
        ("sum(a) over () > 1", "over"),
        ("a in (select 1)", "select"),
        ("cast(a as int) > 1", "cast"),
        ("CAST(a AS INT) > 1", "cast"),
        ("a::int > 1", "::"),
        ("a > date '2026-01-01'", "date"),
        ("strptime(a, '%Y') > 1", "strptime()"),
        ("random() < 1", "random()"),
        ("c < 1", "unknown field c"),
        ("A < 1", "unknown field A"),
        ("event_id = 'x'", "unknown field event_id"),
        ("current_date > a", "unknown field current_date"),
        ('"max"(a) > 1', '"'),
        ("`max`(a) > 1", "`"),
        ("a > 0 /* ' */ and a < max(a) /* ' */", "/*"),
        ("a > 0 -- '\n and a < max(a) -- '", "--"),
        ("b = 'x\\' and max(a) > 'y'", "'"),
        ("[max](a) > 1", "["),
        ("a > 0; drop table x", ";"),
        ("a > 1x", "1"),
    ],
)
def test_everything_else_is_named(sql: str, fault: str) -> None:
    """Aggregates depend on the batch, casts kill it, and quoting or comments would hide both."""
    assert fault in sql_faults(sql, FIELDS)


def test_a_field_that_is_called_like_an_aggregate_is_no_way_in() -> None:
    """Not even with a comment between name and bracket."""
    assert sql_faults("max > 1", ["max"]) == []
    assert sql_faults("max(max) > 1", ["max"]) == ["max()"]
    assert sql_faults("max/**/(max) > 1", ["max"]) != []


@pytest.mark.parametrize(("extra", "faults"), [(0, 0), (1, 1)])
def test_a_rule_has_at_most_2000_characters(extra: int, faults: int) -> None:
    """The limit itself passes."""
    sql = "a > 0".ljust(2000 + extra)
    assert len(sql_faults(sql, FIELDS)) == faults


@pytest.mark.parametrize("name", sorted(FUNCTIONS - {"if"}))
def test_every_allowed_function_looks_at_one_row(name: str) -> None:
    """Its result for a row is the same alone and in company."""
    forms = (f"{name}(a)", f"{name}(a, b)", f"{name}(s)", f"{name}(s, 'x')")
    frame = pl.DataFrame({"a": [1.0, 4.0, 9.0], "b": [2.0, 1.0, 3.0], "s": ["xa", "b", "xc"]})
    answered = 0
    for form in forms:
        try:
            together = frame.select(compile_rule(form).alias("r")).to_series().to_list()
        except pl.exceptions.PolarsError:
            continue
        answered += 1
        assert together == [frame[i].select(compile_rule(form).alias("r")).item() for i in range(3)]
    assert answered > 0


def test_components_are_those_that_rules_name() -> None:
    """In order of appearance, each once, and of this map only."""
    of = made_up(
        [field("composition", "map_double"), field("other_composition", "map_double")],
        [rule("composition.Fe > composition.Cr"), rule("composition.Fe + other_composition.Ni > 1", "second")],
    )
    assert components(of, "composition") == ["Fe", "Cr"]
    assert components(of, "other_composition") == ["Ni"]


MAPS: list[dict[str, object]] = [{"composition": {"Fe": 70.0}}, {"composition": {}}, {"composition": None}]


def holds(sql: str, kind: str = "map_double", rows: list[dict[str, object]] | None = None) -> list[bool | None]:
    of = made_up([field("composition", kind), field("other")], [rule(sql)])
    return passes(compile_rule(sql), rule_frame(of, polars_frame(of, MAPS if rows is None else rows)))


def test_a_component_that_the_map_lacks_is_zero() -> None:
    """And null where there is no map, so that the rule passes."""
    assert holds("composition.Fe > 50") == [True, False, True]
    assert holds("composition.Cr = 0") == [True, True, True]
    assert holds("composition.Fe IS NULL") == [False, False, True]


def test_a_map_is_null_exactly_where_it_was_not_given() -> None:
    """With components named by a rule and without."""
    assert holds("composition IS NOT NULL") == [True, True, False]
    assert holds("composition IS NOT NULL AND coalesce(composition.Fe, 1) > 0") == [True, False, False]


def test_a_text_that_a_map_lacks_is_null() -> None:
    """There is no zero among texts."""
    rows: list[dict[str, object]] = [{"composition": {"Fe": "lot 1"}}, {"composition": {}}, {"composition": None}]
    assert holds("composition.Fe = 'lot 2'", "map_string", rows) == [False, True, True]


def column(sql: str, values: list[float | None]) -> list[bool | None]:
    return passes(compile_rule(sql), pl.DataFrame({"a": values}, schema={"a": pl.Float64}))


def test_null_passes_and_false_does_not() -> None:
    """A rule says nothing about what was not given."""
    assert column("a < 2", [1.0, 2.0, None]) == [True, False, True]


def test_a_result_that_is_null_everywhere_passes() -> None:
    """A literal null has a type of its own."""
    assert column("null", [1.0, 2.0]) == [True, True]


def test_a_constant_holds_for_every_row() -> None:
    """It is one value, whatever the height."""
    assert column("1 < 0", [1.0, 2.0]) == [False, False]
    assert column("1 < 0", []) == []


def test_a_number_is_no_answer() -> None:
    """What is not boolean could not be evaluated."""
    assert column("a + 1", [1.0, 2.0]) == [None, None]


@given(st.lists(st.sampled_from(["bad", "low", "high"]), max_size=12))
def test_a_row_that_kills_the_rule_does_not_spoil_its_neighbours(kinds: list[str]) -> None:
    """The batch is halved until the row stands alone."""

    def check(series: pl.Series) -> pl.Series:
        if (series < 0).any():
            raise pl.exceptions.ComputeError("a bad row")
        return series < 10

    numbers = {"bad": -1.0, "low": 5.0, "high": 15.0}
    frame = pl.DataFrame({"a": [numbers[k] for k in kinds]}, schema={"a": pl.Float64})
    expression = pl.col("a").map_batches(check, return_dtype=pl.Boolean)
    assert passes(expression, frame) == [{"bad": None, "low": True, "high": False}[k] for k in kinds]
