"""Designs that were never sent, with their true property, and the judge of what an inverse design proposes."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sojae.adapters.template_files import TemplateBook
from sojae_simulator.draws import Laboratory
from sojae_simulator.laws import MAIN_TARGET, property_of, true_property

HELD_OUT_STREAM = 0x5EED
"""Keeps these draws apart from those that are sent, whatever the seed."""
RANGE_DRAWS = 400
TOLERANCE = 0.05
"""A design hits when its true property is within this share of the target's range."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One question for inverse design: the value wanted of a target, and the conditions of test that stay as they are.

    `design` is one that has this value, in the columns of the materials view; `truth` all its properties.
    """

    project: str
    target: str
    value: float
    conditions: Mapping[str, object]
    design: Mapping[str, object]
    truth: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a proposed design truly gives, in the target's unit, how far off that is as a share of the range, a hit or not."""

    value: float
    error: float
    hit: bool


def held_out_targets(
    project: str, seed: int, n: int, *, book: TemplateBook, target: str | None = None
) -> list[HeldOut]:
    """Return `n` questions with noiseless values; the same for the same seed, and of no draw that is ever sent.

    `target` is a property field or `<field>.<split>`; unset, the project's main target.
    """
    name = target or MAIN_TARGET[project]
    rng = np.random.default_rng(np.random.SeedSequence([seed, HELD_OUT_STREAM]))
    questions = []
    for specimen in itertools.islice(Laboratory(project, book, rng, f"held-{seed}").specimens(), n):
        truth = true_property(project, specimen.design)
        questions.append(
            HeldOut(
                project=project,
                target=name,
                value=truth[property_of(name)],
                conditions={k: v for k, v in specimen.design.items() if k.startswith("property__")},
                design=specimen.design,
                truth=truth,
            )
        )
    return questions


def target_range(project: str, target: str, *, book: TemplateBook) -> float:
    """Return largest minus smallest true value of a target among ordinary draws, in the target's unit."""
    values = [q.value for q in held_out_targets(project, 0, RANGE_DRAWS, book=book, target=target)]
    return max(values) - min(values)


def judge(question: HeldOut, design: Mapping[str, object], span: float, *, tolerance: float = TOLERANCE) -> Verdict:
    """Return what a proposed design is worth, by the law without noise, at the question's conditions.

    `design` has the columns of the materials view; its own test conditions, if any, give way to the question's.
    `span` is the target's range, from `target_range` or from the data that the model saw.
    """
    truth = true_property(question.project, {**design, **question.conditions})
    value = truth[property_of(question.target)]
    error = abs(value - question.value) / span
    return Verdict(value=value, error=error, hit=error <= tolerance)
