"""Records that were kept out of a training: predicted over HTTP, beside the mean and a ridge regression."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sojae.client import Client

JSON = dict[str, Any]
Vector = NDArray[np.float64]

ELEMENT = "composition__el__"
STRENGTHS = np.logspace(-2, 4, 13)


@dataclass(frozen=True, slots=True)
class Compared:
    """Errors on the kept-out rows of one target, in its unit, by who answers: model, mean or ridge.

    `covered` is the share of measured values inside the 90 % interval, whose width is `mean_width`; `strange` the share
    of rows outside the model's domain or with unseen categories.
    """

    target: str
    unit: str
    trained_rows: int
    rows: int
    mae: Mapping[str, float]
    r2: Mapping[str, float]
    covered: float
    mean_width: float
    strange: float


def compare(client: Client, project: str, target: JSON, manifest: JSON, materials: pl.DataFrame) -> Compared:
    """Return how a model of the gateway, the mean and a ridge regression do on what the manifest says was kept out.

    All three see the same inputs of the same rows of the materials view, and only those that were not kept out.
    """
    wanted = _rows_with(target, materials)
    names = wanted.select(pl.concat_str("institute", "record_id", separator="/")).to_series()
    out = names.is_in(manifest["holdout"]["records"])
    known, held = wanted.filter(~out), wanted.filter(out)
    assert set(names.filter(~out)) == set(target["training_rows"])
    column = f"property__{target['field']}"
    y, truth = known[column].to_numpy(), held[column].to_numpy()
    ridge = make_pipeline(StandardScaler(), RidgeCV(STRENGTHS)).fit(_matrix(known, manifest), y)
    answer = client.predict(project, list(_recipes(held, manifest)), [target["name"]])
    assert answer["model_version"] == manifest["version"]
    said = [row["predictions"][target["name"]] for row in answer["rows"]]
    answers = {
        "model": np.array([one["mean"] for one in said]),
        "mean": np.full(len(truth), y.mean()),
        "ridge": ridge.predict(_matrix(held, manifest)),
    }
    unseen = [bool(row["unseen"]) for row in answer["rows"]]
    return Compared(
        target=target["name"],
        unit=target["unit"],
        trained_rows=len(y),
        rows=len(truth),
        mae={name: float(np.abs(values - truth).mean()) for name, values in answers.items()},
        r2={name: _r2(values, truth) for name, values in answers.items()},
        covered=float(np.mean([one["lower"] <= t <= one["upper"] for one, t in zip(said, truth, strict=True)])),
        mean_width=float(np.mean([one["upper"] - one["lower"] for one in said])),
        strange=float(np.mean([u or not one["domain"]["inside"] for u, one in zip(unseen, said, strict=True)])),
    )


def used_though_kept_out(manifest: JSON) -> list[str]:
    """Return where a kept-out record occurs in a manifest after all."""
    out = set(manifest["holdout"]["records"])
    places = {f"{t['name']}: training_rows": t["training_rows"] for t in manifest["targets"]}
    places |= {f"{t['name']}: baseline_record": [t["baseline_record"]] for t in manifest["targets"]}
    places["library.measured"] = manifest["library"]["measured"]
    return [f"{place} {record}" for place, records in places.items() for record in out.intersection(records)]


def _rows_with(target: JSON, materials: pl.DataFrame) -> pl.DataFrame:
    has_recipe = ~pl.col("findings").list.contains("no_composition")
    rows = materials.filter(pl.col(f"property__{target['field']}").is_not_null() & has_recipe)
    for field, value in target["split"].items():
        rows = rows.filter(pl.col(f"property__{field}") == value)
    return rows


def _recipes(rows: pl.DataFrame, manifest: JSON) -> Iterator[JSON]:
    """Yield rows of the view as a caller writes them: inputs of the model by name, and every element that is there."""
    names = {_column(one["field"]): one["field"] for one in manifest["inputs"]}
    names |= {name: f"composition.el.{name.removeprefix(ELEMENT)}" for name in rows.columns if name.startswith(ELEMENT)}
    for row in rows.select(list(names)).iter_rows(named=True):
        absent = {name for name, value in row.items() if value is None or (name.startswith(ELEMENT) and value == 0)}
        yield {names[name]: value for name, value in row.items() if name not in absent}


def _matrix(rows: pl.DataFrame, manifest: JSON) -> Vector:
    """Return the model's inputs, a category as columns of 0 and 1, a missing number as the manifest imputes it."""
    columns = []
    for one in manifest["inputs"]:
        values = rows[_column(one["field"])]
        if one["kind"] == "category":
            columns += [(values.cast(pl.String) == name).fill_null(value=False) for name in one["categories"]]
        else:
            columns.append(values.fill_null(0.0 if one["kind"] == "component" else one["imputed"]))
    return np.column_stack([c.cast(pl.Float64).to_numpy() for c in columns])


def _column(field: str) -> str:
    """Return the column of the view for `<stage>.<field>` or `<stage>.el.<element>`."""
    return field.replace(".", "__")


def _r2(values: Vector, truth: Vector) -> float:
    return float(1 - np.square(values - truth).sum() / np.square(truth - truth.mean()).sum())
