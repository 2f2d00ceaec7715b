"""What the development broker keeps: properties and the identity of its data."""

import uuid
from pathlib import Path

import pytest

from sojae.domain.errors import StateError
from sojae_local.kafka_data import Ports, cluster_id_of, new_cluster_id, run_id_of, server_properties


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_broker_listens_on_this_machine_alone() -> None:
    """No listener is reachable from another machine, and clients are told the same address."""
    found = properties(server_properties("data", Ports(41001, 41002)))
    assert found["listeners"] == "PLAINTEXT://127.0.0.1:41001,CONTROLLER://127.0.0.1:41002"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:41001"
    assert found["controller.quorum.voters"] == "1@127.0.0.1:41002"


def test_topics_are_made_on_purpose_and_kept_for_a_week() -> None:
    """Four partitions by default, no topic by a typing error, seven days."""
    found = properties(server_properties("data", Ports(41001, 41002)))
    assert (found["num.partitions"], found["auto.create.topics.enable"], found["log.retention.hours"]) == (
        "4",
        "false",
        "168",
    )


def test_a_cluster_id_is_what_kafka_takes() -> None:
    """22 characters that encode a UUID, and no leading dash, which its tool would take for an option."""
    ids = {new_cluster_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(each) == 22 and not each.startswith("-") for each in ids)


def test_the_run_id_is_the_uuid_of_the_cluster() -> None:
    """The same data give the same id, whoever reads it."""
    assert run_id_of("AAAAAAAAQACAAAAAAAAAAQ") == "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize("cluster_id", ["mockCluster7f01", "lkc-12345", "", "한글"])
def test_any_other_cluster_id_gives_a_uuid_too(cluster_id: str) -> None:
    """Hosted and mock clusters name themselves otherwise."""
    assert uuid.UUID(run_id_of(cluster_id)) == uuid.UUID(run_id_of(cluster_id))


def test_data_tell_their_cluster(tmp_path: Path) -> None:
    """Formatted data have it in meta.properties; a folder that is not there has none."""
    (tmp_path / "meta.properties").write_text("#\nnode.id=1\ncluster.id=AAAAAAAAQACAAAAAAAAAAQ\n", encoding="utf-8")
    assert cluster_id_of(tmp_path) == "AAAAAAAAQACAAAAAAAAAAQ"
    assert cluster_id_of(tmp_path / "none") is None


@pytest.mark.parametrize("content", [None, b"", b"node.id=1\n", b"cluster.id=\n", b"\xff\xfe"])
def test_data_without_an_identity_are_refused(tmp_path: Path, content: bytes | None) -> None:
    """They are neither formatted over nor guessed at."""
    if content is not None:
        (tmp_path / "meta.properties").write_bytes(content)
    with pytest.raises(StateError, match="make fresh"):
        cluster_id_of(tmp_path)
