"""docs/reference/datasets.md: what becomes of each published data set, row by row counted (`make datasets`)."""

import sys

import rich_click as click

from sojae.cli.markdown import table
from tests.conftest import REPOSITORY, SHARED_DATA
from tests.datasets.catalogue import Dataset, amount, datasets, unexplained
from tests.datasets.counts import Counts, book, counted, mapping_of, table_of

PAGE = REPOSITORY / "docs" / "reference" / "datasets.md"
NOTE = "<!-- Written by `make datasets` from examples/datasets.toml and a run over the files; do not edit. -->"
LEAD = """Published sets that can be imported as they are: the mapping is in [examples/mappings](../../examples/mappings), the
templates of sets outside the eight lead projects in [examples/templates](../../examples/templates), which
`SOJAE_TEMPLATES__PATH` names. The files themselves are not part of this repository.

```sh
export SOJAE_TEMPLATES__PATH=$PWD/examples/templates
sojae import Concrete_data.csv --mapping examples/mappings/concrete.toml
```

*Sent* counts records, one for each stage that a row fills; *flagged* ones are accepted. What is found over several stages
(`joined`) counts rows of the [materials view](../explanations/materials-view.md). *Published* is the count that is known of
the set; where ours differs, the reason stands beside it."""


def page(found: list[tuple[Dataset, Counts]]) -> str:
    """Return the page of all data sets."""
    rows = [
        (f"[{d.title}](#{_anchor(d.title)})", f"`{mapping_of(d.name, book()).project}`", f"{c.rows:,}", _all(c))
        for d, c in found
    ]
    summary = table(("set", "project", "rows", "records sent / accepted / flagged / quarantined"), rows)
    return "\n\n".join([NOTE, "# Data sets", LEAD, summary, *(section(d, c) for d, c in found)]) + "\n"


def section(dataset: Dataset, counts: Counts) -> str:
    """Return what the page says of one data set."""
    stages = [
        (stage, f"{c.sent:,}", f"{c.clean + c.flagged:,}", f"{c.flagged:,}", f"{c.quarantined:,}")
        for stage, c in counts.stages.items()
    ]
    parts = [
        f"## {dataset.title}",
        f"`{dataset.file}` with `examples/mappings/{dataset.name}.toml`: {counts.rows:,} rows.",
        f"Source: {dataset.source}. Licence: {dataset.licence}.",
        table(("stage", "sent", "accepted", "of these flagged", "quarantined"), stages),
    ]
    if dataset.findings:
        rows = [(f"`{name}`", f"{amount(counts, name):,}", why) for name, why in dataset.findings.items()]
        parts.append(table(("finding", "times", "why"), rows))
    if dataset.defects:
        known = [
            (
                d.what,
                f"`{d.count}`",
                f"{amount(counts, d.count):,} of {d.of:,}",
                d.published + (f"; {d.why}" if d.why else ""),
            )
            for d in dataset.defects
        ]
        parts.append(table(("known defect", "counted by", "found", "published"), known))
    return "\n\n".join(parts)


def _all(counts: Counts) -> str:
    every = counts.stages.values()
    sent, flagged = sum(c.sent for c in every), sum(c.flagged for c in every)
    quarantined = sum(c.quarantined for c in every)
    return f"{sent:,} / {sent - quarantined:,} / {flagged:,} / {quarantined:,}"


def _anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


@click.command()
def write() -> None:
    """Read every file, check every record, and write the page; exit 1 when a finding is not explained or a count differs."""
    templates, found, wrong = book(), [], []
    for dataset in datasets():
        if not (SHARED_DATA / dataset.file).is_file():
            raise click.ClickException(f"{dataset.file} is not in {SHARED_DATA}")
        mapping = mapping_of(dataset.name, templates)
        counts = counted(mapping, table_of(mapping, dataset.file))
        found.append((dataset, counts))
        click.echo(f"{dataset.name}: {counts.rows:,} rows, {_all(counts)}")
        wrong += [
            f"{dataset.name}: not explained, or not found: {n}" for half in unexplained(dataset, counts) for n in half
        ]
        wrong += [
            f"{dataset.name}: {d.what}: {amount(counts, d.count)}, not {d.found}"
            for d in dataset.defects
            if amount(counts, d.count) != d.found
        ]
    PAGE.write_text(page(found), encoding="utf-8")
    for line in wrong:
        click.echo(line, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    write()
