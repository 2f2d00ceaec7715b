"""The training table of a project: one row for each property record, joined with what its specimen is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pyarrow as pa

from sojae.domain.composition_check import ELEMENTS
from sojae.domain.frames import ARROW, column
from sojae.domain.lineage import (
    Found,
    Row,
    Sample,
    Stage,
    combine,
    current,
    lots_of,
    nearest,
    parents_of,
    sample_of,
    stage_of,
)
from sojae.domain.template import STAGES, Field, Template
from sojae.domain.template import Stage as StageName

HEADER_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("record_id", pa.string()),
    ("event_id", pa.string()),
    ("institute", pa.string()),
    ("sample_id", pa.string()),
    ("origin", pa.string()),
    ("quality", pa.string()),
    ("disclosure", pa.string()),
    ("licence", pa.string()),
    ("embargo_until", pa.date32()),
    ("event_time", pa.timestamp("us", tz="UTC")),
    ("references", pa.list_(pa.string())),
    ("replicate_group", pa.string()),
    ("ingest_time", pa.timestamp("us", tz="UTC")),
)
ELEMENT = "el"


@dataclass(frozen=True, slots=True)
class Records:
    """All records of a project by stage, and the newest template of each stage."""

    rows: Mapping[StageName, Sequence[Row]]
    templates: Mapping[StageName, Template]


def materials_table(records: Records, events_version: int) -> pa.Table:
    """Return the training table: header columns, `findings`, provenance, then `<stage>__<field>` in template units.

    Compositions by element become `composition__el__<El>`: 0 where the element is absent, null where the map is. Rows
    are in order of institute and record_id, so that the same records give the same bytes.
    """
    now = {stage: current(records.rows.get(stage, ())) for stage in STAGES}
    view = _View(records, now)
    properties = sorted(now["property"], key=lambda r: (str(r["institute"]), str(r["record_id"])))
    rows = [view.row(p) for p in properties]
    return _table(records, rows, events_version)


class _View:
    """Finds composition, process and raw lots for one property record after another."""

    def __init__(self, records: Records, now: Mapping[StageName, Sequence[Row]]) -> None:
        self._templates = records.templates
        self._stages: dict[StageName, Stage] = {
            stage: stage_of(now[stage]) for stage in ("raw", "composition", "process")
        }
        self._parents = parents_of(row for stage in STAGES for row in now[stage])

    def row(self, record: Row) -> dict[str, object]:
        """Return the joined row of one property record."""
        sample = sample_of(record)
        findings: list[str] = []
        composition = self._find("composition", sample, findings)
        process = self._find("process", sample, findings)
        raw, lots = self._raw(sample, composition.row, findings)
        row: dict[str, object] = {name: record.get(name) for name, _ in HEADER_COLUMNS}
        row["findings"] = sorted(set(findings))
        row["composition_event"] = composition.row and composition.row["event_id"]
        row["process_event"] = process.row and process.row["event_id"]
        row["raw_samples"] = [f"@{lot.institute}/{lot.sample_id}" for lot in lots]
        row["steps"] = max(composition.steps, process.steps)
        values: dict[StageName, Row | None] = {
            "raw": raw,
            "composition": composition.row,
            "process": process.row,
            "property": record,
        }
        for stage, template in self._templates.items():
            for field in template.fields:
                source = values[stage]
                row[f"{stage}__{field.name}"] = None if source is None else source.get(field.name)
        return row

    def _find(self, stage: StageName, sample: Sample, findings: list[str]) -> Found:
        found = nearest(sample, self._stages[stage], self._parents)
        if found.finding is not None:
            findings.append(found.finding)
        elif found.row is None:
            findings.append(f"no_{stage}")
        elif sample_of(found.row) in self._stages[stage].several:
            findings.append(f"several_{stage}")
        return found

    def _raw(self, sample: Sample, composition: Row | None, findings: list[str]) -> tuple[Row | None, list[Sample]]:
        """Return the combined raw values and the lots they came from."""
        named = [] if composition is None else lots_of(composition, self._amount)
        if not named:
            found = nearest(sample, self._stages["raw"], self._parents)
            if found.row is None:
                findings.append(found.finding or "no_raw")
                return None, []
            return found.row, [sample_of(found.row)]
        there = [
            (self._stages["raw"].by_sample[lot], amount)
            for lot, amount in named
            if lot in self._stages["raw"].by_sample
        ]
        if len(there) < len(named):
            findings.append("lot_missing")
        template = self._templates.get("raw")
        if not there or template is None:
            return None, []
        fields = {f.name: f.kind in ("double", "long") for f in template.fields}
        weighted = [(row, amount) for row, amount in there if amount > 0] or [(row, 1.0) for row, _ in there]
        return combine(weighted, fields), [sample_of(row) for row, _ in there]

    def _amount(self, composition: Row, component: str) -> float | None:
        """Return the amount of a component: from a composition map, else from the field of that name."""
        template = self._templates.get("composition")
        for field in template.fields if template is not None else ():
            if field.kind == "map_double" and field.quantity == "composition" and composition.get(field.name):
                amounts = dict(cast("Sequence[tuple[str, float]]", composition[field.name]))
                if component in amounts:
                    return amounts[component]
        value = composition.get(component)
        return value if isinstance(value, float) else None


def _table(records: Records, rows: Sequence[Mapping[str, object]], events_version: int) -> pa.Table:
    columns: dict[str, pa.Array] = {name: pa.array([r[name] for r in rows], type=kind) for name, kind in HEADER_COLUMNS}
    columns["findings"] = pa.array([r["findings"] for r in rows], type=pa.list_(pa.string()))
    columns["composition_event"] = pa.array([r["composition_event"] for r in rows], type=pa.string())
    columns["process_event"] = pa.array([r["process_event"] for r in rows], type=pa.string())
    columns["raw_samples"] = pa.array([r["raw_samples"] for r in rows], type=pa.list_(pa.string()))
    columns["steps"] = pa.array([r["steps"] for r in rows], type=pa.int32())
    columns["events_version"] = pa.array([events_version] * len(rows), type=pa.int64())
    for stage in STAGES:
        template = records.templates.get(stage)
        for field in template.fields if template is not None else ():
            values = [r[f"{stage}__{field.name}"] for r in rows]
            if field.quantity == "composition" and field.one_of is None:
                columns |= _element_columns(stage, field, values)
            elif field.kind in ("map_double", "map_string"):
                columns[f"{stage}__{field.name}"] = pa.array(values, type=ARROW[field.kind])
            else:
                columns[f"{stage}__{field.name}"] = column(field.kind, values)
    return pa.table(columns)


def _element_columns(stage: StageName, field: Field, values: Sequence[object]) -> dict[str, pa.Array]:
    """Return one column for each element that any row has; a second composition of a stage is named with its field."""
    maps = [None if v is None else dict(cast("Sequence[tuple[str, float]]", v)) for v in values]
    elements = sorted({e for m in maps if m is not None for e in m if e in ELEMENTS})
    prefix = f"{stage}__{ELEMENT}__" if field.name == "composition" else f"{stage}__{field.name}__{ELEMENT}__"
    return {
        prefix + e: pa.array([None if m is None else float(m.get(e, 0.0)) for m in maps], type=pa.float64())
        for e in elements
    }
