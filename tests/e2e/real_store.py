"""What the store holds of an import: records, their statements, and what became of each message."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sojae.domain.template import STAGES

Records = Mapping[str, pl.DataFrame]
"""Records tables by stage."""


@dataclass(frozen=True, slots=True)
class StageCounts:
    """What became of the messages of one import, of one stage; flagged ones are accepted with a warning."""

    stage: str
    sent: int
    accepted: int
    flagged: int
    quarantined: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Refused:
    """One hard finding about a stored message."""

    sample_id: str
    stage: str
    rule: str
    field: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One row that records gained: of which record, how many statements of it there are now, and what differs."""

    stage: str
    record_id: str
    statements: int
    differs: Mapping[str, tuple[Any, Any]]
    """Template field → (value said before, value said now)."""


@dataclass(frozen=True, slots=True)
class Store:
    """The tables under one root, read anew each time."""

    root: Path

    def events(self, institute: str) -> pl.DataFrame:
        """Return the messages of an institute without their bytes, in the order of their imports."""
        return pl.read_delta(str(self.root / "events")).drop("raw").filter(institute=institute).sort("epoch", "seq")

    def materials(self, project: str) -> pl.DataFrame:
        """Return the training table of a project."""
        return pl.read_delta(str(self.root / "materials" / project))

    def settled(self, project: str, rows: int) -> Records | None:
        """Return the records of a project once they have so many rows and the materials view is of them, else None."""
        places: Mapping[str, Path] = {stage: self.root / "records" / project / stage / "1" for stage in STAGES}
        if not all(place.is_dir() for place in (*places.values(), self.root / "materials" / project)):
            return None
        order = ("ingest_time", "topic_id", "partition", "offset")
        records = {stage: pl.read_delta(str(place)).sort(order) for stage, place in places.items()}
        if sum(table.height for table in records.values()) != rows:
            return None
        current = records["property"].unique("record_id", keep="last", maintain_order=True)
        return records if set(self.materials(project)["event_id"]) == set(current["event_id"]) else None

    def counts_by_stage(self, institute: str) -> list[list[StageCounts]]:
        """Return for each import of an institute, in their order, the counts of each stage."""
        events = self.events(institute)
        imports = events.partition_by("epoch", maintain_order=True)
        return [[_counts(stage, one.filter(stage=stage)) for stage in STAGES] for one in imports]

    def warned(self, institute: str) -> Mapping[str, int]:
        """Return how often each rule warned about an accepted message of an institute's first import, most often first."""
        issues = self._first(institute).filter(status="accepted")["issues"].explode().struct.field("rule")
        return dict(Counter(issues.drop_nulls()).most_common())

    def quarantined(self, institute: str) -> list[Refused]:
        """Return every hard finding of the quarantined messages of an institute's first import."""
        first = self._first(institute).filter(status="quarantined")
        return [
            Refused(row["sample_id"], row["stage"], issue["rule"], issue["field"])
            for row in first.iter_rows(named=True)
            for issue in row["issues"]
            if issue["severity"] == "hard"
        ]

    def _first(self, institute: str) -> pl.DataFrame:
        events = self.events(institute)
        return events.filter(epoch=events["epoch"].min())


def gained(before: Records, after: Records) -> list[Statement]:
    """Return what the records gained; what was there before must stand there unchanged."""
    found = []
    for stage, table in after.items():
        old = before[stage]
        kept = table.join(old.select("event_id"), on="event_id", how="semi", maintain_order="left")
        assert kept.equals(old), f"{stage}: stored rows have changed"
        for row in table.join(old.select("event_id"), on="event_id", how="anti").iter_rows(named=True):
            said = table.filter(record_id=row["record_id"])
            earlier = said.row(said.height - 2, named=True) if said.height > 1 else dict.fromkeys(row)
            values = table.columns[table.columns.index("comment") + 1 : table.columns.index("topic_id")]
            differs = {name: (earlier[name], row[name]) for name in values if earlier[name] != row[name]}
            found.append(Statement(stage, row["record_id"], said.height, differs))
    return found


def _counts(stage: str, messages: pl.DataFrame) -> StageCounts:
    status = Counter(messages["status"])
    flagged = messages.filter(pl.col("issues").list.len() > 0, status="accepted").height
    return StageCounts(stage, messages.height, status["accepted"], flagged, status["quarantined"], status["duplicate"])
