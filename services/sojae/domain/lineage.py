"""From specimen to raw lot: for each property record the composition, process and raw lots that it came from."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
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


class Ancestry:
    """All that some samples descend from, and what of it is a cycle; each question takes time linear in its size."""

    def __init__(self, samples: Iterable[Sample], parents: Callable[[Sample], Sequence[Sample]]) -> None:
        self._parents: dict[Sample, frozenset[Sample]] = {}
        waiting = list(samples)
        while waiting:
            sample = waiting.pop()
            if sample not in self._parents:
                self._parents[sample] = frozenset(parents(sample))
                waiting += self._parents[sample]
        self._children: dict[Sample, list[Sample]] = {s: [] for s in self._parents}
        for sample, above in self._parents.items():
            for parent in above:
                self._children[parent].append(sample)
        self._own_ancestors = self._on_cycles()
        self._below_cycles = self._reached(self._own_ancestors, self._children)

    def nearest(self, stage: Stage) -> dict[Sample, Found]:
        """Return for each sample its own record of a stage, else that of the nearest ancestor that has one.

        Several ancestors at the same distance are a tie; a sample that is its own ancestor, and one without a record
        whose ancestor is, a cycle; more than 16 steps too far: then no record is taken.
        """
        found = {s: Found(finding="cycle" if s in self._below_cycles else None) for s in self._parents}
        level = {s: {s} for s in self._parents if s in stage.by_sample}
        found |= {s: Found(stage.by_sample[s], 0) for s in level}
        reached, step = set(level), 0
        while level := self._next(level, reached):
            reached.update(level)
            step += 1
            for sample, nearest in level.items():
                found[sample] = self._judged(sample, nearest, step, stage)
        return found

    def _next(self, level: Mapping[Sample, set[Sample]], reached: set[Sample]) -> dict[Sample, set[Sample]]:
        """Return the samples one step below, each with its nearest, or some of them: two are a tie, however many more."""
        below: dict[Sample, set[Sample]] = {}
        for sample, nearest in level.items():
            for child in self._children[sample]:
                if child not in reached:
                    known = below.setdefault(child, set())
                    if len(known) < 2:
                        known.update(islice(nearest, 2))
        return below

    def _judged(self, sample: Sample, nearest: set[Sample], step: int, stage: Stage) -> Found:
        if sample in self._own_ancestors:
            return Found(finding="cycle")
        if step > MAX_STEPS:
            return Found(finding="too_far")
        if len(nearest) > 1:
            return Found(steps=step, finding="tie")
        return Found(stage.by_sample[next(iter(nearest))], step)

    def _on_cycles(self) -> set[Sample]:
        """Return the samples that are their own ancestors: the strongly connected components (Kosaraju's algorithm)."""
        left: set[Sample] = set()
        cyclic = {s for s, above in self._parents.items() if s in above}
        for root in reversed(self._finished()):
            if root not in left:
                component = self._reached([root], self._children, left)
                left |= component
                if len(component) > 1:
                    cyclic |= component
        return cyclic

    def _finished(self) -> list[Sample]:
        """Return all samples in the order in which a search upwards is done with them."""
        order: list[Sample] = []
        seen: set[Sample] = set()
        for root in self._parents:
            path = [] if root in seen else [(root, iter(self._parents[root]))]
            seen.add(root)
            while path:
                sample, above = path[-1]
                parent = next((p for p in above if p not in seen), None)
                if parent is None:
                    order.append(sample)
                    path.pop()
                else:
                    seen.add(parent)
                    path.append((parent, iter(self._parents[parent])))
        return order

    @staticmethod
    def _reached(
        starts: Iterable[Sample], steps: Mapping[Sample, Iterable[Sample]], without: Container[Sample] = ()
    ) -> set[Sample]:
        """Return the samples that steps lead to, the first ones included."""
        reached = set(starts)
        waiting = list(reached)
        while waiting:
            for following in steps[waiting.pop()]:
                if following not in reached and following not in without:
                    reached.add(following)
                    waiting.append(following)
        return reached


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
