"""What designs must obey, field by field, as lower and upper bounds of every model input."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from sojae.domain.model import ModelInput
from sojae.domain.text import Text
from sojae_gateway.recipe import Value, category, check_range, number
from sojae_gateway.refusal import Refused, refused_value, shorten
from sojae_gateway.vocabulary import Name, Vocabulary

OPEN = math.nan


class Bound(NamedTuple):
    """The range of one input in its unit, or of the code of a category; NaN is an open end."""

    low: float = OPEN
    high: float = OPEN

    @property
    def open(self) -> bool:
        """Return whether nothing is said of the input."""
        return math.isnan(self.low) and math.isnan(self.high)


Values = Mapping[str, Value]


def read_bounds(
    vocabulary: Vocabulary, fixed: Values, limits: tuple[Values, Values], conditions: Values
) -> tuple[list[Bound], dict[str, str]]:
    """Return the bounds in the order of the inputs, and the splits that conditions name (`test_type`).

    `limits` are lower and upper bounds. Raises Refused naming the field: unknown, no input of the models (a design could
    not obey it), no condition, of the wrong type, out of its hard range, or with lower above upper.
    """
    found: dict[str, Bound] = {}
    splits: dict[str, str] = {}
    for place, values in (("fixed", fixed), ("conditions", conditions)):
        for name, value, where in _each(vocabulary, values, place):
            bare = name.full.split(".", 1)[1]
            if bare in vocabulary.splits:
                splits[bare] = category(name, value, where)
                continue
            full, one = _input(vocabulary, name, where)
            if place == "conditions" and one.role != "condition":
                raise refused_value("not_a_condition", where, name.shown, _conditions(vocabulary))
            code = _fixed(name, one, value, where)
            _put(found, full, Bound(code, code), where)
    for place, values in zip(("lower", "upper"), limits, strict=True):
        for name, value, where in _each(vocabulary, values, place):
            full, one = _input(vocabulary, name, where)
            if one.kind == "category":
                raise refused_value("not_a_number", where, value, "a field of numbers; fix categories with `fixed`")
            limit = number(name, value, where)
            bound = Bound(limit, OPEN) if place == "lower" else Bound(OPEN, limit)
            _put(found, full, bound, where)
    return [found.get(full, Bound()) for full in vocabulary.inputs], splits


def _each(vocabulary: Vocabulary, values: Values, place: str) -> list[tuple[Name, Value, str]]:
    """Return every value with its name and the way to it; a map of amounts becomes its components."""
    each: list[tuple[Name, Value, str]] = []
    for key, value in values.items():
        name, where = vocabulary.find(key, f"{place}."), f"{place}.{shorten(key)}"
        if value is None:
            continue
        if isinstance(value, dict):
            if name.field is None or name.field.kind != "map_double":
                raise refused_value("not_a_number", where, value, "one value")
            parts = [
                (replace(name, component=c), v, f"{where}.{shorten(c)}") for c, v in value.items() if v is not None
            ]
            each += parts
        else:
            each.append((name, value, where))
    return each


def _input(vocabulary: Vocabulary, name: Name, where: str) -> tuple[str, ModelInput]:
    full = vocabulary.input_of(name)
    one = vocabulary.inputs.get(full)
    if one is None:
        known = ", ".join(vocabulary.name_of(i) for i in vocabulary.inputs)
        text = Text(
            ko=f"{where}: 모델이 쓰지 않는 입력이라 지킬 수 없습니다. 쓰는 것: {known}",
            en=f"{where}: no model uses this input, so no design can be held to it; they use {known}",
        )
        raise Refused("not_an_input", text, field=where, got=name.shown, expected=known)
    return full, one


def _fixed(name: Name, one: ModelInput, value: Value, where: str) -> float:
    """Return the value, or the code of the category, at which an input is held."""
    if one.kind == "category":
        told = category(name, value, where)
        if told not in one.categories:
            raise refused_value("category_unseen", where, told, ", ".join(one.categories))
        return float(one.categories.index(told))
    amount = number(name, value, where)
    if name.field is not None and name.component is None:
        check_range(name.field, amount, where.removesuffix(name.field.name))
    return amount


def _put(found: dict[str, Bound], full: str, new: Bound, where: str) -> None:
    old = found.get(full, Bound())
    low = new.low if math.isnan(old.low) else old.low
    high = new.high if math.isnan(old.high) else old.high
    if _clash(old.low, new.low) or _clash(old.high, new.high) or low > high:
        raise refused_value("bounds", where, f"{_shown(low)} to {_shown(high)}", "one range, lower ≤ upper")
    found[full] = Bound(low, high)


def _clash(old: float, new: float) -> bool:
    return not math.isnan(old) and not math.isnan(new) and old != new


def _shown(value: float) -> str:
    return "…" if math.isnan(value) else format(value, ".12g")


def _conditions(vocabulary: Vocabulary) -> str:
    names = [vocabulary.name_of(full) for full, one in vocabulary.inputs.items() if one.role == "condition"]
    return "a condition: " + (", ".join(names) or "the models have none")
