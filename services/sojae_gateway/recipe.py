"""A caller's recipe, checked against the templates and told in the models' inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from sojae.domain.checks import shown_bounds
from sojae.domain.composition_check import composition_issues
from sojae.domain.issue import RULES, Issue
from sojae.domain.model import ModelInput
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field
from sojae.domain.text import Text
from sojae_gateway.refusal import Refused, refused_by_rule, refused_value, shorten
from sojae_gateway.vocabulary import Name, Vocabulary

Value = float | str | bool | dict[str, float | None] | None
LARGEST = 1e30
"""Beyond it a number is no measure of anything, and float32 cannot work with it."""
TRACE_SHARE = 0.01
"""Share of a composition that may be of components that no model has met: it is told, and left out."""

ORIGIN = "experiment"
"""A recipe that is asked about is checked as one that is reported: what is hard there is refused here."""


WARNINGS = {
    "unmet_component": Text(
        ko="모델이 학습한 적이 없는 성분이 들어 있어 예측을 믿기 어렵습니다",
        en="the models have never met a part of this composition, so the answer is hardly to be trusted",
    ),
    "nothing_given": Text(
        ko="배합과 공정 값이 하나도 없어 모두 대표값으로 채웠습니다. 이 예측은 특정 시료의 것이 아닙니다",
        en="no recipe was given, so all of it is imputed: the answer is that of a typical recipe, of no specimen",
    ),
    "no_model": Text(
        ko="이 조건에 대한 물성 모델이 없어 답하지 않았습니다",
        en="no model answers this property under this condition, so it is not answered",
    ),
}
"""What is odd about a recipe and no rule of a template says."""


class Warn(msgspec.Struct, frozen=True):
    """Something unusual about a value: it is answered, and told, in a sentence too."""

    rule: str
    field: str
    got: str | None
    expected: str | None
    ko: str
    en: str


def warn(rule: str, field: str, got: str | None, expected: str | None) -> Warn:
    """Return the warning of a template's rule or of this service, in words too."""
    words = WARNINGS.get(rule) or RULES.get(rule, Text(ko=rule, en=rule))
    return Warn(
        rule,
        field,
        got,
        expected,
        f"{field}: {words.ko}. 값 {got or '–'}, 기대 {expected or '–'}",
        f"{field}: {words.en}; got {got or '–'}, expected {expected or '–'}",
    )


@dataclass(slots=True)
class Recipe:
    """Values by model input; `ignored` are known fields that no model uses, `unseen` categories that none has met."""

    values: dict[str, object] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    warnings: list[Warn] = field(default_factory=list)
    strange: bool = False
    """Whether it holds what no model has met: then it is outside the domain, however near the rest is."""


def read_recipe(vocabulary: Vocabulary, row: Mapping[str, Value], where: str) -> Recipe:
    """Return a row as the models take it; `where` leads to it in messages (`rows[3].`).

    Raises Refused naming the field where a name is unknown, a value has the wrong type, is out of its hard range or no
    category of its field, or a composition cannot be one.
    """
    recipe = Recipe()
    amounts: dict[str, dict[str, float]] = {}
    names: dict[str, Name] = {}
    for key, value in row.items():
        name = vocabulary.find(key, where)
        if value is None:
            continue
        names[name.full] = name
        if name.component is not None:
            amounts.setdefault(name.full, {})[name.component] = number(name, value, where + key)
        elif name.field is not None and name.field.kind == "map_double":
            amounts.setdefault(name.full, {}).update(_amounts(name, value, where + key))
        else:
            _take(vocabulary, recipe, name, value, where)
    for full, given in amounts.items():
        _take_amounts(vocabulary, recipe, names[full], given, where)
    if not any(vocabulary.inputs[full].role == "input" for full in recipe.values):
        inputs = [vocabulary.name_of(full) for full, one in vocabulary.inputs.items() if one.role == "input"]
        recipe.warnings.append(warn("nothing_given", where.removesuffix("."), None, ", ".join(inputs)))
    return recipe


def number(name: Name, value: Value, where: str) -> float:
    """Return a finite number in the field's unit; raises Refused."""
    unit = name.field.unit if name.field is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise refused_value("not_a_number", where, value, "a finite number" + (f" in {unit}" if unit else ""))
    return float(value)


def check_range(field: Field, value: float, where: str) -> list[Warn]:
    """Return what is unusual about a number; raises Refused when it is out of the hard range."""
    if outside(field.hard, value):
        raise refused_by_rule(
            Issue("hard_range", "hard", field.name, shorten(value), shown_bounds(field.hard, field.unit)), where
        )
    if outside(field.warn, value):
        return [warn("warn_range", where + field.name, shorten(value), shown_bounds(field.warn, field.unit))]
    return []


def category(name: Name, value: Value, where: str) -> str:
    """Return a category as the models write it; raises Refused when the field has no such category."""
    if isinstance(value, bool):
        return "true" if value else "false"
    one_of = name.field.one_of if name.field is not None else None
    if not isinstance(value, str):
        raise refused_value("not_a_category", where, value, ", ".join(one_of or ()) or "a text")
    if one_of is not None and value not in one_of:
        issue = Issue("category", "hard", None, shorten(value), ", ".join(one_of))
        raise refused_by_rule(issue, where)
    return value


def outside(bounds: Bounds | None, value: float) -> bool:
    """Return whether a number is beyond a range."""
    if bounds is None:
        return False
    return (bounds.low is not None and value < bounds.low) or (bounds.high is not None and value > bounds.high)


def _take(vocabulary: Vocabulary, recipe: Recipe, name: Name, value: Value, where: str) -> None:
    one = vocabulary.inputs.get(name.full)
    told: object
    if _is_number(name, one):
        told = amount = number(name, value, where + name.shown)
        if name.field is not None:
            recipe.warnings += check_range(name.field, amount, where)
    else:
        told = category(name, value, where + name.shown)
    bare = name.full.split(".", 1)[1]
    if bare in vocabulary.splits:
        recipe.splits[bare] = str(told)
    elif one is None:
        recipe.ignored.append(name.shown)
    else:
        _put(recipe, name.full, told, where + name.shown)
        if one.kind == "category" and told not in one.categories:
            recipe.unseen.append(name.shown)


def _is_number(name: Name, one: ModelInput | None) -> bool:
    if name.field is not None:
        return name.field.kind in ("double", "long")
    return one is not None and one.kind != "category"


def _put(recipe: Recipe, full: str, value: object, where: str) -> None:
    if full in recipe.values:
        text = Text(
            ko=f"{where}: 같은 입력이 두 번 있습니다. 하나만 쓰십시오",
            en=f"{where}: the same input is given twice; keep one",
        )
        raise Refused("repeated_field", text, field=where)
    recipe.values[full] = value


def _amounts(name: Name, value: Value, where: str) -> Iterator[tuple[str, float]]:
    if not isinstance(value, dict):
        raise refused_value("not_a_composition", where, value, 'amounts by component, as {"Al": 20}')
    for component, amount in value.items():
        if amount is not None:
            yield component, number(name, amount, f"{where}.{shorten(component)}")


def _take_amounts(vocabulary: Vocabulary, recipe: Recipe, name: Name, given: dict[str, float], where: str) -> None:
    assert name.field is not None, "only a field of a template is a composition"
    for issue in composition_issues(name.field, given, ORIGIN):
        if issue.severity == "hard":
            raise refused_by_rule(issue, where)
        recipe.warnings.append(warn(issue.rule, f"{where}{issue.field}", issue.got, issue.expected))
    _tell_unmet(vocabulary, recipe, name, given, where)
    for component, amount in given.items():
        full = vocabulary.input_of(name, component)
        if full in vocabulary.inputs:
            _put(recipe, full, amount, f"{where}{name.shown}.{component}")
        elif amount != 0:
            recipe.ignored.append(f"{name.shown}.{component}")


def _tell_unmet(vocabulary: Vocabulary, recipe: Recipe, name: Name, given: dict[str, float], where: str) -> None:
    """Warn where more than a trace of a composition is of components that no model has met: the recipe is then strange.

    Raises Refused when the models have met none of it: the answer would be that for another material.
    """
    unmet = {c: a for c, a in given.items() if vocabulary.input_of(name, c) not in vocabulary.inputs and a > 0}
    if sum(unmet.values()) <= TRACE_SHARE * sum(given.values()):
        return
    prefix = vocabulary.input_of(name, "X").removesuffix("X")
    met = ", ".join(sorted(i.removeprefix(prefix) for i in vocabulary.inputs if i.startswith(prefix))) or "–"
    got, field = ", ".join(f"{c} {amount:g}" for c, amount in unmet.items()), f"{where}{name.shown}"
    if sum(unmet.values()) < sum(given.values()):
        recipe.strange = True
        recipe.warnings.append(warn("unmet_component", field, got, met))
        return
    text = Text(
        ko=f"{field}: 모델이 학습한 적이 없는 성분뿐입니다({got}). 학습한 성분: {met}",
        en=f"{field}: no model has met {got}; they have met {met}",
    )
    raise Refused("not_an_input", text, field=field, got=got, expected=met)
