"""A real store with real template events in it, for tests of what reads it."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.events_schema import EVENTS, HEADER
from sojae.adapters.events_table import DeltaEventsTable, events_uri, month_of
from sojae.adapters.template_files import TemplateBook, load_templates, packaged_folder
from sojae.domain.template import Template
from sojae.ports import Position

START = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
TOPIC_ID = "c3RvcmUtb2YtdGVzdHMtMQ"

Row = dict[str, object]


def samples(template: Template) -> list[dict[str, object]]:
    """Return the sample values that lie beside a template."""
    key = template.key
    path = packaged_folder() / key.project / key.stage / f"{key.version}.sample.json"
    return list(json.loads(path.read_text(encoding="utf-8")))


class EventStore:
    """Writes the table `events` as ingest does: one commit a flush, offsets counted by topic."""

    def __init__(self, root: Path) -> None:
        self.uri = str(root)
        self.events_uri = events_uri(self.uri)
        self.table = DeltaEventsTable(self.uri)
        self.book: TemplateBook = load_templates()
        self.encoder = FastavroEncoder()
        self._offsets: dict[str, int] = {}
        self._flushes = 0
        self._seq = 0

    def header(self, template: Template, event_id: str, **given: object) -> dict[str, object]:
        """Return a whole header; what is given wins."""
        institute = given.get("institute", "kims")
        self._seq += 1
        return {
            "event_id": event_id,
            "record_id": event_id,
            "template_version": template.key.version,
            "institute": institute,
            "producer": f"{institute}/furnace-1",
            "epoch": 1,
            "seq": self._seq,
            "event_time": START,
            "sample_id": f"S-{event_id}",
            "origin": "experiment",
            "retracted": False,
            "historical": False,
            **given,
        }

    def event(
        self, event_id: str, values: Mapping[str, object] | None = None, *, stage: str = "property", **header: object
    ) -> Row:
        """Return a row for one accepted event of the alloy project; header fields are given by name."""
        template = self.book.get(str(header.pop("project", "high_entropy_alloy")), stage)
        whole = self.header(template, event_id, **header)
        raw = self.encoder.encode(template, whole, samples(template)[0] if values is None else values)
        row: Row = {name: whole.get(name) for name, _ in HEADER}
        row |= {
            "topic": f"sojae.events.{whole['institute']}",
            "status": "accepted",
            "issues": [],
            "project": template.key.project,
            "stage": template.key.stage,
            "schema_sha256": template.sha256,
            "rule_version": "1",
            "message_key": str(whole["producer"]).encode(),
            "message_headers": [],
            "raw": raw,
        }
        return row

    def flush(self, rows: Sequence[Row], *, ingest_time: dt.datetime | None = None) -> int:
        """Append rows in one commit and return the version; the ingest time goes up by a second a flush."""
        time = ingest_time or START + dt.timedelta(seconds=self._flushes)
        self._flushes += 1
        for row in rows:
            topic = str(row["topic"])
            offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
            row |= {"topic_id": f"{TOPIC_ID}-{topic}", "partition": 0, "offset": offset}
            row |= {"ingest_time": time, "broker_time": time, "ingest_month": month_of([int(time.timestamp() * 1e6)])[0]}
        table = pa.table({f.name: pa.array([r.get(f.name) for r in rows], type=f.type) for f in EVENTS}, schema=EVENTS)
        last = {str(row["topic_id"]): Position(str(row["topic_id"]), 0, int(str(row["offset"]))) for row in rows}
        return self.table.append(table, list(last.values()))


def quarantined(row: Row, rule: str = "hard_range", field: str | None = "yield_strength") -> Row:
    """Return the row as one that a rule has refused."""
    issue = {"rule": rule, "severity": "hard", "field": field, "got": "99999", "expected": "0.1 to 10000 MPa"}
    return {**row, "status": "quarantined", "issues": [issue]}


def undecodable(institute: str = "kims", raw: bytes = b"\x05nonsense") -> Row:
    """Return the row of a message that could not be decoded: it has a position, a reason and its bytes."""
    issue = {"rule": "unframed", "severity": "hard", "field": None, "got": raw[:8].hex(" "), "expected": "a known framing"}
    return {"topic": f"sojae.events.{institute}", "status": "quarantined", "issues": [issue], "raw": raw, "rule_version": "1"}
