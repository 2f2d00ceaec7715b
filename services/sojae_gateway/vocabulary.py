"""What a caller may call the inputs of a project's models, and how answers call them."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from sojae.domain.model import Manifest, ModelInput, output_row
from sojae.domain.template import Field, Stage, Template
from sojae.domain.text import Text
from sojae_gateway.refusal import Refused, shorten

RECIPE_ROLES = ("input", "condition")
COMPONENT = "el"
DIGITS = 6
"""Significant digits of what graphs answer: they compute in float32, which holds no more."""

Shown = float | str | None | dict[str, float]


@dataclass(frozen=True, slots=True)
class Name:
    """One field that a caller may give: `full` is `<stage>.<field>`, `shown` what answers call it.

    `component` is the symbol where one amount of a composition is meant.
    """

    full: str
    shown: str
    field: Field | None
    component: str | None = None


class Vocabulary:
    """The names of one project's inputs: full (`process.cooling`), bare where one stage alone has it (`cooling`).

    A composition is given as a map (`composition: {"Al": 20}`) or by component (`composition.el.Al`). Fields of the
    templates that no model uses are known too, and told to be ignored.
    """

    def __init__(self, manifest: Manifest, templates: Mapping[Stage, Template]) -> None:
        self.inputs: dict[str, ModelInput] = {one.field: one for one in manifest.inputs}
        self.splits = {name for target in manifest.targets for name in target.split}
        self._answers = {name for target in manifest.targets for name in (target.name, target.field)}
        self._fields: dict[str, Field | None] = dict(_offered(templates))
        for one in manifest.inputs:
            if one.kind != "component":
                self._fields.setdefault(one.field, None)
        self._full: dict[str, list[str]] = {}
        for full in self._fields:
            self._full.setdefault(full.split(".", 1)[1], []).append(full)

    def find(self, key: str, where: str) -> Name:
        """Return what a caller's key means; raises Refused with the nearest names when it means nothing, or two things."""
        stage, _, symbol = key.partition(f".{COMPONENT}.")
        if symbol and (amounts := self._map_of(stage)) is not None:
            return Name(amounts, self._shown(amounts), self._fields[amounts], symbol)
        candidates = [key] if key in self._fields else self._full.get(key, [])
        if len(candidates) == 1:
            full = candidates[0]
            return Name(full, self._shown(full), self._fields[full])
        if candidates:
            choice = ", ".join(candidates)
            text = Text(
                ko=f"{where}{key}: 여러 단계에 있는 이름입니다. {choice} 가운데 하나로 쓰십시오",
                en=f"{where}{key}: more than one stage has this field; write {choice}",
            )
            raise Refused("ambiguous_field", text, field=where + key, got=key, expected=choice)
        raise self._unknown(key, where)

    def input_of(self, name: Name, symbol: str | None = None) -> str:
        """Return the model input that a name, or one component of it, stands for; the models may not have it."""
        component = symbol or name.component
        return name.full if component is None else f"{name.full.split('.', 1)[0]}.{COMPONENT}.{component}"

    def show(self, values: Mapping[str, float | str | None]) -> dict[str, Shown]:
        """Return values by model input as answers show them: components grouped into their map, absent ones left out."""
        shown: dict[str, Shown] = {}
        for full, value in values.items():
            one = self.inputs[full]
            if one.kind == "component":
                stage, _, symbol = full.partition(f".{COMPONENT}.")
                amounts = shown.setdefault(self._shown(self._map_of(stage) or full), {})
                if isinstance(amounts, dict) and isinstance(value, float) and rounded(value) != 0:
                    amounts[symbol] = rounded(value)
            else:
                shown[self._shown(full)] = rounded(value) if isinstance(value, float) else value
        return shown

    def show_row(self, row: list[float]) -> tuple[dict[str, Shown], dict[str, Shown]]:
        """Return one row of `x` as answers show it: the recipe, and apart from it the conditions it is meant for."""
        values = output_row(list(self.inputs.values()), row)
        conditions = {full for full, one in self.inputs.items() if one.role == "condition"}
        recipe = self.show({full: value for full, value in values.items() if full not in conditions})
        return recipe, self.show({full: value for full, value in values.items() if full in conditions})

    def name_of(self, full: str) -> str:
        """Return what answers call one model input."""
        stage, _, symbol = full.partition(f".{COMPONENT}.")
        amounts = self._map_of(stage) if symbol else None
        return f"{self._shown(amounts)}.{symbol}" if amounts else self._shown(full)

    def units(self) -> dict[str, str]:
        """Return the unit of every input that has one, by shown name."""
        units: dict[str, str] = {}
        for full, one in self.inputs.items():
            stage, _, symbol = full.partition(f".{COMPONENT}.")
            amounts = self._map_of(stage) if symbol else None
            if one.unit is not None:
                units[self._shown(amounts or full)] = one.unit
        return units

    def known(self) -> list[str]:
        """Return what a caller may give, sorted."""
        return sorted(self._shown(full) for full in self._fields)

    def _map_of(self, stage: str) -> str | None:
        """Return the composition field of a stage."""
        for full, field in self._fields.items():
            if full.startswith(f"{stage}.") and field is not None and field.kind == "map_double":
                return full
        return None

    def _shown(self, full: str) -> str:
        bare = full.split(".", 1)[1] if "." in full else full
        return bare if self._full.get(bare) == [full] else full

    def _unknown(self, key: str, where: str) -> Refused:
        if key in self._answers:
            text = Text(
                ko=f"{where}{key}: 모델이 답하는 물성이지 입력이 아닙니다. 빼십시오",
                en=f"{where}{key}: this is what the models answer, not an input; leave it out",
            )
            return Refused("not_an_input", text, field=where + key, got=key, expected="an input")
        known = self.known()
        near = difflib.get_close_matches(shorten(key), known, n=3)  # comparing a megabyte would stall all others
        expected = ", ".join(near or known[:20])
        text = Text(
            ko=f"{where}{shorten(key)}: 이 프로젝트에 없는 입력입니다. {expected} 등을 쓸 수 있습니다",
            en=f"{where}{shorten(key)}: the project has no such input; "
            + (f"did you mean {expected}?" if near else f"there are {expected}"),
        )
        return Refused("unknown_field", text, field=where + shorten(key), got=shorten(key), expected=expected)


def rounded(value: float) -> float:
    """Return a number to the digits that float32 holds."""
    return float(format(value, f".{DIGITS}g"))


def _offered(templates: Mapping[Stage, Template]) -> list[tuple[str, Field]]:
    """Return the fields that say what a specimen is and how it is tested, by full name."""
    return [
        (f"{stage}.{field.name}", field)
        for stage, template in templates.items()
        for field in template.fields
        if field.role in RECIPE_ROLES and (stage != "property" or field.role == "condition")
    ]
