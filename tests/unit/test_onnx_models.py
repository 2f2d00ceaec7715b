"""Model graphs in onnxruntime: exactly the signature that callers rely on, and nothing that only looks like one."""

from functools import cache

import numpy as np
import onnxruntime as ort
import pytest

from sojae.adapters.onnx import BATCH_ROWS, FORWARD_OUTPUTS, ForwardModel, InverseModel
from sojae.domain.errors import ModelError, UserInputError
from sojae_trainer.onnx_builder import GraphBuilder, Port
from tests.unit.trainer_law import TARGET, trained

FLOAT, INT = "tensor(float)", "tensor(int64)"


@cache
def forward() -> ForwardModel:
    manifest = trained().manifest
    content = trained().files[manifest.target(TARGET).file]
    return ForwardModel(content, inputs=len(manifest.inputs), groups=len(manifest.groups))


@cache
def inverse() -> InverseModel:
    manifest = trained().manifest
    return InverseModel(trained().files["inverse.onnx"], inputs=len(manifest.inputs), targets=len(manifest.targets))


def signature(content: bytes) -> tuple[list[tuple[str, str, object]], list[tuple[str, str, object]]]:
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    inputs = [(i.name, i.type, i.shape) for i in session.get_inputs()]
    return inputs, [(o.name, o.type, o.shape) for o in session.get_outputs()]


def test_forward_graph_has_the_agreed_signature() -> None:
    """Names, order, types and shapes of the forward graph."""
    manifest = trained().manifest
    d, groups = len(manifest.inputs), len(manifest.groups)
    for target in manifest.targets:
        inputs, outputs = signature(trained().files[target.file])
        assert inputs == [("x", FLOAT, ["n", d])]
        assert outputs == [
            ("mean", FLOAT, ["n", 1]),
            ("std", FLOAT, ["n", 1]),
            ("lower", FLOAT, ["n", 1]),
            ("upper", FLOAT, ["n", 1]),
            ("domain", FLOAT, ["n", 1]),
            ("contributions", FLOAT, ["n", groups]),
            ("support", INT, ["n", 5]),
            ("support_weight", FLOAT, ["n", 5]),
        ]


def test_inverse_graph_has_the_agreed_signature() -> None:
    """Names, order, types and shapes of the inverse graph."""
    manifest = trained().manifest
    d, t = len(manifest.inputs), len(manifest.targets)
    inputs, outputs = signature(trained().files["inverse.onnx"])
    assert inputs == [
        ("target", FLOAT, [t]),
        ("tolerance", FLOAT, [t]),
        ("lower", FLOAT, [d]),
        ("upper", FLOAT, [d]),
        ("max_cost", FLOAT, [1]),
        ("top_k", INT, [1]),
    ]
    assert outputs == [
        ("design", FLOAT, ["k", d]),
        ("mean", FLOAT, ["k", t]),
        ("std", FLOAT, ["k", t]),
        ("hit_probability", FLOAT, ["k"]),
        ("distance", FLOAT, ["k"]),
        ("library_row", INT, ["k"]),
    ]


@pytest.mark.parametrize("rows", [0, 1, 2, BATCH_ROWS, BATCH_ROWS + 1])
def test_any_number_of_rows_is_answered(rows: int) -> None:
    """Batches are cut and joined without a seam."""
    d = forward().inputs
    x = np.random.default_rng(0).uniform(0, 50, (rows, d))
    answer = forward().predict(x)
    assert {name: (len(a), a.dtype) for name, a in answer.items()} == {
        name: (rows, np.dtype(kind)) for name, kind in FORWARD_OUTPUTS.items()
    }
    if rows:
        np.testing.assert_array_equal(answer["mean"][-1], forward().predict(x[-1:])["mean"][0])


def test_only_asked_outputs_are_given() -> None:
    """A caller who wants mean and std gets these two."""
    x = np.full((1, forward().inputs), np.nan)
    assert list(forward().predict(x, ["std", "mean"])) == ["std", "mean"]


def test_missing_values_are_imputed_in_the_graph() -> None:
    """NaN gives the answer of the imputed recipe."""
    inputs = trained().manifest.inputs
    nothing = forward().predict(np.full((1, len(inputs)), np.nan))
    imputed = forward().predict([[i.imputed for i in inputs]])
    for name, array in nothing.items():
        np.testing.assert_array_equal(array, imputed[name])


@pytest.mark.parametrize("shape", [(3,), (1, 2), (1, 2, 3)])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    """The sentence says the shape that was got and the one that was expected."""
    with pytest.raises(UserInputError, match=r"x has shape \[.*expected \[n, 9\]"):
        forward().predict(np.zeros(shape))


def test_wrong_length_of_a_query_is_refused() -> None:
    """The sentence says which input of the query is wrong."""
    with pytest.raises(UserInputError, match=r"target has shape \[7\], expected \[2\]"):
        inverse().query(np.zeros(7))
    with pytest.raises(UserInputError, match="lower"):
        inverse().query(np.zeros(2), bounds=(np.zeros(3), np.zeros(9)))


def test_bytes_that_are_no_graph_are_a_model_error() -> None:
    """A file that onnxruntime cannot read is told as a broken model."""
    with pytest.raises(ModelError, match="forward graph"):
        ForwardModel(b"not a graph", inputs=9, groups=3)
    with pytest.raises(ModelError, match="inverse graph"):
        InverseModel(b"", inputs=9, targets=2)


def test_graph_cut_short_is_a_model_error() -> None:
    """Half a file is no model."""
    content = trained().files["inverse.onnx"]
    with pytest.raises(ModelError):
        InverseModel(content[: len(content) // 2], inputs=9, targets=2)


def test_graphs_are_not_taken_for_each_other() -> None:
    """A forward graph is no inverse graph: names decide."""
    manifest = trained().manifest
    with pytest.raises(ModelError, match="inputs"):
        InverseModel(trained().files[manifest.targets[0].file], inputs=9, targets=2)


def test_other_width_is_a_model_error() -> None:
    """A graph for another number of inputs, groups or targets does not pass its trial."""
    manifest = trained().manifest
    with pytest.raises(ModelError):
        ForwardModel(trained().files[manifest.targets[0].file], inputs=8, groups=len(manifest.groups))
    with pytest.raises(ModelError, match="contributions"):
        ForwardModel(trained().files[manifest.targets[0].file], inputs=9, groups=len(manifest.groups) + 1)
    with pytest.raises(ModelError):
        InverseModel(trained().files["inverse.onnx"], inputs=9, targets=3)


def test_graph_that_answers_nan_is_a_model_error() -> None:
    """The trial at load time finds a graph that answers, but not with numbers."""
    graph = GraphBuilder()
    for name, kind in FORWARD_OUTPUTS.items():
        width = {"contributions": 3, "support": 5, "support_weight": 5}.get(name, 1)
        wide = graph.add("Expand", "x", graph.constant(np.array([1, width])))
        graph.name_output(graph.cast(wide, kind), name)
    ports = [
        Port(name, kind, ["n", {"contributions": 3, "support": 5, "support_weight": 5}.get(name, 1)])
        for name, kind in FORWARD_OUTPUTS.items()
    ]
    content = graph.finish([Port("x", np.float32, ["n", 1])], ports)
    with pytest.raises(ModelError, match="mean is"):
        ForwardModel(content, inputs=1, groups=3)
