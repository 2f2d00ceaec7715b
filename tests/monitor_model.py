"""A model small enough to be checked by hand: a weighted sum of a few inputs, on a shelf like a trained one."""

import datetime as dt
from collections.abc import Mapping

import msgspec
import numpy as np

from sojae.adapters.onnx import FORWARD_OUTPUTS
from sojae.domain.model import CARD_FILE, Card, Dataset, InputGroup, Library, Manifest, ModelInput, TargetModel
from sojae.domain.text import Text
from sojae_trainer.onnx_builder import GraphBuilder, Port

NAME = Text(ko="이름", en="name")
QUANTILE = 1.645
DATASET = Dataset(rows=50, left_out={}, materials_version=1, events_version=2, templates={}, records=50)
WIDTHS = {"contributions": 1, "support": 5, "support_weight": 5}


def number(field: str) -> ModelInput:
    """Return a numeric input of 0 to 1 that is imputed by 0."""
    return ModelInput(field=field, label=NAME, role="input", kind="number", imputed=0.0, low=0.0, high=1.0)


def target(name: str = "peak_power_density", transform: str = "identity") -> TargetModel:
    """Return the description of a target whose answers are normal on the scale of `transform`."""
    return TargetModel(
        name=name,
        field=name.partition(".")[0],
        label=NAME,
        unit="mW/cm2",
        file=f"forward/{name}.onnx",
        learner="ridge",
        transform=transform,  # type: ignore[arg-type]
        training_rows=(),
        low=0.0,
        high=1.0,
        interval_random=1.0,
        interval_grouped=1.0,
        baseline=0.0,
        baseline_record="",
        interval_quantile=QUANTILE,
    )


def weighted_sum(weights: Mapping[str, float], deviation: float) -> bytes:
    """Return a forward graph: the sum of weight times input, NaN counting as 0, with a constant deviation."""
    graph = GraphBuilder()
    x = graph.add("Where", graph.add("IsNaN", "x"), graph.constant(0.0), "x")
    mean = graph.add("MatMul", x, graph.constant(np.array([[w] for w in weights.values()], np.float32)))
    reach = graph.constant(QUANTILE * deviation)
    told = {"mean": mean, "lower": graph.add("Sub", mean, reach), "upper": graph.add("Add", mean, reach)}
    zero = graph.add("Mul", mean, graph.constant(0.0))
    for name, kind in FORWARD_OUTPUTS.items():
        wide = graph.add("Expand", told.get(name, zero), graph.constant(np.array([1, WIDTHS.get(name, 1)])))
        graph.name_output(graph.cast(wide, kind), name)
    ports = [Port(name, kind, ["n", WIDTHS.get(name, 1)]) for name, kind in FORWARD_OUTPUTS.items()]
    return graph.finish([Port("x", np.float32, ["n", len(weights)])], ports)


def model(project: str, weights: Mapping[str, float], deviation: float = 3.0) -> tuple[Manifest, dict[str, bytes]]:
    """Return manifest and files of one version, as `ModelShelf.publish` takes them."""
    one = target()
    manifest = Manifest(
        project=project,
        created=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        inputs=tuple(number(field) for field in weights),
        groups=(InputGroup(name="all", label=NAME, inputs=tuple(range(len(weights)))),),
        targets=(one,),
        library=Library(rows=0, measured=(), conditions={}),
        dataset=DATASET,
        software={},
    )
    card = Card(
        project=project,
        dataset=DATASET,
        targets=(),
        skipped_targets=(),
        ignored_inputs=(),
        library_rows=0,
        library_unmeasured=0,
        limits=(),
    )
    return manifest, {CARD_FILE: msgspec.json.encode(card), one.file: weighted_sum(weights, deviation)}
