"""The settings as values of the Helm chart: `settings.<group>.<field>`, with type, bounds and words of the classes."""

from typing import Any

from pydantic_settings import BaseSettings

from sojae.settings import CORE_GROUPS, PREFIX, groups

Schema = dict[str, Any]

CHART_OWNED = frozenset(
    {
        "SOJAE_HOME",  # the volume of the service's state
        "SOJAE_KAFKA__PASSWORD_FILE",  # from kafka.passwordSecret
        "SOJAE_PLANTS__PATH",  # from plantFiles
        "SOJAE_TELEMETRY__HOST",  # what probes and scrapers reach
        "SOJAE_TELEMETRY__PORT",
        "SOJAE_GATEWAY__PORT",  # what the Service leads to
        "SOJAE_SIMULATOR__ONCE",  # a Deployment starts again what has ended
    }
)
"""Settings that nobody gives as such: the templates set them from other values, or they make no sense in a pod."""


def group_name(settings: type[BaseSettings]) -> str:
    """Return how values call a settings group: `kafka` for SOJAE_KAFKA__, `general` for the bare prefix."""
    return _prefix(settings).removeprefix(PREFIX).rstrip("_").lower() or "general"


def service_groups() -> list[str]:
    """Return the names of the groups that belong to a service, sorted."""
    return sorted(set(map(group_name, groups())) - set(map(group_name, CORE_GROUPS)))


def _prefix(settings: type[BaseSettings]) -> str:
    return str(settings.model_config.get("env_prefix", ""))


def settings_schema() -> Schema:
    """Return the JSON schema of the value `settings`: every setting but the chart's own, under its group."""
    blocks: dict[str, Schema] = {}
    for settings in groups():
        schema = settings.model_json_schema()
        given = {n: f for n, f in schema["properties"].items() if f"{_prefix(settings)}{n}".upper() not in CHART_OWNED}
        # Two classes may share a prefix: their fields are one block.
        before = blocks.get(group_name(settings), {"properties": {}, "description": ""})
        lead = f"{before['description']} {schema['description']}".strip()
        blocks[group_name(settings)] = {**schema, "properties": before["properties"] | given, "description": lead}
    return {
        "type": "object",
        "additionalProperties": False,
        "description": "Settings by group and field; SOJAE_<GROUP>__<FIELD> in the reference.",
        "properties": blocks,
    }
