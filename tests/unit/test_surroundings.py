"""What a process finds around it: the broker that runs in its home, its store, its topic ids."""

import datetime as dt
from pathlib import Path
from typing import Literal

import pytest

from sojae.adapters.kafka_admin import topic_ids
from sojae.domain.errors import BrokerError
from sojae.home import Home, RunInfo
from sojae.settings import KafkaSettings, TelemetrySettings, read
from sojae.surroundings import Surroundings, WatchedTemplates

HERE = "127.0.0.1:1"


def around(folder: Path, servers: str | None = None) -> Surroundings:
    return Surroundings(
        home=Home(folder).prepare(),
        store_uri=str(folder / "store"),
        templates=WatchedTemplates(None),
        telemetry=read(TelemetrySettings),
        kafka=KafkaSettings(bootstrap_servers=servers),  # type: ignore[call-arg]  # the others have defaults
    )


def run(kind: Literal["real", "mock", "given"]) -> RunInfo:
    return RunInfo("broker", "run-1", kind, HERE, dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(("kind", "stand_in"), [("mock", "run-1"), ("real", None), ("given", None)])
def test_only_the_mock_s_run_stands_in_for_topic_ids(
    tmp_path: Path, kind: Literal["real", "mock", "given"], stand_in: str | None
) -> None:
    """A real broker that is slow to answer must not pass for one without ids: positions are kept by them."""
    surroundings = around(tmp_path)
    with surroundings.home.locked("broker"):
        surroundings.home.write_run(run(kind))
        connection = surroundings.connection()
    assert (connection.bootstrap_servers, connection.run_id) == (HERE, stand_in)


def test_another_broker_than_the_home_s_has_its_own_ids(tmp_path: Path) -> None:
    """The run in this home says nothing about it."""
    surroundings = around(tmp_path, servers="elsewhere:9092")
    with surroundings.home.locked("broker"):
        surroundings.home.write_run(run("mock"))
        connection = surroundings.connection()
    assert (connection.bootstrap_servers, connection.run_id) == ("elsewhere:9092", None)


def test_without_a_broker_the_way_to_one_is_told(tmp_path: Path) -> None:
    """A run.json whose launcher is gone is stale."""
    surroundings = around(tmp_path)
    surroundings.home.write_run(run("real"))
    with pytest.raises(BrokerError, match="sojae up"):
        surroundings.connection()


def test_topics_of_the_mock_have_different_ids(tmp_path: Path) -> None:
    """Two topics of one id would share their positions: the second would be taken for stored."""
    surroundings = around(tmp_path)
    with surroundings.home.locked("broker"):
        surroundings.home.write_run(run("mock"))
        connection = surroundings.connection()
    ids = set(topic_ids(connection, ["sojae.events.kims", "sojae.events.pnu"]).values())
    assert len(ids) == 2
    assert topic_ids(connection, ["sojae.events.kims"])["sojae.events.kims"] in ids
