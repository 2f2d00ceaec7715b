"""Model graphs in onnxruntime: one thread, signature checked and tried out once when they are loaded."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

from sojae.domain.errors import ModelError, UserInputError
from sojae.domain.model import SUPPORT_ROWS

Array = NDArray[Any]

FORWARD_OUTPUTS = {
    "mean": np.float32,
    "std": np.float32,
    "lower": np.float32,
    "upper": np.float32,
    "domain": np.float32,
    "contributions": np.float32,
    "support": np.int64,
    "support_weight": np.float32,
}
INVERSE_OUTPUTS = {
    "design": np.float32,
    "mean": np.float32,
    "std": np.float32,
    "hit_probability": np.float32,
    "distance": np.float32,
    "library_row": np.int64,
}
INVERSE_INPUTS = ("target", "tolerance", "lower", "upper", "max_cost", "top_k")
BATCH_ROWS = 32
"""Rows in one run of a forward graph: the coalitions of `contributions` multiply them, so memory is bounded here."""

_ONNX_TYPES: Mapping[type, str] = {np.float32: "tensor(float)", np.int64: "tensor(int64)"}


class ForwardModel:
    """One target's graph: what property a recipe gives."""

    def __init__(self, content: bytes, *, inputs: int, groups: int) -> None:
        """Load the graph and try it out; raises ModelError when it is not a forward graph of this shape."""
        self._session = _session(content, "forward graph")
        _check_signature(self._session, ("x",), FORWARD_OUTPUTS, "forward graph")
        self.inputs = inputs
        self._widths = {"contributions": groups, "support": SUPPORT_ROWS, "support_weight": SUPPORT_ROWS}
        self._try_out()

    def predict(self, x: ArrayLike, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Return the arrays of architecture §6 by name for x of shape [n, d]; NaN in x is imputed by the graph.

        Only what `outputs` names is worked out (default: everything). Raises UserInputError on another shape.
        """
        rows = np.ascontiguousarray(x, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.inputs:
            raise UserInputError(
                en=f"x has shape {list(rows.shape)}, expected [n, {self.inputs}]",
                ko=f"x의 형태가 {list(rows.shape)}입니다. [n, {self.inputs}]이어야 합니다",
            )
        names = list(FORWARD_OUTPUTS) if outputs is None else list(outputs)
        if not len(rows):
            return {name: np.empty((0, self._widths.get(name, 1)), FORWARD_OUTPUTS[name]) for name in names}
        parts = [_run(self._session, names, {"x": rows[s : s + BATCH_ROWS]}) for s in range(0, len(rows), BATCH_ROWS)]
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(names)}

    def _try_out(self) -> None:
        rows = 2
        answer = self.predict(np.full((rows, self.inputs), np.nan))
        for name, array in answer.items():
            expected = (rows, self._widths.get(name, 1))
            if array.shape != expected or not np.isfinite(array).all():
                raise _wrong("forward graph", f"{name} is {array.tolist()} for imputed rows", f"finite, {expected}")


class InverseModel:
    """One project's graph: which recipe gives a property."""

    def __init__(self, content: bytes, *, inputs: int, targets: int) -> None:
        """Load the graph and try it out; raises ModelError when it is not an inverse graph of this shape."""
        self._session = _session(content, "inverse graph")
        _check_signature(self._session, INVERSE_INPUTS, INVERSE_OUTPUTS, "inverse graph")
        self.inputs, self.targets = inputs, targets
        self._try_out()

    def query(
        self,
        target: ArrayLike,
        tolerance: ArrayLike | None = None,
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        *,
        max_cost: float = np.nan,
        top_k: int = 5,
    ) -> dict[str, Array]:
        """Return the best designs by name, best first; fewer than top_k when fewer obey the bounds.

        `target` and `tolerance` have shape [t]: NaN in target leaves a property free, NaN in tolerance takes 5 % of
        the observed range. `bounds` are lower and upper, each of shape [d]: NaN is open, lower = upper fixes an input.
        Raises UserInputError on another shape.
        """
        lower, upper = (None, None) if bounds is None else bounds
        feed = {
            "target": self._vector("target", target, self.targets),
            "tolerance": self._vector("tolerance", tolerance, self.targets),
            "lower": self._vector("lower", lower, self.inputs),
            "upper": self._vector("upper", upper, self.inputs),
            "max_cost": np.array([max_cost], np.float32),
            "top_k": np.array([max(top_k, 0)], np.int64),
        }
        return dict(zip(INVERSE_OUTPUTS, _run(self._session, list(INVERSE_OUTPUTS), feed), strict=True))

    @staticmethod
    def _vector(name: str, values: ArrayLike | None, length: int) -> Array:
        array = np.full(length, np.nan, np.float32) if values is None else np.asarray(values, np.float32)
        if array.shape != (length,):
            raise UserInputError(
                en=f"{name} has shape {list(array.shape)}, expected [{length}]",
                ko=f"{name}의 형태가 {list(array.shape)}입니다. [{length}]이어야 합니다",
            )
        return array

    def _try_out(self) -> None:
        answer = self.query(np.full(self.targets, np.nan), top_k=1)
        widths = {"design": (1, self.inputs), "mean": (1, self.targets), "std": (1, self.targets)}
        for name, array in answer.items():
            expected = widths.get(name, (1,))
            if array.shape != expected or not np.isfinite(array).all():
                raise _wrong("inverse graph", f"{name} is {array.tolist()} for an open query", f"finite, {expected}")


def _session(content: bytes, what: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # An arena keeps the most that any batch ever took, for every one of many models.
    options.enable_cpu_mem_arena = False
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _wrong(what, f"a file that onnxruntime refuses ({error})", "a valid ONNX file") from error


def _check_signature(
    session: ort.InferenceSession, inputs: Sequence[str], outputs: Mapping[str, type], what: str
) -> None:
    got_inputs = [i.name for i in session.get_inputs()]
    got = [(o.name, o.type) for o in session.get_outputs()]
    expected = [(name, _ONNX_TYPES[kind]) for name, kind in outputs.items()]
    if got_inputs != list(inputs) or got != expected:
        raise _wrong(what, f"inputs {got_inputs}, outputs {got}", f"{list(inputs)} and {expected}")


def _run(session: ort.InferenceSession, names: list[str], feed: Mapping[str, Array]) -> list[Array]:
    options = ort.RunOptions()
    options.only_execute_path_to_fetches = True
    try:
        return list(session.run(names, dict(feed), options))
    except Exception as error:
        raise _wrong("model graph", f"a failure at run time ({error})", "an answer") from error


def _wrong(what: str, got: str, expected: str) -> ModelError:
    return ModelError(
        en=f"{what}: got {got}, expected {expected}; the model must be trained again",
        ko=f"{what}: {got}입니다. {expected}이어야 합니다. 모델을 다시 학습해야 합니다",
    )
