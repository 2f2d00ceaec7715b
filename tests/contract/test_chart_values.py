"""What the chart takes: every setting under its name and type, and no value that could not work."""

import json
from importlib.metadata import entry_points
from typing import Any

import pytest
import yaml

from sojae.cli.chart_schema import values_schema
from sojae.cli.chart_settings import CHART_OWNED, group_name, service_groups
from sojae.settings import groups, known_names
from tests.contract.chart import CHART, ChartRefusedError, environment, example, lint, of_kind, render

SERVICES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["services"]


def laptop(**values: object) -> dict[str, Any]:
    """Return the laptop's values with some top-level ones merged in, two levels deep."""
    merged = example("laptop")
    for name, value in values.items():
        merged[name] = merged.get(name, {}) | value if isinstance(value, dict) else value
    return merged


def test_the_schema_is_up_to_date() -> None:
    """`make chart-schema` writes it."""
    assert json.loads((CHART / "values.schema.json").read_text(encoding="utf-8")) == values_schema()


def test_every_setting_can_be_given_but_those_of_the_chart() -> None:
    """Under settings.<group>.<field>, with the words of its class."""
    offered = values_schema()["definitions"]["Settings"]["properties"]
    for settings in groups():
        prefix = str(settings.model_config.get("env_prefix", ""))
        for name, field in settings.model_fields.items():
            there = offered[group_name(settings)]["properties"].get(name)
            if f"{prefix}{name}".upper() in CHART_OWNED:
                assert there is None, name
            else:
                assert there["description"] == field.description
    assert known_names() >= CHART_OWNED


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"settings": {"kafka": {"bootstrap_server": "a:1"}}}, "bootstrap_server"),
        ({"settings": {"ingets": {}}}, "ingets"),
        ({"settings": {"ingest": {"flush_rows": 0}}}, "flush_rows"),
        ({"settings": {"ingest": {"flush_rows": "many"}}}, "flush_rows"),
        ({"settings": {"ingest": {"flush_seconds": 0}}}, "flush_seconds"),
        ({"settings": {"telemetry": {"level": "LOUD"}}}, "level"),
        ({"settings": {"telemetry": {"port": 9600}}}, "port"),
        ({"settings": {"general": {"home": "/tmp"}}}, "home"),
        ({"services": {"ingest": {"settings": {"ingest": {"flush": 1}}}}}, "flush"),
        ({"services": {"ingest": {"replicas": -1}}}, "replicas"),
        ({"services": {"ingest": {"groups": ["nobody"]}}}, "groups"),
        ({"services": {"ingest": {"secretSettings": {"SOJAE_X": {"name": "a", "key": "b"}}}}}, "SOJAE_X"),
        ({"terminationGracePeriodSeconds": 5}, "terminationGracePeriodSeconds"),
        ({"replicas": 3}, "replicas"),
    ],
)
def test_lint_and_template_refuse_a_wrong_value(values: dict[str, Any], said: str) -> None:
    """Both name the place."""
    assert said in " ".join(lint(values))
    with pytest.raises(ChartRefusedError, match=said):
        render(values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (laptop(storeVolume={"enabled": False}), "no store: set"),
        (laptop(settings={"store": {"uri": "s3://a/b"}}), "give one"),
        (laptop(settings={"kafka": {}}), "no Kafka: set"),
        (laptop(settings={"kafka": {"bootstrap_servers": "a:1,b"}}), "has no port"),
        (laptop(settings={"kafka": {"bootstrap_servers": "a:1", "username": "me"}}), "needs kafka.passwordSecret"),
        (
            laptop(settings={"kafka": {"bootstrap_servers": "a:1", "security_protocol": "SASL_SSL"}}),
            "needs settings.kafka.username",
        ),
        (laptop(services={"monitor": {"enabled": True}}), "services.monitor follows plants"),
        (laptop(services={"trainer": {"replicas": 2}}), "services.trainer.replicas is 2"),
        (laptop(services={"ingest": {"replicas": 2, "state": {"persistent": True}}}), "one pod's"),
        (laptop(services={"other": {"replicas": 1}}), "services.other: command and groups"),
        (
            laptop(storeVolume={"enabled": False}, settings={"store": {"uri": "s3://me:word@a/b"}}),
            "settings.store.uri holds a user or a password",
        ),
        (laptop(objectStore={"endpoint": "https://me:word@s3.example.org"}), "objectStore.endpoint holds a user"),
    ],
)
def test_values_that_do_not_go_together_are_refused(values: dict[str, Any], said: str) -> None:
    """With what to do."""
    with pytest.raises(ChartRefusedError, match=said):
        render(values)


def test_a_service_s_own_value_wins_even_when_it_is_nothing() -> None:
    """False, 0 and no text are values like others."""
    values = laptop(
        settings={"kafka": {"bootstrap_servers": "a:1"}, "trainer": {"quiet_seconds": 9, "seed": 7}},
        services={
            "trainer": {"settings": {"trainer": {"quiet_seconds": 0, "seed": 0}}, "needs": {"kafka": False}},
            "gateway": {"enabled": False},
            "ingest": {"replicas": 0},
        },
    )
    manifests = render(values)
    trainer = environment(manifests, "trainer")
    assert (trainer["SOJAE_TRAINER__QUIET_SECONDS"], trainer["SOJAE_TRAINER__SEED"]) == ("0", "0")
    deployments = of_kind(manifests, "Deployment")
    assert "gateway" not in deployments
    assert deployments["ingest"]["spec"]["replicas"] == 0


def test_settings_of_the_core_reach_every_service() -> None:
    """One of each group whose settings a value can give."""
    given = {
        "general": {"language": "ko"},
        "templates": {"path": "/etc/templates"},
        "telemetry": {"level": "DEBUG"},
        "kafka": {"bootstrap_servers": "a:1", "security_protocol": "SSL"},
    }
    told = environment(render(laptop(settings=given)), "ingest")
    expected = {
        "SOJAE_LANGUAGE": "ko",
        "SOJAE_TEMPLATES__PATH": "/etc/templates",
        "SOJAE_TELEMETRY__LEVEL": "DEBUG",
        "SOJAE_KAFKA__SECURITY_PROTOCOL": "SSL",
    }
    assert expected.items() <= told.items()


def test_every_service_is_a_command_of_sojae() -> None:
    """With settings groups of its own; no group is nobody's."""
    commands = {found.name for found in entry_points(group="sojae.commands")}
    assert {service["command"] for service in SERVICES.values()} <= commands
    assert sorted(group for service in SERVICES.values() for group in service["groups"]) == service_groups()
