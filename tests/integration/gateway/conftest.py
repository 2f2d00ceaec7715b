"""Small real models, trained once, and a store with the alloys they were trained on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from sojae.adapters.shelf import ModelShelf, open_store
from sojae_trainer.train import Trained
from tests.gateway_app import gateway
from tests.gateway_parts import Alloy, EventStore, alloys, trained


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


@pytest.fixture
def client(published: EventStore, tmp_path: Path) -> Iterator[TestClient]:
    with gateway(published, tmp_path / "index") as (client, _):
        yield client
