"""A gateway that is open to the network: anybody reads what is public, predicts, and does nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import post
from litestar.testing import TestClient

from sojae_gateway.access import PUBLIC
from tests.gateway_app import ALLOYS, RECIPE, gateway, refusal
from tests.gateway_parts import EventStore

FOREIGN = {"Host": "sojae.example.org"}


@post("/v1/things", sync_to_thread=False)
def send_a_thing() -> None:
    """Stand for a route that changes something."""


@pytest.fixture
def anybody(published: EventStore, tmp_path: Path) -> Iterator[TestClient]:
    published.flush([published.event("secret"), published.event("open", disclosure="L5")])
    with gateway(published, tmp_path / "index", open=True) as (client, parts):
        assert parts.principal == PUBLIC
        client.app.register(send_a_thing)
        yield client


def test_only_what_is_public_is_read(anybody: TestClient) -> None:
    """From this machine too: a proxy in front of it has this machine's address."""
    for headers in ({}, FOREIGN):
        page = anybody.get("/v1/records", headers=headers).json()
        assert [row["event_id"] for row in page["rows"]] == ["open"]


def test_both_questions_are_answered(anybody: TestClient) -> None:
    """Without the records of others beside the answers."""
    predicted = anybody.post(f"{ALLOYS}/predict", json={"rows": [RECIPE]}, headers=FOREIGN).json()["rows"][0]
    assert predicted["predictions"]["yield_strength.tension"]["support"] == []
    wanted = {"targets": {"yield_strength.tension": {"value": 430.0}}}
    designed = anybody.post(f"{ALLOYS}/design", json=wanted, headers=FOREIGN)
    assert (designed.status_code, designed.json()["baseline"]) == (200, [])


def test_what_changes_something_is_refused(anybody: TestClient) -> None:
    """Whatever route may come: only those that are marked as answers may be posted to."""
    assert refusal(anybody.post("/v1/things", headers=FOREIGN)) == (403, "read_only", None)


def test_closed_it_serves_this_machine_whole(published: EventStore, tmp_path: Path) -> None:
    """The same route is there, and another host is not meant."""
    with gateway(published, tmp_path / "index") as (client, parts):
        assert parts.principal.operator
        client.app.register(send_a_thing)
        assert client.post("/v1/things").status_code == 201
        assert refusal(client.post("/v1/things", headers=FOREIGN))[1] == "foreign_host"
