"""The registry over HTTP: media type, error bodies, limits, and who may ask."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from tests.gateway_app import gateway
from tests.gateway_parts import EventStore, book

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
SUBJECT = "/registry/subjects/sojae.high_entropy_alloy.Property"
FOREIGN = {"Host": "sojae.example.org"}


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[TestClient]:
    with gateway(EventStore(tmp_path / "store"), tmp_path / "index") as (client, _):
        yield client


def body(schema: Any = None, **more: Any) -> dict[str, Any]:
    """Return a request about a schema; without one, about the alloys' properties."""
    text = book().get("high_entropy_alloy", "property").schema if schema is None else schema
    return {"schema": text if isinstance(text, str) else json.dumps(text), **more}


def refusal(answer: httpx.Response) -> tuple[int, int]:
    """Return status and error code of a refusal in the form of the registry."""
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert set(answer.json()) == {"error_code", "message"}
    assert answer.json()["message"]
    return answer.status_code, answer.json()["error_code"]


def test_answers_have_the_media_type_of_the_registry(asked: TestClient) -> None:
    """Lists, objects and bare schemas."""
    for path in ("", "/subjects", "/config", "/mode", "/schemas/types"):
        answer = asked.get(f"/registry{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    whole = asked.get(f"{SUBJECT}/versions/latest").json()
    for bare in (f"{SUBJECT}/versions/1/schema", f"/registry/schemas/ids/{whole['id']}/schema"):
        assert (asked.get(bare).text, asked.get(bare).headers["content-type"]) == (whole["schema"], MEDIA_TYPE)


def test_parameters_of_any_client_are_taken(asked: TestClient) -> None:
    """Those that mean something here are heeded, the others play no part; elsewhere they are refused."""
    assert asked.get(
        "/registry/subjects?deleted=False&fetchMaxId=true&subjectPrefix=sojae.high_&offset=1&limit=1"
    ).json() == ["sojae.high_entropy_alloy.Process"]
    assert asked.get(f"{SUBJECT}/versions/1?format=resolved").status_code == 200
    assert asked.get("/v1/templates?format=resolved").status_code == 400


def test_refusals_have_the_form_of_the_registry(asked: TestClient) -> None:
    """With its codes; what has none there has the status."""
    found = {
        "/registry/subjects/nothing/versions": (404, 40401),
        f"{SUBJECT}/versions/2": (404, 40402),
        f"{SUBJECT}/versions/two": (422, 42202),
        "/registry/schemas/ids/1": (404, 40403),
        "/registry/schemas/ids/x": (404, 40403),
        "/registry/config/nothing": (404, 40401),
        "/registry/contexts/nothing": (404, 404),
        "/registry/subjects?limit=many": (400, 400),
    }
    assert {path: refusal(asked.get(path)) for path in found} == found
    assert refusal(asked.delete(SUBJECT)) == (405, 405)


def test_bodies_are_judged(asked: TestClient) -> None:
    """No JSON, no schema in it, no Avro, another kind of schema, one that leans on others, one that is not here."""
    assert refusal(asked.post(SUBJECT, content=b"{")) == (400, 400)
    assert refusal(asked.post(SUBJECT, json={})) == (400, 400)
    assert refusal(asked.post(SUBJECT, json=body("not json"))) == (422, 42201)
    assert refusal(asked.post(SUBJECT, json=body(schemaType="JSON"))) == (422, 42201)
    assert refusal(asked.post(SUBJECT, json=body(references=[{"name": "a", "subject": "b", "version": 1}]))) == (
        422,
        42201,
    )
    assert refusal(asked.post(SUBJECT, json=body('"string"'))) == (404, 40403)
    assert refusal(asked.post(f"{SUBJECT}/versions", json=body('"string"'))) == (422, 42205)
    assert asked.post(SUBJECT, json=body(schemaType="AVRO", references=[], metadata=None)).json()["version"] == 1


def test_the_reason_is_given_when_it_is_asked_for(asked: TestClient) -> None:
    """Verbose or not, the same verdict."""
    place = SUBJECT.replace("/registry/", "/registry/compatibility/")
    assert asked.post(f"{place}/versions/latest", json=body()).json() == {"is_compatible": True}
    assert asked.post(f"{place}/versions?verbose=true", json=body()).json() == {"is_compatible": True, "messages": []}
    assert asked.post(f"{place}/versions", json=body('"int"')).json() == {"is_compatible": False}
    told = asked.post(f"{place}/versions/1?verbose=True", json=body('"int"')).json()
    assert len(told["messages"]) == 2


def test_the_rules_of_the_gateway_hold(tmp_path: Path) -> None:
    """The limit of bodies and the host, in the form of the registry."""
    with gateway(EventStore(tmp_path / "store"), tmp_path / "index", max_body_bytes=2000) as (client, _):
        assert refusal(client.post(SUBJECT, json=body())) == (413, 413)
        assert refusal(client.get("/registry/subjects", headers=FOREIGN)) == (421, 421)


def test_open_to_the_network_it_answers_everybody(tmp_path: Path) -> None:
    """Look-up, comparison and what would register change nothing."""
    with gateway(EventStore(tmp_path / "store"), tmp_path / "index", open=True) as (client, _):
        for path in (
            SUBJECT,
            f"{SUBJECT}/versions",
            SUBJECT.replace("/registry/", "/registry/compatibility/") + "/versions",
        ):
            assert client.post(path, json=body(), headers=FOREIGN).status_code == 200
        assert client.get(f"{SUBJECT}/versions/latest", headers=FOREIGN).status_code == 200


def test_it_speaks_the_language_that_is_asked_for(asked: TestClient) -> None:
    """One sentence, in Korean or in English."""
    said = {
        language: asked.get("/registry/schemas/ids/1", headers={"Accept-Language": language})
        for language in ("ko", "en")
    }
    assert "스키마 1" in said["ko"].json()["message"]
    assert "schema 1 not found" in said["en"].json()["message"]
