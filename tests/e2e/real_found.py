"""What one run on real data found, and the tables that show it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.e2e.real_heldout import Compared
from tests.e2e.real_store import Refused, StageCounts, Statement

JSON = dict[str, Any]
STEPS = ("first", "again", "changed", "back")


@dataclass(frozen=True, slots=True)
class Imported:
    """What four imports said (first, again, one cell changed, changed back), and what the store holds of them.

    `lines` are those that the command wrote about rows; `stages` has the counts of each import by stage,
    `refused` and `warned` what rules found in the first. `repeated`,
    `corrected` and `restored` are what the records gained from the second, third and fourth import.
    """

    told: Mapping[str, Mapping[str, int]]
    seconds: Mapping[str, float]
    lines: list[str]
    stages: list[list[StageCounts]]
    refused: list[Refused]
    warned: Mapping[str, int]
    repeated: list[Statement]
    corrected: list[Statement]
    restored: list[Statement]


@dataclass(frozen=True, slots=True)
class Trained:
    """One training: how long it took, what the gateway serves of it, and how it does on what was kept out."""

    seconds: float
    cpu_seconds: float
    model: JSON
    leaks: list[str]
    compared: list[Compared]

    def card(self, target: str) -> JSON:
        """Return the card of one target."""
        return next(t for t in self.model["card"]["targets"] if t["name"] == target)


@dataclass(frozen=True, slots=True)
class FirstRun:
    """Everything that one run found, by project."""

    broker: str
    seconds: float
    imported: Mapping[str, Imported]
    trained: Mapping[str, Trained]


def tables(found: FirstRun) -> Iterator[str]:
    """Yield the run as Markdown, line by line."""
    yield f"Broker: {found.broker}; {found.seconds:.0f} s in all"
    for project, imported in found.imported.items():
        yield from ("", f"## {project}", "")
        yield from _stages(imported)
        yield from ("", f"Warned about: {dict(imported.warned)}", "", *(f"- {line}" for line in imported.lines), "")
        yield from _steps(imported)
        yield ""
        yield from _trained(found.trained[project])


def _stages(imported: Imported) -> Iterator[str]:
    yield from _head("stage", "sent", "accepted", "flagged", "quarantined", "duplicates the second time")
    for first, again in zip(imported.stages[0], imported.stages[1], strict=True):
        yield _row(first.stage, first.sent, first.accepted, first.flagged, first.quarantined, again.duplicates)


def _steps(imported: Imported) -> Iterator[str]:
    yield from _head("import", "seconds", *imported.told["first"], "records gained")
    gained = ["", *(", ".join(map(_statement, s)) for s in (imported.repeated, imported.corrected, imported.restored))]
    for step, more in zip(STEPS, gained, strict=True):
        yield _row(step, f"{imported.seconds[step]:.0f}", *imported.told[step].values(), more)


def _statement(one: Statement) -> str:
    differs = "; ".join(f"{name} {old} → {new}" for name, (old, new) in one.differs.items())
    return f"{one.stage} {one.record_id}, statement {one.statements}: {differs}"


def _trained(trained: Trained) -> Iterator[str]:
    manifest = trained.model["manifest"]
    out, data = manifest["holdout"], manifest["dataset"]
    yield (
        f"Trained in {trained.seconds:.0f} s ({trained.cpu_seconds:.0f} s of processor) on {data['rows']} rows; kept out: "
        f"{len(out['records'])} of {data['records']} records, {len(out['groups'])} groups of {out['by']}"
    )
    yield f"Software: {manifest['software']}"
    for one in trained.compared:
        yield ""
        yield from _target(one, trained.card(one.target))


def _target(one: Compared, card: JSON) -> Iterator[str]:
    yield f"### {one.target} [{one.unit}]: {card['rows']} rows in {card['groups']} groups by {card['grouped_by']}"
    yield from ("", card["verdict"]["en"], "", f"{one.trained_rows} rows trained on, {one.rows} kept out", "")
    yield from _head("learner", "random MAE", "R²", "grouped MAE", "R²", "kept out MAE", "R²")
    nested = {"name": "chosen anew in each fold", "random": card["nested_random"], "grouped": card["nested_grouped"]}
    for scores in (*card["learners"], *card["baselines"], nested):
        name, served = str(scores["name"]), scores["name"] == card["chosen"]
        cells = [_number(scores[split][what]) for split in ("random", "grouped") for what in ("mae", "r2")]
        who = "model" if served else name
        held = [_number(by[who]) if who in by else "" for by in (one.mae, one.r2)]
        yield _row(f"**{name}**, served" if served else name, *cells, *held)
    interval = card["interval"]
    yield from ("", *_head("90 % interval", "random", "grouped", "kept out"))
    yield _row("holds", *(f"{share:.0%}" for share in (*_both(interval, "coverage"), one.covered)))
    yield _row("mean width", *(_number(width) for width in (*_both(interval, "mean_width"), one.mean_width)))
    yield f"\nOf the kept-out recipes {one.strange:.0%} are outside the domain or name what no known recipe has"


def _both(interval: JSON, what: str) -> tuple[float, float]:
    return interval[f"{what}_random"], interval[f"{what}_grouped"]


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|---" * len(names) + "|"


def _row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _number(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.0f}"
