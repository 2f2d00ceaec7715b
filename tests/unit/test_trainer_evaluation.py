"""Cross-validation that does not flatter: grouped beside random, choice inside the fold, intervals that hold."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sojae.domain.scale import forward, inverse
from sojae_trainer.evaluation import (
    FOLDS,
    Problem,
    Validation,
    _half_errors,
    _neighbour_errors,
    fold_count,
    fold_errors,
    preferred,
    score,
    validate,
)
from sojae_trainer.learners import BASELINES, LEARNERS, Mean, learners_for
from sojae_trainer.shapley import coalitions
from sojae_trainer.space import Space, unrest
from sojae_trainer.transform import choose_transform
from sojae_trainer.uncertainty import QUANTILE, fit_spread, half_width, intervals

Vector = NDArray[np.float64]


def problem(y: Vector, z: NDArray[np.float64], groups: NDArray[np.int64] | None = None) -> Problem:
    labels = np.arange(len(y)) if groups is None else groups
    return Problem(z=z, ranges=np.ptp(z, axis=0), y=y, t=y, transform="identity", groups=labels, seed=0)


def batches(seed: int = 0) -> Problem:
    """Ten batches: the value is mostly the batch's own level, which only the batch's mark in z tells."""
    rng = np.random.default_rng(seed)
    batch = np.repeat(np.arange(10), 12)
    marks = rng.normal(size=(10, 6))[batch]
    y = rng.normal(0.0, 5.0, 10)[batch] + rng.normal(0.0, 0.5, 120)
    return problem(y, np.column_stack([marks, rng.normal(size=120)]), batch)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Trainings run on one thread; so do these."""
    with threadpool_limits(limits=1):
        yield


def smooth(rows: int = 120) -> Problem:
    rng = np.random.default_rng(1)
    z = rng.uniform(-2, 2, (rows, 3))
    return problem(np.sin(2 * z[:, 0]) * z[:, 1] + rng.normal(0, 0.05, rows), z, np.arange(rows) // 4)


@cache
def judged() -> Validation:
    return validate(smooth(), grouped=True)


def test_grouped_error_shows_what_random_folds_hide() -> None:
    """Where only the batch matters, random folds look excellent and grouped ones are no better than the mean."""
    one = batches()
    random, grouped = validate(one, grouped=False), validate(one, grouped=True)
    assert score(one, random.nested, random.folds).r2 > 0.8
    assert score(one, grouped.nested, grouped.folds).r2 < 0.2


def test_learners_beat_the_baselines_on_a_curve() -> None:
    """On a law that no line describes, every learner beats mean and ridge on the same folds."""
    one, validation = smooth(), judged()
    errors = {n: score(one, a.t, validation.folds).mae for n, a in validation.answers.items()}
    assert max(errors[n] for n in LEARNERS) < min(errors[n] for n in BASELINES)


def test_fold_models_never_saw_their_rows() -> None:
    """Whatever stands in the left-out values, the answers for them stay the same."""
    one = smooth()
    before = judged()
    folds = before.folds
    spoilt = np.where(folds == 2, 1000.0, one.t)
    after = validate(replace(one, t=spoilt, y=spoilt), grouped=True)
    for name, answers in before.answers.items():
        np.testing.assert_array_equal(answers.t[folds == 2], after.answers[name].t[folds == 2])


def test_choice_for_a_fold_never_saw_the_fold() -> None:
    """The learner chosen for a fold does not depend on the values in it."""
    one = smooth()
    folds, before = judged().folds, judged().choices
    for k in (0, 3):
        spoilt = np.where(folds == k, np.random.default_rng(k).normal(0, 50, len(one.t)), one.t)
        assert validate(replace(one, t=spoilt, y=spoilt), grouped=True).choices[k] == before[k]


def test_errors_behind_a_choice_never_saw_the_fold() -> None:
    """Values of fold k change nothing in the errors by which its learner is chosen, and something in those of others."""
    one, folds = smooth(), judged().folds
    before = _neighbour_errors(one, folds, LEARNERS["gradient_boosting"])
    spoilt = np.where(folds == 2, 1000.0, one.t)
    after = _neighbour_errors(replace(one, t=spoilt, y=spoilt), folds, LEARNERS["gradient_boosting"])
    changed = [k for k in range(FOLDS) if (before[k] != after[k]).any()]
    assert 2 not in changed
    assert {1, 3} <= set(changed)


@pytest.mark.parametrize("groups", [2, 3])
def test_few_groups_are_left_out_one_by_one(groups: int) -> None:
    """With fewer groups than folds each group is a fold of its own, and the choice still never saw it."""
    one = replace(smooth(60), groups=np.arange(60) % groups)
    validation = validate(one, grouped=True)
    assert sorted({(int(g), int(f)) for g, f in zip(one.groups, validation.folds, strict=True)}) == [
        (g, int(validation.folds[g])) for g in range(groups)
    ]
    assert fold_count(validation.folds) == len(validation.choices) == groups
    assert score(one, validation.nested, validation.folds).r2 > 0.2
    assert len(fold_errors(one, validation.nested, validation.folds)) == groups


def test_of_two_folds_the_choice_sees_the_other_alone() -> None:
    """The learner for a fold is chosen by halves of the other fold: its own values change nothing."""
    one = smooth(60)
    folds = np.arange(60) % 2
    before = _half_errors(one, folds, LEARNERS["gradient_boosting"])
    spoilt = np.where(folds == 0, 1000.0, one.t)
    after = _half_errors(replace(one, t=spoilt, y=spoilt), folds, LEARNERS["gradient_boosting"])
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[1] != after[1]).all()


def test_nested_answers_are_those_of_the_chosen() -> None:
    """Each fold is answered by the learner that was chosen for it."""
    validation = judged()
    for k, name in enumerate(validation.choices):
        rows = validation.folds == k
        np.testing.assert_array_equal(validation.nested[rows], validation.answers[name].t[rows])


def test_smallest_graph_within_one_standard_error_wins() -> None:
    """A smaller graph is preferred where the difference is within its noise and within 2 %."""
    errors = {
        "large": np.array([1.0, 2.0, 3.0]),
        "small": np.array([1.02, 1.99, 3.02]),
        "bad": np.array([2.0, 3.0, 4.0]),
    }
    numbers = {"large": 1000, "small": 10, "bad": 1}
    assert preferred(errors, numbers) == ["small", "large", "bad"]


@pytest.mark.parametrize(
    "small", [np.array([1.02, 2.02, 3.02]), np.array([1.6, 1.7, 3.2])], ids=["surely worse", "worse by more than 2 %"]
)
def test_smaller_graph_that_is_worse_loses(small: Vector) -> None:
    """A difference that is the same in every fold is no noise, and one above 2 % is too much."""
    errors = {"large": np.array([1.0, 2.0, 3.0]), "small": small}
    assert preferred(errors, {"large": 1000, "small": 10})[0] == "large"


def test_score_is_in_the_targets_unit() -> None:
    """Errors are taken after the way back from the learnt scale."""
    y = np.array([1.0, 4.0, 9.0, 16.0, 25.0])
    one = Problem(np.zeros((5, 1)), np.zeros(1), y, np.sqrt(y), "sqrt", np.arange(5), 0)
    answered = score(one, np.sqrt(y + 2.0), np.arange(5))
    assert answered.mae == pytest.approx(2.0)
    assert answered.r2 == pytest.approx(1 - 20 / np.square(y - 11).sum())
    np.testing.assert_allclose(fold_errors(one, np.sqrt(y + 2.0), np.arange(5)), 2.0)


def test_large_sets_are_not_given_to_the_gaussian_process() -> None:
    """It keeps every row and solves n³."""
    assert "gaussian_process" in learners_for(3000)
    assert "gaussian_process" not in learners_for(3001)


@pytest.mark.parametrize("learner", [*LEARNERS, *BASELINES])
def test_learner_is_the_same_for_the_same_seed(learner: str) -> None:
    """Fitting twice gives the same answers to the last bit."""
    one, fit = smooth(), {**LEARNERS, **BASELINES}[learner]
    first, second = fit(one.z, one.t, 3), fit(one.z, one.t, 3)
    np.testing.assert_array_equal(first.predict(one.z), second.predict(one.z))


@pytest.mark.parametrize("learner", ["ridge", "gaussian_process"])
def test_column_that_never_changed_in_training_cannot_run_away(learner: str) -> None:
    """An element that only new rows hold does not send a linear part to infinity."""
    one, fit = smooth(), {**LEARNERS, **BASELINES}[learner]
    z = np.column_stack([one.z, np.full(len(one.z), 0.1 + 0.2)])
    strange = z.copy()
    strange[:, -1] = 40.0
    answers = fit(z, one.t, 0).predict(strange)
    np.testing.assert_allclose(answers, fit(z, one.t, 0).predict(z))


def test_half_width_is_the_conformal_quantile() -> None:
    """The ⌈0.9 (n + 1)⌉-th smallest size, the largest where there are too few."""
    assert half_width(np.arange(1.0, 100.0)) == 90.0
    assert half_width(np.array([-3.0, 1.0])) == 3.0


def test_intervals_hold_what_they_say() -> None:
    """90 % intervals hold about 90 % of rows that neither model nor half-width has seen, grouped and random."""
    one = smooth(240)
    random, grouped = validate(one, grouped=False), validate(one, grouped=True)
    name = grouped.order[0]
    card = intervals(one, (random.answers[name], random.folds), (grouped.answers[name], grouped.folds))
    assert card.coverage_random == pytest.approx(0.9, abs=0.05)
    assert card.coverage_grouped == pytest.approx(0.9, abs=0.05)


def test_grouped_intervals_are_wider_where_batches_matter() -> None:
    """The interval that is served is the one a new batch needs."""
    one = batches()
    random, grouped = validate(one, grouped=False), validate(one, grouped=True)
    name = grouped.order[0]
    card = intervals(one, (random.answers[name], random.folds), (grouped.answers[name], grouped.folds))
    assert card.mean_width_grouped > 2 * card.mean_width_random


def test_spread_grows_with_unrest_where_errors_do() -> None:
    """Variance = level + slope · unrest, bounded by what was seen."""
    rng = np.random.default_rng(0)
    far = rng.uniform(0, 1, 4000)
    spread = fit_spread(rng.normal(0, np.sqrt(1 + 8 * far)), far)
    assert spread.level == pytest.approx(1.4, abs=0.2)  # the best known tenth: 1 to 1.8
    assert spread.slope == pytest.approx(7.5, abs=1.0)
    np.testing.assert_array_equal(spread.variance(np.array([far.max(), 50.0]))[0], spread.variance(np.array([50.0]))[0])


def test_spread_holds_ninety_and_sixty_eight_per_cent() -> None:
    """The interval is made to hold 90 % of the residuals; one deviation of the same distribution then holds about 68 %."""
    rng = np.random.default_rng(3)
    far = rng.uniform(0, 1, 400)
    residuals = rng.normal(0, np.sqrt(0.2 + 5 * far**2))
    deviation = np.sqrt(fit_spread(residuals, far).variance(far))
    assert (np.abs(residuals) <= QUANTILE * deviation).mean() == pytest.approx(0.9, abs=0.01)
    assert (np.abs(residuals) <= deviation).mean() == pytest.approx(0.683, abs=0.06)


def test_spread_is_not_below_the_noise_of_what_is_known_best() -> None:
    """Where the error seems to vanish with the distance, the floor is what the best known rows showed."""
    rng = np.random.default_rng(4)
    far = np.concatenate([np.zeros(40), rng.uniform(0.5, 1, 160)])
    residuals = rng.normal(0, np.where(far > 0, 3.0 * far, 0.5))
    spread = fit_spread(residuals, far)
    assert spread.noise_floor >= half_width(residuals[:40]) / QUANTILE * (1 - 1e-9)
    assert np.sqrt(spread.variance(np.zeros(1)))[0] == pytest.approx(spread.noise_floor)


def test_row_without_unrest_asks_for_no_endless_spread() -> None:
    """Large errors where nothing warned of them raise the level, not the slope without end."""
    rng = np.random.default_rng(5)
    far = np.where(np.arange(100) < 50, 0.0, 1.0)
    residuals = np.where(np.arange(100) % 7 == 0, 30.0, rng.normal(0, 1.0, 100))
    deviation = np.sqrt(fit_spread(residuals, far).variance(far))
    assert deviation.max() <= 30.0


def test_spread_is_never_zero() -> None:
    """A perfect fit still has a positive variance."""
    assert fit_spread(np.zeros(50), np.zeros(50)).variance(np.zeros(1))[0] > 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.random.default_rng(0).normal(100, 5, 500), "identity"),
        (np.square(np.random.default_rng(0).normal(10, 2.5, 500)), "sqrt"),
        (np.exp(np.random.default_rng(0).normal(0, 1, 500)), "log"),
        (np.exp(np.random.default_rng(0).normal(0, 1, 500)) - 1.0, "identity"),
        (-np.exp(np.random.default_rng(0).normal(0, 1, 500)), "identity"),
    ],
    ids=["normal", "square", "exponential", "not all positive", "negative"],
)
def test_scale_follows_the_values(values: Vector, expected: str) -> None:
    """A root or a logarithm only for positive values that are skewed to the right."""
    assert choose_transform(values) == expected


@pytest.mark.parametrize("transform", ["identity", "sqrt", "log"])
def test_way_there_and_back(transform: str) -> None:
    """The way back undoes the way there."""
    y = np.array([0.5, 1.0, 40.0])
    np.testing.assert_allclose(inverse(transform, forward(transform, y)), y)  # type: ignore[arg-type]  # by name


def test_domain_distance_is_1_where_the_data_lie_apart() -> None:
    """95 % of distinct rows have their nearest other one within distance 1; copies do not count."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 3))
    copied = np.vstack([z, z])
    space = Space.of(copied, np.ptp(z, axis=0))
    others = [Space.of(np.delete(z, i, axis=0), np.ptp(z, axis=0)) for i in range(0, 200, 20)]
    inside = [float(s.distance(z[20 * i : 20 * i + 1])[0]) <= 1.05 for i, s in enumerate(others)]
    assert sum(inside) >= 8
    assert Space.of(z, np.ptp(z, axis=0)).unit == pytest.approx(space.unit)


def test_rare_column_does_not_outweigh_the_rest() -> None:
    """A column that is nearly always 0 counts by its range, not by its small deviation."""
    z = np.zeros((100, 2))
    z[:, 0] = np.linspace(0, 1, 100)
    z[0, 1] = 1.0
    assert Space.of(z, np.array([1.0, 1.0])).scale[1] == pytest.approx(0.2)


def test_unrest_is_bounded() -> None:
    """Far is far: beyond a few units it hardly grows any more."""
    np.testing.assert_allclose(unrest(np.array([0.0, 1.0, 1e12])), [0.0, 0.5, 1.0])


def test_shapley_values_are_those_of_the_formula() -> None:
    """For a game of two groups the values are known by hand."""
    one = coalitions([(0,), (1, 2)], 3)
    values = np.array([0.0, 3.0, 5.0, 10.0])  # nobody, first, second, both
    np.testing.assert_allclose(values @ one.weights, [4.0, 6.0])
    np.testing.assert_array_equal(one.masks, [[True, False, False], [False, True, True]])


def test_mean_is_the_training_mean() -> None:
    """The baseline answers the same everywhere."""
    np.testing.assert_array_equal(Mean(3.0).predict(np.zeros((2, 1))), [3.0, 3.0])
