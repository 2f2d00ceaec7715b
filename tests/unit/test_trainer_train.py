"""A whole training: better than the baselines, byte-identical, honest in its card, and blind to what is held out."""

import re
from functools import cache

import msgspec
import numpy as np
import polars as pl
import pytest

from sojae.adapters.onnx import ForwardModel
from sojae.domain.card_lines import five_lines
from sojae.domain.errors import ModelError
from sojae.domain.model import CARD_FILE, INVERSE_FILE, Card, Score
from sojae_trainer.card import _verdict
from sojae_trainer.dataset import record_names
from sojae_trainer.features import matrix
from sojae_trainer.grouping import ROW, SAMPLE, HoldoutRequest
from sojae_trainer.train import Trained, train
from tests.unit.trainer_law import CREATED, TARGET, alloys, order, templates, trained, values_of, yield_strength

MARK = 9.87654321e7
"""A number that is in no training row: where it turns up, held-out rows were looked at."""

NAME = pl.concat_str("institute", "record_id", separator="/")
"""How models name a record."""


@cache
def small() -> Trained:
    return train(alloys(60, 2), order(), CREATED)


@cache
def held_out(by: str = "raw_samples") -> Trained:
    """Training with a fifth of the lots held out; the held-out rows are spoilt, to see whether they are looked at."""
    frame = lots(alloys(80, 2))
    records = train(frame, order(holdout=HoldoutRequest(0.2, by, 1)), CREATED).manifest.holdout
    assert records is not None
    out = NAME.is_in(records.records)
    spoilt = [
        pl.when(out).then(MARK).otherwise(pl.col(c)).alias(c) for c in frame.columns if frame[c].dtype == pl.Float64
    ]
    return train(frame.with_columns(spoilt), order(holdout=HoldoutRequest(0.2, by, 1)), CREATED)


def lots(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(raw_samples=pl.concat_list(pl.format("@{}/{}", "institute", "raw__raw_lot")))


def model(one: Trained, name: str = TARGET) -> ForwardModel:
    target = one.manifest.target(name)
    return ForwardModel(one.files[target.file], inputs=len(one.manifest.inputs), groups=len(one.manifest.groups))


def test_files_are_those_of_the_shelf() -> None:
    """One forward graph for each target, one inverse graph, one card."""
    assert set(trained().files) == {
        "forward/yield_strength.tension.onnx",
        "forward/hardness_vickers.onnx",
        INVERSE_FILE,
        CARD_FILE,
    }
    assert msgspec.json.decode(trained().files[CARD_FILE], type=Card) == trained().card


def test_model_beats_mean_and_ridge_on_new_groups() -> None:
    """By the whole procedure's grouped error, the learner being chosen inside the fold."""
    for card in trained().card.targets:
        mean, ridge = (b.grouped.mae for b in card.baselines)
        assert card.nested_grouped.mae < 0.9 * min(mean, ridge)
        assert card.better_than_mean_grouped
        assert card.better_than_ridge_grouped


def test_model_knows_the_law() -> None:
    """On alloys that were never seen, answers are within a few per cent of the law without noise."""
    fresh = alloys(60, 50, noise=0.0)
    answers = model(trained()).predict(matrix(fresh, trained().manifest.inputs))["mean"][:, 0]
    truth = np.array([yield_strength(values_of(r)) for r in fresh.iter_rows(named=True)])
    assert np.abs(answers - truth).mean() < 0.05 * truth.mean()


def test_intervals_hold_fresh_rows() -> None:
    """90 % intervals hold about 90 % of fresh noisy rows."""
    fresh = alloys(200, 51)
    answer = model(trained()).predict(matrix(fresh, trained().manifest.inputs))
    y = fresh["property__yield_strength"].to_numpy()
    inside = (answer["lower"][:, 0] <= y) & (y <= answer["upper"][:, 0])
    assert 0.8 <= inside.mean() <= 0.98


def test_same_data_in_any_order_gives_the_same_bytes() -> None:
    """A dataset is byte-identical when it is asked for again, whatever the order of its rows."""
    again = train(alloys(60, 2).sample(fraction=1.0, shuffle=True, seed=9), order(), CREATED)
    assert again.files == small().files
    assert again.manifest == small().manifest


def test_other_seed_gives_other_bytes() -> None:
    """The seed reaches designs and trees."""
    assert train(alloys(60, 2), order(seed=1), CREATED).files[INVERSE_FILE] != small().files[INVERSE_FILE]


def test_training_rows_name_the_records_behind_support() -> None:
    """Place i of support is the record training_rows[i]: its own recipe is supported by itself."""
    target = trained().manifest.target(TARGET)
    frame = alloys(150, 1)
    assert set(target.training_rows) == set(record_names(frame))
    row = frame.filter(target.training_rows[17] == NAME)
    support = model(trained()).predict(matrix(row, trained().manifest.inputs))["support"][0]
    assert 17 in support


def test_manifest_says_what_it_was_built_from() -> None:
    """Versions of tables and templates, counts, and the software."""
    dataset = trained().manifest.dataset
    assert (dataset.rows, dataset.records, dataset.events_version, dataset.left_out) == (150, 150, 7, {})
    assert dataset.templates == {str(t.key): t.sha256 for t in templates().values()}
    assert {"scikit-learn", "onnx", "onnxruntime", "sojae"} <= set(trained().manifest.software)


def test_baseline_is_a_real_recipe() -> None:
    """Contributions are told from the recipe of a training record, whose answer is the baseline."""
    target = trained().manifest.target(TARGET)
    frame = alloys(150, 1).filter(target.baseline_record == NAME)
    answer = model(trained()).predict(matrix(frame, trained().manifest.inputs))
    assert answer["mean"][0, 0] == pytest.approx(target.baseline, rel=1e-5)


def test_groups_cover_every_input_once() -> None:
    """At most six groups; each input is in exactly one; a composition stays together."""
    manifest = trained().manifest
    places = sorted(j for g in manifest.groups for j in g.inputs)
    assert places == list(range(len(manifest.inputs)))
    assert len(manifest.groups) <= 6
    together = {g.name for g in manifest.groups for j in g.inputs if manifest.inputs[j].kind == "component"}
    assert together == {"composition"}


def test_importance_finds_what_the_law_uses() -> None:
    """Test temperature and route matter; they come before the annealing of alloys that were mostly not annealed."""
    card = next(t for t in trained().card.targets if t.name == TARGET)
    order_of = [i.field for i in card.importance]
    assert order_of.index("property.test_temperature") < 3
    assert card.importance[0].mean > card.importance[-1].mean >= -5


def test_too_few_rows_are_a_model_error() -> None:
    """Below 40 rows there is no model, and the sentence says what is missing."""
    with pytest.raises(ModelError, match=r"39 rows, none of the targets in 40"):
        train(alloys(39, 1), order(), CREATED)


def test_recipes_that_never_vary_are_a_model_error() -> None:
    """Without any input that varies there is nothing to learn."""
    frame = alloys(60, 1)
    recipe = [
        c for c in frame.columns if c.startswith(("composition__", "process__")) or c == "property__test_temperature"
    ]
    with pytest.raises(ModelError, match="no recipe field that varies"):
        train(frame.with_columns(pl.col(c).first() for c in recipe), order(), CREATED)


def test_target_with_few_rows_is_skipped_with_a_reason() -> None:
    """The others are trained; the card names the one that is not."""
    few = pl.when(pl.int_range(pl.len()) < 30).then(pl.col("property__hardness_vickers"))
    card = train(alloys(60, 2).with_columns(few.alias("property__hardness_vickers")), order(), CREATED).card
    assert [t.name for t in card.targets] == [TARGET]
    assert [(s.field, s.reason.en) for s in card.skipped_targets] == [
        ("hardness_vickers", "30 rows have a value, fewer than 40")
    ]


def test_gaps_and_unknown_categories_are_trained_through() -> None:
    """A view with holes, as laboratories have them, still gives models."""
    frame = alloys(80, 6)
    hole = pl.int_range(pl.len()) % 7 == 0
    frame = frame.with_columns(
        pl.when(~hole).then(pl.col("process__cold_reduction")).alias("process__cold_reduction"),
        pl.when(~hole).then(pl.col("process__processing_route")).alias("process__processing_route"),
    )
    assert train(frame, order(), CREATED).card.targets


def test_holdout_keeps_whole_lots_out() -> None:
    """The hold-out is named in the manifest: share, groups, records; no lot stands on both sides."""
    holdout = held_out().manifest.holdout
    assert holdout is not None
    frame = lots(alloys(80, 2))
    out = frame.filter(NAME.is_in(holdout.records))
    kept = frame.filter(~NAME.is_in(holdout.records))
    assert 16 <= out.height <= 30
    assert not set(out.explode("raw_samples")["raw_samples"]) & set(kept.explode("raw_samples")["raw_samples"])
    assert held_out().card.holdout == holdout


def test_held_out_records_appear_nowhere() -> None:
    """No training row, no baseline, no library row is a held-out record."""
    manifest = held_out().manifest
    assert manifest.holdout is not None
    out = set(manifest.holdout.records)
    named = {r for t in manifest.targets for r in (*t.training_rows, t.baseline_record)} | set(
        manifest.library.measured
    )
    assert not named & out
    assert named


def test_held_out_values_leave_no_trace() -> None:
    """Held-out rows were spoilt with an absurd number: every file is the same as if they had never been there."""
    manifest = held_out().manifest
    assert manifest.holdout is not None
    kept = lots(alloys(80, 2)).filter(~NAME.is_in(manifest.holdout.records))
    without = train(kept, order(), CREATED)
    graphs = {n: c for n, c in held_out().files.items() if n.endswith(".onnx")}
    assert graphs == {n: c for n, c in without.files.items() if n.endswith(".onnx")}
    assert manifest.inputs == without.manifest.inputs
    assert held_out().card.targets == without.card.targets


def test_held_out_rows_can_be_predicted() -> None:
    """What was held out is asked afterwards: the error is near to what the card promised."""
    frame = lots(alloys(80, 2))
    manifest = held_out().manifest
    assert manifest.holdout is not None
    out = frame.filter(NAME.is_in(manifest.holdout.records))
    answers = model(held_out()).predict(matrix(out, manifest.inputs))["mean"][:, 0]
    error = np.abs(answers - out["property__yield_strength"].to_numpy()).mean()
    card = next(t for t in held_out().card.targets if t.name == TARGET)
    assert error < 2.5 * card.nested_grouped.mae


def test_five_lines_say_the_numbers_of_the_card() -> None:
    """Five lines in both languages, with rows, groups, errors, coverage and verdict of the card."""
    lines = five_lines(trained().card, TARGET)
    card = next(t for t in trained().card.targets if t.name == TARGET)
    assert len(lines) == 5
    assert "150 rows" in lines[0].en
    assert f"{card.groups} groups" in lines[1].en
    assert f"({card.learners[0].random.r2:.2f} / {card.learners[0].grouped.r2:.2f})" in lines[2].en
    assert f"hold {100 * card.interval.coverage_grouped:.0f} %" in lines[3].en
    assert lines[4] == card.verdict
    assert all(re.search("[가-힣]", line.ko) for line in lines)


def test_card_says_when_nothing_is_learnt() -> None:
    """Values that have nothing to do with the recipe: the verdict says so, and the intervals still hold."""
    noise = pl.Series("property__yield_strength", np.random.default_rng(0).normal(500, 50, 60))
    frame = alloys(60, 2).with_columns(noise, pl.lit(None, dtype=pl.Float64).alias("property__hardness_vickers"))
    (card,) = train(frame, order(), CREATED).card.targets
    assert card.nested_grouped.r2 < 0.1
    assert not card.better_than_mean_grouped
    assert "no better than the mean" in card.verdict.en
    assert any("little is explained" in limit.en for limit in card.limits)
    assert card.interval.coverage_grouped == pytest.approx(0.9, abs=0.1)


def test_card_is_not_taken_in_by_random_folds() -> None:
    """Where the value is the lot's own and the lot's oxygen betrays it, random folds shine and the verdict says no."""
    rng = np.random.default_rng(4)
    frame = alloys(100, 2)
    lot = frame["raw__raw_lot"].str.tail(1).cast(pl.Int64).to_numpy()
    frame = frame.with_columns(
        pl.concat_list("raw__raw_lot").alias("raw_samples"),
        pl.Series("raw__oxygen_content", rng.uniform(50, 400, 6)[lot]),
        pl.Series("property__yield_strength", rng.normal(500, 80, 6)[lot] + rng.normal(0, 5, 100)),
        pl.lit(None, dtype=pl.Float64).alias("property__hardness_vickers"),
    )
    (card,) = train(frame, order(), CREATED).card.targets
    mean = card.baselines[0]
    assert card.nested_random.mae < 0.5 * mean.random.mae
    assert card.nested_grouped.mae > mean.grouped.mae
    assert not card.better_than_mean_grouped


def test_card_counts_copied_rows() -> None:
    """Rows that are quoted twice are merged into one group, and counted."""
    frame = alloys(60, 2)
    copies = frame.head(5).with_columns(
        record_id=pl.format("copy-{}", "record_id"),
        institute=pl.lit("another"),
        sample_id=pl.format("c-{}", "sample_id"),
    )
    card = train(pl.concat([frame, copies]), order(), CREATED).card.targets[0]
    assert (card.rows, card.copied_rows) == (65, 5)


def test_card_says_that_there_are_no_prices() -> None:
    """A cost limit that has no effect is told, not hidden."""
    assert any("costs 0" in limit.en for limit in trained().card.limits)
    assert not trained().manifest.library.priced


def test_where_only_samples_are_kept_apart_the_verdict_claims_nothing_of_new_batches() -> None:
    """With one lot alone, a good score between samples is no promise."""
    frame = alloys(60, 2).with_columns(raw_samples=pl.lit(["@kims/one"]), institute=pl.lit("kims"))
    card = train(frame, order(), CREATED).card
    one = next(t for t in card.targets if t.name == TARGET)
    assert one.grouped_by in (SAMPLE, ROW)
    assert "the error on a new batch has not been measured" in one.verdict.en
    assert any(
        "intervals and hit probabilities come from the errors between samples" in limit.en for limit in one.limits
    )


def test_a_few_lots_are_left_out_in_turn_and_the_card_says_how_few() -> None:
    """Three lots give a grouped error of lots, not of samples, and a warning that it is a rough guess."""
    lot = pl.format("@kims/lot-{}", pl.int_range(pl.len()) % 3)
    (card, _) = train(alloys(60, 2).with_columns(raw_samples=pl.concat_list(lot)), order(), CREATED).card.targets
    assert (card.grouped_by, card.groups) == ("raw_samples", 3)
    assert len(card.nested_grouped.mae_by_fold) == 3
    assert any("only 3 groups, each left out once" in limit.en for limit in card.limits)
    assert "on new groups" in card.verdict.en


@pytest.mark.parametrize(("r2", "said"), [(-0.4, "explains nothing"), (0.4, "below the linear model's")])
def test_verdict_does_not_praise_what_explains_nothing(r2: float, said: str) -> None:
    """Where groups differ, an error below that of the others' mean may still be no knowledge at all."""
    nested, mean, ridge = (Score(mae=e, r2=r, mae_by_fold=()) for e, r in ((1.0, r2), (1.2, -0.9), (1.3, -1.0)))
    assert said in _verdict(nested, mean, ridge).en


def test_held_out_rows_do_not_depend_on_the_order_of_records() -> None:
    """The draw, the folds and every file are the same when the store gives its records in another order."""
    frame = lots(alloys(60, 2))
    wanted = order(holdout=HoldoutRequest(0.2, "raw_samples", 3))
    first = train(frame, wanted, CREATED)
    again = train(frame.reverse().select(sorted(frame.columns, reverse=True)), wanted, CREATED)
    assert again.manifest == first.manifest
    assert again.files == first.files


def test_intervals_hold_new_groups_of_the_law() -> None:
    """Lots whose strength is off by some per cent: nearly 90 % of the rows of lots never seen lie inside."""
    rng = np.random.default_rng(8)
    frame = alloys(120, 3)
    lot = pl.Series("lot", np.arange(120) % 20)
    strength = frame["property__yield_strength"].to_numpy() * rng.normal(1.0, 0.06, 20)[lot.to_numpy()]
    frame = frame.with_columns(
        pl.Series("property__yield_strength", strength),
        pl.concat_list(pl.format("@kims/lot-{}", lot)).alias("raw_samples"),
        pl.lit(None, dtype=pl.Float64).alias("property__hardness_vickers"),
    )
    inside: list[bool] = []
    for part in range(2):
        kept = frame.filter(pl.Series(np.arange(120) % 2 == part))
        out = frame.filter(pl.Series(np.arange(120) % 2 != part))
        one = train(kept, order(designs=2000), CREATED)
        answer = model(one).predict(matrix(out, one.manifest.inputs))
        y = out["property__yield_strength"].to_numpy()
        inside += ((answer["lower"][:, 0] <= y) & (y <= answer["upper"][:, 0])).tolist()
        assert (0.5 * (answer["upper"] - answer["lower"]) >= answer["std"]).all()
    assert 0.8 <= np.mean(inside) <= 0.97


def test_library_says_who_may_see_a_recipe() -> None:
    """Disclosure and embargo of a row, the strictest of all that it is joined from, go with its recipe."""
    frame = alloys(60, 2).with_columns(
        disclosure=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("L5")),
        embargo_until=pl.lit(CREATED.date()),
    )
    library = train(frame, order(), CREATED).manifest.library
    levels = dict(zip(record_names(frame), frame["disclosure"].to_list(), strict=True))
    assert [r.disclosure for r in library.rights] == [levels[name] for name in library.measured]
    assert {r.embargo_until for r in library.rights} == {CREATED.date()}
    assert {small().manifest.library.rights_of(row).disclosure for row in range(60)} == {None}
