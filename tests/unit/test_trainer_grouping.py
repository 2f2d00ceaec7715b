"""Rows that belong together are never torn apart, and what is held out is whole groups with their copies."""

import numpy as np
import polars as pl
import pytest

from sojae.domain.errors import UserInputError
from sojae_trainer.grouping import (
    ROW,
    SAMPLE,
    Grouping,
    HoldoutRequest,
    assign_folds,
    group_rows,
    hold_out,
    merge_copies,
    preferred_keys,
)
from tests.unit.trainer_law import templates


def view(**columns: object) -> pl.DataFrame:
    base = {
        "record_id": [f"r{i}" for i in range(12)],
        "institute": ["a"] * 12,
        "sample_id": [f"s{i}" for i in range(12)],
    }
    return pl.DataFrame({**base, **columns})


BATCHES = [f"b{i // 2}" for i in range(12)]


def test_first_key_with_enough_groups_wins() -> None:
    """A preferred column that is hardly filled, or has few groups, gives way to the next."""
    frame = view(raw__maker=["x"] * 12, raw__lot=[None] * 11 + ["l"], raw__batch=BATCHES)
    grouping = group_rows(frame, ["raw.maker", "raw.lot", "raw.missing", "raw.batch", SAMPLE])
    assert (grouping.key, grouping.count) == ("raw.batch", 6)


def test_few_groups_are_better_than_none() -> None:
    """Where no key gives five groups, the first that gives two is taken before the sample."""
    frame = view(raw__maker=["x"] * 12, raw__lot=["a", "b", "c"] * 4, raw__oven=["o", "p"] * 6)
    grouping = group_rows(frame, [SAMPLE, "raw.maker", "raw.lot", "raw.oven"])
    assert (grouping.key, grouping.count) == ("raw.lot", 3)
    assert group_rows(frame.with_columns(raw__batch=pl.Series(BATCHES)), ["raw.lot", "raw.batch"]).key == "raw.batch"


def test_group_that_holds_nearly_all_rows_cannot_be_left_out() -> None:
    """Without it there would be nothing to learn from: the sample is taken."""
    frame = view(raw__lot=["a"] * 11 + ["b"])
    assert group_rows(frame, ["raw.lot", SAMPLE]).key == SAMPLE


def test_groups_are_counted_after_copies_are_joined() -> None:
    """Two lots that share a record are one: with no other lot there is nothing to leave out."""
    frame, records = view(raw__lot=["a", "b"] * 6), np.arange(12.0)[:, None]
    assert group_rows(frame, ["raw.lot", SAMPLE], records).key == "raw.lot"
    records[1] = records[0]
    joined = group_rows(frame, ["raw.lot", SAMPLE], records)
    assert (joined.key, joined.count, joined.copied_rows) == (SAMPLE, 11, 1)


def test_rows_that_share_a_paper_are_one_group() -> None:
    """Papers are lists: rows that share any of them, directly or through others, stay together."""
    papers = [["p0"], ["p0", "p1"], ["p1"], *([f"q{i}"] for i in range(9))]
    labels = group_rows(view(references=papers), ["header.references"]).labels
    assert len(set(labels[:3])) == 1
    assert len(set(labels)) == 10


def test_joined_key_needs_both_parts() -> None:
    """The same batch name at two institutes is two batches."""
    frame = view(institute=["a", "b"] * 6, raw__batch=BATCHES)
    assert group_rows(frame, ["header.institute+raw.batch"]).count == 12


def test_row_without_label_is_its_own_sample() -> None:
    """Two records of one sample whose batch is unknown stay together."""
    frame = view(sample_id=["s0", "s0", *(f"s{i}" for i in range(2, 12))], raw__batch=[None, None, *BATCHES[2:]])
    labels = group_rows(frame, ["raw.batch"]).labels
    assert labels[0] == labels[1]
    assert len(set(labels)) == 6


def test_without_any_key_samples_are_kept_together() -> None:
    """The sample is always the last key."""
    assert preferred_keys(templates()["property"])[-1] == SAMPLE
    frame = view(sample_id=[f"s{i // 2}" for i in range(12)])
    assert group_rows(frame, [SAMPLE]).count == 6


def test_copied_rows_join_their_groups() -> None:
    """A record that two papers quote joins them; the copies are counted."""
    records = np.arange(12.0)[:, None].repeat(2, axis=1)
    records[11] = records[0]
    grouping = merge_copies(Grouping(np.arange(12) // 2, "header.references"), records)
    assert grouping.labels[0] == grouping.labels[11] == grouping.labels[10]
    assert (grouping.count, grouping.copied_rows) == (5, 1)


def test_folds_never_split_a_group() -> None:
    """Every group lies in one fold, and the folds are of like size."""
    labels = np.repeat(np.arange(30), np.arange(30) % 5 + 1)
    folds = assign_folds(labels, 5, seed=0)
    assert all(len(set(folds[labels == g])) == 1 for g in range(30))
    assert np.ptp(np.bincount(folds)) <= 5


def test_folds_are_shuffled_by_the_seed() -> None:
    """The same seed gives the same folds, another seed others; single rows are not left in order."""
    rows = np.arange(50)
    assert (assign_folds(rows, 5, 0) == assign_folds(rows, 5, 0)).all()
    assert (assign_folds(rows, 5, 0) != assign_folds(rows, 5, 1)).any()
    assert (np.diff(assign_folds(rows, 5, 0)) < 0).any()


def test_holdout_takes_whole_groups() -> None:
    """At least the share is held out, no batch stands on both sides, and the manifest can name groups and records."""
    frame = view(raw__batch=BATCHES)
    kept, held = hold_out(frame, HoldoutRequest(0.3, "raw.batch", 0), [[] for _ in range(12)])
    out = frame.filter(pl.concat_str("institute", "record_id", separator="/").is_in(held.records))
    assert len(held.records) == 4
    assert set(out["raw__batch"]) == set(held.groups)
    assert not set(kept["raw__batch"]) & set(held.groups)
    assert kept.height + len(held.records) == 12


def test_copies_are_held_out_together() -> None:
    """A copy in another batch would let the model see what is asked: it goes out with its twin."""
    frame = view(raw__batch=BATCHES)
    copies = [["twin"] if i in (0, 11) else [] for i in range(12)]
    for seed in range(8):
        _, held = hold_out(frame, HoldoutRequest(0.3, "raw.batch", seed), copies)
        assert ("a/r0" in held.records) == ("a/r11" in held.records)


def test_holdout_by_row_depends_on_the_seed_alone() -> None:
    """Random rows: the same seed holds the same ones out."""
    none: list[list[str]] = [[] for _ in range(12)]
    held = [hold_out(view(), HoldoutRequest(0.25, ROW, seed), none)[1] for seed in (1, 1, 2)]
    assert held[0] == held[1]
    assert held[0].records != held[2].records
    assert held[0].groups == ()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 2.0])
def test_share_outside_0_and_1_is_refused(share: float) -> None:
    """The sentence says what was got and what was expected."""
    with pytest.raises(UserInputError, match="between 0 and 1"):
        hold_out(view(), HoldoutRequest(share), [[] for _ in range(12)])


def test_unknown_group_column_is_refused() -> None:
    """The sentence names the option, and what may be given."""
    with pytest.raises(UserInputError, match=r"--holdout-by raw\.nothing: .* row, header"):
        hold_out(view(), HoldoutRequest(0.2, "raw.nothing"), [[] for _ in range(12)])


def test_one_group_alone_cannot_be_held_out() -> None:
    """Nothing would be left to train on: that is said, not done."""
    with pytest.raises(UserInputError, match="one group"):
        hold_out(view(raw__maker=["x"] * 12), HoldoutRequest(0.2, "raw.maker"), [[] for _ in range(12)])
