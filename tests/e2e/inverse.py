"""Inverse designs asked over HTTP and judged by the simulator's law without noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sojae.adapters.template_files import TemplateBook
from sojae.domain.template import STAGES
from sojae_simulator.heldout import held_out_targets, judge, target_range

JSON = dict[str, Any]
PROPOSALS = 5


@dataclass(frozen=True, slots=True)
class HitRates:
    """Share of queries in which one of the first five hits: designs, and the five nearest measured records."""

    queries: int
    designs: float
    first_design: float
    nearest_records: float


def hit_rates(client: httpx.Client, project: str, book: TemplateBook, *, queries: int, seed: int) -> HitRates:
    """Ask for properties of draws that were never sent, with their conditions, and judge what comes back."""
    questions = held_out_targets(project, seed, queries, book=book)
    span = target_range(project, questions[0].target, book=book)
    manifest = client.get(f"/v1/projects/{project}/models/latest").json()["manifest"]
    used = {i["field"].split(".")[-1] for i in manifest["inputs"]}  # what never varied is no input: nothing to hold to
    designs = first = records = 0
    for question in questions:
        conditions = {name.split("__", 1)[1]: value for name, value in question.conditions.items()}
        conditions = {name: value for name, value in conditions.items() if name in used}
        body = {"targets": {question.target: {"value": question.value}}, "conditions": conditions, "top_k": PROPOSALS}
        answer = client.post(f"/v1/projects/{project}/design", json=body)
        assert answer.status_code == 200, answer.text
        proposed = [judge(question, columns(_whole(d), project, book), span).hit for d in answer.json()["designs"]]
        nearest = [judge(question, columns(_whole(n), project, book), span).hit for n in answer.json()["baseline"]]
        designs += any(proposed)
        first += proposed[:1] == [True]
        records += any(nearest)
    return HitRates(queries, designs / queries, first / queries, records / queries)


def _whole(told: JSON) -> JSON:
    return {**told["inputs"], **told["conditions"]}


def columns(inputs: Mapping[str, object], project: str, book: TemplateBook) -> dict[str, object]:
    """Return a design's inputs in the columns of the materials view: `<stage>__<field>`, `composition__el__<El>`."""
    stage_of = {f.name: stage for stage in reversed(STAGES) for f in book.get(project, stage).fields}
    found: dict[str, object] = {}
    for name, value in inputs.items():
        if isinstance(value, dict):
            found |= {f"{stage_of[name]}__el__{element}": amount for element, amount in value.items()}
        elif value is not None:
            found[f"{stage_of[name]}__{name}"] = value
    return found
