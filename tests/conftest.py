"""What all tests share: the broker they run on, and the real data beside the checkout."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sojae.domain.text import Text
from sojae.home import Home
from sojae.settings import KafkaSettings
from sojae_local.endpoint import Endpoint
from sojae_local.running_broker import running_broker

REPOSITORY = Path(__file__).parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"

# The same examples in every run: what a change breaks is seen at the change. `--hypothesis-profile=search` draws new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kafka-bootstrap-servers", default=None, help="use this broker instead of starting one")
    parser.addoption("--seed", type=int, default=4, help="seed of the fault tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "faults" not in (config.getoption("-m") or ""):
        items[:] = [item for item in items if item.get_closest_marker("faults") is None]


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Tests see no SOJAE_* name of the shell that started them."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("SOJAE_")}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def broker_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("broker") / "home")


@pytest.fixture(scope="session")
def broker(broker_home: Home, request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """A given broker, else a real one from pip packages, else the mock: a warning says which when it is the mock."""
    servers = request.config.getoption("--kafka-bootstrap-servers")
    given = KafkaSettings(bootstrap_servers=servers) if servers else None
    with running_broker(broker_home, given=given, report=_say) as endpoint:
        yield endpoint


@pytest.fixture
def own_home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def own_broker(own_home: Home) -> Iterator[Endpoint]:
    """A real broker for one test alone, whose schedule or messages want nobody else's beside them."""
    with running_broker(own_home) as endpoint:
        if endpoint.kind != "real":
            pytest.skip("no real broker: sessions, rebalances, timestamps and topic ids of the mock prove nothing here")
        yield endpoint


def _say(text: Text | str) -> None:
    said = text if isinstance(text, str) else text.en
    if "mock" in said.lower():
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # it is to be read in the summary, not to end the tests
            warnings.warn(said, UserWarning, stacklevel=2)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data are not beside this checkout (../shared/data)")
    return SHARED_DATA
