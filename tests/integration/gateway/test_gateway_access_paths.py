"""Every route goes through access: a stranger learns of nobody's data, whatever is asked."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from sojae.adapters.shelf import ModelShelf, open_store
from sojae.domain.model import Rights
from sojae_gateway.access import Principal
from sojae_trainer.train import Trained
from tests.gateway_app import ALLOYS, RECIPE, gateway
from tests.gateway_parts import Alloy, EventStore, quarantined, undecodable

STRANGER = Principal("stranger", institute="elsewhere")
OWNER = Principal("owner", institute="kims")
WANTED = {"targets": {"yield_strength.tension": {"value": 430.0}}}
SUBJECT = "/subjects/sojae.high_entropy_alloy.Property"
INT = {"schema": '"int"'}

PROBES: dict[str, tuple[str, str, object]] = {
    "/health/live": ("GET", "/health/live", None),
    "/health/ready": ("GET", "/health/ready", None),
    "/metrics": ("GET", "/metrics", None),
    "/registry": ("GET", "/registry", None),
    "/registry/compatibility/subjects/{subject}/versions": ("POST", f"/registry/compatibility{SUBJECT}/versions", INT),
    "/registry/compatibility/subjects/{subject}/versions/{version}": (
        "POST",
        f"/registry/compatibility{SUBJECT}/versions/1",
        INT,
    ),
    "/registry/config": ("GET", "/registry/config", None),
    "/registry/config/{subject}": ("GET", f"/registry{SUBJECT.replace('subjects', 'config')}", None),
    "/registry/mode": ("GET", "/registry/mode", None),
    "/registry/mode/{subject}": ("GET", f"/registry{SUBJECT.replace('subjects', 'mode')}", None),
    "/registry/schemas/ids/{schema_id}": ("GET", "/registry/schemas/ids/1", None),
    "/registry/schemas/ids/{schema_id}/schema": ("GET", "/registry/schemas/ids/1/schema", None),
    "/registry/schemas/ids/{schema_id}/subjects": ("GET", "/registry/schemas/ids/1/subjects", None),
    "/registry/schemas/ids/{schema_id}/versions": ("GET", "/registry/schemas/ids/1/versions", None),
    "/registry/schemas/types": ("GET", "/registry/schemas/types", None),
    "/registry/subjects": ("GET", "/registry/subjects", None),
    "/registry/subjects/{subject}": ("POST", f"/registry{SUBJECT}", INT),
    "/registry/subjects/{subject}/versions": ("POST", f"/registry{SUBJECT}/versions", INT),
    "/registry/subjects/{subject}/versions/{version}": ("GET", f"/registry{SUBJECT}/versions/1", None),
    "/registry/subjects/{subject}/versions/{version}/referencedby": (
        "GET",
        f"/registry{SUBJECT}/versions/1/referencedby",
        None,
    ),
    "/registry/subjects/{subject}/versions/{version}/schema": ("GET", f"/registry{SUBJECT}/versions/1/schema", None),
    "/v1/events/{institute}/{event_id}": ("GET", "/v1/events/kims/tension-000", None),
    "/v1/models": ("GET", "/v1/models", None),
    "/v1/plants": ("GET", "/v1/plants", None),
    "/v1/plants/{plant}": ("GET", "/v1/plants/line-1", None),
    "/v1/projects": ("GET", "/v1/projects", None),
    "/v1/projects/{project}": ("GET", ALLOYS, None),
    "/v1/projects/{project}/design": ("POST", f"{ALLOYS}/design", WANTED),
    "/v1/projects/{project}/models": ("GET", f"{ALLOYS}/models", None),
    "/v1/projects/{project}/models/latest": ("GET", f"{ALLOYS}/models/latest", None),
    "/v1/projects/{project}/predict": ("POST", f"{ALLOYS}/predict", {"rows": [RECIPE]}),
    "/v1/projects/{project}/workbook": ("GET", f"{ALLOYS}/workbook", None),
    "/v1/quarantine": ("GET", "/v1/quarantine", None),
    "/v1/records": ("GET", "/v1/records", None),
    "/v1/records/{record_id}": ("GET", "/v1/records/tension-000", None),
    "/v1/status": ("GET", "/v1/status", None),
    "/v1/stream": ("GET", "/v1/stream?plant=line-1", None),
    "/v1/templates": ("GET", "/v1/templates", None),
    "/v1/templates/{project}/{stage}/{version}": ("GET", "/v1/templates/high_entropy_alloy/property/1.0", None),
    "/v1/templates/{project}/{stage}/{version}/columns": (
        "GET",
        "/v1/templates/high_entropy_alloy/property/1.0/columns",
        None,
    ),
    "/v1/templates/{project}/{stage}/{version}/csv": (
        "GET",
        "/v1/templates/high_entropy_alloy/property/1.0/csv",
        None,
    ),
    "/v1/templates/{project}/{stage}/{version}/form": (
        "GET",
        "/v1/templates/high_entropy_alloy/property/1.0/form",
        None,
    ),
    "/v1/templates/{project}/{stage}/{version}/json-schema": (
        "GET",
        "/v1/templates/high_entropy_alloy/property/1.0/json-schema",
        None,
    ),
}
"""One question for each route, about data of kims."""


def answer(client: TestClient, probe: tuple[str, str, object]) -> str:
    method, path, body = probe
    return client.request(method, path, json=body).text


@pytest.fixture
def strangers(published: EventStore, tmp_path: Path) -> Iterator[TestClient]:
    published.flush([quarantined(published.event("q1")), undecodable()])
    with gateway(published, tmp_path / "index", STRANGER) as (client, _):
        yield client


def test_every_route_has_a_probe(strangers: TestClient) -> None:
    """A new route must be asked here what it tells a stranger."""
    paths = {r.path_format for r in strangers.app.routes if not r.path.startswith("/schema")}
    assert set(PROBES) == paths


@pytest.mark.parametrize("route", PROBES)
def test_a_stranger_learns_of_no_record(strangers: TestClient, made: list[Alloy], route: str) -> None:
    """No record, sample or measured value of others stands in any answer.

    A refusal repeats what the stranger has asked, and a model's card has the range of what it was trained on.
    """
    probe = PROBES[route]
    text = answer(strangers, probe)
    kinds = [[a.yield_strength for a in made if a.test_type == kind] for kind in ("tension", "compression")]
    ends = {end for strengths in kinds for end in (min(strengths), max(strengths))}
    assert '"institute":"kims"' not in text
    for alloy in made:
        assert f'"{alloy.record_id}"' not in text or alloy.record_id in probe[1]
        assert alloy.sample_id not in text
        assert alloy.yield_strength in ends or json.dumps(alloy.yield_strength) not in text


def test_a_strangers_pages_are_empty_and_counts_are_zero(strangers: TestClient) -> None:
    """Pages end, counts say nothing, predictions stand without support."""
    assert strangers.get("/v1/records").json()["rows"] == []
    assert strangers.get("/v1/quarantine").json()["rows"] == []
    assert strangers.get("/v1/records/tension-000").status_code == 404
    status = strangers.get("/v1/status").json()
    assert (set(status["rows"].values()), status["by_institute"]) == ({0}, [])
    assert strangers.get(ALLOYS).json()["grades"] == {}
    predicted = strangers.post(f"{ALLOYS}/predict", json={"rows": [RECIPE]}).json()["rows"][0]["predictions"]
    told = predicted["yield_strength.tension"]
    assert (told["support"], told["baseline_record"]) == ([], None)
    assert strangers.post(f"{ALLOYS}/design", json=WANTED).json()["baseline"] == []


def test_an_owner_sees_its_own(published: EventStore, tmp_path: Path) -> None:
    """The same questions, asked by the institute whose data they are."""
    published.flush([quarantined(published.event("q1"))])
    with gateway(published, tmp_path / "index", OWNER) as (client, _):
        assert len(client.get("/v1/records").json()["rows"]) > 50
        assert len(client.get("/v1/quarantine").json()["rows"]) == 1
        assert client.get("/v1/status").json()["rows"]["quarantined"] == 1
        assert client.post(f"{ALLOYS}/design", json=WANTED).json()["baseline"]


def test_disclosed_records_are_seen_from_their_rung(published: EventStore, tmp_path: Path) -> None:
    """L5 shows all, L4 the metadata, L2 nothing to a stranger; a page steps over what is hidden."""
    levels = ("L2", "L4", "L5")
    published.flush([published.event(f"open-{level}", disclosure=level) for level in levels])
    with gateway(published, tmp_path / "index", STRANGER) as (client, _):
        page = client.get("/v1/records", params={"limit": 500}).json()
        sights = {row["event_id"]: (row["sight"], row["values"] is not None) for row in page["rows"]}
        assert sights == {"open-L4": ("metadata", False), "open-L5": ("everything", True)}
        assert page["next"] is None
        header = client.get("/v1/records/open-L4").json()["current"]["header"]
        assert "producer" not in header
        assert header["disclosure"] == "L4"


def test_pages_over_hidden_rows_end_at_last(published: EventStore, tmp_path: Path) -> None:
    """With small pages over many hidden rows, every page moves on and the last row that may be seen is reached."""
    published.flush([published.event("open", disclosure="L5")])
    with gateway(published, tmp_path / "index", STRANGER) as (client, _):
        cursor, seen, pages = None, [], 0
        while pages < 200:
            page = client.get("/v1/records", params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
            seen += [row["event_id"] for row in page["rows"]]
            cursor, pages = page["next"], pages + 1
            if cursor is None:
                break
        assert (seen, cursor) == (["open"], None)


@pytest.mark.parametrize(
    ("principal", "seen"),
    [(STRANGER, {"tension-000"}), (OWNER, {"tension-000", "tension-001", "tension-002", "tension-003"})],
    ids=["stranger", "owner"],
)
def test_a_recipe_is_shown_as_its_strictest_record_allows(
    tmp_path: Path, made: list[Alloy], models: Trained, principal: Principal, seen: set[str]
) -> None:
    """A public property of an alloy whose composition is secret, or embargoed, does not betray the composition.

    It stands neither among the nearest measured records nor, as a measured recipe, among the designs.
    """
    store, four = EventStore(tmp_path / "store"), [f"tension-00{n}" for n in range(4)]
    store.flush([store.event(a.record_id, a.properties, sample_id=a.sample_id, disclosure="L5") for a in made])
    joined = [
        Rights(disclosure="L5"),
        Rights(disclosure="L0"),
        Rights(disclosure="L5", embargo_until=dt.date(2999, 1, 1)),
        Rights(),
    ]
    by_record = dict(zip((f"kims/{one}" for one in four), joined, strict=True))
    library = models.manifest.library
    rights = tuple(by_record.get(name, Rights()) for name in library.measured)
    manifest = replace(models.manifest, library=replace(library, rights=rights))
    ModelShelf(open_store(store.uri)).publish(manifest, models.files)
    wanted = {"yield_strength.tension": {"value": made[1].yield_strength, "tolerance": 200.0}}
    bounds = {"lower": {"test_temperature": 0.0}, "top_k": 50}
    with gateway(store, tmp_path / "index", principal) as (client, _):
        answer = client.post(f"{ALLOYS}/design", json={"targets": wanted, **bounds}).json()
    found = {near["record_id"] for near in answer["baseline"]}
    assert found & set(four) == seen
    assert principal is OWNER or found == seen
    of = {d["measured_record"] for d in answer["designs"] if d["measured"]}
    assert principal is OWNER or of <= {"kims/tension-000"}
    assert len(answer["designs"]) == 50
