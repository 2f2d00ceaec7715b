"""Whether invented designs keep the hard rules of their templates."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojae.domain.model import ModelInput
from sojae.domain.rules import compile_rule, components, passes
from sojae.domain.template import Template
from sojae.domain.template_rule import Rule
from sojae_trainer.dataset import Templates
from sojae_trainer.features import RECIPE_STAGES

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def keeps_rules(x: NDArray[np.float64], inputs: Sequence[ModelInput], templates: Templates) -> NDArray[np.bool_]:
    """Return for each design whether it keeps every hard rule that speaks of inputs alone, shape [n].

    A rule that also needs a field which is no input cannot be asked.
    """
    good = np.ones(len(x), np.bool_)
    for stage in RECIPE_STAGES:
        template = templates.get(stage)
        if template is None:
            continue
        columns = _columns(x, inputs, template)
        frame = pl.DataFrame(columns) if columns else pl.DataFrame()
        for rule in template.rules:
            if rule.scope == "record" and rule.severity == "hard" and _can_ask(rule, template, columns):
                good &= np.array([held is not False for held in passes(compile_rule(rule.sql), frame)], np.bool_)
    return good


def _can_ask(rule: Rule, template: Template, columns: Mapping[str, pl.Series]) -> bool:
    named = set(_WORD.findall(rule.sql)) & {f.name for f in template.fields}
    return bool(named) and named <= set(columns)


def _columns(x: NDArray[np.float64], inputs: Sequence[ModelInput], template: Template) -> dict[str, pl.Series]:
    """Return the designs as columns of one stage's fields; a composition as a struct of the components rules name."""
    columns: dict[str, pl.Series] = {}
    amounts: dict[str, NDArray[np.float64]] = {}
    for j, one in enumerate(inputs):
        stage, name = one.field.split(".", 1)
        if stage != template.key.stage:
            continue
        if one.kind == "component":
            amounts[name.removeprefix("el.")] = x[:, j]
        elif one.kind == "category":
            texts = [one.categories[int(c)] if c >= 0 else None for c in x[:, j]]
            columns[name] = pl.Series(name, texts, dtype=pl.String)
        else:
            columns[name] = pl.Series(name, x[:, j])
    for field in template.fields if amounts else ():
        named = components(template, field.name) if field.quantity == "composition" else []
        if named:
            members = {n: amounts.get(n, np.zeros(len(x))) for n in named}
            columns[field.name] = pl.DataFrame(members).to_struct(field.name)
    return columns
