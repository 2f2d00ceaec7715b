"""From a study to a graph that may be served: fitted on all rows, exported, and let through the parity gate."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojae.domain.errors import ModelError
from sojae.domain.model import InputGroup, ModelInput, TargetModel
from sojae.domain.schema_reader import Bounds
from sojae_trainer.encoding import Encoder
from sojae_trainer.graph_forward import forward_graph
from sojae_trainer.learners import LEARNERS
from sojae_trainer.parity import check
from sojae_trainer.served import Served
from sojae_trainer.shapley import coalitions
from sojae_trainer.space import Space
from sojae_trainer.study import Study
from sojae_trainer.uncertainty import QUANTILE, fit_spread, half_width

log = logging.getLogger(__name__)

GATE_ROWS = 64
Export = Callable[[Served], bytes]


@dataclass(frozen=True, slots=True)
class Passed:
    """A model that came through the gate: the reference, its graph, and the relative error of every learner tried."""

    served: Served
    content: bytes
    parity: dict[str, float]
    model: TargetModel


def pass_gate(
    study: Study, inputs: Sequence[ModelInput], groups: Sequence[InputGroup], export: Export = forward_graph
) -> Passed:
    """Return the most preferred learner whose graph agrees with its estimator.

    Raises ModelError when no learner's does.
    """
    tried: dict[str, float] = {}
    failures: list[ModelError] = []
    rows = gate_rows(study.x, inputs, study.problem.seed)
    for name in study.grouped.order:
        served = serve(study, name, inputs, groups)
        content = export(served)
        try:
            tried[name] = check(content, served, rows, float(study.problem.y.std())).mean
        except ModelError as error:
            log.warning("%s: %s is not published: %s", study.target.name, name, error)
            failures.append(error)
            continue
        return Passed(served, content, tried, _target_model(study, served))
    reasons = "; ".join(str(f) for f in failures)
    raise ModelError(
        en=f"{study.target.name}: no learner's graph agrees with its estimator, so nothing is published: {reasons}",
        ko=f"{study.target.name}: 추정기와 일치하는 그래프가 없어 게시하지 않습니다: {reasons}",
    )


def serve(study: Study, learner: str, inputs: Sequence[ModelInput], groups: Sequence[InputGroup]) -> Served:
    """Return a learner fitted on all rows, with the spread of its grouped out-of-fold residuals.

    The baseline of its contributions is the training recipe that lies nearest to all others (the medoid).
    """
    problem, answers = study.problem, study.grouped.answers[learner]
    residuals = problem.t - answers.t
    space = Space.of(problem.z, problem.ranges)
    return Served(
        encoder=Encoder(tuple(inputs)),
        learner=learner,
        fitted=LEARNERS[learner](problem.z, problem.t, problem.seed),
        transform=problem.transform,
        spread=fit_spread(residuals, answers.unrest),
        space=space,
        baseline=study.x[_medoid(space, problem.z)],
        coalitions=coalitions([g.inputs for g in groups], len(inputs)),
        possible=study.target.field.hard or Bounds(None, None),
    )


def gate_rows(x: NDArray[np.float64], inputs: Sequence[ModelInput], seed: int) -> NDArray[np.float64]:
    """Return rows on which graph and estimator must agree: training rows, mixtures of them, unknown and missing values."""
    rng = np.random.default_rng(seed)
    known = x[np.sort(rng.permutation(len(x))[:GATE_ROWS])]
    first, second = x[rng.integers(len(x), size=(2, GATE_ROWS))]
    share = rng.uniform(-0.2, 1.2, (GATE_ROWS, 1))
    mixed = share * first + (1.0 - share) * second
    for j, one in enumerate(inputs):
        if one.kind == "category":
            mixed[:, j] = rng.integers(-1, len(one.categories), GATE_ROWS)
    missing = np.where(rng.uniform(size=first.shape) < 0.3, np.nan, first)
    return np.vstack([known, mixed, missing])


def _medoid(space: Space, z: NDArray[np.float64]) -> int:
    return int(np.sqrt(space.squares(z)).mean(axis=1).argmin())


def _target_model(study: Study, served: Served) -> TargetModel:
    target, problem = study.target, study.problem
    answered = {kind: v.answers[served.learner].t for kind, v in (("random", study.random), ("grouped", study.grouped))}
    place = int(np.flatnonzero((study.x == served.baseline).all(axis=1))[0])
    return TargetModel(
        name=target.name,
        field=target.field.name,
        label=target.label,
        unit=target.field.unit,
        file=f"forward/{target.name}.onnx",
        learner=served.learner,
        transform=problem.transform,
        training_rows=study.records,
        low=float(problem.y.min()),
        high=float(problem.y.max()),
        interval_random=half_width(problem.t - answered["random"]),
        interval_grouped=half_width(problem.t - answered["grouped"]),
        noise_floor=served.spread.noise_floor,
        interval_quantile=QUANTILE,
        baseline=served.baseline_mean,
        baseline_record=study.records[place],
        split=dict(target.split),
    )
