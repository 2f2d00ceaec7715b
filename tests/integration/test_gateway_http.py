"""The gateway over a real store, a real index and real models: what comes in by ingest and trainer goes out over HTTP."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from litestar.testing import TestClient
from prometheus_client import CollectorRegistry

from sojae.adapters.onnx import ForwardModel
from sojae.adapters.row_tables import remove_index
from sojae.adapters.shelf import ModelShelf, open_store
from sojae.domain.model import input_row
from sojae_gateway.app import build
from sojae_gateway.parts import INDEX_FILE, Parts, open_parts
from sojae_gateway.settings import GatewaySettings
from sojae_trainer.train import Trained
from tests.gateway_parts import Alloy, EventStore, alloys, quarantined, trained, undecodable

ALLOYS = "/v1/projects/high_entropy_alloy"
RECIPE = {
    "composition": {"Al": 10.0, "Cr": 20.0, "Ni": 70.0},
    "homogenisation_temperature": 900.0,
    "cooling": "water",
    "test_temperature": 25.0,
}


@pytest.fixture(scope="session")
def made() -> list[Alloy]:
    return alloys()


@pytest.fixture(scope="session")
def models(made: list[Alloy]) -> Trained:
    return trained(made)


@pytest.fixture
def store(tmp_path: Path, made: list[Alloy]) -> EventStore:
    store = EventStore(tmp_path / "store")
    store.flush([store.event(a.record_id, a.properties, sample_id=a.sample_id) for a in made])
    return store


@pytest.fixture
def published(store: EventStore, models: Trained) -> EventStore:
    ModelShelf(open_store(store.uri)).publish(models.manifest, models.files)
    return store


@contextmanager
def gateway(store: EventStore, index: Path, **settings: object) -> Iterator[tuple[TestClient, Parts]]:
    given = GatewaySettings(**{"index_seconds": 0.05, "shelf_seconds": 0.05, **settings})  # type: ignore[arg-type]  # named by the caller
    with (
        open_parts(given, store.uri, index, lambda: store.book, CollectorRegistry()) as parts,
        TestClient(build(parts), base_url="http://127.0.0.1:8600") as client,
    ):
        yield client, parts


@pytest.fixture
def client(published: EventStore, tmp_path: Path) -> Iterator[TestClient]:
    with gateway(published, tmp_path / "index") as (client, _):
        yield client


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    """Return status, rule and field of a problem document."""
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    assert problem["ko"]
    assert problem["en"]
    return response.status_code, problem["rule"], problem["field"]


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
        assert design["inputs"]["test_temperature"] == 25.0
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


def test_a_target_out_of_reach_is_said_plainly(client: TestClient) -> None:
    """The answer says so in both languages, and still shows what comes nearest."""
    body = {"targets": {"yield_strength.tension": {"value": 9_000.0, "tolerance": 1.0}}}
    answer = client.post(f"{ALLOYS}/design", json=body).json()
    assert answer["reachable"] is False
    assert "cannot be reached" in answer["message"]["en"]
    assert "도달할 수 없습니다" in answer["message"]["ko"]
    assert answer["designs"]


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


def test_before_a_model_the_answer_says_when(store: EventStore, tmp_path: Path) -> None:
    """503 with the number of records there are, or that enough are there; an unknown project is 404."""
    with gateway(store, tmp_path / "index") as (client, _):
        assert refusal(client.post(f"{ALLOYS}/predict", json={"rows": [RECIPE]}))[:2] == (503, "no_model_yet")
        few = client.post("/v1/projects/ceramic_electrode/predict", json={"rows": [{}]})
        assert "there are 0" in few.json()["en"]
        assert int(few.headers["retry-after"]) > 0
        assert refusal(client.post("/v1/projects/nowhere/design", json={}))[:2] == (404, "unknown_project")
        assert client.get(f"{ALLOYS}/models").json()["versions"] == []


def test_a_new_model_answers_without_a_restart(store: EventStore, models: Trained, tmp_path: Path) -> None:
    """The shelf is looked at again and again; a broken newer version changes nothing."""
    shelf = ModelShelf(open_store(store.uri))
    with gateway(store, tmp_path / "index", shelf_seconds=60) as (client, parts):
        assert client.post(f"{ALLOYS}/predict", json={"rows": [RECIPE]}).status_code == 503
        shelf.publish(models.manifest, models.files)
        parts.follow_shelf()
        assert client.get(f"{ALLOYS}/models/latest").json()["version"] == "000001"
        broken = {name: content if name == "card.json" else b"no graph" for name, content in models.files.items()}
        shelf.publish(models.manifest, broken)
        parts.follow_shelf()
        answer = client.post(f"{ALLOYS}/predict", json={"rows": [RECIPE]}).json()
        assert answer["model_version"] == "000001"
        listed = client.get(f"{ALLOYS}/models").json()
        assert (listed["versions"], listed["serving"]) == (["000001", "000002"], "000001")


def test_records_are_paged_and_carry_their_version(client: TestClient, made: list[Alloy], store: EventStore) -> None:
    """All pages together are all records once; each answer says its version in body and header."""
    seen, cursor = [], None
    while True:
        response = client.get("/v1/records", params={"limit": 50, **({"cursor": cursor} if cursor else {})})
        page = response.json()
        assert page["store_version"] == int(response.headers["sojae-store-version"]) == store.table.version
        seen += [row["record_id"] for row in page["rows"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [a.record_id for a in made]


def test_a_record_shows_values_history_and_correction(client: TestClient, store: EventStore, made: list[Alloy]) -> None:
    """A correction that arrives while the gateway runs is current a moment later, and the history has both."""
    first = made[0]
    store.flush([store.event("fix-1", {**first.properties, "yield_strength": 999.0}, record_id=first.record_id)])
    client.app.state.parts.follow_index()
    record = client.get(f"/v1/records/{first.record_id}").json()
    assert [e["event_id"] for e in record["history"]] == [first.record_id, "fix-1"]
    assert record["current"]["values"]["yield_strength"] == 999.0
    assert record["history"][0]["values"]["yield_strength"] == first.yield_strength
    assert record["current"]["header"]["sample_id"] == "S-fix-1"
    store.flush([store.event("gone-1", first.properties, record_id=first.record_id, retracted=True)])
    client.app.state.parts.follow_index()
    gone = client.get(f"/v1/records/{first.record_id}").json()
    assert (gone["retracted"], gone["current"], len(gone["history"])) == (True, None, 3)


def test_ids_with_slashes_are_found(client: TestClient, store: EventStore) -> None:
    """Ids may hold slashes, doubled and leading ones too, written as they are or percent-encoded."""
    store.flush([store.event("a/b//c:1", record_id="/r/1")])
    client.app.state.parts.follow_index()
    assert client.get("/v1/events/kims/a/b//c:1").json()["event"]["event_id"] == "a/b//c:1"
    assert client.get("/v1/events/kims/a%2Fb%2F%2Fc:1").json()["event"]["event_id"] == "a/b//c:1"
    assert client.get("/v1/records/%2Fr%2F1").json()["record_id"] == "/r/1"


def test_namesakes_of_two_institutes_are_told_apart(client: TestClient, store: EventStore) -> None:
    """A record is its institute's: without it, the caller is asked which."""
    store.flush([store.event("x1", record_id="same"), store.event("x2", record_id="same", institute="kist")])
    client.app.state.parts.follow_index()
    assert refusal(client.get("/v1/records/same")) == (409, "ambiguous_record", "institute")
    record = client.get("/v1/records/same", params={"institute": "kist"}).json()
    assert record["current"]["event_id"] == "x2"


def test_the_quarantine_shows_reason_and_bytes(client: TestClient, store: EventStore) -> None:
    """A refused event with position, rule, got, expected in words; an undecodable one with its raw bytes."""
    store.flush([quarantined(store.event("q1")), undecodable(raw=b"\x05nonsense")])
    client.app.state.parts.follow_index()
    raw, refused = client.get("/v1/quarantine").json()["rows"]
    assert base64.b64decode(raw["raw"]) == b"\x05nonsense"
    assert (raw["event_id"], raw["values"], raw["institute"], raw["issues"][0]["rule"]) == (
        None,
        None,
        "kims",
        "unframed",
    )
    (issue,) = refused["issues"]
    assert (issue["rule"], issue["field"], issue["got"]) == ("hard_range", "yield_strength", "99999")
    assert issue["ko"]
    assert refused["position"]["offset"] == raw["position"]["offset"] - 1
    only = client.get("/v1/quarantine", params={"rule": "unframed"}).json()["rows"]
    assert only == [raw]
    assert client.get("/v1/status").json()["rows"]["quarantined"] == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/records?projekt=x", (400, "unknown_parameter", "projekt")),
        ("/v1/records?limit=501", (422, "limit", "limit")),
        ("/v1/records?limit=0", (422, "limit", "limit")),
        ("/v1/records?limit=many", (400, "request_shape", "limit")),
        ("/v1/records?cursor=nonsense", (400, "cursor", "cursor")),
        ("/v1/records/nothing", (404, "unknown_record", None)),
        ("/v1/events/kims/nothing", (404, "unknown_event", None)),
        ("/v1/templates/high_entropy_alloy/property/9.9", (404, "unknown_template", None)),
        ("/v1/projects/nowhere/models", (404, "unknown_project", "project")),
        ("/v2/records", (404, "unknown_route", None)),
        ("/v1/projects/high_entropy_alloy/predict", (405, "method_not_allowed", None)),
    ],
)
def test_a_wrong_read_is_a_problem(client: TestClient, path: str, expected: tuple[int, str, str | None]) -> None:
    """A slip in a parameter is never silently another question."""
    assert refusal(client.get(path)) == expected


def test_a_problem_speaks_korean_when_asked(client: TestClient) -> None:
    """`detail` follows Accept-Language; both languages are there anyway."""
    problem = client.get("/v1/records/nothing", headers={"Accept-Language": "ko-KR"}).json()
    assert problem["detail"] == problem["ko"]


def test_another_host_is_refused(client: TestClient) -> None:
    """A page that names itself 127.0.0.1 by DNS still sends its own name, and reads nothing."""
    assert refusal(client.get("/v1/records", headers={"Host": "evil.example:8600"})) == (421, "foreign_host", "Host")


def test_a_template_is_served_as_it_is_hashed(client: TestClient, store: EventStore) -> None:
    """Resolved schema, sha256 and id are the loader's."""
    template = store.book.get("high_entropy_alloy", "composition")
    answer = client.get("/v1/templates/high_entropy_alloy/composition/1.0").json()
    assert answer["resolved_schema"] == template.schema
    assert (answer["sha256"], answer["id"]) == (template.sha256, template.schema_id)
    listed = client.get("/v1/templates").json()["templates"]
    assert len(listed) == len(store.book)


def test_status_ready_and_metrics_tell_how_far_it_is(client: TestClient, store: EventStore, made: list[Alloy]) -> None:
    """Versions, counts and models; ready once the index has been looked at; the metrics name the routes."""
    status = client.get("/v1/status").json()
    assert (status["store_version"], status["head_version"], status["lag_versions"]) == (store.table.version,) * 2 + (
        0,
    )
    assert status["rows"] == {"accepted": len(made), "quarantined": 0, "duplicate": 0}
    assert status["models"] == {"high_entropy_alloy": "000001"}
    assert client.get("/health/ready").json() == {"status": "ready"}
    assert 'sojae_requests_answered_total{route="/v1/status",status="200"}' in client.get("/metrics").text


def test_the_same_is_read_after_a_restart_and_after_a_rebuild(published: EventStore, tmp_path: Path) -> None:
    """Pages, quarantine and counts are equal to the last byte, with the old index and with none."""
    published.flush([quarantined(published.event("q1")), published.event("late")])
    paths = ["/v1/records?limit=500", "/v1/quarantine", "/v1/status", "/v1/records/late"]
    answers = []
    for restart in ("first", "kept", "rebuilt"):
        if restart == "rebuilt":
            remove_index(tmp_path / "index" / INDEX_FILE)
        with gateway(published, tmp_path / "index") as (client, _):
            answers.append([client.get(path).content for path in paths])
    assert answers[0] == answers[1] == answers[2]
