"""compose.yaml starts what there is: known settings, known commands, volumes that are there, the image's own ports."""

import csv
from importlib.metadata import entry_points
from typing import Any

import pytest
import yaml

from sojae.settings import check_environment, groups, known_names, read
from tests.contract.sources import REPOSITORY, SERVICES, pyproject

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: each for name, each in COMPOSE["services"].items() if each["image"].startswith("sojae:")}


def test_every_variable_is_a_known_setting() -> None:
    """In every service: Kafka's configuration is a file."""
    assert {v for each in COMPOSE["services"].values() for v in each.get("environment", {})} <= known_names()
    assert "environment" not in COMPOSE["services"]["kafka"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_s_settings_are_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process would start: every group takes its values, which are texts as in the environment."""
    told = OURS[name]["environment"]
    assert all(isinstance(value, str) for value in told.values()), told
    check_environment(told)
    for variable, value in told.items():
        monkeypatch.setenv(variable, value)
    for group in groups():
        read(group)


def test_every_service_is_a_command_of_this_version() -> None:
    """One image; the command chooses the process."""
    commands = {found.name for found in entry_points(group="sojae.commands")}
    assert {each["command"][0] for each in OURS.values()} <= commands
    assert {each["image"] for each in OURS.values()} == {f"sojae:{pyproject()['project']['version']}"}


def test_volumes_and_settings_meet() -> None:
    """Every volume is declared, every folder is there; what settings name is mounted, and state is where the image keeps it."""
    sources = {volume.split(":")[0] for each in COMPOSE["services"].values() for volume in each["volumes"]}
    folders = {source for source in sources if source.startswith("./")}
    assert sources - folders == set(COMPOSE["volumes"])
    assert all((REPOSITORY / folder).is_dir() for folder in folders)
    for each in OURS.values():
        named = {v for k, v in each["environment"].items() if k in ("SOJAE_STORE__URI", "SOJAE_PLANTS__PATH")}
        assert {volume.split(":")[1] for volume in each["volumes"]} == {"/var/lib/sojae/state"} | named


def test_the_gateway_is_published_to_this_machine_only() -> None:
    """There are no keys: other machines do not reach the port."""
    (published,) = [port for each in COMPOSE["services"].values() for port in each.get("ports", ())]
    assert published == "127.0.0.1:8600:8600"


def test_processes_may_do_no_more_than_they_need() -> None:
    """No rights, no writing but on their volumes, and time to end in."""
    for each in OURS.values():
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        assert int(each["stop_grace_period"].removesuffix("s")) >= 10
        assert (
            f"127.0.0.1:{each['environment']['SOJAE_TELEMETRY__PORT']}/health/ready" in each["healthcheck"]["test"][-1]
        )


def test_kafka_is_the_one_that_is_tested() -> None:
    """Its version is that of the development broker; it says the name that the others call it by."""
    rows = csv.reader((SERVICES / "sojae_local" / "kafka_jars.csv").read_text(encoding="utf-8").splitlines())
    (tested,) = {row[2] for row in rows if row[1] == "kafka-server"}
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{tested}"
    properties = dict(line.split("=", 1) for line in COMPOSE["configs"]["kafka"]["content"].splitlines())
    assert properties["advertised.listeners"] == "PLAINTEXT://kafka:9092"
    assert {each["environment"].get("SOJAE_KAFKA__BOOTSTRAP_SERVERS", "kafka:9092") for each in OURS.values()} == {
        "kafka:9092"
    }
    (data,) = COMPOSE["services"]["kafka"]["volumes"]
    assert data.partition(":")[2] == properties["log.dirs"]
