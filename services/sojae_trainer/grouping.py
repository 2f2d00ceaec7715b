"""Which rows belong together, so that a split never lets a model see the batch, paper or recipe that it is asked about."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sojae.domain.errors import UserInputError
from sojae.domain.model import Holdout
from sojae.domain.template import Template
from sojae_trainer.dataset import record_names

Labels = NDArray[np.int64]

ROW = "row"
SAMPLE = "header.institute+header.sample_id"
LEAST_LABELLED = 0.8
LEAST_GROUPS, ENOUGH_GROUPS = 2, 5
"""Two groups can be left out in turn; a key that gives five is preferred to one that gives fewer."""
LEAST_OUTSIDE = 10
"""Rows outside the largest group: without it, a model must still have something to learn from."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """A group for each row, numbered from 0, the key that gave it, and how many rows are copies of another."""

    labels: Labels
    key: str
    copied_rows: int = 0

    @property
    def count(self) -> int:
        """Return how many groups there are."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0


@dataclass(frozen=True, slots=True)
class HoldoutRequest:
    """What is to be kept out: a share of the rows, in whole groups, drawn with a seed.

    `by` is "row", `header.<field>`, `<stage>.<field>` or a column of the view.
    """

    share: float
    by: str = ROW
    seed: int = 0


def preferred_keys(template: Template) -> list[str]:
    """Return the grouping keys of a property template (attribute `group_by`), best first, and the sample last."""
    keys = template.schema.get("group_by", [])
    return [*(str(k) for k in keys), SAMPLE] if isinstance(keys, list) else [SAMPLE]


def group_rows(frame: pl.DataFrame, keys: Sequence[str], records: NDArray[np.float64] | None = None) -> Grouping:
    """Return groups by the first key that labels ≥ 80 % of the rows and gives ≥ 5 groups, else ≥ 2; without one, by row.

    The sample comes after every other key. A row without a label is a group of its own sample. `records` are rows of
    inputs and value: groups that share an identical one are joined before they are counted (`merge_copies`).
    """
    usable: list[Grouping] = []
    for key in [*(k for k in keys if k != SAMPLE), *(k for k in keys if k == SAMPLE)]:
        labels = _labels(frame, key)
        if labels is None or sum(bool(found) for found in labels) < LEAST_LABELLED * frame.height:
            continue
        samples = _labels(frame, SAMPLE) or [[] for _ in labels]
        filled = [found or [("sample", *other)] for found, other in zip(labels, samples, strict=True)]
        grouping = Grouping(_joined(filled), key)
        grouping = grouping if records is None else merge_copies(grouping, records)
        outside = frame.height - np.bincount(grouping.labels).max()
        if grouping.count >= LEAST_GROUPS and outside >= min(LEAST_OUTSIDE, frame.height // 2):
            usable.append(grouping)
    enough = [one for one in usable if one.count >= ENOUGH_GROUPS and one.key != SAMPLE]
    rows = Grouping(np.arange(frame.height), ROW)
    return next(iter([*enough, *usable]), rows if records is None else merge_copies(rows, records))


def merge_copies(grouping: Grouping, records: NDArray[np.float64]) -> Grouping:
    """Return the grouping with groups joined that share an identical record (rows of inputs and value), and their count.

    A value quoted in two papers would else stand on both sides of a split.
    """
    keys = [row.tobytes() for row in np.ascontiguousarray(np.nan_to_num(records, nan=-1e300) + 0.0)]
    copied = len(keys) - len(set(keys))
    labels = [[("group", int(g)), ("record", k)] for g, k in zip(grouping.labels, keys, strict=True)]
    return Grouping(_joined(labels), grouping.key, copied)


def assign_folds(labels: Labels, folds: int, seed: int) -> Labels:
    """Return a fold for each row: whole groups, shuffled, the largest first into the emptiest fold."""
    groups, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(groups))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load = np.zeros(folds, np.int64)
    fold = np.empty(len(groups), np.int64)
    for group in order:
        fold[group] = load.argmin()
        load[fold[group]] += sizes[group]
    return fold[inverse]


def hold_out(
    frame: pl.DataFrame, request: HoldoutRequest, copies: Sequence[Sequence[Hashable]]
) -> tuple[pl.DataFrame, Holdout]:
    """Return the rows to train on, and the hold-out: whole groups drawn until `share` of the rows is reached.

    `copies` has for each row what it shares with its copies: those are held out together, whatever their group. Raises
    UserInputError when the share is not within (0, 1), the column is unknown or empty, or nothing would be left.
    """
    by, share = request.by, request.share
    if not 0 < share < 1:
        raise UserInputError(
            en=f"--holdout {share}: expected a share between 0 and 1",
            ko=f"--holdout {share}: 0과 1 사이의 비율이어야 합니다",
        )
    found = _labels(frame, by)
    if found is None or not any(found):
        raise UserInputError(
            en=f"--holdout-by {by}: the materials view has no values for it; use row, header.<field> or <stage>.<field>",
            ko=f"--holdout-by {by}: 자료에 값이 없습니다. row, header.<필드>, <단계>.<필드> 가운데 하나를 쓰십시오",
        )
    labels = _joined([*f, ("own", i), *c] for i, (f, c) in enumerate(zip(found, copies, strict=True)))
    held = _draw(labels, share, request.seed)
    if held.all():
        raise UserInputError(
            en=f"--holdout-by {by}: all rows are one group, so nothing would be left to train on",
            ko=f"--holdout-by {by}: 모든 행이 한 그룹이어서 학습할 행이 남지 않습니다",
        )
    records = tuple(sorted(record_names(frame.filter(pl.Series(held)))))
    texts = {_text(value) for f, out in zip(found, held, strict=True) if out for value in f}
    groups = () if by == ROW else tuple(sorted(texts))
    return frame.filter(~pl.Series(held)), Holdout(
        by=by, share=share, seed=request.seed, groups=groups, records=records
    )


def _draw(labels: Labels, share: float, seed: int) -> NDArray[np.bool_]:
    held = np.zeros(len(labels), np.bool_)
    for group in np.random.default_rng(seed).permutation(int(labels.max()) + 1):
        if held.sum() >= share * len(labels):
            break
        held |= labels == group
    return held


def _labels(frame: pl.DataFrame, key: str) -> list[list[Hashable]] | None:
    """Return the labels of each row under a key; parts joined by + must all be given. None for an unknown column.

    A part is `header.<field>`, `<stage>.<field>`, or a column of the view such as `raw_samples`; of a list, every value
    is a label.
    """
    if key == ROW:
        return [[(ROW, i)] for i in range(frame.height)]
    parts: list[list[list[Hashable]]] = []
    for part in key.split("+"):
        stage, dot, name = part.partition(".")
        column = part if not dot else name if stage == "header" else f"{stage}__{name}"
        if column not in frame.columns:
            return None
        parts.append([_values(v) for v in frame[column].to_list()])
    if len(parts) == 1:
        return parts[0]
    return [[tuple(tuple(p) for p in row)] if all(row) else [] for row in zip(*parts, strict=True)]


def _values(value: object) -> list[Hashable]:
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [v for v in value if v is not None]
    return [str(value)]


def _text(label: Hashable) -> str:
    if isinstance(label, tuple):
        return " + ".join(_text(part) for part in label)
    return str(label)


def _joined(labels: Iterable[Sequence[Hashable]]) -> Labels:
    """Return group numbers in order of appearance; rows that share any label, directly or through others, are one group."""
    parent: dict[Hashable, Hashable] = {}

    def root(label: Hashable) -> Hashable:
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    rows = [list(found) for found in labels]
    for found in rows:
        for label in found:
            parent.setdefault(label, label)
        for label in found[1:]:
            parent[root(label)] = root(found[0])
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(root(found[0]), len(numbers)) for found in rows], np.int64)
