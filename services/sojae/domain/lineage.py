"""From specimen to raw lot: for each property record the composition, process and raw lots that it came from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from sojae.domain.header import sample_reference
from sojae.domain.order import ORDER_COLUMNS

MAX_STEPS = 16
LEFT_OUT = frozenset({"tie", "cycle", "too_far"})
"""Findings that leave a row out of training: where it came from is not certain."""

Row = Mapping[str, object]


class Sample(NamedTuple):
    """A sample is known inside its institute."""

    institute: str
    sample_id: str


@dataclass(slots=True)
class Found:
    """The record found for a stage, how many steps away, and what is odd about it."""

    row: Row | None = None
    steps: int = 0
    finding: str | None = None


@dataclass(slots=True)
class Stage:
    """The current records of one stage by sample, the latest where a sample has several."""

    by_sample: dict[Sample, Row] = field(default_factory=dict)
    several: set[Sample] = field(default_factory=set)


def current(rows: Iterable[Row]) -> list[Row]:
    """Return the last statement of each (institute, record_id) in the one order, without those that were retracted."""
    heads: dict[tuple[object, object], Row] = {}
    for row in sorted(rows, key=place):
        heads[row["institute"], row["record_id"]] = row
    return [row for row in heads.values() if not row["retracted"]]


def place(row: Row) -> tuple[object, ...]:
    """Return a row's place in the one order."""
    return tuple(row[c] for c in ORDER_COLUMNS)


def sample_of(row: Row) -> Sample:
    """Return the sample that a record is about."""
    return Sample(str(row["institute"]), str(row["sample_id"]))


def stage_of(rows: Sequence[Row]) -> Stage:
    """Return current records by sample."""
    stage = Stage()
    for row in sorted(rows, key=place):
        sample = sample_of(row)
        if sample in stage.by_sample:
            stage.several.add(sample)
        stage.by_sample[sample] = row
    return stage


def parents_of(rows: Iterable[Row]) -> dict[Sample, list[Sample]]:
    """Return the parents that any current record of a sample names, each once, in order of first mention."""
    parents: dict[Sample, dict[Sample, None]] = {}
    for row in rows:
        sample = sample_of(row)
        for reference in cast("Sequence[str]", row["parents"] or ()):
            parents.setdefault(sample, {})[Sample(*sample_reference(reference, sample.institute))] = None
    return {sample: list(found) for sample, found in parents.items()}


def nearest(sample: Sample, stage: Stage, parents: Mapping[Sample, Sequence[Sample]]) -> Found:
    """Return the record of the sample itself, else of the nearest ancestor that has one.

    Several ancestors at the same distance are a tie; a sample that is its own ancestor a cycle; more than 16 steps too
    far: then no record is taken.
    """
    if sample in stage.by_sample:
        return Found(stage.by_sample[sample], 0)
    level, seen = [sample], {sample}
    for step in range(1, MAX_STEPS + 1):
        above = [p for s in level for p in parents.get(s, ())]
        if sample in above:
            return Found(finding="cycle")
        level = list(dict.fromkeys(p for p in above if p not in seen))
        if not level:
            return Found(finding="cycle" if any(_is_own_ancestor(p, parents) for p in above) else None)
        seen.update(level)
        having = [s for s in level if s in stage.by_sample]
        if len(having) > 1:
            return Found(steps=step, finding="tie")
        if having:
            return Found(stage.by_sample[having[0]], step)
    return Found(finding="too_far")


def _is_own_ancestor(sample: Sample, parents: Mapping[Sample, Sequence[Sample]]) -> bool:
    """Return whether a sample's parents lead back to it; one that is reached by two ways does not."""
    waiting, seen = list(parents.get(sample, ())), set[Sample]()
    while waiting:
        ancestor = waiting.pop()
        if ancestor not in seen:
            seen.add(ancestor)
            waiting += parents.get(ancestor, ())
    return sample in seen


def combine(lots: Sequence[tuple[Row, float]], fields: Mapping[str, bool]) -> dict[str, object]:
    """Return one value for each field of several lots: numbers (True) as the mean by amount, others from the largest lot.

    A lot without a value does not count for that field.
    """
    combined: dict[str, object] = {}
    for name, numeric in fields.items():
        having = [(row[name], amount) for row, amount in lots if row.get(name) is not None]
        if not having:
            combined[name] = None
        elif numeric:
            total = sum(amount for _, amount in having)
            combined[name] = sum(cast("float", value) * amount for value, amount in having) / total
        else:
            combined[name] = max(having, key=lambda pair: pair[1])[0]
    return combined


def lots_of(composition: Row, amount_of: Callable[[Row, str], float | None]) -> list[tuple[Sample, float]]:
    """Return the raw lots that a composition names, with the amount of the component each gave.

    A component whose amount the composition does not give counts as 1 when no amount is known at all, else as 0.
    """
    named = dict(cast("Iterable[tuple[str, str]]", composition.get("lots") or ()))
    institute = str(composition["institute"])
    amounts = {c: amount_of(composition, c) for c in named}
    known = any(a for a in amounts.values())
    by_sample: dict[Sample, float] = {}
    for component, reference in named.items():
        amount = (amounts[component] or 0.0) if known else 1.0
        sample = Sample(*sample_reference(reference, institute))
        by_sample[sample] = by_sample.get(sample, 0.0) + amount
    return list(by_sample.items())
