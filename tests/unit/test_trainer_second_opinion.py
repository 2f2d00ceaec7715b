"""The graphs of tree models against those of an independent exporter, skl2onnx, run by the same runtime."""

import numpy as np
import onnxruntime as ort
import pytest
from skl2onnx import to_onnx

from tests.unit.test_trainer_graphs import loaded, model, rows, studied

TARGET_OPSET = {"": 18, "ai.onnx.ml": 3}
"""The opsets that skl2onnx writes right for these models."""


@pytest.mark.parametrize("learner", ["extra_trees", "gradient_boosting"])
def test_two_exporters_agree(learner: str) -> None:
    """Both graphs give the same mean, within what float32 can tell."""
    served = model(learner)
    z = served.encoder.encode(rows()).astype(np.float32)
    other = to_onnx(served.fitted.estimator, z[:1], target_opset=TARGET_OPSET)
    session = ort.InferenceSession(other.SerializeToString(), providers=["CPUExecutionProvider"])
    standard = session.run(None, {session.get_inputs()[0].name: z})[0][:, 0].astype(np.float64)
    t = served.fitted.centre + served.fitted.scale * standard
    expected = np.square(t) if served.transform == "sqrt" else np.exp(t) if served.transform == "log" else t
    sd = float(studied().problem.y.std())
    assert np.abs(loaded(served).predict(rows())["mean"][:, 0] - expected).max() < 1e-4 * sd
