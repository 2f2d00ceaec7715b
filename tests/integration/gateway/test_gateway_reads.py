"""Row reads over HTTP: what ingest has stored goes out with its version, after a restart too."""

import base64
import datetime as dt
from pathlib import Path

import pytest
from litestar.testing import TestClient

from sojae.adapters.row_tables import remove_index
from sojae_gateway.measured import Measured
from sojae_gateway.parts import INDEX_FILE
from tests.gateway_app import gateway, refusal
from tests.gateway_parts import START, Alloy, EventStore, quarantined, undecodable


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


def test_a_project_tells_how_many_current_records_have_which_grade(
    client: TestClient, store: EventStore, made: list[Alloy]
) -> None:
    """By stage; a correction moves a record from one grade to another, and what is not current does not count."""
    traced = {"standard": "ISO 6892-1", "instrument": "UTM-1", "replicate_group": "g", "calibrated_on": START.date()}
    store.flush(
        [
            store.event("traced", **traced),
            store.event("p1", stage="process", references=["10.1000/182"]),
            store.event("gone", retracted=True),
            quarantined(store.event("bad")),
            store.event("better", record_id=made[0].record_id, standard="ISO 6892-1"),
            {**store.event("older"), "grade": None},
        ]
    )
    client.app.state.parts.follow_index()
    answer = client.get("/v1/projects/high_entropy_alloy")
    told = answer.json()
    assert told["grades"] == {
        "process": {"C": 1},
        "property": {"A": 1, "B": 1, "D": len(made) - 1, "none": 1},
    }
    assert told["stages"]["property"] == ["1.0"]
    assert told["store_version"] == int(answer.headers["sojae-store-version"]) == store.table.version
    assert client.get(f"/v1/records/{made[0].record_id}").json()["current"]["grade"] == "B"
    assert client.get("/v1/projects/ceramic_electrode").json()["grades"] == {}
    assert refusal(client.get("/v1/projects/nothing"))[1] == "unknown_project"


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


def test_namesakes_of_two_stages_are_told_apart(client: TestClient, store: EventStore) -> None:
    """An id is its institute's inside one project and stage; the candidates are listed, and one filter is enough."""
    for stage in ("process", "property"):
        store.flush([store.event("run-12", record_id="run-12", stage=stage)])
    client.app.state.parts.follow_index()
    for path, rule in (("/v1/records/run-12", "ambiguous_record"), ("/v1/events/kims/run-12", "ambiguous_event")):
        response = client.get(path)
        assert refusal(response) == (409, rule, "stage")
        assert response.json()["expected"] == (
            "institute=kims, project=high_entropy_alloy, stage=process; "
            "institute=kims, project=high_entropy_alloy, stage=property"
        )
        assert refusal(client.get(path, params={"stage": "raw"}))[0] == 404
    record = client.get("/v1/records/run-12", params={"stage": "process"}).json()
    assert (record["current"]["event_id"], record["stage"]) == ("run-12", "process")
    event = client.get("/v1/events/kims/run-12", params={"stage": "property", "project": "high_entropy_alloy"}).json()
    assert (event["event"]["stage"], len(event["messages"])) == ("property", 1)


def test_what_is_measured_is_what_is_current(client: TestClient, store: EventStore, made: list[Alloy]) -> None:
    """The models' records follow corrections, retractions, records that fall back and an index that was built again."""
    parts = client.app.state.parts
    measured = Measured("high_entropy_alloy", frozenset({"yield_strength"}), parts.reader, parts.decoder)

    def strengths(*names: str) -> list[object]:
        parts.follow_index()
        measured.catch_up()
        known = [measured.get(f"kims/{name}") for name in names]
        return [None if one is None else one.values["yield_strength"] for one in known]

    one, other = made[0], made[1]
    before = [one.yield_strength, other.yield_strength]
    assert strengths(one.record_id, other.record_id) == before
    late = START + dt.timedelta(days=1)
    fix = {**one.properties, "yield_strength": 999.0}
    store.flush(
        [
            store.event("fix", fix, record_id=one.record_id),
            store.event("gone", other.properties, record_id=other.record_id, retracted=True),
        ],
        ingest_time=late,
    )
    assert strengths(one.record_id, other.record_id) == [999.0, None]
    store.flush([store.event("fix", fix, record_id="elsewhere")], ingest_time=late - dt.timedelta(hours=1))
    assert strengths(one.record_id, "elsewhere") == [one.yield_strength, 999.0]
    parts.index.rebuild()
    assert strengths(one.record_id, other.record_id, "elsewhere") == [one.yield_strength, None, 999.0]


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
        ("/schema/swagger", (404, "unknown_route", None)),
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
