"""A real store with real template events in it, for tests of what reads it."""

import datetime as dt
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import pyarrow as pa

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.events_schema import EVENTS, HEADER
from sojae.adapters.events_table import DeltaEventsTable, events_uri, month_of
from sojae.adapters.template_files import TemplateBook, load_templates, packaged_folder
from sojae.domain.grade import grade
from sojae.domain.model import Dataset, InputGroup, Library, Manifest, ModelInput, TargetModel
from sojae.domain.template import STAGES, Template
from sojae.domain.text import Text
from sojae.ports import Position
from sojae_gateway.models import newest_templates
from sojae_gateway.vocabulary import Vocabulary
from sojae_trainer.train import Order, Trained, train

START = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
TOPIC_ID = "c3RvcmUtb2YtdGVzdHMtMQ"

Row = dict[str, object]


@cache
def book() -> TemplateBook:
    """Return the templates of the package, read once."""
    return load_templates()


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
        self.book = book()
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
            "grade": grade(whole, []),
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
            row |= {
                "ingest_time": time,
                "broker_time": time,
                "ingest_month": month_of([int(time.timestamp() * 1e6)])[0],
            }
        table = pa.table({f.name: pa.array([r.get(f.name) for r in rows], type=f.type) for f in EVENTS}, schema=EVENTS)
        last = {str(row["topic_id"]): Position(str(row["topic_id"]), 0, int(str(row["offset"]))) for row in rows}
        return self.table.append(table, list(last.values()))


def quarantined(row: Row, rule: str = "hard_range", field: str | None = "yield_strength") -> Row:
    """Return the row as one that a rule has refused."""
    issue = {"rule": rule, "severity": "hard", "field": field, "got": "99999", "expected": "0.1 to 10000 MPa"}
    return {**row, "status": "quarantined", "issues": [issue], "grade": None}


def undecodable(institute: str = "kims", raw: bytes = b"\x05nonsense") -> Row:
    """Return the row of a message that could not be decoded: it has a position, a reason and its bytes."""
    issue = {
        "rule": "unframed",
        "severity": "hard",
        "field": None,
        "got": raw[:8].hex(" "),
        "expected": "a known framing",
    }
    return {
        "topic": f"sojae.events.{institute}",
        "status": "quarantined",
        "issues": [issue],
        "raw": raw,
        "rule_version": "1",
    }


@dataclass(frozen=True)
class Alloy:
    """One simulated alloy and its test: a made-up law, so that a model can learn it."""

    record_id: str
    composition: dict[str, float]
    homogenisation_temperature: float
    cooling: str
    test_temperature: float
    test_type: str
    yield_strength: float

    @property
    def sample_id(self) -> str:
        return f"S-{self.record_id}"

    @property
    def properties(self) -> dict[str, object]:
        """Values of the property template."""
        return {
            "test_temperature": self.test_temperature,
            "test_type": self.test_type,
            "yield_strength": self.yield_strength,
        }


def alloys(count: int = 42) -> list[Alloy]:
    """Return `count` alloys tested in tension, and as many in compression."""
    draw = random.Random(1)
    made = []
    for kind in ("tension", "compression"):
        for n in range(count):
            aluminium, chromium = draw.uniform(0, 20), draw.uniform(10, 30)
            temperature = draw.choice([25.0, 400.0, 800.0])
            strength = 300 + 12 * aluminium + 3 * chromium - 0.2 * temperature + draw.gauss(0, 10)
            made.append(
                Alloy(
                    record_id=f"{kind}-{n:03d}",
                    composition={"Al": aluminium, "Cr": chromium, "Ni": 100 - aluminium - chromium},
                    homogenisation_temperature=draw.choice([700.0, 900.0, 1100.0]),
                    cooling=draw.choice(["water", "air", "furnace"]),
                    test_temperature=temperature,
                    test_type=kind,
                    yield_strength=strength * (1.0 if kind == "tension" else 1.1),
                )
            )
    return made


def materials(made: Sequence[Alloy]) -> pl.DataFrame:
    """Return the alloys as the materials view has them."""
    return pl.DataFrame(
        [
            {
                "record_id": one.record_id,
                "institute": "kims",
                "sample_id": one.sample_id,
                "findings": [],
                "events_version": 1,
                **{f"composition__el__{symbol}": amount for symbol, amount in one.composition.items()},
                "process__homogenisation_temperature": one.homogenisation_temperature,
                "process__cooling": one.cooling,
                **{f"property__{name}": value for name, value in one.properties.items()},
            }
            for one in made
        ]
    )


def trained(made: Sequence[Alloy]) -> Trained:
    """Return small models of the alloys, as the trainer makes them."""
    templates = {stage: book().get("high_entropy_alloy", stage) for stage in STAGES}
    return train(materials(made), Order("high_entropy_alloy", templates, designs=300), START)


def plain_manifest() -> Manifest:
    """Return a manifest of the alloy project made by hand: inputs of every kind, one split target and one plain one."""

    def text(name: str) -> Text:
        return Text(ko=name, en=name)

    def one(field: str, kind: str, **given: object) -> ModelInput:
        whole = {"role": "input", "imputed": 0.0, "low": 0.0, "high": 100.0, **given}
        return ModelInput(field=field, label=text(field), kind=kind, **whole)  # type: ignore[arg-type]  # named by the caller

    def target(name: str, field: str, **split: str) -> TargetModel:
        return TargetModel(
            name=name, field=field, label=text(name), unit="MPa", file=f"forward/{name}.onnx", learner="ridge",
            transform="identity", training_rows=("r1", "r2"), low=100.0, high=500.0, interval_random=1.0,
            interval_grouped=2.0, baseline=300.0, baseline_record="r1", split=dict(split),
        )  # fmt: skip

    return Manifest(
        project="high_entropy_alloy",
        created=START,
        inputs=(
            one("composition.el.Al", "component", unit="%{at}", imputed=10.0),
            one("composition.el.Ni", "component", unit="%{at}", imputed=90.0),
            one("process.homogenisation_temperature", "number", unit="Cel", imputed=900.0),
            one("process.cooling", "category", categories=("air", "water"), imputed=-1.0),
            one("property.test_temperature", "number", unit="Cel", role="condition", imputed=25.0),
        ),
        groups=(InputGroup(name="all", label=text("all"), inputs=(0, 1, 2, 3, 4)),),
        targets=(
            target("yield_strength.tension", "yield_strength", test_type="tension"),
            target("yield_strength.compression", "yield_strength", test_type="compression"),
            target("hardness_vickers", "hardness_vickers"),
        ),
        library=Library(rows=3, measured=("r1", "r2"), conditions={}),
        dataset=Dataset(rows=2, left_out={}, materials_version=None, events_version=1, templates={}),
        software={},
        version="000001",
    )


def vocabulary() -> Vocabulary:
    """Return the vocabulary of the manifest made by hand and the packaged templates."""
    return Vocabulary(plain_manifest(), newest_templates(book(), "high_entropy_alloy"))
