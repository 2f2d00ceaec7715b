"""Valid headers, values and messages of any template, from the sample data beside it; a test changes what it is about."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import cache

import pyarrow as pa

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.events_schema import EVENTS
from sojae.adapters.template_files import TemplateBook, load_templates, packaged_folder
from sojae.domain.template import STAGES, Field, Template, TemplateKey
from sojae.domain.template_rule import Rule
from sojae.domain.text import Text
from sojae.ports import Decoded, Message
from sojae_ingest.judgement import Judged

NOW = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
NOW_US = int(NOW.timestamp() * 1_000_000)
TOPIC_ID = "aGVyZS1pcy1hLXRvcGljLQ"
OTHER_TOPIC_ID = "emFub3RoZXItdG9waWMtaQ"
INSTITUTE = "kims"

Values = Mapping[str, object]


@cache
def book() -> TemplateBook:
    """Return the templates of the package."""
    return load_templates()


def template(project: str = "high_entropy_alloy", stage: str = "property") -> Template:
    """Return the newest packaged template of a project and stage."""
    return book().get(project, stage)


def templates() -> list[Template]:
    """Return every packaged template."""
    return list(book())


def samples(of: Template) -> list[dict[str, object]]:
    """Return the sample values that lie beside a template, each of them clean."""
    path = packaged_folder() / of.key.project / of.key.stage / f"{of.key.version}.sample.json"
    return list(json.loads(path.read_text(encoding="utf-8")))


def header(seq: int = 0, /, **given: object) -> dict[str, object]:
    """Return a sound header of kims's furnace; event and record are named by the sequence number."""
    institute = given.get("institute", INSTITUTE)
    event_id = given.get("event_id", f"event-{seq}")
    return {
        "event_id": event_id,
        "record_id": event_id,
        "template_version": "1.0",
        "institute": institute,
        "producer": f"{institute}/furnace-1",
        "epoch": 1,
        "seq": seq,
        "event_time": NOW,
        "sample_id": "시료-12",
        "origin": "experiment",
        "retracted": False,
        "historical": False,
        **given,
    }


def message(value: bytes | None, offset: int = 0, **given: object) -> Message:
    """Return a message of kims's topic with the furnace as key."""
    fields: dict[str, object] = {
        "topic": f"sojae.events.{INSTITUTE}",
        "partition": 0,
        "offset": offset,
        "timestamp_ms": int(NOW.timestamp() * 1000),
        "key": f"{INSTITUTE}/furnace-1".encode(),
        "value": value,
        **given,
    }
    return Message(**fields)  # type: ignore[arg-type]  # named by the caller


def framed(of: Template, values: Values | None = None, head: Mapping[str, object] | None = None) -> bytes:
    """Return a sound event in Confluent framing."""
    return FastavroEncoder().encode(
        of, header() if head is None else head, samples(of)[0] if values is None else values
    )


def decoded(head: Mapping[str, object], values: Values | None = None, of: Template | None = None) -> Decoded:
    """Return what a decoder makes of a sound message."""
    of = of or template()
    return Decoded(template=of, header=head, values=complete(of, samples(of)[0] if values is None else values))


def complete(of: Template, values: Values) -> dict[str, object]:
    """Return values as a decoder gives them: every field of the template is there, null where nothing was given."""
    return {f.name: values.get(f.name) for f in of.fields}


def judged(head: Mapping[str, object], *, status: str = "accepted", offset: int = 0, **given: object) -> Judged:
    """Return a sound judged message."""
    fields: dict[str, object] = {
        "message": message(b"raw", offset),
        "topic_id": TOPIC_ID,
        "decoded": decoded(head),
        "issues": [],
        "status": status,
        "identified": True,
        **given,
    }
    return Judged(**fields)  # type: ignore[arg-type]  # named by the caller


def events(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Return rows of the table `events`; offset, times and topic have defaults, everything else is null."""
    full = [
        {
            "topic": f"sojae.events.{INSTITUTE}",
            "topic_id": TOPIC_ID,
            "partition": 0,
            "offset": number,
            "broker_time": NOW,
            "ingest_time": NOW,
            "ingest_month": "2026-11",
            "institute": INSTITUTE,
            "project": "high_entropy_alloy",
            "stage": "property",
            "status": "accepted",
            "issues": [],
            **row,
        }
        for number, row in enumerate(rows)
    ]
    return pa.table({f.name: pa.array([r.get(f.name) for r in full], type=f.type) for f in EVENTS}, schema=EVENTS)


def field(name: str = "x", kind: str = "double", **given: object) -> Field:
    """Return a field of a made-up template."""
    unit = "1" if kind in ("double", "map_double") else None
    fields = {"name": name, "kind": kind, "label": Text(ko=name, en=name), "unit": unit, "role": "input", **given}
    return Field(**fields)  # type: ignore[arg-type]  # named by the caller


def rule(sql: str, identity: str = "a_rule", severity: str = "hard", **given: object) -> Rule:
    """Return a rule of a made-up template."""
    fields = {"id": identity, "sql": sql, "severity": severity, "message": Text(ko="규칙", en="rule"), **given}
    return Rule(**fields)  # type: ignore[arg-type]  # named by the caller


def made_up(
    fields: Sequence[Field], rules: Sequence[Rule] = (), *, stage: str = "property", institute: str | None = None
) -> Template:
    """Return a template of these fields and rules, for checks; it has no Avro schema to encode with."""
    assert stage in STAGES
    return Template(
        key=TemplateKey("x_kims_made_up", stage, "1.0"),
        full_name=f"sojae.x_kims_made_up.{stage.capitalize()}",
        schema={},
        sha256="00" * 32,
        label=Text(ko="지어냄", en="Made up"),
        fields=tuple(fields),
        header_fields=template().header_fields,
        rules=tuple(rules),
        institute=institute,
    )
