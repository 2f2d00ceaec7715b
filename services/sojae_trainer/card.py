"""The model card: how good each model is, beside what, on which split, and what it must not be used for."""

from collections.abc import Sequence

from sojae.domain.model import LearnerScore, ModelInput, Score, TargetCard
from sojae.domain.text import Text
from sojae_trainer.evaluation import FOLDS, score
from sojae_trainer.gate import Passed
from sojae_trainer.grouping import ROW, SAMPLE
from sojae_trainer.learners import BASELINES
from sojae_trainer.study import Study
from sojae_trainer.uncertainty import intervals

FEW_ROWS = 100
FEW_GROUPS = 10
LITTLE_SKILL = 0.2
LEAST_UNMEASURED = 2_000


def target_card(study: Study, passed: Passed) -> TargetCard:
    """Return the card of one target."""
    problem, random, grouped = study.problem, study.random, study.grouped
    chosen = passed.served.learner
    scores = {name: _learner(study, passed, name) for name in grouped.answers}
    nested_random = score(problem, random.nested, random.folds)
    nested_grouped = score(problem, grouped.nested, grouped.folds)
    mean, ridge = scores["mean"].grouped, scores["ridge"].grouped
    importance = sorted(study.importance, key=lambda i: (-i.mean, i.field))
    return TargetCard(
        name=study.target.name,
        label=study.target.label,
        unit=study.target.field.unit,
        rows=len(problem.y),
        groups=study.grouping.count,
        grouped_by=study.grouping.key,
        copied_rows=study.grouping.copied_rows,
        transform=problem.transform,
        baselines=tuple(scores[n] for n in BASELINES),
        learners=tuple(scores[n] for n in grouped.order),
        chosen=chosen,
        nested_random=nested_random,
        nested_grouped=nested_grouped,
        better_than_mean_grouped=nested_grouped.mae < mean.mae,
        better_than_ridge_grouped=nested_grouped.mae < ridge.mae,
        verdict=_unknown(nested_grouped)
        if study.grouping.key in (SAMPLE, ROW) and nested_grouped.mae < mean.mae
        else _verdict(nested_grouped, mean, ridge),
        interval=intervals(
            problem,
            (random.answers[chosen], random.folds),
            (grouped.answers[chosen], grouped.folds),
        ),
        importance=tuple(importance),
        limits=tuple(_limits(study, nested_grouped)),
    )


def project_limits(inputs: Sequence[ModelInput], unmeasured: int) -> list[Text]:
    """Return what holds for all designs of a project, of which `unmeasured` are in the library."""
    limits = [
        Text(
            ko="가격 자료가 없어 모든 설계의 비용은 0이고 비용 한도는 효력이 없습니다",
            en="there are no prices: every design costs 0 and a cost limit has no effect",
        )
    ]
    whole = ", ".join(one.field for one in inputs if one.whole)
    if whole:
        limits.append(
            Text(
                ko=f"자료에 정수만 있는 입력은 설계도 정수로 제안합니다: {whole}",
                en=f"inputs that only ever hold whole numbers are whole in designs too: {whole}",
            )
        )
    if unmeasured < LEAST_UNMEASURED:
        limits.append(
            Text(
                ko=f"입력의 수준이 적어 측정되지 않은 설계가 {unmeasured}개뿐입니다",
                en=f"the inputs take so few values that only {unmeasured} designs are unmeasured",
            )
        )
    return limits


def _learner(study: Study, passed: Passed, name: str) -> LearnerScore:
    random, grouped = study.random, study.grouped
    return LearnerScore(
        name=name,
        random=score(study.problem, random.answers[name].t, random.folds),
        grouped=score(study.problem, grouped.answers[name].t, grouped.folds),
        numbers=passed.served.fitted.numbers if name == passed.served.learner else grouped.answers[name].numbers,
        parity=passed.parity.get(name),
        served=name == passed.served.learner,
    )


def _unknown(nested: Score) -> Text:
    """Return the verdict where only samples could be kept apart: no batch or paper is known, or all rows are of one."""
    return Text(
        ko=f"배치나 문헌을 알 수 없거나 하나뿐이어서 시료 단위로만 나누었습니다 (시료 사이 R² {nested.r2:.2f}). 새 배치에서의 오차는 재지 "
        "못했습니다",
        en=f"no batch or paper is known, or all rows are of one, so only samples were kept apart (R² {nested.r2:.2f} between "
        "samples): the error on a new batch has not been measured",
    )


def _verdict(nested: Score, mean: Score, ridge: Score) -> Text:
    below_mean, below_ridge = 100 * (1 - nested.mae / mean.mae), 100 * (1 - nested.mae / ridge.mae)
    if below_mean > 0 >= nested.r2:
        return Text(
            ko=f"다른 그룹의 평균으로 답하는 것보다 {below_mean:.0f} % 낫지만 새 그룹의 차이는 설명하지 못합니다 (R² {nested.r2:.2f}). 이미 있는 "
            "그룹 안에서만 쓰십시오",
            en=f"on new groups it is {below_mean:.0f} % better than the mean of the others, yet explains nothing of what differs "
            f"there (R² {nested.r2:.2f}); use it inside known groups only",
        )
    if below_mean > 0 and below_ridge > 0:
        return Text(
            ko=f"새 그룹에서의 오차가 평균보다 {below_mean:.0f} %, 선형 모델보다 {below_ridge:.0f} % 작습니다 (R² {nested.r2:.2f})",
            en=f"on new groups the error is {below_mean:.0f} % below the mean's and {below_ridge:.0f} % below the linear "
            f"model's (R² {nested.r2:.2f})",
        )
    if below_mean > 0:
        return Text(
            ko=f"새 그룹에서 평균보다는 {below_mean:.0f} % 낫지만 선형 모델보다 낫지 않습니다 (R² {nested.r2:.2f})",
            en=f"on new groups it is {below_mean:.0f} % better than the mean, but no better than the linear model (R² {nested.r2:.2f})",
        )
    return Text(
        ko=f"새 그룹에서 평균보다 낫지 않습니다 (R² {nested.r2:.2f}). 이미 있는 그룹 안에서만 쓰십시오",
        en=f"on new groups it is no better than the mean (R² {nested.r2:.2f}); use it inside known groups only",
    )


def _limits(study: Study, nested: Score) -> list[Text]:
    limits = []
    groups, rows = study.grouping.count, len(study.problem.y)
    if study.grouping.key in (SAMPLE, ROW):
        limits.append(
            Text(
                ko="배치나 문헌을 알 수 없어 시료 단위로만 나누었습니다. 구간과 적중 확률도 시료 사이의 오차로 정했으므로 새 배치에서는 "
                "오차가 더 클 수 있습니다",
                en="no batch or paper is known, so only samples were kept apart; intervals and hit probabilities come from the "
                "errors between samples, and on new batches the error may be larger",
            )
        )
    elif groups < FOLDS:
        limits.append(
            Text(
                ko=f"그룹이 {groups}개뿐이어서 하나씩 빼고 학습했습니다. 새 그룹에서의 오차와 구간은 대략적인 값입니다",
                en=f"there are only {groups} groups, each left out once: error and intervals on new groups are rough guesses",
            )
        )
    if groups < FEW_GROUPS or rows < FEW_ROWS:
        limits.append(
            Text(
                ko=f"{rows}행, {groups}개 그룹뿐이어서 오차 자체가 불확실합니다",
                en=f"only {rows} rows in {groups} groups: the errors themselves are uncertain",
            )
        )
    if nested.r2 < LITTLE_SKILL:
        limits.append(
            Text(
                ko=f"새 그룹에 대한 설명력이 거의 없습니다 (R² {nested.r2:.2f})",
                en=f"little is explained on new groups (R² {nested.r2:.2f})",
            )
        )
    return limits
