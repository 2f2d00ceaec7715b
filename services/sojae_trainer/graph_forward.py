"""The forward graph of one target: from a recipe to a property, with interval, domain, contributions and support."""

import numpy as np

from sojae.domain.model import SUPPORT_ROWS
from sojae_trainer.graph_learners import emit_answer, emit_uncertain
from sojae_trainer.onnx_builder import GraphBuilder, Port
from sojae_trainer.served import Served
from sojae_trainer.transform import emit_inverse
from sojae_trainer.uncertainty import QUANTILE


def forward_graph(served: Served) -> bytes:
    """Return the serialised graph: x float32 [n, d] → the outputs of architecture §6, in that order."""
    graph = GraphBuilder()
    z = served.encoder.emit(graph, "x")
    t = emit_answer(graph, served.fitted, z)
    mean = emit_inverse(graph, served.transform, t)
    squares = served.space.emit_squares(graph, z)
    unrest, support, weight = emit_uncertain(graph, served.fitted, z, squares)
    deviation = _emit_deviation(graph, served, unrest)
    near_low, near_high = _emit_ends(graph, served, t, mean, deviation)
    lower, upper = _emit_ends(graph, served, t, mean, graph.add("Mul", deviation, graph.constant(QUANTILE)))
    nearest = graph.add("ReduceMin", squares, graph.constant(np.array([1])), keepdims=1)
    outputs = {
        "mean": mean,
        "std": graph.add("Mul", graph.add("Sub", near_high, near_low), graph.constant(0.5)),
        "lower": lower,
        "upper": upper,
        "domain": graph.cast(graph.add("Sqrt", nearest), np.float32),
        "contributions": _emit_contributions(graph, served, mean),
        "support": support,
        "support_weight": weight,
    }
    for output, name in outputs.items():
        graph.name_output(name, output)
    groups = served.coalitions.weights.shape[1]
    widths = {"contributions": groups, "support": SUPPORT_ROWS, "support_weight": SUPPORT_ROWS}
    return graph.finish(
        [Port("x", np.float32, ["n", len(served.encoder.inputs)])],
        [Port(o, np.int64 if o == "support" else np.float32, ["n", widths.get(o, 1)]) for o in outputs],
    )


def _emit_ends(graph: GraphBuilder, served: Served, t: str, mean: str, reach: str) -> tuple[str, str]:
    """Return the names of both ends, in the target's unit, of what lies within `reach` of t on the learnt scale."""
    lower = emit_inverse(graph, served.transform, graph.add("Sub", t, reach))
    upper = emit_inverse(graph, served.transform, graph.add("Add", t, reach))
    return _emit_low(graph, served, lower, mean), _emit_high(graph, served, upper, mean)


def _emit_low(graph: GraphBuilder, served: Served, lower: str, mean: str) -> str:
    low = served.possible.low
    return lower if low is None else graph.add("Max", lower, graph.add("Min", mean, graph.constant(low)))


def _emit_high(graph: GraphBuilder, served: Served, upper: str, mean: str) -> str:
    high = served.possible.high
    return upper if high is None else graph.add("Min", upper, graph.add("Max", mean, graph.constant(high)))


def _emit_deviation(graph: GraphBuilder, served: Served, unrest: str) -> str:
    spread = served.spread
    bounded = graph.add("Min", unrest, graph.constant(spread.ceiling))
    grown = graph.add("Mul", bounded, graph.constant(spread.slope))
    return graph.add("Sqrt", graph.add("Add", grown, graph.constant(spread.level)))


def _emit_contributions(graph: GraphBuilder, served: Served, mean: str) -> str:
    """Return the name of the Shapley values: every mixture of row and baseline goes through the model once more."""
    masks, weights = served.coalitions.masks, served.coalitions.weights
    own = graph.add("Sub", mean, graph.constant(served.baseline_mean))
    if not len(masks):
        return own  # one group: all of the difference is its own
    d = masks.shape[1]
    rows = graph.add("Unsqueeze", "x", graph.constant(np.array([1])))
    baseline = graph.constant(served.baseline.astype(np.float32))
    mixed = graph.add("Where", graph.constant(masks[None]), rows, baseline)
    flat = graph.add("Reshape", mixed, graph.constant(np.array([-1, d])))
    answers = emit_inverse(graph, served.transform, emit_answer(graph, served.fitted, served.encoder.emit(graph, flat)))
    inner = graph.add("Reshape", answers, graph.constant(np.array([-1, len(masks)])))
    above = graph.add("Sub", inner, graph.constant(served.baseline_mean))
    values = graph.add("Concat", above, own, axis=1)
    return graph.add("MatMul", values, graph.constant(weights[1:]))
