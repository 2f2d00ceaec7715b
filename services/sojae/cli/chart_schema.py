"""Writes charts/sojae/values.schema.json from the settings classes: `python -m sojae.cli.chart_schema`."""

import json
from pathlib import Path
from typing import Any

import click

from sojae.adapters.template_files import packaged_folder
from sojae.cli.chart_settings import CHART_OWNED, Schema, service_groups, settings_schema
from sojae.cli.chart_values import Chart
from sojae.cli.running import with_sentence
from sojae.lifeline import KNOWN_INTERNAL
from sojae.settings import known_names

DRAFT = "http://json-schema.org/draft-07/schema#"
SERVICE_NAME = "^[a-z0-9-]{1,30}$"
PLANT_FILE = r"^[a-z0-9-]{2,32}\.toml$"


def values_schema() -> Schema:
    """Return the JSON schema (draft 7) of the chart's values; a setting is `settings.<group>.<field>`."""
    made = Chart.model_json_schema(ref_template="#/definitions/{model}")
    definitions = made.pop("$defs") | {"Settings": settings_schema()}
    service, chart = definitions["Service"]["properties"], made["properties"]
    for properties in (service, chart):
        properties["settings"] = {"$ref": "#/definitions/Settings"}
    service["groups"]["items"] = {"enum": service_groups()}
    service["secretSettings"]["propertyNames"] = {"enum": sorted(known_names() - KNOWN_INTERNAL - CHART_OWNED)}
    chart["services"]["propertyNames"] = {"pattern": SERVICE_NAME}
    chart["plantFiles"]["propertyNames"] = {"pattern": PLANT_FILE}
    schema: Schema = _tidy({**made, "definitions": definitions})
    return {"$schema": DRAFT, **schema}


def _tidy(node: Any) -> Any:
    """Return a schema without what values need not say: titles, `required`, formats of our own, null."""
    if isinstance(node, list):
        return [_tidy(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node:  # an optional setting is left out, not null; so a refusal names one expected type
        rest = {k: v for k, v in node.items() if k != "anyOf"}
        choices = [choice for choice in node["anyOf"] if choice != {"type": "null"}]
        node = {**rest, **(choices[0] if len(choices) == 1 else {"anyOf": choices})}
    dropped = {"title", "required", "format"}
    kept = {k: v for k, v in node.items() if not (k in dropped and isinstance(v, str | list))}
    return {k: _tidy(v) for k, v in kept.items() if not (k == "default" and v is None)}


def write(path: Path) -> None:
    """Write the schema to a file."""
    path.write_text(json.dumps(values_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Write the schema of this checkout's chart and say so."""
    write(packaged_folder().parents[1] / "charts" / "sojae" / "values.schema.json")
    click.echo("written values.schema.json")


if __name__ == "__main__":
    with_sentence(main)
