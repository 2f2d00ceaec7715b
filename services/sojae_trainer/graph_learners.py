"""The learners as plain ONNX: their answer on the learnt scale, what their error grows with, and who speaks for it."""

import numpy as np

from sojae.domain.errors import ModelError
from sojae.domain.model import SUPPORT_ROWS
from sojae_trainer.gaussian_process import GaussianProcess
from sojae_trainer.graph_trees import emit_trees
from sojae_trainer.learners import Boosting, Fitted, Forest, Process
from sojae_trainer.onnx_builder import GraphBuilder
from sojae_trainer.space import emit_squared_distances, emit_unrest


def emit_answer(graph: GraphBuilder, fitted: Fitted, z: str) -> str:
    """Return the name of the answer on the learnt scale, float32 [n, 1]; raises ModelError for what has no graph."""
    if isinstance(fitted, Forest):
        trees = [tree.tree_ for tree in fitted.estimator.estimators_]
        share = 1.0 / len(trees)
        mean = emit_trees(graph, z, trees, 1, lambda _tree, _leaf, value: [(0, share * value)])
        return _rescaled(graph, mean, fitted.scale, fitted.centre)
    if isinstance(fitted, Boosting):
        rate = float(fitted.estimator.learning_rate)
        stages = [tree.tree_ for tree in fitted.estimator.estimators_[:, 0]]
        total = emit_trees(graph, z, stages, 1, lambda _tree, _leaf, value: [(0, rate * value)])
        start = float(np.ravel(fitted.estimator.init_.constant_)[0])
        return _rescaled(graph, total, fitted.scale, fitted.centre + fitted.scale * start)
    if isinstance(fitted, Process):
        return _emit_process(graph, fitted.process, z)
    raise ModelError(
        en=f"{type(fitted).__name__} has no graph; it is a baseline and cannot be served",
        ko=f"{type(fitted).__name__}은(는) 기준 모델이므로 그래프가 없습니다",
    )


def emit_uncertain(graph: GraphBuilder, fitted: Fitted, z: str, squares: str) -> tuple[str, str, str]:
    """Return the names of unrest float32 [n, 1], support int64 [n, 5] and support weight float32 [n, 5].

    `squares` names the squared distances, float64 [n, N].
    """
    count = graph.constant(np.array([SUPPORT_ROWS]))
    if isinstance(fitted, Forest):
        unrest, weights = _emit_leaves(graph, fitted, z)
        top = graph.add("TopK", weights, count, outputs=2, axis=1)
        return unrest, f"{top}.1", f"{top}.0"
    top = graph.add("TopK", squares, count, outputs=2, axis=1, largest=0)
    halves = graph.add("Mul", graph.cast(f"{top}.0", np.float32), graph.constant(-0.5))
    nearest = graph.add("ReduceMin", squares, graph.constant(np.array([1])), keepdims=1)
    return graph.cast(emit_unrest(graph, nearest), np.float32), f"{top}.1", graph.add("Softmax", halves, axis=1)


def _emit_leaves(graph: GraphBuilder, forest: Forest, z: str) -> tuple[str, str]:
    """Return the names of the variance over trees [n, 1] and of every training row's share of the answer [n, N].

    One node: each leaf carries its value, the value squared, and 1 / rows for every training row that lies in it.
    """
    rows, trees = forest.leaves.shape
    members: list[dict[int, list[int]]] = [{} for _ in range(trees)]
    for row in range(rows):
        for tree in range(trees):
            members[tree].setdefault(int(forest.leaves[row, tree]), []).append(row)

    def numbers(tree: int, leaf: int, value: float) -> list[tuple[int, float]]:
        inside = members[tree][leaf]
        share = 1.0 / (trees * len(inside))
        return [(0, value / trees), (1, value**2 / trees), *((2 + row, share) for row in inside)]

    everything = emit_trees(graph, z, [t.tree_ for t in forest.estimator.estimators_], 2 + rows, numbers)
    parts = graph.add("Split", everything, graph.constant(np.array([1, 1, rows])), outputs=3, axis=1)
    mean = graph.add("Mul", f"{parts}.0", f"{parts}.0")
    variance = graph.add("Relu", graph.add("Sub", f"{parts}.1", mean))
    return graph.add("Mul", variance, graph.constant(forest.scale**2)), f"{parts}.2"


def _emit_process(graph: GraphBuilder, process: GaussianProcess, z: str) -> str:
    """Return the name of the answer of a Gaussian process: double inside, float32 at its end."""
    inside = graph.add("Max", graph.cast(z, np.float64), graph.constant(process.low))
    inside = graph.add("Min", inside, graph.constant(process.high))
    s = graph.add("Div", graph.add("Sub", inside, graph.constant(process.centre)), graph.constant(process.spread))
    here = graph.add("Mul", s, graph.constant(process.inverse_lengths))
    stored = graph.cast(graph.constant(np.ascontiguousarray(process.rows.T)), np.float64)
    rows = graph.add("Mul", stored, graph.constant(process.inverse_lengths[:, None]))
    norms = np.square(process.rows.astype(np.float64) * process.inverse_lengths).sum(axis=1)
    tripled = graph.add("Mul", emit_squared_distances(graph, here, rows, norms), graph.constant(np.array(3.0)))
    root = graph.add("Sqrt", tripled)
    decay = graph.add("Exp", graph.add("Neg", root))
    kernel = graph.add("Mul", graph.add("Add", root, graph.constant(np.array(1.0))), decay)
    weights = process.scale * process.signal * process.weights
    smooth = graph.add("MatMul", kernel, graph.constant(weights[:, None]))
    linear = graph.add("MatMul", s, graph.constant((process.scale * process.slope)[:, None]))
    total = graph.add("Add", graph.add("Add", smooth, linear), graph.constant(np.array(process.mean)))
    return graph.cast(total, np.float32)


def _rescaled(graph: GraphBuilder, name: str, scale: float, level: float) -> str:
    return graph.add("Add", graph.add("Mul", name, graph.constant(scale)), graph.constant(level))
