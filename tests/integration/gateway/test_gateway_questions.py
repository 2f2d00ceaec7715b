"""Predictions and designs over HTTP, by the models that the trainer made."""

from statistics import NormalDist

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from sojae.adapters.onnx import ForwardModel
from sojae.domain.card_lines import short_number
from sojae.domain.model import input_row
from sojae_trainer.train import Trained
from tests.gateway_app import ALLOYS, RECIPE, refusal
from tests.gateway_parts import Alloy


def test_a_prediction_is_what_the_graph_says(client: TestClient, models: Trained) -> None:
    """Mean, interval and standard deviation come from the graph of the target, for the caller's recipe."""
    response = client.post(f"{ALLOYS}/predict", json={"rows": [RECIPE]})
    assert response.status_code == 200
    (row,) = response.json()["rows"]
    manifest = models.manifest
    target = manifest.target("yield_strength.tension")
    graph = ForwardModel(models.files[target.file], inputs=len(manifest.inputs), groups=len(manifest.groups))
    x = input_row(
        manifest.inputs,
        {
            "composition.el.Al": 10.0,
            "composition.el.Cr": 20.0,
            "composition.el.Ni": 70.0,
            "process.homogenisation_temperature": 900.0,
            "process.cooling": "water",
            "property.test_temperature": 25.0,
        },
    )
    expected = graph.predict([x])
    told = row["predictions"]["yield_strength.tension"]
    for name in ("mean", "std", "lower", "upper"):
        assert told[name] == pytest.approx(float(expected[name][0, 0]), rel=1e-5)
    assert told["unit"] == "MPa"
    assert sum(told["contributions"].values()) == pytest.approx(told["mean"] - told["baseline"], abs=1e-2)
    assert row["imputed"] == {}


def test_a_prediction_rests_on_stored_records(client: TestClient, made: list[Alloy]) -> None:
    """Support names records of the store with their samples and what was measured of this very target."""
    answer = client.post(f"{ALLOYS}/predict", json={"rows": [RECIPE], "targets": ["yield_strength.tension"]}).json()
    support = answer["rows"][0]["predictions"]["yield_strength.tension"]["support"]
    by_record = {a.record_id: a for a in made}
    assert 1 <= len(support) <= 5
    for one in support:
        alloy = by_record[one["record_id"]]
        assert (one["institute"], one["sample_id"]) == ("kims", alloy.sample_id)
        assert one["measured"] == alloy.yield_strength
        assert alloy.test_type == "tension"
        assert 0 < one["weight"] <= 1


def test_what_a_recipe_leaves_open_is_named(client: TestClient) -> None:
    """Imputed inputs and their values stand in the answer; a split in a row chooses the target."""
    answer = client.post(f"{ALLOYS}/predict", json={"rows": [{"cooling": "oil", "test_type": "tension"}]}).json()
    (row,) = answer["rows"]
    assert set(row["predictions"]) == {"yield_strength.tension"}
    assert set(row["imputed"]) == {"composition", "homogenisation_temperature", "test_temperature"}
    assert row["unseen"] == ["cooling"]


def test_many_rows_are_answered_in_their_order(client: TestClient) -> None:
    """A full request of 1,000 recipes, each with its own answer."""
    rows = [{**RECIPE, "composition": {"Al": n % 20, "Cr": 20, "Ni": 80 - n % 20}} for n in range(1_000)]
    answer = client.post(f"{ALLOYS}/predict", json={"rows": rows, "targets": ["yield_strength.tension"]}).json()
    means = [row["predictions"]["yield_strength.tension"]["mean"] for row in answer["rows"]]
    assert len(means) == 1_000
    assert means[:20] == pytest.approx(means[980:], rel=1e-5)
    assert means[19] > means[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"rows": [RECIPE, {"coling": "air"}]}, (422, "unknown_field", "rows[1].coling")),
        ({"rows": [{"cooling": "ice"}]}, (422, "category", "rows[0].cooling")),
        ({"rows": [{"test_temperature": -400}]}, (422, "hard_range", "rows[0].test_temperature")),
        ({"rows": [{"test_temperature": [25]}]}, (400, "request_shape", "rows[0].test_temperature")),
        ({"rows": []}, (422, "row_count", "rows")),
        ({"rows": [{}] * 1_001}, (422, "row_count", "rows")),
        ({"rows": [RECIPE], "targets": ["toughness"]}, (422, "unknown_target", "targets")),
        ({"rows": [RECIPE], "target": "x"}, (400, "request_shape", None)),
    ],
)
def test_a_wrong_prediction_request_is_a_problem(
    client: TestClient, body: object, expected: tuple[int, str, str | None]
) -> None:
    """Status, rule and field say what to correct; no row is answered."""
    assert refusal(client.post(f"{ALLOYS}/predict", json=body)) == expected


@pytest.mark.parametrize("question", ["predict", "design"])
def test_a_body_beyond_the_limits_is_a_problem(client: TestClient, question: str) -> None:
    """Too large, too deep, or no JSON: the gateway answers, and goes on."""
    path = f"{ALLOYS}/{question}"
    assert refusal(client.post(path, content=b" " * 2_000_001)) == (413, "body_too_large", None)
    assert refusal(client.post(path, content=b'{"rows":' + b'{"a":' * 100_000))[0] == 400
    assert refusal(client.post(path, content=b"rows"))[:2] == (400, "not_json")
    assert client.get("/health/live").status_code == 200


def test_a_design_obeys_its_bounds_and_hits(client: TestClient, made: list[Alloy]) -> None:
    """Designs keep what is fixed and limited, best first; the nearest measured records stand beside them."""
    strengths = sorted(a.yield_strength for a in made if a.test_type == "tension" and a.test_temperature == 25.0)
    wanted = strengths[len(strengths) // 2]
    body = {
        "targets": {"yield_strength.tension": {"value": wanted, "tolerance": 30.0}},
        "fixed": {"cooling": "water"},
        "lower": {"composition": {"Al": 2.0}},
        "conditions": {"test_temperature": 25.0},
        "top_k": 4,
    }
    response = client.post(f"{ALLOYS}/design", json=body)
    assert response.status_code == 200
    answer = response.json()
    assert answer["reachable"] is True
    assert 1 <= len(answer["designs"]) <= 4
    hits = [d["hit_probability"] for d in answer["designs"]]
    assert hits == sorted(hits, reverse=True)
    for design in answer["designs"]:
        assert design["inputs"]["cooling"] == "water"
        assert design["conditions"] == {"test_temperature": 25.0}
        assert "test_temperature" not in design["inputs"]
        assert design["inputs"]["composition"]["Al"] >= 1.99
        assert sum(design["inputs"]["composition"].values()) == pytest.approx(100, abs=0.1)
    best = answer["designs"][0]["expected"]["yield_strength.tension"]
    assert abs(best["mean"] - wanted) < 60.0
    for near in answer["baseline"]:
        assert near["inputs"]["cooling"] == "water"
        off = abs(near["measured"]["yield_strength.tension"] - wanted) / 30.0
        assert near["off_by_tolerances"] == pytest.approx(off, rel=1e-4)


def test_the_baseline_is_the_nearest_of_all_measured(client: TestClient, made: list[Alloy]) -> None:
    """Without bounds, the first baseline record is the one whose strength is nearest to the wanted one."""
    body = {"targets": {"yield_strength": {"value": 430.0}}, "conditions": {"test_type": "compression"}, "top_k": 3}
    answer = client.post(f"{ALLOYS}/design", json=body).json()
    nearest = sorted((a for a in made if a.test_type == "compression"), key=lambda a: abs(a.yield_strength - 430.0))
    assert [n["record_id"] for n in answer["baseline"]] == [a.record_id for a in nearest[:3]]


def test_conditions_that_are_not_given_are_assumed_and_told(client: TestClient, made: list[Alloy]) -> None:
    """Every design is for the most common test temperature, apart from its recipe; a sentence says so in both languages.

    The measured records beside it may have been tested at any.
    """
    temperatures = [a.test_temperature for a in made]
    common = max(sorted(set(temperatures)), key=temperatures.count)
    answer = client.post(
        f"{ALLOYS}/design", json={"targets": {"yield_strength.tension": {"value": 400.0}}, "top_k": 20}
    ).json()
    assert len(answer["designs"]) == 20
    assert {d["conditions"]["test_temperature"] for d in answer["designs"]} == {common}
    assert len({n["conditions"]["test_temperature"] for n in answer["baseline"]}) > 1
    (told,) = answer["warnings"]
    assert f"test_temperature = {common:g} Cel" in told["en"]
    assert f"test_temperature = {common:g} Cel" in told["ko"]


@pytest.mark.parametrize(("asked", "met", "sentences"), [(400.0, 400.0, 0), (450.0, 400.0, 1)])
def test_a_condition_between_the_designs_is_told(client: TestClient, asked: float, met: float, sentences: int) -> None:
    """What is asked for is honoured exactly where there are designs, else the answer says which condition they are for."""
    body = {
        "targets": {"yield_strength.tension": {"value": 400.0}},
        "conditions": {"test_temperature": asked},
        "top_k": 2,
    }
    answer = client.post(f"{ALLOYS}/design", json=body).json()
    assert {d["conditions"]["test_temperature"] for d in answer["designs"]} == {met}
    assert len(answer["warnings"]) == sentences
    assert all(f"these are for {met:g} Cel" in told["en"] for told in answer["warnings"])


def test_interval_and_hit_probability_do_not_contradict_each_other(client: TestClient) -> None:
    """The design's std is that of its prediction, inside the interval's half-width, and the probability is its share."""
    wanted, tolerance = 400.0, 12.0
    body = {"targets": {"yield_strength.tension": {"value": wanted, "tolerance": tolerance}}, "top_k": 3}
    for design in client.post(f"{ALLOYS}/design", json=body).json()["designs"]:
        told = client.post(f"{ALLOYS}/predict", json={"rows": [{**design["inputs"], **design["conditions"]}]}).json()
        one = told["rows"][0]["predictions"]["yield_strength.tension"]
        assert design["expected"]["yield_strength.tension"]["std"] == pytest.approx(one["std"], rel=1e-3)
        assert 0.5 * (one["upper"] - one["lower"]) >= one["std"]
        normal = NormalDist(one["mean"], one["std"])
        share = normal.cdf(wanted + tolerance) - normal.cdf(wanted - tolerance)
        assert design["hit_probability"] == pytest.approx(share, abs=0.02)


def test_a_target_within_reach_that_is_unsure_is_not_called_unreachable(client: TestClient) -> None:
    """A tolerance that no model can promise is the tolerance's fault, and the answer says so."""
    body = {"targets": {"yield_strength.tension": {"value": 400.0}}}
    there = client.post(f"{ALLOYS}/design", json=body).json()["designs"][0]["expected"]["yield_strength.tension"][
        "mean"
    ]
    body["targets"]["yield_strength.tension"] = {"value": there, "tolerance": 0.2}
    answer = client.post(f"{ALLOYS}/design", json=body).json()
    assert answer["reachable"] is False
    assert "not that sure" in answer["message"]["en"]
    assert "확실하지 않습니다" in answer["message"]["ko"]
    assert answer["reach"]["yield_strength.tension"]["low"] < there < answer["reach"]["yield_strength.tension"]["high"]


def test_an_empty_recipe_is_answered_with_a_warning(client: TestClient) -> None:
    """Everything would be imputed: each such row says so, in both languages."""
    first, second = client.post(f"{ALLOYS}/predict", json={"rows": [{}, RECIPE]}).json()["rows"]
    assert [(w["rule"], w["field"]) for w in first["warnings"]] == [("nothing_given", "rows[0]")]
    assert first["warnings"][0]["ko"]
    assert first["warnings"][0]["en"]
    assert second["warnings"] == []


def test_a_property_without_a_model_for_the_test_is_told(client: TestClient) -> None:
    """A row that was bent, or a target of the other test: no answer, but never without a word."""
    rows = [{**RECIPE, "test_type": "compression"}, {**RECIPE, "test_type": "tension"}]
    answer = client.post(f"{ALLOYS}/predict", json={"rows": rows, "targets": ["yield_strength.tension"]}).json()
    first, second = answer["rows"]
    assert (first["predictions"], list(second["predictions"])) == ({}, ["yield_strength.tension"])
    (told,) = first["warnings"]
    assert (told["rule"], told["field"]) == ("no_model", "rows[0].test_type")
    assert (told["got"], told["expected"]) == ("test_type = compression", "yield_strength.tension")
    assert "no model answers this property" in told["en"]
    assert second["warnings"] == []


def test_a_target_out_of_reach_is_said_plainly(client: TestClient) -> None:
    """The answer says so in both languages, what can be reached, and shows what comes nearest."""
    body = {"targets": {"yield_strength.tension": {"value": 9_000.0, "tolerance": 1.0}}}
    answer = client.post(f"{ALLOYS}/design", json=body).json()
    assert answer["reachable"] is False
    assert "cannot be reached" in answer["message"]["en"]
    assert "도달할 수 없습니다" in answer["message"]["ko"]
    reach = answer["reach"]["yield_strength.tension"]
    nearest = max(d["expected"]["yield_strength.tension"]["mean"] for d in answer["designs"])
    assert nearest == pytest.approx(reach["high"], rel=1e-3)
    for said in answer["message"].values():
        assert f"{short_number(reach['high'])} MPa" in said
        assert short_number(reach["low"]) in said


def test_bounds_that_no_design_obeys_are_said_plainly(client: TestClient) -> None:
    """No design, no baseline, and the reason."""
    body = {"targets": {"yield_strength.tension": {"value": 400.0}}, "lower": {"composition": {"Al": 99.0}}}
    answer = client.post(f"{ALLOYS}/design", json=body).json()
    assert (answer["designs"], answer["baseline"], answer["reachable"]) == ([], [], False)
    assert "no design obeys the bounds" in answer["message"]["en"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"targets": {}}, (422, "no_target", "targets")),
        ({"targets": {"yield_strength": {"value": 1}}}, (422, "ambiguous_target", "targets.yield_strength")),
        (
            {"targets": {"yield_strength.tension": {"valu": 1}}},
            (400, "request_shape", "targets.yield_strength.tension"),
        ),
        ({"targets": {"yield_strength.tension": {"value": 1}}, "top_k": 51}, (400, "request_shape", "top_k")),
        (
            {"targets": {"yield_strength.tension": {"value": 1}}, "fixed": {"cooling": "ice"}},
            (422, "category", "fixed.cooling"),
        ),
    ],
)
def test_a_wrong_design_request_is_a_problem(
    client: TestClient, body: object, expected: tuple[int, str, str | None]
) -> None:
    """Status, rule and field say what to correct."""
    assert refusal(client.post(f"{ALLOYS}/design", json=body)) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [*RECIPE, "composition.el.Al", "process.cooling", "test_type", "hip_time", "yield_strength", "x"]
)
AMOUNTS = st.dictionaries(st.sampled_from(["Al", "Cr", "Ni", "Co", "Xx"]), st.floats(-10, 110), max_size=4)
VALUES = JSON | AMOUNTS | st.floats(-1e308, 1e308) | st.sampled_from(["water", "ice", "tension"])
FIELDS = st.dictionaries(NAMES, VALUES, max_size=4)
TARGETS = st.dictionaries(
    st.sampled_from(["yield_strength", "yield_strength.tension", "x"]),
    st.fixed_dictionaries({"value": st.floats(-1e308, 1e308)}, optional={"tolerance": st.floats(-1, 1e308)}) | JSON,
)
BOUNDS = st.dictionaries(st.sampled_from(["fixed", "lower", "upper", "conditions"]), FIELDS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(predict=JSON | st.fixed_dictionaries({"rows": st.lists(FIELDS, max_size=3)}), design=st.tuples(TARGETS, BOUNDS))
def test_no_request_makes_the_gateway_fail(
    client: TestClient, predict: object, design: tuple[dict[str, object], dict[str, object]]
) -> None:
    """Whatever JSON comes, the answer is 200 or a problem of the caller's; never 5xx, never something else."""
    wanted, bounds = design
    for question, body in (("predict", predict), ("design", {"targets": wanted, **bounds})):
        response = client.post(f"{ALLOYS}/{question}", json=body)
        assert response.status_code == 200 or refusal(response)[0] in {400, 422}, response.text
