"""Batches of decoded rows of a template: clean ones with nulls, and the same with a fault in every hundredth row."""

import math
import random
import re
from collections.abc import Callable

from sojae.domain.template import Field, Template
from tests.builders import complete, samples

Row = dict[str, object]
NULLS = 0.2
"""Share of optional values that are left out."""
FAULTY = 0.01
"""Share of rows with one fault."""


def clean_rows(of: Template, count: int) -> list[Row]:
    """Return rows that have no finding; what rules speak of comes together from one sample, the rest is drawn."""
    draw = random.Random(1)
    spoken = {f.name for f in of.fields if any(re.search(rf"\b{f.name}\b", r.sql) for r in of.rules)}
    known = [{**complete(of, row)} for row in samples(of)]
    rows = []
    for _ in range(count):
        sample = draw.choice(known)
        rows.append({f.name: sample[f.name] if f.name in spoken else _drawn(f, sample, draw) for f in of.fields})
    return rows


def dirty_rows(of: Template, rows: list[Row]) -> list[Row]:
    """Return the rows, of which every hundredth has one fault: each kind in turn that the template's fields can have."""
    draw = random.Random(2)
    faults = [fault for field in of.fields for fault in _faults(field)]
    dirty = list(rows)
    for number, at in enumerate(range(0, len(rows), int(1 / FAULTY))):
        name, spoilt = faults[number % len(faults)]
        dirty[at] = {**rows[at], name: spoilt(draw)}
    return dirty


def _drawn(field: Field, sample: Row, draw: random.Random) -> object:
    if not field.required and draw.random() < NULLS:
        return None
    if field.one_of is not None and field.kind == "string":
        return draw.choice(field.one_of)
    if field.kind == "double":
        low, high = field.warn or field.hard or (0.0, 1.0)
        return draw.uniform(0.0 if low is None else low, 1e3 if high is None else high)
    return sample[field.name]


def _faults(field: Field) -> list[tuple[str, Callable[[random.Random], object]]]:
    """Return what can be put in the place of a field's value so that it is found."""
    found: list[Callable[[random.Random], object]] = []
    if field.required:
        found.append(lambda _: None)
    if field.kind == "double":
        found.append(lambda _: math.inf)
    if field.hard is not None and field.hard.high is not None:
        found.append(lambda draw, high=field.hard.high: high + 1 + draw.random())  # type: ignore[misc]  # bound at once
    if field.kind == "string" and field.one_of is not None:
        found.append(lambda draw: f"choice {draw.randrange(100)}")
    return [(field.name, fault) for fault in found]
