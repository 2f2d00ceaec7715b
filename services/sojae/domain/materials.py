"""The training table of a project: one row for each property record, joined with what its specimen is made of."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from types import MappingProxyType
from typing import cast

import polars as pl
import pyarrow as pa

from sojae.domain.disclosure import shown_to_institutes, strictest_disclosure, strictest_embargo, strictest_licence
from sojae.domain.frames import ARROW, column
from sojae.domain.joined_columns import components_of, element_prefix, is_composition, joined_columns
from sojae.domain.joined_rules import rule_findings
from sojae.domain.lineage import (
    Ancestry,
    Found,
    Row,
    Sample,
    Stage,
    combine,
    current,
    lots_of,
    parents_of,
    sample_of,
    stage_of,
)
from sojae.domain.majors import OTHER_MAJOR, Majors
from sojae.domain.template import STAGES, Field, Template
from sojae.domain.template import Stage as StageName

HEADER_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("record_id", pa.string()),
    ("event_id", pa.string()),
    ("institute", pa.string()),
    ("sample_id", pa.string()),
    ("origin", pa.string()),
    ("quality", pa.string()),
    ("grade", pa.string()),
    ("disclosure", pa.string()),
    ("licence", pa.string()),
    ("embargo_until", pa.date32()),
    ("event_time", pa.timestamp("us", tz="UTC")),
    ("references", pa.list_(pa.string())),
    ("replicate_group", pa.string()),
    ("ingest_time", pa.timestamp("us", tz="UTC")),
)
LISTS = ("institutes", "findings", "raw_samples")
"""Columns of texts: whose records a row is made of, what is odd about it, and which lots went in."""

NOTHING: Row = MappingProxyType({})

JOINED: tuple[StageName, ...] = ("raw", "composition", "process")


@dataclass(frozen=True, slots=True)
class Records:
    """All records of a project by stage, the newest template of each stage, and every version of it.

    Without `versions` a record of another major has no value that can be converted.
    """

    rows: Mapping[StageName, Sequence[Row]]
    templates: Mapping[StageName, Template]
    versions: Mapping[StageName, Sequence[Template]] = field(default_factory=dict)


def materials_table(records: Records, events_version: int) -> pa.Table:
    """Return the training table: header columns, lists, provenance, then `<stage>__<field>` in the newest template's units.

    Disclosure, embargo and licence are the strictest of all records that a row is made of. Records of other institutes
    are taken only where these show them to institutes, as of the day of the newest record. Compositions
    become `composition__el__<component>`: 0 where the component is absent, null where the map is. Rows are in order of institute
    and record_id, so that the same records give the same bytes.
    """
    table = _table(records, list(_View(records).rows()), events_version)
    return _with_rules(table, records)


def _with_rules(table: pa.Table, records: Records) -> pa.Table:
    """Return the table with what the rules of scope lineage and collection find, in its column `findings`."""
    of_rules = [t for t in records.templates.values() if any(r.scope != "record" for r in t.rules)]
    if not of_rules or table.num_rows == 0:
        return table
    # Maps are no columns that a rule may name, and polars need not take them over.
    plain = table.select([f.name for f in table.schema if not pa.types.is_map(f.type)])
    every = [t for versions in records.versions.values() for t in versions]
    columns = joined_columns([*every, *records.templates.values()])
    found = rule_findings(pl.DataFrame(pl.from_arrow(plain)), of_rules, columns)
    findings = table["findings"].to_pylist()
    for rule, rows in sorted(found.items()):
        for row in rows:
            findings[row] = sorted({*findings[row], rule})
    place = table.schema.get_field_index("findings")
    return table.set_column(place, "findings", pa.array(findings, type=pa.list_(pa.string())))


class _View:
    """Finds composition, process and raw lots for the property records of one institute after another."""

    def __init__(self, records: Records) -> None:
        now = {stage: current(records.rows.get(stage, ())) for stage in STAGES}
        everything = [row for stage in STAGES for row in now[stage]]
        self._day = max((cast("dt.datetime", r["ingest_time"]).date() for r in everything), default=dt.date.min)
        self._templates = records.templates
        self._majors = {s: Majors(records.versions.get(s, ()), t) for s, t in records.templates.items()}
        self._properties = sorted(now["property"], key=lambda r: (str(r["institute"]), str(r["record_id"])))
        self._stages: dict[StageName, Stage] = {s: stage_of(now[s]) for s in JOINED}
        self._parents = parents_of(everything)
        self._shown_parents = parents_of(row for row in everything if self._shown(row))

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield the joined row of each property record, by institute and record_id."""
        for institute, group in groupby(self._properties, key=lambda r: str(r["institute"])):
            properties = list(group)
            ancestry = Ancestry([sample_of(p) for p in properties], partial(self._parents_for, institute))
            nearest = {stage: ancestry.nearest(found) for stage, found in self._stages.items()}
            for record in properties:
                yield self._row(record, {stage: found[sample_of(record)] for stage, found in nearest.items()})

    def _parents_for(self, institute: str, sample: Sample) -> Sequence[Sample]:
        """Return the parents of a sample that an institute may know of: what others' records say counts if it is shown."""
        return (self._parents if sample.institute == institute else self._shown_parents).get(sample, ())

    def _shown(self, row: Row) -> bool:
        return shown_to_institutes(row.get("disclosure"), row.get("embargo_until"), self._day)

    def _row(self, record: Row, nearest: Mapping[StageName, Found]) -> dict[str, object]:
        findings: set[str] = set()
        made_of: dict[StageName, Row] = {"property": record}
        for stage in ("composition", "process"):
            found = self._find(stage, record, nearest[stage], findings)
            if found is not None:
                made_of[stage] = found
        values = {stage: self._conform(stage, row, findings) for stage, row in made_of.items()}
        lots = self._lots(record, values.get("composition"), nearest["raw"], findings)
        if lots:
            values["raw"] = self._combined([(self._conform("raw", lot, findings), amount) for lot, amount in lots])
        row = {name: record.get(name) for name, _ in HEADER_COLUMNS}
        row |= _rights([*made_of.values(), *(lot for lot, _ in lots)])
        row |= {f"{stage}_event": made_of.get(stage, {}).get("event_id") for stage in ("composition", "process")}
        row["raw_samples"] = [f"@{lot['institute']}/{lot['sample_id']}" for lot, _ in lots]
        row["steps"] = max(nearest[stage].steps for stage in ("composition", "process"))
        row["findings"] = sorted(findings)
        # A row holds the records themselves: so many columns would be copied that a large view did not fit in memory.
        row["values"] = values
        return row

    def _find(self, stage: StageName, record: Row, found: Found, findings: set[str]) -> Row | None:
        """Return the record found for a stage, None without one and where the property's institute may not see it."""
        if found.row is not None and not self._may_use(record, found.row):
            findings |= {"foreign_parent", f"no_{stage}"}
            return None
        if found.finding is not None:
            findings.add(found.finding)
        elif found.row is None:
            # A project need not have every stage: what it does not ask for is not missing.
            if stage in self._templates:
                findings.add(f"no_{stage}")
        elif stage != "raw" and sample_of(found.row) in self._stages[stage].several:
            findings.add(f"several_{stage}")
        return found.row

    def _may_use(self, record: Row, other: Row) -> bool:
        return record["institute"] == other["institute"] or self._shown(other)

    def _lots(self, record: Row, composition: Row | None, found: Found, findings: set[str]) -> list[tuple[Row, float]]:
        """Return the raw records that a row is made of, with their amounts: the composition's lots, else the nearest."""
        named = [] if composition is None else lots_of(composition, self._amount)
        if not named:
            nearest = self._find("raw", record, found, findings)
            return [] if nearest is None else [(nearest, 1.0)]
        known = self._stages["raw"].by_sample
        there = [(known[lot], amount) for lot, amount in named if lot in known]
        if len(there) < len(named):
            findings.add("lot_missing")
        usable = [(row, amount) for row, amount in there if self._may_use(record, row)]
        if len(usable) < len(there):
            findings.add("foreign_parent")
        return usable

    def _combined(self, lots: Sequence[tuple[Row, float]]) -> Row:
        """Return the values of several lots by amount; lots without any amount count alike."""
        template = self._templates.get("raw")
        if len(lots) == 1 or template is None:
            return lots[0][0]
        # Only what is measured has a mean: half of a whole number is none.
        fields = {f.name: f.kind == "double" for f in template.fields}
        return combine([(row, n) for row, n in lots if n > 0] or [(row, 1.0) for row, _ in lots], fields)

    def _conform(self, stage: StageName, row: Row, findings: set[str]) -> Row:
        majors = self._majors.get(stage)
        conformed, left_out = (row, False) if majors is None else majors.conform(row)
        if left_out:
            findings.add(OTHER_MAJOR)
        return conformed

    def _amount(self, composition: Row, component: str) -> float | None:
        """Return the amount of a component: from a composition map, else from the field of that name."""
        template = self._templates.get("composition")
        for one in template.fields if template is not None else ():
            if one.kind == "map_double" and one.quantity == "composition" and composition.get(one.name):
                amounts = dict(cast("Sequence[tuple[str, float]]", composition[one.name]))
                if component in amounts:
                    return amounts[component]
        value = composition.get(component)
        return value if isinstance(value, float) else None


def _rights(rows: Sequence[Row]) -> dict[str, object]:
    """Return whose records these are, and what holds for something made of all of them."""
    return {
        "institutes": sorted({str(row["institute"]) for row in rows}),
        "disclosure": strictest_disclosure([row.get("disclosure") for row in rows]),
        "embargo_until": strictest_embargo([row.get("embargo_until") for row in rows]),
        "licence": strictest_licence([row.get("licence") for row in rows]),
    }


def _table(records: Records, rows: Sequence[Mapping[str, object]], events_version: int) -> pa.Table:
    columns: dict[str, pa.Array] = {name: pa.array([r[name] for r in rows], type=kind) for name, kind in HEADER_COLUMNS}
    for name in LISTS:
        columns[name] = pa.array([r[name] for r in rows], type=pa.list_(pa.string()))
    columns["composition_event"] = pa.array([r["composition_event"] for r in rows], type=pa.string())
    columns["process_event"] = pa.array([r["process_event"] for r in rows], type=pa.string())
    columns["steps"] = pa.array([r["steps"] for r in rows], type=pa.int32())
    columns["events_version"] = pa.array([events_version] * len(rows), type=pa.int64())
    for stage in STAGES:
        template = records.templates.get(stage)
        held = [cast("Mapping[StageName, Row]", r["values"]).get(stage, NOTHING) for r in rows]
        known = set[str]().union(*held)
        for one in template.fields if template is not None else ():
            values = [row.get(one.name) for row in held] if one.name in known else [None] * len(held)
            if is_composition(one):
                columns |= _component_columns(stage, one, values)
            elif one.kind in ("map_double", "map_string"):
                columns[f"{stage}__{one.name}"] = pa.array(values, type=ARROW[one.kind])
            else:
                columns[f"{stage}__{one.name}"] = column(one.kind, values)
    return pa.table(columns)


def _component_columns(stage: StageName, of: Field, values: Sequence[object]) -> dict[str, pa.Array]:
    """Return one column for each component that any row has; a second composition of a stage is named with its field."""
    maps = [None if v is None else dict(cast("Sequence[tuple[str, float]]", v)) for v in values]
    known = components_of(of)
    components = sorted({c for m in maps if m is not None for c in m if c in known})
    prefix = element_prefix(stage, of)
    return {
        prefix + c: pa.array([None if m is None else float(m.get(c, 0.0)) for m in maps], type=pa.float64())
        for c in components
    }
