"""Which columns of a materials view are inputs of the models, and the matrix x that they make."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojae.domain.joined_columns import element_prefix, is_composition
from sojae.domain.model import UNKNOWN_CATEGORY, ModelInput, Skipped
from sojae.domain.template import Field, Stage
from sojae.domain.text import Text
from sojae_trainer.dataset import ELEMENT_PREFIX, Target, Templates

Matrix = NDArray[np.float64]

RECIPE_STAGES: tuple[Stage, ...] = ("raw", "composition", "process")
LEAST_FILLED = 0.3
"""Share of rows in which a number must be given: below it, most of what a model would see is imputed."""
LEAST_ELEMENT_ROWS = 3
LEAST_CATEGORY_ROWS = 2
MAX_CATEGORIES = 24
MAX_LEVELS = 12
NOT_LEARNT = Text(
    ko="조성 단계의 composition 맵만 학습합니다",
    en="of maps, only `composition` of the stage composition is learnt from",
)


def choose_inputs(
    frame: pl.DataFrame, templates: Templates, split_by: Sequence[Target]
) -> tuple[list[ModelInput], list[Skipped]]:
    """Return the inputs in order raw, composition, process, test conditions; and what was left out, with the reason.

    Only fields with role input or condition of raw, composition and process, and conditions of the property test: other
    measured properties would look like success. A field that splits targets is no input. Every statistic (imputed
    value, range, levels, categories) comes from `frame` alone.
    """
    splitting = {name for target in split_by for name in target.split}
    chosen: list[ModelInput] = []
    ignored: list[Skipped] = []
    for stage, field in _candidates(templates, splitting):
        if field.kind == "map_double":
            if is_composition(field) and element_prefix(stage, field) == ELEMENT_PREFIX:
                _add_components(frame, field, chosen, ignored)
            else:
                ignored.append(Skipped(field=f"{stage}.{field.name}", reason=NOT_LEARNT))
            continue
        one = _one_input(frame, stage, field)
        if isinstance(one, Text):
            ignored.append(Skipped(field=f"{stage}.{field.name}", reason=one))
        else:
            chosen.append(one)
    return chosen, ignored


def recipe_columns(frame: pl.DataFrame, templates: Templates) -> list[str]:
    """Return the columns of a view that hold a recipe or a condition, whether or not they become inputs."""
    named = [f"{stage}__{field.name}" for stage, field in _candidates(templates, set())]
    elements = [c for c in frame.columns if c.startswith(ELEMENT_PREFIX)]
    return [c for c in named if c in frame.columns and frame[c].dtype != pl.List] + elements


def column_of(one: ModelInput) -> str:
    """Return the column of the materials view that an input is read from."""
    stage, name = one.field.split(".", 1)
    return f"{stage}__{name.replace('el.', 'el__', 1) if one.kind == 'component' else name}"


def matrix(frame: pl.DataFrame, inputs: Sequence[ModelInput]) -> Matrix:
    """Return x of shape [n, d] in float64: NaN where a number is missing, −1 where a category is unknown."""
    x = np.full((frame.height, len(inputs)), np.nan)
    for j, one in enumerate(inputs):
        column = frame[column_of(one)]
        if one.kind == "category":
            codes = {name: float(i) for i, name in enumerate(one.categories)}
            x[:, j] = [codes.get(v, UNKNOWN_CATEGORY) for v in column.cast(pl.String).to_list()]
        else:
            x[:, j] = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return x


def imputed(x: NDArray[Any], inputs: Sequence[ModelInput]) -> Matrix:
    """Return x with every NaN replaced by the imputed value of its input, as the graphs do."""
    return np.where(np.isnan(x), np.array([i.imputed for i in inputs]), x)


def _candidates(templates: Templates, splitting: set[str]) -> Iterator[tuple[Stage, Field]]:
    for stage in RECIPE_STAGES:
        template = templates.get(stage)
        for field in template.fields if template else ():
            if field.role in ("input", "condition") and field.kind in (
                "double",
                "long",
                "string",
                "boolean",
                "map_double",
            ):
                yield stage, field
    for field in templates["property"].fields:
        if field.role == "condition" and field.name not in splitting and field.kind != "map_double":
            yield "property", field


def _one_input(frame: pl.DataFrame, stage: Stage, field: Field) -> ModelInput | Text:
    """Return the input, or why the field is none."""
    name = f"{stage}__{field.name}"
    if name not in frame.columns or frame[name].null_count() == frame.height:
        return Text(ko="값이 없습니다", en="no row has a value")
    if field.kind in ("string", "boolean"):
        return _category(frame[name].cast(pl.String), stage, field)
    values = frame[name].cast(pl.Float64)
    filled = values.drop_nulls()
    if filled.len() < LEAST_FILLED * frame.height:
        share = 100 * filled.len() / frame.height
        return Text(ko=f"행의 {share:.0f}%에만 값이 있습니다", en=f"only {share:.0f} % of the rows have a value")
    if filled.n_unique() < 2:
        return Text(ko="모든 행에서 값이 같습니다", en="all rows have the same value")
    return _number(filled, f"{stage}.{field.name}", field)


def _number(filled: pl.Series, name: str, field: Field) -> ModelInput:
    numbers = filled.to_numpy()
    distinct = np.unique(numbers)
    whole = field.kind == "long" or bool((distinct == np.rint(distinct)).all())
    median = float(np.median(numbers))
    return ModelInput(
        field=name,
        label=field.label,
        role="condition" if field.role == "condition" else "input",
        kind="number",
        unit=field.unit,
        imputed=float(np.rint(median)) if whole else median,
        low=float(distinct[0]),
        high=float(distinct[-1]),
        levels=tuple(distinct.tolist()) if len(distinct) <= MAX_LEVELS else (),
        whole=whole,
    )


def _category(column: pl.Series, stage: Stage, field: Field) -> ModelInput | Text:
    counts = column.drop_nulls().value_counts(sort=False)
    seen = {row[0]: int(row[1]) for row in counts.iter_rows() if row[1] >= LEAST_CATEGORY_ROWS}
    order = [c for c in field.one_of or () if c in seen] + sorted(c for c in seen if c not in (field.one_of or ()))
    kept = sorted(sorted(order, key=lambda c: -seen[c])[:MAX_CATEGORIES], key=order.index)
    others = column.len() - sum(seen[c] for c in kept)
    if len(kept) + (others > 0) < 2 or not kept:
        return Text(ko="모든 행에서 값이 같습니다", en="all rows have the same value")
    return ModelInput(
        field=f"{stage}.{field.name}",
        label=field.label,
        role="condition" if field.role == "condition" else "input",
        kind="category",
        imputed=UNKNOWN_CATEGORY,
        low=UNKNOWN_CATEGORY if others else 0.0,
        high=float(len(kept) - 1),
        categories=tuple(kept),
    )


def _add_components(frame: pl.DataFrame, field: Field, chosen: list[ModelInput], ignored: list[Skipped]) -> None:
    """Add one input for each component of a composition; a missing amount is the mean, so that sums stay right."""
    for column in sorted(c for c in frame.columns if c.startswith(ELEMENT_PREFIX)):
        symbol = column.removeprefix(ELEMENT_PREFIX)
        amounts = frame[column].cast(pl.Float64).fill_null(0.0).to_numpy()
        present = int((amounts > 0).sum())
        if present < LEAST_ELEMENT_ROWS or np.ptp(amounts) == 0:
            reason = (
                Text(ko=f"{present}개 행에만 있습니다", en=f"only {present} rows hold it")
                if present < LEAST_ELEMENT_ROWS
                else Text(ko="모든 행에서 값이 같습니다", en="all rows have the same value")
            )
            ignored.append(Skipped(field=f"composition.el.{symbol}", reason=reason))
            continue
        chosen.append(
            ModelInput(
                field=f"composition.el.{symbol}",
                label=Text(ko=symbol, en=symbol),
                role="input",
                kind="component",
                unit=field.unit,
                imputed=float(amounts.mean()),
                low=float(amounts.min()),
                high=float(amounts.max()),
            )
        )
