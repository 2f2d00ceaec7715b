"""Plain ONNX graphs, node by node; names are counted, so the same calls give the same bytes."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import DTypeLike, NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
ML_OPSET = 3
IR_VERSION = 8
PRODUCER = "sojae"

_TYPES: dict[type, int] = {
    np.float32: TensorProto.FLOAT,
    np.float64: TensorProto.DOUBLE,
    np.int64: TensorProto.INT64,
    np.bool_: TensorProto.BOOL,
}


class GraphBuilder:
    """Collects nodes and constants, and writes the model."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[Any] | float) -> str:
        """Return the name of a constant; a plain number becomes a float32 scalar."""
        array = np.asarray(values, dtype=np.float32) if isinstance(values, float | int) else values
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return name

    def add(self, operator: str, *inputs: str, outputs: int = 0, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output; with `outputs`, the names go `name.0`, `name.1` …"""
        name = f"n{len(self._nodes)}"
        names = [f"{name}.{i}" for i in range(outputs)] or [name]
        self._nodes.append(helper.make_node(operator, list(inputs), names, name=name, domain=domain, **attributes))
        return name

    def cast(self, name: str, dtype: DTypeLike) -> str:
        """Return the name of a tensor cast to another type."""
        return self.add("Cast", name, to=_TYPES[np.dtype(dtype).type])

    def name_output(self, name: str, output: str) -> None:
        """Give an inner tensor the name under which it leaves the graph."""
        self._nodes.append(helper.make_node("Identity", [name], [output], name=f"output.{output}"))

    def finish(self, inputs: list["Port"], outputs: list["Port"]) -> bytes:
        """Return the serialised model, checked by onnx; raises onnx.checker.ValidationError on a mistake of ours."""
        graph = helper.make_graph(
            self._nodes, PRODUCER, [i.proto() for i in inputs], [o.proto() for o in outputs], self._constants
        )
        model = helper.make_model(
            graph,
            producer_name=PRODUCER,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)],
        )
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


class Port:
    """A named input or output of a graph, with its type and shape; a text is a free dimension."""

    def __init__(self, name: str, dtype: DTypeLike, shape: list[int | str]) -> None:
        self.name, self.dtype, self.shape = name, np.dtype(dtype), shape

    def proto(self) -> onnx.ValueInfoProto:
        """Return the ONNX description."""
        return helper.make_tensor_value_info(self.name, _TYPES[self.dtype.type], self.shape)
