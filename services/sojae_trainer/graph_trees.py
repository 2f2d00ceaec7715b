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
    nodes: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("feature", "mode", "value", "true", "false", "tree", "node")
    }
    leaves: dict[str, list[float]] = {name: [] for name in ("tree", "node", "column", "number")}
    for place, tree in enumerate(trees):
        inner = tree.children_left >= 0
        nodes["feature"].append(np.where(inner, tree.feature, 0))
        nodes["mode"].append(np.where(inner, "BRANCH_LEQ", "LEAF"))
        nodes["value"].append(np.where(inner, round_down(tree.threshold), 0.0))
        nodes["true"].append(np.where(inner, tree.children_left, 0))
        nodes["false"].append(np.where(inner, tree.children_right, 0))
        nodes["tree"].append(np.full(tree.node_count, place))
        nodes["node"].append(np.arange(tree.node_count))
        for leaf in np.flatnonzero(~inner):
            for column, number in numbers(place, int(leaf), float(tree.value[leaf, 0, 0])):
                leaves["tree"].append(place)
                leaves["node"].append(int(leaf))
                leaves["column"].append(column)
                leaves["number"].append(number)
    flat = {name: np.concatenate(parts).tolist() for name, parts in nodes.items()}
    return graph.add(
        "TreeEnsembleRegressor",
        z,
        domain="ai.onnx.ml",
        n_targets=columns,
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_featureids=flat["feature"],
        nodes_modes=flat["mode"],
        nodes_values=flat["value"],
        nodes_truenodeids=flat["true"],
        nodes_falsenodeids=flat["false"],
        nodes_treeids=flat["tree"],
        nodes_nodeids=flat["node"],
        target_treeids=leaves["tree"],
        target_nodeids=leaves["node"],
        target_ids=leaves["column"],
        target_weights=leaves["number"],
    )


def round_down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest float32 ≤ each value."""
    near = values.astype(np.float32)
    lower = np.nextafter(near, np.float32(-np.inf))
    return np.where(near.astype(np.float64) > values, lower, near).astype(np.float64)
