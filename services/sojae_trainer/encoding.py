"""From x, one column an input, to z, what learners see: numbers as they are, each category as columns of 0 and 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojae.domain.model import ModelInput
from sojae_trainer.onnx_builder import GraphBuilder

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Encoder:
    """The coding of one project; `origin[k]` is the input that column k of z comes from."""

    inputs: tuple[ModelInput, ...]

    @property
    def numeric(self) -> list[int]:
        """Return the inputs that are numbers, which come first in z."""
        return [j for j, one in enumerate(self.inputs) if one.kind != "category"]

    @property
    def categorical(self) -> list[int]:
        """Return the inputs that are categories, which follow in z, one column for each category."""
        return [j for j, one in enumerate(self.inputs) if one.kind == "category"]

    @property
    def origin(self) -> list[int]:
        """Return for each column of z the input that it comes from."""
        return self.numeric + [j for j in self.categorical for _ in self.inputs[j].categories]

    @property
    def ranges(self) -> NDArray[np.float64]:
        """Return the observed range of every column of z, shape [p]."""
        numbers = [self.inputs[j].high - self.inputs[j].low for j in self.numeric]
        return np.array([*numbers, *(1.0 for j in self.categorical for _ in self.inputs[j].categories)])

    def encode(self, x: NDArray[Any]) -> Matrix:
        """Return z of shape [n, p] in float64, without NaN."""
        filled = np.where(np.isnan(x), np.array([one.imputed for one in self.inputs]), x)
        parts = [filled[:, self.numeric]]
        parts += [filled[:, [j]] == np.arange(len(self.inputs[j].categories)) for j in self.categorical]
        return np.hstack(parts).astype(np.float64)

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """Return the name of z, float32, worked out in a graph from `x` of shape [n, d]."""
        means = graph.constant(_floats([one.imputed for one in self.inputs]))
        filled = graph.add("Where", graph.add("IsNaN", x), means, x)
        parts = []
        if self.numeric:
            parts.append(graph.add("Gather", filled, graph.constant(np.array(self.numeric)), axis=1))
        for j in self.categorical:
            column = graph.add("Gather", filled, graph.constant(np.array([j])), axis=1)
            codes = graph.constant(_floats(range(len(self.inputs[j].categories))))
            parts.append(graph.cast(graph.add("Equal", column, codes), np.float32))
        return graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]


def _floats(values: Sequence[float]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)
