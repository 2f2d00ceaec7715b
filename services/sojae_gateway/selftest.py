"""A model answers both questions once before it answers anybody's."""

import datetime as dt
import time

from sojae.domain.errors import ModelError
from sojae_gateway.access import LOCAL_OPERATOR
from sojae_gateway.bounds import Bound
from sojae_gateway.design import design
from sojae_gateway.design_query import DEFAULT_TOLERANCE, Goal, Query
from sojae_gateway.models import ProjectModels
from sojae_gateway.predict import predict
from sojae_gateway.recipe import Recipe


def self_test(models: ProjectModels, today: dt.date) -> float:
    """Return the seconds that one recipe takes for all targets; raises ModelError when a question is not answered."""
    try:
        predict(models, [Recipe()], models.manifest.targets, LOCAL_OPERATOR, today)
        began = time.perf_counter()
        (row,) = predict(models, [Recipe()], models.manifest.targets, LOCAL_OPERATOR, today)
        seconds = time.perf_counter() - began
        target = models.manifest.targets[0]
        goal = Goal(target, (target.low + target.high) / 2, DEFAULT_TOLERANCE * (target.high - target.low))
        open_bounds = [Bound() for _ in models.manifest.inputs]
        answer = design(models, Query({target.name: goal}, open_bounds, 1), 0.0, LOCAL_OPERATOR, today)
    except Exception as error:
        raise _failed(models, f"{type(error).__name__}: {error}") from error
    if len(row.predictions) != len(models.manifest.targets) or len(answer.designs) != 1:
        raise _failed(models, f"{len(row.predictions)} predictions and {len(answer.designs)} designs")
    return seconds


def _failed(models: ProjectModels, why: str) -> ModelError:
    where = f"{models.project}/{models.version}"
    return ModelError(
        en=f"model {where} does not answer its own test ({why}); train again",
        ko=f"모델 {where}이(가) 자체 시험에 답하지 못합니다({why}). 다시 학습하십시오",
    )
