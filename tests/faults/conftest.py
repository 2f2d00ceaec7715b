"""A home and a real broker for each fault test: its schedule wants nobody else's events."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sojae.home import Home
from sojae_local.endpoint import Endpoint
from sojae_local.running_broker import running_broker


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def own_broker(home: Home) -> Iterator[Endpoint]:
    with running_broker(home) as endpoint:
        if endpoint.kind != "real":
            pytest.skip("no real broker: sessions, rebalances and topic ids of the mock prove nothing here")
        yield endpoint
