"""Invented designs are plausible: sums, ranges, levels, rules; and the inverse graph answers as it says."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from sojae.adapters.onnx import InverseModel
from sojae.domain.model import output_row
from sojae.domain.template import Rule
from sojae.domain.text import Text
from sojae_trainer.designs import condition_grids, invent
from sojae_trainer.encoding import Encoder
from sojae_trainer.features import choose_inputs, imputed, matrix
from sojae_trainer.graph_inverse import ScoredLibrary, inverse_graph
from sojae_trainer.plausible import keeps_rules
from tests.unit.trainer_law import (
    ELEMENTS,
    PROJECT,
    TARGET,
    TEMPERATURES,
    alloys,
    templates,
    trained,
    values_of,
    yield_strength,
)

NAN = float("nan")


@cache
def encoder() -> Encoder:
    return Encoder(tuple(choose_inputs(alloys(80, 4), templates(), ())[0]))


@cache
def invented() -> tuple[NDArray[np.float64], int]:
    inputs = encoder().inputs
    x = imputed(matrix(alloys(80, 4), inputs), inputs)
    designs = invent(x, encoder(), 3000, lambda rows: np.ones(len(rows), np.bool_), 0)
    return designs.x, len(designs.measured)


@cache
def inverse() -> InverseModel:
    manifest = trained().manifest
    return InverseModel(trained().files["inverse.onnx"], inputs=len(manifest.inputs), targets=len(manifest.targets))


def place(field: str) -> int:
    return [i.field for i in trained().manifest.inputs].index(field)


def wanted(value: float) -> list[float]:
    return [value if t.name == TARGET else NAN for t in trained().manifest.targets]


def open_bounds() -> NDArray[np.float64]:
    return np.full(len(trained().manifest.inputs), NAN)


def test_library_has_what_was_asked_for() -> None:
    """Every measured recipe, and as many others as were wanted, all different."""
    x, measured = invented()
    assert (measured, len(x)) == (80, 3080)
    assert len(np.unique(x, axis=0)) == len(x)


def test_compositions_stay_on_the_simplex() -> None:
    """Amounts are ≥ 0 and add up as those of real alloys do."""
    x, _ = invented()
    amounts = x[:, [j for j, i in enumerate(encoder().inputs) if i.kind == "component"]]
    assert (amounts >= 0).all()
    np.testing.assert_allclose(amounts.sum(axis=1), 100.0, atol=0.05)


def test_numbers_stay_within_their_observed_range() -> None:
    """Nothing is proposed that lies outside what was measured."""
    x, _ = invented()
    for j, one in enumerate(encoder().inputs):
        assert x[:, j].min() >= one.low - 1e-3
        assert x[:, j].max() <= one.high + 1e-3


def test_discrete_levels_are_kept() -> None:
    """A field that takes a few values takes no other in a design."""
    x, _ = invented()
    for j, one in enumerate(encoder().inputs):
        if one.levels:
            assert set(np.unique(x[:, j])) <= set(one.levels)


def test_categories_come_from_the_data() -> None:
    """Every route of the data occurs, and no other."""
    x, _ = invented()
    route = next(j for j, i in enumerate(encoder().inputs) if i.kind == "category")
    assert set(np.unique(x[:, route])) == {0.0, 1.0, 2.0}


def test_conditions_cover_their_grid() -> None:
    """Every test temperature of the data has its share of the designs."""
    x, _ = invented()
    grids = condition_grids(x[:80], encoder().inputs)
    (temperature, grid) = next(iter(grids.items()))
    assert tuple(grid) == TEMPERATURES
    assert min((x[:, temperature] == t).mean() for t in grid) > 0.15


def test_continuous_condition_gets_quantiles() -> None:
    """A condition that hardly ever repeats is cut into five values that spread over its range."""
    frame = alloys(80, 4).with_columns(property__test_temperature=pl.int_range(pl.len()).cast(pl.Float64) * 10.0)
    inputs, _ = choose_inputs(frame, templates(), ())
    (grid,) = condition_grids(imputed(matrix(frame, inputs), inputs), inputs).values()
    assert len(grid) == 5
    assert grid[0] < 60
    assert grid[-1] > 720


def test_same_seed_gives_the_same_designs() -> None:
    """Designs are a function of data and seed."""
    inputs = encoder().inputs
    x = imputed(matrix(alloys(80, 4), inputs), inputs)
    again = invent(x, encoder(), 3000, lambda rows: np.ones(len(rows), np.bool_), 0)
    np.testing.assert_array_equal(again.x, invented()[0])


def test_implausible_designs_are_left_out() -> None:
    """What the judge of plausibility refuses is not in the library, measured recipes stay."""
    inputs = encoder().inputs
    x = imputed(matrix(alloys(80, 4), inputs), inputs)
    designs = invent(x, encoder(), 500, lambda rows: rows[:, 0] < 10.0, 0)
    assert (designs.x[len(designs.measured) :, 0] < 10.0).all()
    assert len(designs.measured) == 80


def test_tiny_space_gives_what_there_is() -> None:
    """Where the levels allow few combinations, the library is small instead of repeated."""
    frame = pl.DataFrame({"process__cold_reduction": [float(i % 3) * 10 for i in range(50)]})
    inputs, _ = choose_inputs(frame, templates(), ())
    designs = invent(matrix(frame, inputs), Encoder(tuple(inputs)), 500, lambda r: np.ones(len(r), np.bool_), 0)
    assert (len(designs.x), len(designs.measured)) == (3, 3)


def rule(sql: str, severity: str = "hard") -> Rule:
    return Rule(id="r", sql=sql, severity=severity, message=Text(ko="", en=""))  # type: ignore[arg-type]  # by name


def with_rule(stage: str, one: Rule) -> dict[str, object]:
    template = templates()[stage]  # type: ignore[index]  # by name
    changed = type(template)(
        **{name: getattr(template, name) for name in template.__slots__ if name != "rules"}, rules=(one,)
    )
    return {**templates(), stage: changed}


@pytest.mark.parametrize(
    ("stage", "sql", "severity", "kept"),
    [
        ("process", "cold_reduction <= 40", "hard", True),
        ("process", "processing_route <> 'cast' OR cold_reduction = 0", "hard", True),
        ("composition", "composition.Al <= 20", "hard", True),
        ("composition", "composition.W <= 1", "hard", False),
        ("process", "cold_reduction <= 40", "warn", False),
        ("process", "hip_pressure IS NOT NULL", "hard", False),
    ],
    ids=["number", "category", "amount", "absent amount", "only a warning", "no input"],
)
def test_hard_rules_of_templates_hold(stage: str, sql: str, severity: str, *, kept: bool) -> None:
    """Designs that break a hard rule over inputs are found; other rules have no say."""
    x, _ = invented()
    good = keeps_rules(x, encoder().inputs, with_rule(stage, rule(sql, severity)))  # type: ignore[arg-type]  # by name
    assert (not good.all()) == kept
    assert good.any()


def test_query_is_answered_best_first() -> None:
    """Designs come by falling hit probability, and the model's mean lies near what was asked."""
    answer = inverse().query(wanted(450.0), top_k=8)
    target = [t.name for t in trained().manifest.targets].index(TARGET)
    assert answer["design"].shape == (8, len(trained().manifest.inputs))
    assert (np.diff(answer["hit_probability"]) <= 1e-6).all()
    np.testing.assert_allclose(answer["mean"][:, target], 450.0, atol=30.0)


def test_rows_below_the_measured_count_are_measured_recipes() -> None:
    """A row of the library below len(measured) is the recipe of that record, at distance 0; the others are not."""
    manifest = trained().manifest
    answer = inverse().query([NAN] * len(manifest.targets), top_k=manifest.library.rows)
    measured = answer["library_row"] < len(manifest.library.measured)
    assert measured.sum() == len(manifest.library.measured) == 150
    assert (answer["distance"][measured] == 0).all()
    assert (answer["distance"][~measured] > 0).all()
    assert (~measured).sum() >= 20_000
    by_record = {f"{r['institute']}/{r['record_id']}": r for r in alloys(150, 1).iter_rows(named=True)}
    for row, design in zip(answer["library_row"][measured][:20], answer["design"][measured][:20], strict=True):
        said = output_row(manifest.inputs, design)
        recipe = values_of(by_record[manifest.library.measured[row]])
        assert said["process.processing_route"] == recipe["process.processing_route"]
        assert said["composition.el.Ni"] == pytest.approx(recipe["composition.el.Ni"], rel=1e-5)


def test_bounds_are_obeyed() -> None:
    """Lower and upper bounds hold for every design, and a fixed category is fixed."""
    lower, upper = open_bounds(), open_bounds()
    lower[place("composition.el.Al")], upper[place("composition.el.Al")] = 5.0, 12.0
    lower[place("process.processing_route")] = upper[place("process.processing_route")] = 1.0
    answer = inverse().query(wanted(500.0), bounds=(lower, upper), top_k=50)
    assert len(answer["design"]) == 50
    assert answer["design"][:, place("composition.el.Al")].min() >= 5.0 - 1e-2
    assert answer["design"][:, place("composition.el.Al")].max() <= 12.0 + 1e-2
    assert set(answer["design"][:, place("process.processing_route")]) == {1.0}


@pytest.mark.parametrize(
    ("asked", "met"), [(600.0, 600.0), (640.0, 600.0), (790.0, 800.0), (2000.0, 800.0), (-200.0, 25.0)]
)
def test_condition_is_met_by_the_nearest_of_the_grid(asked: float, met: float) -> None:
    """A fixed test temperature is honoured exactly on the grid, and by its nearest value elsewhere."""
    bounds = open_bounds()
    bounds[place("property.test_temperature")] = asked
    answer = inverse().query(wanted(400.0), bounds=(bounds, bounds), top_k=20)
    assert set(answer["design"][:, place("property.test_temperature")]) == {met}


def test_condition_range_admits_only_what_lies_in_it() -> None:
    """A range that holds grid values is not widened."""
    lower, upper = open_bounds(), open_bounds()
    lower[place("property.test_temperature")], upper[place("property.test_temperature")] = 300.0, 650.0
    answer = inverse().query(wanted(400.0), bounds=(lower, upper), top_k=50)
    assert set(answer["design"][:, place("property.test_temperature")]) == {400.0, 600.0}


def test_impossible_bounds_give_nothing() -> None:
    """Where no design obeys the bounds, none is returned: never one that breaks them."""
    lower, upper = open_bounds(), open_bounds()
    lower[place("composition.el.Al")], upper[place("composition.el.Al")] = 90.0, 10.0
    answer = inverse().query(wanted(400.0), bounds=(lower, upper))
    assert {name: len(a) for name, a in answer.items()} == dict.fromkeys(answer, 0)


def test_out_of_reach_is_told_by_a_low_probability() -> None:
    """A strength that no alloy of the library has gets the nearest designs, with a hit probability near 0."""
    high = max(t.high for t in trained().manifest.targets if t.name == TARGET)
    answer = inverse().query(wanted(4 * high))
    target = [t.name for t in trained().manifest.targets].index(TARGET)
    assert answer["hit_probability"].max() < 1e-3
    assert answer["mean"][0, target] > 0.8 * high


def test_cost_has_no_effect_without_prices() -> None:
    """Every design costs 0: a cap ≥ 0 changes nothing, one below 0 admits nothing."""
    free = inverse().query(wanted(400.0))
    capped = inverse().query(wanted(400.0), max_cost=0.0)
    np.testing.assert_array_equal(free["library_row"], capped["library_row"])
    assert len(inverse().query(wanted(400.0), max_cost=-1.0)["design"]) == 0


def test_first_designs_differ() -> None:
    """The five best are not one design five times: they come from different clusters."""
    answer = inverse().query(wanted(400.0))
    x = answer["design"][:, [place(f"composition.el.{e}") for e in ELEMENTS]]
    apart = np.abs(x[:, None, :] - x[None]).max(axis=2)[np.triu_indices(5, 1)]
    assert np.median(apart) > 3.0


def library(**changes: object) -> ScoredLibrary:
    values: dict[str, object] = {
        "design": np.array([[0.0], [1.0], [2.0], [3.0]], np.float32),
        "mean": np.array([[10.0, 1.0], [10.2, 5.0], [30.0, 1.0], [11.0, 1.0]], np.float32),
        "std": np.ones((4, 2), np.float32),
        "distance": np.zeros(4, np.float32),
        "cost": np.array([5.0, 1.0, 1.0, 1.0], np.float32),
        "cluster": np.array([0, 0, 1, 2]),
        "grids": {},
        "ranges": np.array([[0.0, 40.0], [0.0, 10.0]], np.float32),
        **changes,
    }
    return ScoredLibrary(**values)  # type: ignore[arg-type]  # by name


def small(**changes: object) -> InverseModel:
    return InverseModel(inverse_graph(library(**changes)), inputs=1, targets=2)


def test_hit_probability_is_the_normal_one() -> None:
    """Π P(|Y − target| ≤ tolerance) with the stored mean and std; a NaN target plays no part."""
    answer = small().query([10.0, NAN], [1.0, NAN], top_k=4)
    row = list(answer["library_row"]).index(0)
    assert answer["hit_probability"][row] == pytest.approx(0.6827, abs=1e-4)
    both = small().query([10.0, 1.0], [1.0, 2.0], top_k=4)
    assert both["hit_probability"][list(both["library_row"]).index(0)] == pytest.approx(0.6827 * 0.9545, abs=1e-4)


def test_default_tolerance_is_a_twentieth_of_the_range() -> None:
    """Without a tolerance, 5 % of the observed range of the target."""
    given = small().query([10.0, NAN], [2.0, NAN], top_k=4)
    default = small().query([10.0, NAN], top_k=4)
    np.testing.assert_allclose(default["hit_probability"], given["hit_probability"])


def test_best_of_each_cluster_comes_before_its_second() -> None:
    """Row 1 is nearly as good as row 0, but of the same cluster: the best of another one that can hit is taken first."""
    assert list(small().query([10.0, NAN], [1.0, NAN], top_k=2)["library_row"]) == [0, 3]


def test_cluster_that_cannot_hit_does_not_come_first() -> None:
    """Diversity does not bring a design that is less than half as probable."""
    assert list(small().query([10.0, NAN], [1.0, NAN], top_k=3)["library_row"]) == [0, 1, 3]


def test_prices_cap_the_choice() -> None:
    """With prices, a cap leaves the dear design out."""
    assert 0 not in small().query([10.0, NAN], [1.0, NAN], max_cost=2.0, top_k=4)["library_row"]


def test_inverse_finds_designs_by_the_law() -> None:
    """In ≥ 80 % of 40 queries one of the first five designs truly hits, by the law without noise.

    Wanted are the noiseless strengths of alloys that were never seen, at their test temperature; a hit is within ±5 % of
    the target's range.
    """
    manifest = trained().manifest
    target = manifest.target(TARGET)
    tolerance = 0.05 * (target.high - target.low)
    hits = 0
    for row in alloys(40, 99, noise=0.0).iter_rows(named=True):
        truth, bounds = yield_strength(values_of(row)), open_bounds()
        bounds[place("property.test_temperature")] = row["property__test_temperature"]
        answer = inverse().query(wanted(truth), [tolerance] * len(manifest.targets), (bounds, bounds))
        real = [yield_strength(output_row(manifest.inputs, d)) for d in answer["design"]]
        hits += any(abs(value - truth) <= tolerance for value in real)
    assert hits >= 32


def test_project_of_the_law_is_a_real_one() -> None:
    """The law speaks in the fields of the package's own templates."""
    assert all(t.key.project == PROJECT for t in templates().values())
