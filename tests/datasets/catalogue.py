"""examples/datasets.toml: which data sets there are, what their findings mean, and which defects must be found in them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sojae.domain.table import Row, Table
from tests.conftest import REPOSITORY
from tests.datasets.counts import Counts

FILE = REPOSITORY / "examples" / "datasets.toml"


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect that must be found so often; `change` is one row of a copy that makes it one more."""

    what: str
    count: str
    found: int
    of: int
    published: str
    change: Mapping[str, object] | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """One file of the shared data and its mapping; `findings` says of each finding why it is there."""

    name: str
    title: str
    file: str
    source: str
    licence: str
    findings: Mapping[str, str]
    defects: tuple[Defect, ...]


def datasets() -> list[Dataset]:
    """Return all data sets, in the order of the file."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))["dataset"]
    return [
        Dataset(
            **{k: v for k, v in one.items() if k not in ("defect", "findings")},
            findings=one.get("findings", {}),
            defects=tuple(Defect(**d) for d in one.get("defect", ())),
        )
        for one in found
    ]


def amount(counts: Counts, name: str) -> int:
    """Return how often something was found: `<stage>.<rule>[.<field>]`, `joined.…`, `unread.…`, `qualifier.…`, `equal`."""
    kind, _, rest = name.partition(".")
    if kind in ("equal", "repeated_key", "spelt_doi"):
        return int(getattr(counts, kind))
    if kind in ("joined", "unread", "qualifier", "given"):
        return dict(getattr(counts, kind)).get(rest, 0)
    rule, _, field = rest.partition(".")
    if field:
        return sum(n for r, n in counts.rules.items() if (r.stage, r.rule, r.field) == (kind, rule, field))
    return counts.of(kind, rule)


def unexplained(dataset: Dataset, counts: Counts) -> tuple[list[str], list[str]]:
    """Return the findings that the catalogue does not explain, and the explanations that explain nothing."""
    names = [f"joined.{n}" for n in counts.joined] + [f"unread.{n}" for n in counts.unread]
    names += [
        f"{r.stage}.{r.rule}" + (f".{r.field}" if f"{r.stage}.{r.rule}" not in dataset.findings else "")
        for r in counts.rules
    ]
    return sorted(set(names) - set(dataset.findings)), sorted(n for n in dataset.findings if amount(counts, n) == 0)


def changed(table: Table, change: Mapping[str, object]) -> Table:
    """Return a copy of the table with one row changed: other cells, or the cells of another row."""
    rows = list(table.rows)
    place = {row.number: n for n, row in enumerate(rows)}
    number = int(str(change["row"]))
    cells = dict(rows[place[number]].cells)
    if "copy_of" in change:
        cells = dict(rows[place[int(str(change["copy_of"]))]].cells)
    for one in (change, change.get("also")):
        if isinstance(one, Mapping) and "column" in one:
            cells[str(one["column"])] = str(one["to"])
    rows[place[number]] = Row(number, {k: v for k, v in cells.items() if v})
    return replace(table, rows=tuple(rows))
