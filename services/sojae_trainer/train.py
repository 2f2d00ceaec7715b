"""From a materials view to the files of one version: pure, and byte-identical when asked again."""

import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import msgspec
import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from sojae.domain.errors import ModelError
from sojae.domain.model import (
    CARD_FILE,
    INVERSE_FILE,
    Card,
    Dataset,
    Holdout,
    InputGroup,
    Manifest,
    ModelInput,
    Skipped,
)
from sojae_trainer.card import project_limits, target_card
from sojae_trainer.dataset import Target, Templates, copies, enough_rows, record_names, rights, targets, training_rows
from sojae_trainer.features import choose_inputs, imputed, matrix, recipe_columns
from sojae_trainer.gate import Passed, pass_gate
from sojae_trainer.graph_inverse import inverse_graph
from sojae_trainer.grouping import HoldoutRequest, hold_out, preferred_keys
from sojae_trainer.importance import contribution_groups
from sojae_trainer.library import Recipes, Shelved, build_library
from sojae_trainer.study import Study, study

log = logging.getLogger(__name__)

LEAST_ROWS = 40
SOFTWARE = ("sojae", "numpy", "scipy", "scikit-learn", "onnx", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained: project, templates by stage, size of the library, seed, hold-out and the view's version."""

    project: str
    templates: Templates
    designs: int = 20_000
    seed: int = 0
    holdout: HoldoutRequest | None = None
    materials_version: int | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """The files of one version by name, card included, and the manifest without version and sums."""

    files: Mapping[str, bytes]
    manifest: Manifest
    card: Card


@dataclass(frozen=True, slots=True)
class _Prepared:
    rows: pl.DataFrame
    dataset: Dataset
    holdout: Holdout | None
    targets: Sequence[Target]
    skipped: Sequence[Skipped]
    inputs: Sequence[ModelInput]
    ignored: Sequence[Skipped]


@dataclass(frozen=True, slots=True)
class _Built:
    groups: tuple[InputGroup, ...]
    studies: Sequence[Study]
    passed: Sequence[Passed]
    shelved: Shelved


def train(frame: pl.DataFrame, order: Order, created: dt.datetime) -> Trained:
    """Return models of every target with ≥ 40 rows, and the inverse library over them.

    The same frame (rows in any order), order and versions of the libraries give the same bytes; only `created` differs.
    Raises ModelError when no target has enough rows, nothing varies, or no graph passes the gate; UserInputError when
    the hold-out cannot be drawn.
    """
    # One thread: sums of another order differ in their last bits, and threads that wait for each other take far longer.
    with threadpool_limits(limits=1):
        prepared = _prepare(frame, order)
        built = _build(prepared, order)
    card, manifest = _card(order, prepared, built), _manifest(order, prepared, built, created)
    files = {p.model.file: p.content for p in built.passed}
    files[INVERSE_FILE] = inverse_graph(built.shelved.scored)
    files[CARD_FILE] = msgspec.json.format(msgspec.json.encode(card), indent=1)
    return Trained(files, manifest, card)


def _prepare(frame: pl.DataFrame, order: Order) -> _Prepared:
    """Take out what may not be seen before anything is looked at."""
    rows, left_out = training_rows(frame)
    holdout: Holdout | None = None
    if order.holdout is not None:
        everything = targets(rows, order.templates["property"])
        rows, holdout = hold_out(rows, order.holdout, copies(rows, everything, recipe_columns(rows, order.templates)))
    found, skipped = enough_rows(rows, targets(rows, order.templates["property"]), LEAST_ROWS)
    if not found:
        raise _nothing(order.project, f"{rows.height} rows, none of the targets in {LEAST_ROWS} of them")
    used = rows.filter(pl.any_horizontal([pl.lit(t.rows(rows)) for t in found]))
    inputs, ignored = choose_inputs(used, order.templates, found)
    if not inputs:
        raise _nothing(order.project, f"{rows.height} rows, and no recipe field that varies")
    versions = used["events_version"].drop_nulls() if "events_version" in used.columns else None
    dataset = Dataset(
        records=frame.height,
        rows=used.height,
        left_out=left_out,
        materials_version=order.materials_version,
        events_version=None if versions is None or versions.is_empty() else int(versions.max()),  # type: ignore[arg-type]  # an integer column
        templates={str(t.key): t.sha256 for t in order.templates.values()},
    )
    return _Prepared(used, dataset, holdout, found, skipped, inputs, ignored)


def _build(prepared: _Prepared, order: Order) -> _Built:
    keys = preferred_keys(order.templates["property"])
    studies = []
    for target in prepared.targets:
        began = time.perf_counter()
        studies.append(study(prepared.rows, target, prepared.inputs, keys, order.seed))
        seconds = time.perf_counter() - began
        log.info("%s %s: %d rows in %.1f s", order.project, target.name, len(studies[-1].records), seconds)
    groups = contribution_groups(prepared.inputs, [s.importance for s in studies])
    passed = [pass_gate(s, prepared.inputs, groups) for s in studies]
    used = np.unique(np.concatenate([s.places for s in studies]))
    recipes = Recipes(
        record_names(prepared.rows[used]),
        imputed(matrix(prepared.rows, prepared.inputs)[used], prepared.inputs),
        rights(prepared.rows[used]),
    )
    models = [(p.served, (p.model.low, p.model.high)) for p in passed]
    shelved = build_library(recipes, models, prepared.inputs, order.templates, order.designs, order.seed)
    return _Built(groups, studies, passed, shelved)


def _card(order: Order, prepared: _Prepared, built: _Built) -> Card:
    library = built.shelved.manifest
    unmeasured = library.rows - len(library.measured)
    return Card(
        project=order.project,
        dataset=prepared.dataset,
        targets=tuple(target_card(s, p) for s, p in zip(built.studies, built.passed, strict=True)),
        skipped_targets=tuple(prepared.skipped),
        ignored_inputs=tuple(prepared.ignored),
        library_rows=library.rows,
        library_unmeasured=unmeasured,
        limits=tuple(project_limits(prepared.inputs, unmeasured)),
        holdout=prepared.holdout,
    )


def _manifest(order: Order, prepared: _Prepared, built: _Built, created: dt.datetime) -> Manifest:
    return Manifest(
        project=order.project,
        created=created,
        inputs=tuple(prepared.inputs),
        groups=built.groups,
        targets=tuple(p.model for p in built.passed),
        library=built.shelved.manifest,
        dataset=prepared.dataset,
        software={name: version(name) for name in SOFTWARE},
        holdout=prepared.holdout,
    )


def _nothing(project: str, why: str) -> ModelError:
    return ModelError(
        en=f"{project}: nothing to train on: {why}; send more property records with composition and process",
        ko=f"{project}: 학습할 것이 없습니다: {why}. 조성과 공정이 있는 물성 자료를 더 보내십시오",
    )
