"""Invented designs are plausible: sums, ranges, levels, rules; and the inverse graph answers as it says."""

from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from sojae.adapters.onnx import InverseModel
from sojae.domain.model import output_row
from sojae.domain.template_rule import Rule
from sojae.domain.text import Text
from sojae_trainer.designs import common_conditions, condition_grids, invent
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
Floats = NDArray[np.float64]


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


def anything(rows: Floats) -> NDArray[np.bool_]:
    return np.ones(len(rows), np.bool_)


def test_common_conditions_have_designs_of_their_own() -> None:
    """The mode on the grid, or what is nearest to the median; a good share of the designs is for it."""
    x, measured = invented()
    grids = condition_grids(x[:measured], encoder().inputs)
    ((at, value),) = common_conditions(x[:measured], encoder().inputs, grids, anything).items()
    values, counts = np.unique(x[:measured, at], return_counts=True)
    assert value == values[counts.argmax()]
    assert (x[measured:, at] == value).mean() > 0.35
    free = x[:measured].copy()
    free[:, at] = np.linspace(0, 800, measured)
    grid = {at: np.linspace(0.0, 800.0, 9)}
    assert common_conditions(free, encoder().inputs, grid, anything) == {at: 400.0}


def test_common_conditions_go_together() -> None:
    """Waits that add up: the most common of each do not, so those of a record that keeps the rule are taken."""
    one = msgspec.structs.replace(encoder().inputs[6], role="condition", low=0.0, high=20.0, levels=())
    first, second = np.array([7.0] * 9 + [4.0] * 5 + [6.0]), np.array([1.0] * 5 + [2.0] * 2 + [3.0] * 2 + [4.0] * 6)
    x = np.column_stack([first, second, first + second])
    adds_up = lambda rows: np.isclose(rows[:, 2], rows[:, 0] + rows[:, 1])  # noqa: E731 - one line that is a rule
    grids = {j: np.unique(x[:, j]) for j in range(3)}
    found = common_conditions(x, [one] * 3, grids, adds_up)
    assert found[2] == found[0] + found[1]
    assert list(found.values()) in x.tolist()


def test_category_condition_is_a_common_one() -> None:
    """An atmosphere is held at the one that most records have, never at the unknown one."""
    one = msgspec.structs.replace(encoder().inputs[5], role="condition")
    codes = np.array([[-1.0], [-1.0], [-1.0], [1.0], [1.0], [0.0]])
    assert one.kind == "category"
    assert common_conditions(codes, [one], {}, anything) == {0: 1.0}


def test_whole_numbers_stay_whole_in_designs() -> None:
    """13.9 layers cannot be made: a field that only ever holds whole numbers does so in designs, others do not."""
    rng = np.random.default_rng(0)
    frame = alloys(80, 4).with_columns(
        process__cold_reduction=pl.Series(rng.integers(0, 60, 80).astype(float)),
        process__heat_treatment_1_temperature=pl.Series(rng.uniform(800, 1200, 80)),
    )
    inputs, _ = choose_inputs(frame, templates(), ())
    one = Encoder(tuple(inputs))
    x = invent(imputed(matrix(frame, inputs), inputs), one, 1000, lambda rows: np.ones(len(rows), np.bool_), 0).x
    columns = {i.field: x[80:, j] for j, i in enumerate(inputs)}
    layers, heat = columns["process.cold_reduction"], columns["process.heat_treatment_1_temperature"]
    assert (layers == np.rint(layers)).all()
    assert len(np.unique(layers)) > 20
    assert (heat != np.rint(heat)).mean() > 0.3


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
        "deviation": np.ones((4, 2), np.float32),
        "transforms": ("identity", "identity"),
        "distance": np.zeros(4, np.float32),
        "cost": np.array([5.0, 1.0, 1.0, 1.0], np.float32),
        "cluster": np.array([0, 0, 1, 2]),
        "grids": {},
        "ranges": np.array([[0.0, 40.0], [0.0, 10.0]], np.float32),
        "possible": np.array([[-np.inf, np.inf]] * 2, np.float32),
        **changes,
    }
    values = {"centre": values["mean"], **values}
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


@pytest.mark.parametrize(
    ("transform", "back"), [("identity", lambda t: t), ("sqrt", lambda t: np.maximum(t, 0) ** 2), ("log", np.exp)]
)
def test_hit_probability_is_the_share_of_the_learnt_distribution(
    transform: str, back: Callable[[Floats], Floats]
) -> None:
    """Drawn on the learnt scale, brought back and cut at what is possible: as many draws lie within the tolerance."""
    centre, deviation = np.array([[1.0, 0.0], [1.4, 0.0], [0.4, 0.0], [1.9, 0.0]], np.float32), 0.8
    asked = small(
        centre=centre,
        mean=back(centre).astype(np.float32),
        deviation=np.full((4, 2), deviation, np.float32),
        transforms=(transform, "identity"),
        possible=np.array([[0.5, 3.0], [-np.inf, np.inf]], np.float32),
    )
    draws = np.clip(back(np.random.default_rng(0).normal(centre[:, 0], deviation, (100_000, 4))), 0.5, 3.0)
    for value, tolerance in ((0.7, 0.3), (1.5, 0.4), (2.8, 0.3), (0.0, 9.0)):
        answer = asked.query([value, NAN], [tolerance, NAN], top_k=4)
        share = (np.abs(draws - value) <= tolerance + 1e-6).mean(axis=0)
        for row, told in zip(answer["library_row"], answer["hit_probability"], strict=True):
            assert told == pytest.approx(share[row], abs=0.01)


@pytest.mark.parametrize(("value", "tolerance"), [(3.6, 0.4), (0.0, 0.3)])
@pytest.mark.parametrize("transform", ["identity", "sqrt", "log"])
def test_what_is_impossible_is_hit_by_nothing(transform: str, value: float, tolerance: float) -> None:
    """A tolerance that lies beyond what the target can be holds no measurement, however near the designs are."""
    asked = small(
        centre=np.array([[1.0, 0.0], [1.4, 0.0], [0.4, 0.0], [1.9, 0.0]], np.float32),
        transforms=(transform, "identity"),
        possible=np.array([[0.5, 3.0], [-np.inf, np.inf]], np.float32),
    )
    assert asked.query([value, NAN], [tolerance, NAN], top_k=4)["hit_probability"].max() < 1e-6


def test_hit_probability_is_what_a_measurement_shows() -> None:
    """By fifths of the probability: of designs that are said to hit with p, about that share is measured to hit.

    Measured means by the law, with the offset of an institute and noise, as the training rows were.
    """
    manifest, rng = trained().manifest, np.random.default_rng(5)
    target = manifest.target(TARGET)
    told, seen = [], []
    for value in np.linspace(target.low, target.high, 40):
        for tolerance in (10.0, 25.0, 60.0):
            answer = inverse().query(wanted(float(value)), [tolerance] * len(manifest.targets), top_k=20)
            for design, probability in zip(answer["design"], answer["hit_probability"], strict=True):
                strength = yield_strength(output_row(manifest.inputs, design)) * rng.normal(1.0, 0.036)
                told.append(float(probability))
                seen.append(abs(strength - value) <= tolerance)
    fifth = np.minimum((np.array(told) * 5).astype(int), 4)
    for k in np.unique(fifth):
        if (fifth == k).sum() >= 100:
            assert np.mean(np.array(seen)[fifth == k]) == pytest.approx(np.mean(np.array(told)[fifth == k]), abs=0.15)
    assert np.mean(seen) == pytest.approx(np.mean(told), abs=0.05)


def test_no_design_is_surer_than_the_noise_floor() -> None:
    """Not even a measured recipe: its deviation is that of a new record of it."""
    manifest = trained().manifest
    target, which = manifest.target(TARGET), [t.name for t in manifest.targets].index(TARGET)
    answer = inverse().query([NAN] * len(manifest.targets), top_k=manifest.library.rows)
    assert target.noise_floor > 0
    back = {"identity": lambda t: t, "sqrt": np.square, "log": np.exp}[target.transform]
    learnt = {"identity": lambda y: y, "sqrt": np.sqrt, "log": np.log}[target.transform](answer["mean"][:, which])
    floor = 0.5 * (back(learnt + target.noise_floor) - back(learnt - target.noise_floor))
    assert (answer["std"][:, which] >= 0.999 * floor).all()


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
