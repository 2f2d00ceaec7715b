"""Models of the shelf as the gateway serves them: none yet, a new one, a broken one."""

from pathlib import Path

from sojae.adapters.shelf import ModelShelf, open_store
from sojae_trainer.train import Trained
from tests.gateway_app import ALLOYS, RECIPE, gateway, refusal
from tests.gateway_parts import EventStore


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
