"""The graphs say what their models say: learner by learner, output by output."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from sojae.adapters.onnx import ForwardModel
from sojae.domain.errors import ModelError
from sojae.domain.schema_reader import Bounds
from sojae_trainer.dataset import targets, training_rows
from sojae_trainer.features import choose_inputs
from sojae_trainer.gate import gate_rows, pass_gate, serve
from sojae_trainer.graph_forward import forward_graph
from sojae_trainer.graph_trees import round_down
from sojae_trainer.grouping import preferred_keys
from sojae_trainer.importance import contribution_groups
from sojae_trainer.learners import LEARNERS, Forest, fit_mean
from sojae_trainer.parity import MAX_OTHER_ERROR, MAX_RELATIVE_ERROR, check, compare
from sojae_trainer.served import Served, leaf_weights
from sojae_trainer.study import Study, study
from sojae_trainer.uncertainty import QUANTILE, Spread, half_width
from tests.unit.trainer_law import alloys, templates

FOUR = ("mean", "std", "lower", "upper")


@cache
def studied() -> Study:
    rows, _ = training_rows(alloys(60, 3))
    found = targets(rows, templates()["property"])
    inputs, _ = choose_inputs(rows, templates(), found)
    return study(rows, found[0], inputs, preferred_keys(templates()["property"]), 0)


@cache
def model(learner: str) -> Served:
    one = studied()
    rows, _ = training_rows(alloys(60, 3))
    inputs, _ = choose_inputs(rows, templates(), targets(rows, templates()["property"]))
    return serve(one, learner, inputs, contribution_groups(inputs, [one.importance]))


def loaded(served: Served) -> ForwardModel:
    groups = served.coalitions.weights.shape[1]
    return ForwardModel(forward_graph(served), inputs=len(served.encoder.inputs), groups=groups)


def rows() -> NDArray[np.float64]:
    return gate_rows(studied().x, model("extra_trees").encoder.inputs, 0)


@pytest.mark.parametrize("learner", LEARNERS)
def test_graph_agrees_with_its_estimator(learner: str) -> None:
    """On training rows, mixtures, gaps and unknown categories, far below the bound of the gate."""
    served = model(learner)
    agreement = compare(forward_graph(served), served, rows(), float(studied().problem.y.std()))
    assert agreement.mean < MAX_RELATIVE_ERROR / 100
    assert agreement.others < MAX_RELATIVE_ERROR


@pytest.mark.parametrize("learner", LEARNERS)
def test_contributions_add_up(learner: str) -> None:
    """Contributions are what separates an answer from that for the baseline recipe."""
    answer = loaded(model(learner)).predict(rows())
    np.testing.assert_allclose(
        answer["contributions"].sum(axis=1, keepdims=True) + model(learner).baseline_mean, answer["mean"], rtol=1e-4
    )


def test_baseline_recipe_has_no_contributions() -> None:
    """The baseline does nothing differently from itself."""
    served = model("gaussian_process")
    answer = loaded(served).predict(served.baseline[None])
    np.testing.assert_allclose(answer["contributions"], 0.0, atol=1e-3)


def test_group_that_is_left_as_it_was_contributes_nothing() -> None:
    """Only what is changed from the baseline is given credit, and all of it."""
    served = model("gaussian_process")
    x = served.baseline.copy()
    temperature = next(j for j, i in enumerate(served.encoder.inputs) if i.field == "property.test_temperature")
    x[temperature] = 800.0 if x[temperature] < 700 else 25.0
    answer = loaded(served).predict(x[None])
    credit = np.abs(answer["contributions"][0]) > 1e-3
    assert credit.sum() == 1
    assert answer["contributions"].sum() == pytest.approx(float(answer["mean"][0, 0]) - served.baseline_mean, rel=1e-4)


def test_leaf_weights_reproduce_the_forest() -> None:
    """A forest's answer is the mean of the training values, weighted by how often they share a leaf."""
    served, problem = model("extra_trees"), studied().problem
    assert isinstance(served.fitted, Forest)
    z = served.encoder.encode(rows())
    weights = leaf_weights(served.fitted, z)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(weights @ problem.t, served.fitted.predict(z), rtol=1e-5)


def test_support_of_a_forest_are_the_heaviest_rows() -> None:
    """Support points into the training rows, heaviest first, with the exact weights."""
    served = model("extra_trees")
    assert isinstance(served.fitted, Forest)
    answer = loaded(served).predict(rows())
    weights = leaf_weights(served.fitted, served.encoder.encode(rows()))
    np.testing.assert_allclose(
        np.take_along_axis(weights, answer["support"], axis=1), answer["support_weight"], atol=1e-6
    )
    np.testing.assert_allclose(-np.sort(-weights, axis=1)[:, :5], answer["support_weight"], atol=1e-6)


@pytest.mark.parametrize("learner", ["gaussian_process", "gradient_boosting"])
def test_support_of_others_is_the_nearest_rows(learner: str) -> None:
    """A training row is its own best support, and the weights of the five add up to 1."""
    answer = loaded(model(learner)).predict(studied().x)
    assert (answer["support"][:, 0] == np.arange(len(studied().x))).all()
    np.testing.assert_allclose(answer["support_weight"].sum(axis=1), 1.0, rtol=1e-5)
    assert (np.diff(answer["support_weight"], axis=1) <= 0).all()


def test_domain_tells_known_from_strange() -> None:
    """A training row scores 0; a pure metal at a heat nobody tested scores above 1."""
    served = model("gaussian_process")
    strange = studied().x[:1].copy()
    strange[0, :5] = [100.0, 0.0, 0.0, 0.0, 0.0]
    strange[0, -1] = 1400.0
    score = loaded(served).predict(np.vstack([studied().x[:1], strange]))["domain"]
    assert score[0, 0] == pytest.approx(0.0, abs=1e-3)
    assert score[1, 0] > 1.0


@pytest.mark.parametrize("learner", LEARNERS)
def test_interval_and_std_are_of_one_distribution(learner: str) -> None:
    """On the learnt scale lower and upper stand 1.645 deviations from the mean, and std is half of one to either side."""
    served = model(learner)
    answer = {
        name: values.astype(np.float64)[:, 0] for name, values in loaded(served).predict(rows()).items() if name in FOUR
    }
    scale = {"identity": lambda v: v, "sqrt": np.sqrt, "log": np.log}[served.transform]
    back = {"identity": lambda v: v, "sqrt": np.square, "log": np.exp}[served.transform]
    centre = scale(answer["mean"])
    deviation = (scale(answer["upper"]) - centre) / QUANTILE
    inside = answer["lower"] > 0
    np.testing.assert_allclose((centre - scale(answer["lower"]))[inside] / QUANTILE, deviation[inside], rtol=2e-3)
    np.testing.assert_allclose(answer["std"], 0.5 * (back(centre + deviation) - back(centre - deviation)), rtol=5e-3)
    assert (0.5 * (answer["upper"] - answer["lower"]) >= answer["std"]).all()


@pytest.mark.parametrize("learner", LEARNERS)
def test_no_answer_is_surer_than_the_noise_floor(learner: str) -> None:
    """Even at a training row the deviation is at least what remained where out-of-fold rows were known best."""
    served, problem = model(learner), studied().problem
    residuals = problem.t - studied().grouped.answers[learner].t
    centre, deviation = served.distribution(rows())
    assert deviation.min() >= served.spread.noise_floor * (1 - 1e-9)
    assert served.spread.noise_floor > 0.2 * half_width(residuals) / QUANTILE
    assert len(centre) == len(deviation) == len(rows())


def test_std_does_not_fall_away_from_the_data() -> None:
    """The standard deviation is positive, and no smaller where nothing was measured."""
    served = model("gaussian_process")
    far = studied().x[:1].copy()
    far[0, :5] = [100.0, 0.0, 0.0, 0.0, 0.0]
    near_std, far_std = loaded(served).predict(np.vstack([studied().x[:1], far]))["std"][:, 0]
    assert 0 < near_std <= far_std * 1.0001


def test_gate_refuses_a_graph_that_is_slightly_wrong() -> None:
    """A graph whose leaves are off by half a per cent is not let through, though everything beside the mean could pass."""
    served = model("gradient_boosting")
    wrong = replace(served, fitted=replace(served.fitted, scale=served.fitted.scale * 1.005))  # type: ignore[type-var, attr-defined]  # a learner with a scale
    assert compare(forward_graph(wrong), served, rows(), float(studied().problem.y.std())).others < MAX_OTHER_ERROR
    with pytest.raises(ModelError, match="differs from its estimator"):
        check(forward_graph(wrong), served, rows(), float(studied().problem.y.std()))


@pytest.mark.parametrize("change", [{"spread": Spread(1.0, 0.0, 1.0)}, {"transform": "log"}])
def test_gate_refuses_other_wrong_outputs(change: dict[str, object]) -> None:
    """An interval or a scale that is not the model's is found as well."""
    served = model("gradient_boosting")
    with pytest.raises(ModelError):
        check(forward_graph(replace(served, **change)), served, rows(), float(studied().problem.y.std()))  # type: ignore[arg-type]  # by name


def wrong_for(*names: str):  # type: ignore[no-untyped-def]  # an export function
    def export(served: Served) -> bytes:
        wrong = (
            replace(served, spread=replace(served.spread, level=4 * served.spread.level))
            if served.learner in names
            else served
        )
        return forward_graph(wrong)

    return export


def test_next_best_is_published_when_the_best_fails() -> None:
    """A learner whose graph is wrong gives way to the next one."""
    one, inputs = studied(), model("extra_trees").encoder.inputs
    groups = contribution_groups(inputs, [one.importance])
    best, second, _ = one.grouped.order
    assert pass_gate(one, inputs, groups).served.learner == best
    assert pass_gate(one, inputs, groups, wrong_for(best)).served.learner == second


def test_nothing_is_published_when_all_graphs_fail() -> None:
    """Without any learner that agrees there is no model, and the sentence names target and learners."""
    one, inputs = studied(), model("extra_trees").encoder.inputs
    groups = contribution_groups(inputs, [one.importance])
    with pytest.raises(ModelError, match=r"yield_strength\.tension: no learner.*extra_trees"):
        pass_gate(one, inputs, groups, wrong_for(*LEARNERS))


def test_baseline_has_no_graph() -> None:
    """Mean and ridge are there to be compared with, not to be served."""
    problem = studied().problem
    wrong = replace(model("extra_trees"), fitted=fit_mean(problem.z, problem.t, 0))
    with pytest.raises(ModelError, match="baseline"):
        forward_graph(wrong)


def test_thresholds_round_down() -> None:
    """For every float32 x, x ≤ t is x ≤ the rounded t, also where t lies between two float32."""
    t = np.array([0.1, 1.0, -0.1, 1e-30, 16777217.0])
    rounded = round_down(t)
    assert (rounded <= t).all()
    for x in (rounded.astype(np.float32), np.nextafter(rounded.astype(np.float32), np.float32(np.inf))):
        np.testing.assert_array_equal(x.astype(np.float64) <= t, x <= rounded.astype(np.float32))


@pytest.mark.parametrize("learner", LEARNERS)
def test_interval_stays_within_what_is_possible(learner: str) -> None:
    """Where the field has a hard bound, lower and upper end there, in the graph as in the reference."""
    free = model(learner)
    answer = loaded(free).predict(rows())
    low, high = float(np.median(answer["lower"])), float(np.median(answer["upper"]))
    bounded = replace(free, possible=Bounds(low, high))
    found = loaded(bounded).predict(rows())
    np.testing.assert_allclose(found["lower"], np.maximum(answer["lower"], np.minimum(answer["mean"], low)), rtol=1e-6)
    np.testing.assert_allclose(found["upper"], np.minimum(answer["upper"], np.maximum(answer["mean"], high)), rtol=1e-6)
    assert (
        compare(forward_graph(bounded), bounded, rows(), float(studied().problem.y.std())).others < MAX_RELATIVE_ERROR
    )
    assert (found["lower"] > answer["lower"]).any()
