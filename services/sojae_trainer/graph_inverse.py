"""The inverse graph of one project: a pre-scored library of designs, asked for a property under bounds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojae.domain.scale import Transform
from sojae_trainer.onnx_builder import GraphBuilder, Port
from sojae_trainer.transform import emit_forward

Floats = NDArray[np.float32]

DEFAULT_TOLERANCE = 0.05
"""Share of a target's observed range that is taken when the caller gives no tolerance."""
NEAR_BEST = 0.5
MISS_WEIGHT = 1e-4
EDGE = 1e-5
NEVER = -10.0
SURE = 9.0
"""Deviations beyond which a normal value never lies, in float32."""


@dataclass(frozen=True, slots=True)
class ScoredLibrary:
    """R designs with what every target's model says of them.

    `design` [R, d]; `mean` and `std` [R, t] in the targets' units, `centre` and `deviation` [R, t] of the same answers on
    their learnt scales (`transforms`); `distance` [R] to the nearest measured recipe (1 as in the domain score), `cost`
    [R], `cluster` [R]; `grids` the values of each numeric condition by input; `ranges` [t, 2] the observed range of every
    target, `possible` [t, 2] what it can be at all, infinite where nothing is said.
    """

    design: Floats
    mean: Floats
    std: Floats
    centre: Floats
    deviation: Floats
    transforms: tuple[Transform, ...]
    distance: Floats
    cost: Floats
    cluster: NDArray[np.int64]
    grids: dict[int, NDArray[np.float64]]
    ranges: Floats
    possible: Floats


def inverse_graph(library: ScoredLibrary) -> bytes:
    """Return the serialised graph with the inputs and outputs of architecture §6.

    hit probability = Π over targets of P(|Y − target| ≤ tolerance), Y being the very distribution that the forward graph
    reads mean, std, lower and upper from: normal on the learnt scale, and nothing beyond what is possible; a NaN target
    plays no part. The best design of each of 64 clusters of like designs comes first, if it is at least half as probable
    as the best of all; where no design can hit, the nearest come first. Rows that break a bound are never returned.
    """
    graph = GraphBuilder()
    design = graph.constant(library.design)
    mean, std = graph.constant(library.mean), graph.constant(library.std)
    probability, miss = _emit_hits(graph, library, mean)
    allowed = graph.add("And", _emit_within(graph, library, design), _emit_affordable(graph, library))
    score = graph.add("Sub", probability, graph.add("Mul", miss, graph.constant(MISS_WEIGHT)))
    score = graph.add("Where", allowed, score, graph.constant(NEVER))
    rows = _emit_choice(graph, library, score, allowed)
    outputs = {"design": design, "mean": mean, "std": std, "hit_probability": probability}
    for output, name in outputs.items():
        graph.name_output(graph.add("Gather", name, rows, axis=0), output)
    graph.name_output(graph.add("Gather", graph.constant(library.distance), rows, axis=0), "distance")
    graph.name_output(rows, "library_row")
    d, t = library.design.shape[1], library.mean.shape[1]
    return graph.finish(
        [
            Port("target", np.float32, [t]),
            Port("tolerance", np.float32, [t]),
            Port("lower", np.float32, [d]),
            Port("upper", np.float32, [d]),
            Port("max_cost", np.float32, [1]),
            Port("top_k", np.int64, [1]),
        ],
        [
            Port("design", np.float32, ["k", d]),
            Port("mean", np.float32, ["k", t]),
            Port("std", np.float32, ["k", t]),
            Port("hit_probability", np.float32, ["k"]),
            Port("distance", np.float32, ["k"]),
            Port("library_row", np.int64, ["k"]),
        ],
    )


def _emit_hits(graph: GraphBuilder, library: ScoredLibrary, mean: str) -> tuple[str, str]:
    """Return the names of the hit probability [R] and of the miss [R]: how far the means are off, in observed ranges."""
    width = np.maximum(library.ranges[:, 1] - library.ranges[:, 0], np.float32(1e-30))
    free = graph.add("IsNaN", "target")
    wanted = graph.add("Where", free, graph.constant(library.ranges[:, 0]), "target")
    default = graph.constant(np.float32(DEFAULT_TOLERANCE) * width)
    tolerance = graph.add("Where", graph.add("IsNaN", "tolerance"), default, "tolerance")
    below = _emit_share_below(graph, library, graph.add("Sub", wanted, tolerance), end=0)
    within = graph.add("Sub", _emit_share_below(graph, library, graph.add("Add", wanted, tolerance), end=1), below)
    inside = graph.add("Where", free, graph.constant(1.0), graph.add("Relu", within))
    missed = graph.add("Div", graph.add("Abs", graph.add("Sub", wanted, mean)), graph.constant(width))
    missed = graph.add("Where", free, graph.constant(0.0), missed)
    axis = graph.constant(np.array([1]))
    total = graph.add("ReduceSum", missed, axis, keepdims=0)
    bounded = graph.add("Div", total, graph.add("Add", total, graph.constant(1.0)))
    return graph.add("ReduceProd", inside, axis, keepdims=0), bounded


def _emit_share_below(graph: GraphBuilder, library: ScoredLibrary, edge: str, *, end: int) -> str:
    """Return the name of P(Y < edge) [R, t], `edge` [t] being the lower (0) or upper (1) end of a tolerance.

    What lies beyond the possible counts as its end: an edge there leaves nothing outside, and a tolerance that begins
    there nothing inside.
    """
    learnt = emit_forward(graph, library.transforms, edge)
    off = graph.add("Sub", learnt, graph.constant(library.centre))
    scaled = graph.add("Div", off, graph.constant(library.deviation))
    scaled = graph.add("Min", graph.add("Max", scaled, graph.constant(-SURE)), graph.constant(SURE))
    ends = _ends(library)
    beyond = graph.add(("LessOrEqual", "GreaterOrEqual")[end], edge, graph.constant(ends[:, end]))
    scaled = graph.add("Where", beyond, graph.constant((-SURE, SURE)[end]), scaled)
    past = graph.add(("Greater", "Less")[end], edge, graph.constant(ends[:, 1 - end]))
    scaled = graph.add("Where", past, graph.constant((SURE, -SURE)[end]), scaled)
    share = graph.add("Erf", graph.add("Mul", scaled, graph.constant(float(np.sqrt(0.5)))))
    return graph.add("Mul", graph.add("Add", share, graph.constant(1.0)), graph.constant(0.5))


def _ends(library: ScoredLibrary) -> Floats:
    """Return the least and the greatest value of every target, [t, 2]: roots and logarithms know nothing below 0."""
    ends = library.possible.astype(np.float32).copy()
    positive = np.array([one != "identity" for one in library.transforms])
    ends[:, 0] = np.where(positive, np.maximum(ends[:, 0], 0.0), ends[:, 0])
    return ends


def _emit_within(graph: GraphBuilder, library: ScoredLibrary, design: str) -> str:
    """Return the name of whether each row obeys the bounds.

    A numeric condition is met by the grid: when no grid value lies within the bounds, by the one nearest to their
    middle. So |value − middle| ≤ max(half of the width, distance of the nearest grid value to the middle).
    """
    d = library.design.shape[1]
    low, high = library.design.min(axis=0), library.design.max(axis=0)
    lower = graph.add("Where", graph.add("IsNaN", "lower"), graph.constant(low), "lower")
    upper = graph.add("Where", graph.add("IsNaN", "upper"), graph.constant(high), "upper")
    half = graph.add("Mul", graph.add("Sub", upper, lower), graph.constant(0.5))
    middle = graph.add("Mul", graph.add("Add", upper, lower), graph.constant(0.5))
    if library.grids:
        longest = max(len(grid) for grid in library.grids.values())
        grid = np.full((longest, d), np.float32(3e38))
        for j, values in library.grids.items():
            grid[: len(values), j] = values
        away = graph.add("Abs", graph.add("Sub", graph.constant(grid), middle))
        nearest = graph.add("ReduceMin", away, graph.constant(np.array([0])), keepdims=0)
        snaps = graph.constant(np.isin(np.arange(d), list(library.grids)))
        half = graph.add("Where", snaps, graph.add("Max", half, nearest), half)
    slack = graph.constant((EDGE * np.maximum(high - low, 1e-6)).astype(np.float32))
    off = graph.add("Abs", graph.add("Sub", design, middle))
    over = graph.add("Sub", off, graph.add("Add", half, slack))
    worst = graph.add("ReduceMax", over, graph.constant(np.array([1])), keepdims=0)
    return graph.add("LessOrEqual", worst, graph.constant(0.0))


def _emit_affordable(graph: GraphBuilder, library: ScoredLibrary) -> str:
    open_end = graph.add("IsNaN", "max_cost")
    cap = graph.add("Where", open_end, graph.constant(np.array([np.finfo(np.float32).max])), "max_cost")
    return graph.add("LessOrEqual", graph.constant(library.cost), cap)


def _emit_choice(graph: GraphBuilder, library: ScoredLibrary, score: str, allowed: str) -> str:
    """Return the name of the chosen rows, int64 [k], best score first."""
    axis = graph.constant(np.array([0]))
    cluster = graph.constant(library.cluster)
    none = graph.constant(np.full(int(library.cluster.max()) + 1, NEVER, np.float32))
    best = graph.add("ScatterElements", none, cluster, score, axis=0, reduction="max")
    is_best = graph.add("Equal", graph.add("Gather", best, cluster), score)
    top = graph.add("ReduceMax", score, axis, keepdims=1)
    near = graph.add("GreaterOrEqual", score, graph.add("Mul", top, graph.constant(NEAR_BEST)))
    first = graph.add("And", graph.add("And", is_best, near), allowed)
    ranked = graph.add("Add", score, graph.add("Mul", graph.cast(first, np.float32), graph.constant(2.0)))
    possible = graph.add("ReduceSum", graph.cast(allowed, np.int64), axis, keepdims=1)
    count = graph.add("Min", "top_k", possible)
    picked = graph.add("TopK", ranked, count, outputs=2, axis=0)
    again = graph.add("TopK", graph.add("Gather", score, f"{picked}.1"), count, outputs=2, axis=0)
    return graph.add("Gather", f"{picked}.1", f"{again}.1")
