"""Writes the pages of docs/reference that repeat what the code says: `python -m sojae.cli.reference`."""

import importlib
import importlib.util
import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast, get_args

import click
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from pydantic.fields import FieldInfo

from sojae import topics
from sojae.adapters.template_files import load_templates, packaged_folder
from sojae.cli.markdown import page, table
from sojae.cli.reference_projects import project_page
from sojae.cli.reference_templates import templates_page
from sojae.cli.reference_units import units_page
from sojae.cli.running import with_sentence
from sojae.domain.issue import RULES
from sojae.domain.lead_projects import LEAD_PROJECTS
from sojae.domain.reading_rules import READING
from sojae.domain.template import Template
from sojae.settings import groups

COMMANDS = "sojae.commands"

TOPICS = (
    (topics.EVENTS + "<institute>", "instruments, `sojae import`, `sojae simulate`, `POST /v1/events`", "ingest", "producer"),
    (topics.OUTCOMES + "<institute>", "ingest", "`sojae import` and whoever sent the events", "producer, `-` without one"),
    (topics.TELEMETRY + "<plant>", "plants, `sojae simulate`", "monitor, ingest", "asset"),
    (topics.HISTORY + "<plant>", "plants that send old samples, `sojae simulate`", "ingest", "asset"),
    (topics.FEATURES + "<plant>", "monitor", "gateway, and whoever watches the plant", "asset"),
    (topics.FORECASTS + "<plant>", "monitor", "gateway, and whoever watches the plant", "asset"),
    (topics.ALARMS + "<plant>", "monitor", "gateway, and whoever watches the plant", "asset"),
    (topics.CHECKPOINTS, "monitor", "monitor; compacted", "telemetry topic id and partition"),
)  # fmt: skip
MESSAGE_HEADERS = (
    (topics.HEADER_TEMPLATE, "`<project>/<stage>/<version>` of the template, for people and routers; ingest goes by the framing"),
    (topics.HEADER_TRACEPARENT, "W3C trace context, kept with the message: `sojae import` (going on with `TRACEPARENT`) and the simulator begin one a run"),
)  # fmt: skip


def pages() -> dict[str, str]:
    """Return the text of each generated page by its file name."""
    book = load_templates()
    return {
        "settings.md": _settings(),
        "templates/README.md": templates_page(),
        **{f"templates/{name}.md": project_page(name, book, [packaged_folder()]) for name in LEAD_PROJECTS},
        "units.md": units_page(),
        "rules.md": _rules(),
        "topics.md": _topics(),
        "metrics.md": _metrics(),
    }


def write(folder: Path) -> list[Path]:
    """Write the pages into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def scraped_names(package: str) -> list[str]:
    """Return the names under which the metrics of a package are scraped."""
    return [_metric(collector)[0].strip("`") for collector in _collectors(package)]


def _settings() -> str:
    parts = [
        "Every setting is a name in the environment. A name that is not here is refused at start, with the nearest one that is.",
        "`sojae settings` shows the same list.",
    ]
    for group in groups():
        prefix = str(group.model_config.get("env_prefix", ""))
        rows = [
            (f"`{prefix}{name}`".upper(), _type(field), _default(field), field.description or "")
            for name, field in group.model_fields.items()
        ]
        lead = inspect.getdoc(group) or ""
        parts += [f"## {group.__name__}", lead, table(("name", "value", "default", "meaning"), rows)]
    return page("Settings", parts)


def _type(field: FieldInfo) -> str:
    """Return what a setting takes, as people write it: `int, ≥ 0, ≤ 65535`."""
    limits = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥"}
    bounds = [f"{sign} {getattr(m, name)}" for m in field.metadata for name, sign in limits.items() if hasattr(m, name)]
    return ", ".join([_type_name(field.annotation), *bounds])


def _type_name(annotation: object) -> str:
    choices = [a for a in get_args(annotation) if a is not type(None)]
    if not choices:
        return str(getattr(annotation, "__name__", annotation))
    return " or ".join(f"`{c}`" if isinstance(c, str) else _type_name(c) for c in choices)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value is None else f"`{value}`"


def _rules() -> str:
    parts = [
        (
            "A hard finding quarantines an event, a warning flags it, an info explains a duplicate. Rules of scope lineage "
            "and collection look at the materials view: what they find stands in its column `findings`, and refuses nothing."
        ),
        "## Built in",
        table(("rule", "en", "ko"), [(f"`{name}`", text.en, text.ko) for name, text in RULES.items()]),
        "## Reading a file",
        "What `sojae import` cannot read holds back its record, and only that; the other records of the row are sent.",
        table(("rule", "en", "ko"), [(f"`{name}`", text.en, text.ko) for name, text in READING.items()]),
    ]
    for template in sorted(load_templates(), key=lambda t: t.key):
        if template.rules:
            parts += [
                f"## {template.key}",
                table(("rule", "scope", "severity", "what it says", "en", "ko", "source"), _own_rules(template)),
            ]
    return page("Rules", parts)


def _own_rules(template: Template) -> list[tuple[str, ...]]:
    return [
        (
            f"`{rule.id}`",
            rule.scope,
            rule.severity + (f" for {', '.join(rule.hard_for)}" if rule.hard_for is not None else ""),
            f"`{rule.says}`",
            rule.message.en,
            rule.message.ko,
            rule.source or "",
        )
        for rule in template.rules
    ]


def _topics() -> str:
    ids = (
        f"The id of an institute or a plant matches `{topics.IDENTITY.pattern}`. In development a topic is made with {topics.PARTITIONS} "
        f"partitions; their number never changes. Ingest subscribes to `{topics.EVENTS_PATTERN}` and, with another group, to "
        f"`{topics.TELEMETRY_PATTERN}`."
    )
    values = (
        "Values are Avro, in Confluent framing (0x00, 4-byte schema id) or single-object framing (0xC3 0x01, 8-byte "
        "fingerprint). The partitioner is murmur2, with librdkafka `partitioner=murmur2_random`."
    )
    listed = table(("topic", "written by", "read by", "key"), [(f"`{t[0]}`", *t[1:]) for t in TOPICS])
    headers = table(("message header", "meaning"), [(f"`{name}`", meaning) for name, meaning in MESSAGE_HEADERS])
    return page("Topics", [f"```text\n{inspect.getdoc(topics)}\n```", listed, ids, values, headers])


def _metrics() -> str:
    parts = ["Each process serves these on `/metrics` of its telemetry port, the gateway on its own."]
    for package in _packages():
        rows = [_metric(collector) for collector in _collectors(package)]
        if rows:
            parts += [f"## {package}", table(("name", "type", "labels", "meaning"), rows)]
    return page("Metrics", parts)


def _packages() -> list[str]:
    """Return the packages of this installation that bring a command."""
    return sorted({found.value.split(".")[0] for found in entry_points(group=COMMANDS)})


def _collectors(package: str) -> list[Collector]:
    """Return what the classes `*Metrics` of a package's module `metrics` register."""
    if importlib.util.find_spec(f"{package}.metrics") is None:
        return []
    module = importlib.import_module(f"{package}.metrics")
    registry = _Noting()
    for name, found in inspect.getmembers(module, inspect.isclass):
        if name.endswith("Metrics") and found.__module__ == module.__name__:
            cast("Callable[[CollectorRegistry], object]", found)(registry)
    return registry.noted


class _Noting(CollectorRegistry):
    """Keeps what registers, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Collector] = []

    def register(self, collector: Collector) -> None:
        """Take note of a metric."""
        super().register(collector)
        self.noted.append(collector)


def _metric(collector: Collector) -> tuple[str, ...]:
    """Return one row: the name as it is scraped, its type, labels and meaning."""
    (metric,) = collector.describe()  # type: ignore[attr-defined]  # every metric has it; the base class does not say so
    labels = vars(collector).get("_labelnames", ())  # the library shows them nowhere else before a first value
    name = metric.name + ("_total" if metric.type == "counter" else "")
    return f"`{name}`", metric.type, ", ".join(f"`{label}`" for label in labels), metric.documentation


def main() -> None:
    """Write the pages of this checkout and say which."""
    for path in write(packaged_folder().parents[1] / "docs" / "reference"):
        click.echo(f"written {path.name}")


if __name__ == "__main__":
    with_sentence(main)
