"""What becomes of a published data set: its rows read by its mapping, checked, and joined, counted by what was found."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from sojae.adapters.spreadsheet import read_table
from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.checks import check_values
from sojae.domain.issue import Issue, worst
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_findings import ImportEvent
from sojae.domain.mapping_identity import ImportRun
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.mapping_rows import RowsRead, read_rows
from sojae.domain.materials import HEADER_COLUMNS, Records, materials_table
from sojae.domain.table import Table
from sojae.domain.template import STAGES
from sojae.domain.template import Stage as StageName
from tests.conftest import REPOSITORY, SHARED_DATA

MAPPINGS = REPOSITORY / "examples" / "mappings"
TEMPLATES = REPOSITORY / "examples" / "templates"
EPOCH = 1_764_028_800_000
INGESTED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ORDER = {"topic_id": "0" * 22, "partition": 0, "ingest_time": INGESTED, "retracted": False, "parents": None}


class Rule(NamedTuple):
    """A finding of the checks: the stage, the rule, the field and the severity."""

    stage: str
    rule: str
    field: str | None
    severity: str


@dataclass(slots=True)
class StageCount:
    """Records of one stage: sent, accepted without a word, accepted and flagged, quarantined."""

    sent: int = 0
    clean: int = 0
    flagged: int = 0
    quarantined: int = 0


@dataclass(slots=True)
class Counts:
    """What became of one file; `rules` counts records, `joined` rows of the materials view, `unread` cells by column.

    `equal` counts rows that repeat an earlier one, `repeated_key` those whose key an earlier row has, `spelt_doi` those
    whose DOI is written neither bare nor as https://doi.org/…, `qualifier` values with a sign such as <, by stage and field,
    `given` values by stage and field.
    """

    rows: int = 0
    equal: int = 0
    repeated_key: int = 0
    spelt_doi: int = 0
    qualifier: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    stages: dict[str, StageCount] = field(default_factory=dict)
    rules: Counter[Rule] = field(default_factory=Counter)
    joined: Counter[str] = field(default_factory=Counter)

    def of(self, stage: str, rule: str) -> int:
        """Return how many records of a stage a rule found, whatever the field."""
        return sum(n for r, n in self.rules.items() if r.stage == stage and r.rule == rule)


@lru_cache
def book() -> TemplateBook:
    """Return the eight projects and those of the examples."""
    return load_templates(TEMPLATES)


def mapping_of(name: str, templates: TemplateBook) -> FileMapping:
    """Return the mapping of examples/mappings."""
    path = MAPPINGS / f"{name}.toml"
    return read_mapping(path.read_text(encoding="utf-8"), str(path), templates)


def table_of(mapping: FileMapping, file: str, rows: int | None = None) -> Table:
    """Return the table of a file of the shared data, or its first rows."""
    table = read_table(SHARED_DATA / file, sheet=mapping.sheet, header_row=mapping.header_row)
    return table if rows is None else replace(table, rows=table.rows[:rows])


def read(mapping: FileMapping, table: Table) -> RowsRead:
    """Return the events of a table, as an import makes them."""
    return read_rows(mapping, table, ImportRun(str(mapping.institute), str(mapping.source or Path("x").stem), EPOCH))


def counted(mapping: FileMapping, table: Table, *, join: bool = True) -> Counts:
    """Return what becomes of the rows of a table; without `join` the rules over several stages are not asked."""
    found = read(mapping, table)
    counts = Counts(rows=found.rows, equal=len(found.equal))
    counts.repeated_key = _repeated(mapping, table)
    counts.spelt_doi = _spelt(mapping, table)
    counts.unread.update(f"{f.record}: {f.column}" for f in found.findings)
    accepted: dict[StageName, list[ImportEvent]] = {}
    for name, events in _by_record(mapping, found.events):
        stage = events[0].template.key.stage
        judged = check_values(events[0].template, [e.values for e in events], [str(e.header["origin"]) for e in events])
        count = counts.stages.setdefault(stage, StageCount())
        for event, issues in zip(events, judged, strict=True):
            signs = event.header.get("qualifiers")
            counts.given.update(f"{stage}.{name}" for name in event.values)
            counts.qualifier.update(f"{stage}.{name}" for name in (signs if isinstance(signs, Mapping) else ()))
            _count(counts, count, stage, issues)
            if worst(issues) == "accepted":
                accepted.setdefault(stage, []).append(event)
        assert name, "a record has a name"
    if join:
        counts.joined.update(_joined(mapping, accepted))
    return counts


def _repeated(mapping: FileMapping, table: Table) -> int:
    """Return how many rows have the key of an earlier one."""
    keys = Counter(tuple(row.cells.get(name, "").strip() for name in mapping.records[-1].key) for row in table.rows)
    return sum(n - 1 for n in keys.values())


def _spelt(mapping: FileMapping, table: Table) -> int:
    """Return how many rows write their DOI neither bare nor as https://doi.org/…."""
    names = {c.name for r in mapping.records for c in r.columns if c.parse in ("doi", "reference")}
    cells = (row.cells.get(name, "") for row in table.rows for name in names)
    return sum(bool(cell) and not cell.startswith(("10.", "https://doi.org/10.")) for cell in cells)


def _count(counts: Counts, count: StageCount, stage: str, issues: Sequence[Issue]) -> None:
    count.sent += 1
    if worst(issues) == "quarantined":
        count.quarantined += 1
    elif issues:
        count.flagged += 1
    else:
        count.clean += 1
    counts.rules.update({Rule(stage, i.rule, i.field, i.severity) for i in issues})


def _by_record(mapping: FileMapping, events: Iterable[ImportEvent]) -> Iterator[tuple[str, list[ImportEvent]]]:
    for record in mapping.records:
        found = [e for e in events if e.template is record.template]
        if found:
            yield record.name, found


def _joined(mapping: FileMapping, accepted: Mapping[StageName, Sequence[ImportEvent]]) -> Counter[str]:
    """Return how many rows of the materials view each finding of the join, and each rule over stages, is about."""
    if "property" not in accepted:
        return Counter()
    templates = {t.key.stage: t for t in book() if t.key.project == mapping.project}
    rows = {stage: [_row(event, place) for place, event in enumerate(accepted.get(stage, ()))] for stage in STAGES}
    table = materials_table(Records(rows, templates, {s: [t] for s, t in templates.items()}), 1)
    return Counter(name for names in table["findings"].to_pylist() for name in set(names or ()))


def _row(event: ImportEvent, offset: int) -> dict[str, object]:
    values = {f.name: _plain(event.values.get(f.name)) for f in event.template.fields}
    header = {f.name: event.header.get(f.name) for f in event.template.header_fields}
    return {**{n: None for n, _ in HEADER_COLUMNS}, **header, **ORDER, "offset": offset, **values}


def _plain(value: object) -> object:
    return list(value.items()) if isinstance(value, Mapping) else value
