"""Recipes as callers write them: names, units, categories, compositions."""

import difflib

import pytest
from msgspec.structs import replace

from sojae_gateway.recipe import Recipe, Value, read_recipe
from sojae_gateway.refusal import Refused
from sojae_gateway.vocabulary import Vocabulary
from tests.gateway_parts import plain_manifest, vocabulary

WORDS = vocabulary()


def read(**row: Value) -> Recipe:
    return read_recipe(WORDS, row, "rows[0].")


def refusal(row: dict[str, Value]) -> Refused:
    with pytest.raises(Refused) as caught:
        read_recipe(WORDS, row, "rows[0].")
    return caught.value


def test_bare_and_full_names_mean_the_same() -> None:
    """`cooling` and `process.cooling` are one input, since one stage alone has it."""
    assert read(cooling="water").values == read(**{"process.cooling": "water"}).values == {"process.cooling": "water"}


def test_a_composition_may_be_a_map_or_components() -> None:
    """Amounts go to one input a component, however they are written."""
    told = {"composition.el.Al": 20.0, "composition.el.Ni": 80.0}
    assert read(composition={"Al": 20.0, "Ni": 80.0}).values == told
    assert read(**{"composition.el.Al": 20.0, "composition.el.Ni": 80.0}).values == told


def test_what_is_null_is_left_out() -> None:
    """A null says nothing: the input will be imputed."""
    assert read(cooling=None, composition={"Al": 20.0, "Ni": 80.0, "Cr": None}).values.keys() == {
        "composition.el.Al",
        "composition.el.Ni",
    }


def test_known_fields_that_no_model_uses_are_told() -> None:
    """A template field and an element without a model input are named as ignored, an absent element is not."""
    recipe = read(hip_pressure=100.0, composition={"Al": 20.0, "Ni": 79.5, "Co": 0.5, "Fe": 0.0})
    assert recipe.ignored == ["hip_pressure", "composition.Co"]


def test_a_category_that_no_model_has_met_is_told() -> None:
    """The template allows it, the training rows had none: answered, and named."""
    recipe = read(cooling="oil")
    assert (recipe.unseen, recipe.values) == (["cooling"], {"process.cooling": "oil"})


def test_a_field_that_splits_targets_is_no_input() -> None:
    """`test_type` chooses among targets."""
    assert read(test_type="tension").splits == {"test_type": "tension"}


def test_unusual_values_are_answered_with_a_warning() -> None:
    """Outside the usual range, and a sum that is a little off."""
    recipe = read(test_temperature=1700.0, composition={"Al": 20.0, "Ni": 78.0})
    assert [(w.rule, w.field) for w in recipe.warnings] == [
        ("warn_range", "rows[0].test_temperature"),
        ("composition_sum", "rows[0].composition"),
    ]


@pytest.mark.parametrize(
    ("row", "rule", "field", "got"),
    [
        ({"coling": "air"}, "unknown_field", "rows[0].coling", "coling"),
        ({"시험온도": 25.0}, "unknown_field", "rows[0].시험온도", "시험온도"),
        ({"yield_strength": 5.0}, "not_an_input", "rows[0].yield_strength", "yield_strength"),
        ({"cooling": "ice"}, "category", "rows[0].cooling", "ice"),
        ({"cooling": 5.0}, "not_a_category", "rows[0].cooling", "5"),
        ({"homogenisation_temperature": "hot"}, "not_a_number", "rows[0].homogenisation_temperature", "hot"),
        ({"homogenisation_temperature": True}, "not_a_number", "rows[0].homogenisation_temperature", "True"),
        ({"homogenisation_temperature": float("inf")}, "not_a_number", "rows[0].homogenisation_temperature", "inf"),
        ({"homogenisation_temperature": 9e5}, "hard_range", "rows[0].homogenisation_temperature", "900000"),
        ({"hip_pressure": -5.0}, "hard_range", "rows[0].hip_pressure", "-5"),
        ({"composition": 5.0}, "not_a_composition", "rows[0].composition", "5"),
        ({"composition": {"Xx": 100.0}}, "composition_symbol", "rows[0].composition", "Xx"),
        ({"composition": {"Al": 50.0}}, "composition_sum", "rows[0].composition", "50"),
        ({"composition": {"Al": -5.0, "Ni": 105.0}}, "composition_negative", "rows[0].composition.Al", "-5"),
        ({"cooling": "air", "process.cooling": "air"}, "repeated_field", "rows[0].cooling", None),
        ({"composition.el.Al": 100.0, "composition": {"Zz": 0.0}}, "composition_symbol", "rows[0].composition", "Zz"),
    ],
)
def test_a_wrong_value_names_field_and_rule(row: dict[str, Value], rule: str, field: str, got: str | None) -> None:
    """Every refusal says which rule, where, and what was got, in both languages."""
    refused = refusal(row)
    assert (refused.rule, refused.field, refused.got) == (rule, field, got)
    assert field in refused.text.ko
    assert field in refused.text.en


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """A slip of the finger is corrected."""
    assert refusal({"homogenization_temperature": 900.0}).expected.split(", ")[0] == "homogenisation_temperature"  # type: ignore[union-attr]


def test_an_endless_name_is_not_compared_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing a megabyte with every name would keep all others waiting."""
    compared: list[str] = []

    def note(word: str, _known: list[str], *, n: int) -> list[str]:
        compared.append(word)
        return [] if n else [word]

    monkeypatch.setattr(difflib, "get_close_matches", note)
    assert refusal({"x" * 1_000_000: 900.0}).rule == "unknown_field"
    assert [len(word) <= 128 for word in compared] == [True]


def test_an_ambiguous_name_is_answered_with_the_choice() -> None:
    """Where two stages have a field of one name, the caller must say which."""
    cooling = plain_manifest().inputs[3]
    both = (replace(cooling, field="raw.form"), replace(cooling, field="process.form"))
    words = Vocabulary(replace(plain_manifest(), inputs=both), {})
    with pytest.raises(Refused) as caught:
        read_recipe(words, {"form": "wire"}, "rows[0].")
    assert (caught.value.rule, caught.value.expected) == ("ambiguous_field", "raw.form, process.form")
    assert read_recipe(words, {"raw.form": "water"}, "rows[0].").values == {"raw.form": "water"}
    assert words.show({"process.form": "water"}) == {"process.form": "water"}


def test_answers_group_components_and_round_to_float32() -> None:
    """A row of x becomes a recipe that can be sent back, and apart from it the conditions: shown names, six digits, absent
    components left out.
    """
    recipe, conditions = WORDS.show_row([20.000000298, 0.0, 1100.0000001, 1.0, 25.0])
    assert recipe == {"composition": {"Al": 20.0}, "homogenisation_temperature": 1100.0, "cooling": "water"}
    assert conditions == {"test_temperature": 25.0}
    assert WORDS.units()["composition"] == "%{at}"


@pytest.mark.parametrize("row", [{}, {"test_temperature": 25.0, "test_type": "tension"}], ids=["empty", "conditions"])
def test_a_row_without_a_recipe_is_told(row: dict[str, Value]) -> None:
    """All of it would be imputed: the answer is that of no specimen, and both languages say so."""
    (told,) = read_recipe(WORDS, row, "rows[0].").warnings
    assert (told.rule, told.field) == ("nothing_given", "rows[0]")
    assert "no recipe was given" in told.en
    assert "대표값" in told.ko
    assert read_recipe(WORDS, {**row, "cooling": "air"}, "rows[0].").warnings == []


def test_elements_that_no_model_has_met_are_refused() -> None:
    """Left out, the answer would be that for another alloy; a trace is told and left out."""
    with pytest.raises(Refused, match="no model has met Ag 100") as refused:
        read_recipe(vocabulary(), {"composition": {"Ag": 100.0}}, "rows[0].")
    assert refused.value.rule == "not_an_input"
    half = read_recipe(vocabulary(), {"composition": {"Al": 50.0, "Ag": 50.0}}, "rows[0].")
    assert (half.strange, [w.rule for w in half.warnings]) == (True, ["unmet_component"])
    trace = read_recipe(vocabulary(), {"composition": {"Al": 20.0, "Ni": 79.5, "Ag": 0.5}}, "rows[0].")
    assert (trace.ignored, trace.strange) == (["composition.Ag"], False)
