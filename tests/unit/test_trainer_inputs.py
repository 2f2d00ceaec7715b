"""Which columns become inputs, how they are coded, and what a caller's values turn into."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from sojae.domain.errors import UserInputError
from sojae.domain.model import ModelInput, input_row, output_row
from sojae.domain.text import Text
from sojae_trainer.dataset import targets, training_rows
from sojae_trainer.encoding import Encoder
from sojae_trainer.features import choose_inputs, matrix
from tests.builders import field
from tests.unit.trainer_law import alloys, templates

NAME = Text(ko="이름", en="name")
INPUTS = (
    ModelInput(field="process.heat", label=NAME, role="input", kind="number", imputed=900.0, low=800.0, high=1000.0),
    ModelInput(field="composition.el.Ni", label=NAME, role="input", kind="component", imputed=30.0, low=0.0, high=60.0),
    ModelInput(
        field="process.route",
        label=NAME,
        role="input",
        kind="category",
        imputed=-1.0,
        low=-1.0,
        high=1.0,
        categories=("cast", "압연"),
    ),
)


def chosen(frame: pl.DataFrame) -> list[ModelInput]:
    return choose_inputs(frame, templates(), targets(frame, templates()["property"]))[0]


def test_inputs_are_recipe_and_conditions_in_order() -> None:
    """Recipe fields in the order of stages and templates, then test conditions; never a measured property."""
    assert [i.field for i in chosen(alloys(60, 1))] == [
        *(f"composition.el.{e}" for e in ("Al", "Co", "Cr", "Fe", "Ni")),
        "process.processing_route",
        "process.cold_reduction",
        "process.heat_treatment_1_temperature",
        "property.test_temperature",
    ]


def test_no_intermediate_or_target_is_an_input() -> None:
    """A grain size that was measured beside the strength does not become an input, however well it would explain it."""
    frame = alloys(60, 1).with_columns(
        pl.col("property__yield_strength").alias("property__grain_size"),
        pl.col("property__yield_strength").alias("composition__oxygen_content"),
    )
    assert [i.field for i in chosen(frame)] == [i.field for i in chosen(alloys(60, 1))]


def test_condition_keeps_its_role() -> None:
    """The test temperature is a condition: design does not choose it."""
    roles = {i.field: i.role for i in chosen(alloys(60, 1))}
    assert roles["property.test_temperature"] == "condition"
    assert roles["process.cold_reduction"] == "input"


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pl.lit(50.0).alias("process__cold_reduction"), "same value"),
        (pl.lit(None, dtype=pl.Float64).alias("process__cold_reduction"), "no row"),
        (pl.lit("cast").alias("process__processing_route"), "same value"),
        (
            pl.when(pl.int_range(pl.len()) < 6)
            .then(pl.col("process__cold_reduction"))
            .alias("process__cold_reduction"),
            "only 10 %",
        ),
    ],
)
def test_column_that_says_nothing_is_ignored_with_a_reason(column: pl.Expr, reason: str) -> None:
    """What never varies or is hardly ever given is no input, and the card can say why."""
    frame = alloys(60, 1).with_columns(column)
    _, ignored = choose_inputs(frame, templates(), ())
    name = column.meta.output_name().replace("__", ".")
    assert reason in {s.field: s.reason.en for s in ignored}[name]


def test_rare_element_is_ignored() -> None:
    """An element that two rows hold cannot be learnt."""
    rare = pl.when(pl.int_range(pl.len()) < 2).then(5.0).otherwise(0.0).alias("composition__el__W")
    _, ignored = choose_inputs(alloys(60, 1).with_columns(rare), templates(), ())
    assert "composition.el.W" in [s.field for s in ignored]


def test_only_one_map_is_learnt_from() -> None:
    """Another map of amounts is told to be ignored, and brings no component twice."""
    known = templates()
    other = field("powders", "map_double", quantity="composition")
    raw = replace(known["raw"], fields=(*known["raw"].fields, other))
    inputs, ignored = choose_inputs(alloys(60, 1), {**known, "raw": raw}, ())
    assert "raw.powders" in [s.field for s in ignored]
    assert [i.field for i in inputs] == [i.field for i in chosen(alloys(60, 1))]


def test_uncertain_lineage_is_left_out() -> None:
    """Rows whose recipe is not certain, or that have no composition, are left out and counted."""
    frame = alloys(20, 1).with_columns(
        findings=pl.when(pl.int_range(pl.len()) == 0).then(["tie", "no_raw"]).otherwise(["no_raw"]),
        **{
            f"composition__el__{e}": pl.when(pl.int_range(pl.len()) > 1).then(pl.col(f"composition__el__{e}"))
            for e in ("Al", "Co", "Cr", "Fe", "Ni")
        },
    )
    rows, left_out = training_rows(frame)
    assert (rows.height, left_out) == (18, {"lineage": 1, "no_composition": 1})


def test_order_of_the_view_does_not_matter() -> None:
    """Rows are sorted by institute and record_id, two institutes may use the same record_id."""
    frame = alloys(30, 1).with_columns(record_id=pl.lit("same"), institute=pl.format("i-{}", pl.int_range(pl.len())))
    assert training_rows(frame)[0].equals(training_rows(frame.reverse())[0])


def test_split_targets_are_apart() -> None:
    """Tension and compression are two targets of one field; a row that does not say belongs to neither."""
    place = pl.int_range(pl.len())
    test_type = pl.when(place < 12).then(pl.lit("compression")).when(place < 27).then(pl.lit("tension"))
    frame = alloys(30, 1).with_columns(property__test_type=test_type)
    found = {t.name: int(t.rows(frame).sum()) for t in targets(frame, templates()["property"])}
    assert found == {"yield_strength.compression": 12, "yield_strength.tension": 15, "hardness_vickers": 30}


def test_matrix_codes_categories_and_keeps_gaps() -> None:
    """A category is its place, −1 when it is unknown; a missing number is NaN until the graph imputes it."""
    frame = pl.DataFrame(
        {
            "process__heat": [950.0, None],
            "composition__el__Ni": [20.0, 0.0],
            "process__route": ["압연", "forged"],
        }
    )
    x = matrix(frame, INPUTS)
    np.testing.assert_array_equal(x, [[950.0, 20.0, 1.0], [np.nan, 0.0, -1.0]])


def test_encoding_imputes_and_spreads_categories() -> None:
    """z has the numbers first, then one column for each category; an unknown category is all zeros."""
    z = Encoder(INPUTS).encode(np.array([[np.nan, 20.0, 1.0], [950.0, np.nan, -1.0]]))
    np.testing.assert_array_equal(z, [[900.0, 20.0, 0.0, 1.0], [950.0, 30.0, 0.0, 0.0]])
    assert Encoder(INPUTS).origin == [0, 1, 2, 2]


def test_caller_values_become_a_row_and_back() -> None:
    """A row of x comes from values by field, and says them again."""
    row = input_row(INPUTS, {"process.heat": 850, "process.route": "압연", "composition.el.Ni": 12.5})
    assert row == [850.0, 12.5, 1.0]
    assert output_row(INPUTS, row) == {"process.heat": 850.0, "composition.el.Ni": 12.5, "process.route": "압연"}


def test_what_the_caller_leaves_out_is_imputed() -> None:
    """Without any amount the whole composition is imputed; with one, an amount left out is 0."""
    two = (*INPUTS, msgspec_copy(INPUTS[1], "composition.el.Fe", 40.0))
    assert input_row(two, {}) == [900.0, 30.0, -1.0, 40.0]
    assert input_row(two, {"composition.el.Fe": 70.0, "process.route": "forged"}) == [900.0, 0.0, -1.0, 70.0]


@pytest.mark.parametrize("value", [math.nan, math.inf, "hot", True])
def test_value_that_is_no_number_is_refused(value: object) -> None:
    """The sentence names the field, what was got and what was expected."""
    with pytest.raises(UserInputError, match=r"process\.heat: got .* expected a finite number"):
        input_row(INPUTS, {"process.heat": value})


def test_unknown_field_is_refused() -> None:
    """The sentence names the field and those that there are."""
    with pytest.raises(UserInputError, match=r"process\.cool: .*composition\.el\.Ni"):
        input_row(INPUTS, {"process.cool": 1.0})


def msgspec_copy(one: ModelInput, field: str, imputed: float) -> ModelInput:
    return ModelInput(
        field=field, label=one.label, role=one.role, kind=one.kind, imputed=imputed, low=one.low, high=one.high
    )


def test_row_whose_composition_was_never_found_is_left_out() -> None:
    """Also where the composition is in plain fields, so that no element column tells."""
    frame = pl.DataFrame(
        {
            "institute": ["a", "a"],
            "record_id": ["1", "2"],
            "findings": [["no_composition", "no_process"], ["no_process"]],
            "composition__nio": [None, 45.0],
        }
    )
    rows, left_out = training_rows(frame)
    assert (rows["record_id"].to_list(), left_out) == (["2"], {"no_composition": 1})


def test_field_of_whole_numbers_is_marked() -> None:
    """Layers, cycles, coats: what only ever holds whole numbers is whole, and so is what is imputed for it."""
    frame = alloys(60, 1).with_columns(process__cold_reduction=(pl.int_range(pl.len()) % 40).cast(pl.Float64))
    inputs = {i.field: i for i in chosen(frame)}
    assert inputs["process.cold_reduction"].whole
    assert inputs["process.cold_reduction"].imputed == round(inputs["process.cold_reduction"].imputed)
    part = frame.with_columns(pl.col("process__cold_reduction") + 0.5)
    assert not {i.field: i for i in chosen(part)}["process.cold_reduction"].whole
