"""Trees as one TreeEnsembleRegressor node whose leaves may carry several numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojae_trainer.onnx_builder import GraphBuilder

LeafNumbers = Callable[[int, int, float], Sequence[tuple[int, float]]]
"""From tree, leaf and the leaf's value to (column, number) pairs; numbers of a column add up over trees."""


def emit_trees(graph: GraphBuilder, z: str, trees: Sequence[Any], columns: int, numbers: LeafNumbers) -> str:
    """Return the name of [n, columns], float32, from trees of scikit-learn (their `tree_`).

    scikit-learn casts its input to float32 and compares with a double threshold, so a threshold is rounded down: for
    every float32 x, x ≤ t and x ≤ ⌊t⌋₃₂ are the same.
    """
    nodes = [_nodes(place, tree) for place, tree in enumerate(trees)]
    attributes = {f"nodes_{name}": np.concatenate([n[name] for n in nodes]).tolist() for name in nodes[0]}
    leaves = [
        (place, int(leaf), column, number)
        for place, tree in enumerate(trees)
        for leaf in np.flatnonzero(tree.children_left < 0)
        for column, number in numbers(place, int(leaf), float(tree.value[leaf, 0, 0]))
    ]
    for name, values in zip(("treeids", "nodeids", "ids", "weights"), zip(*leaves, strict=True), strict=True):
        attributes[f"target_{name}"] = list(values)
    return graph.add(
        "TreeEnsembleRegressor",
        z,
        domain="ai.onnx.ml",
        n_targets=columns,
        aggregate_function="SUM",
        post_transform="NONE",
        **attributes,
    )


def _nodes(place: int, tree: Any) -> dict[str, NDArray[Any]]:
    """Return the node attributes of one tree, named as ONNX has them."""
    inner = tree.children_left >= 0
    return {
        "featureids": np.where(inner, tree.feature, 0),
        "modes": np.where(inner, "BRANCH_LEQ", "LEAF"),
        "values": np.where(inner, round_down(tree.threshold), 0.0),
        "truenodeids": np.where(inner, tree.children_left, 0),
        "falsenodeids": np.where(inner, tree.children_right, 0),
        "treeids": np.full(tree.node_count, place),
        "nodeids": np.arange(tree.node_count),
    }


def round_down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest float32 ≤ each value."""
    near = values.astype(np.float32)
    lower = np.nextafter(near, np.float32(-np.inf))
    return np.where(near.astype(np.float64) > values, lower, near).astype(np.float64)
