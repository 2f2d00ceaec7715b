"""What the simulator planted, and what the running system makes of it, over HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojae.client import Client, GatewayProblem

JSON = dict[str, Any]
Place = tuple[str, int, int]
TRUTH = "truth.jsonl"
"""The simulator's own account, in the home."""

NOT_FAULTS = frozenset({"run_started", "burst_done", "run_done"})
QUARANTINE_PAGES = 20


@dataclass(frozen=True, slots=True)
class Burst:
    """The first messages of a run: its epoch, how many there were, of which projects, and the faults among them."""

    epoch: int
    messages: int
    projects: tuple[str, ...]
    faults: tuple[JSON, ...]


@dataclass(slots=True)
class Share:
    """How many faults of a kind were planted, how many a rule can see, and how many got what they must get."""

    planted: int = 0
    visible: int = 0
    seen: int = 0

    @property
    def share(self) -> float:
        """Seen per planted; 1 where none was planted."""
        return self.seen / self.planted if self.planted else 1.0


def read_burst(path: Path) -> Burst | None:
    """Return the burst of the newest run in truth.jsonl, or None while it is not over."""
    lines = truth_lines(path)
    starts = [i for i, line in enumerate(lines) if line["kind"] == "run_started"]
    if not starts:
        return None
    run = lines[starts[-1] :]
    ends = [i for i, line in enumerate(run) if line["kind"] == "burst_done"]
    if not ends:
        return None
    end = run[ends[0]]
    faults = tuple(line for line in run[: ends[0]] if line["kind"] not in NOT_FAULTS and not _is_of_plant(line))
    return Burst(int(end["epoch"]), sum(end["messages"].values()), tuple(end["projects"]), faults)


def look_up(client: Client, faults: Sequence[JSON]) -> dict[Place, JSON]:
    """Return the stored message of each fault by its place; what is not there yet is left out."""
    wanted = {place_of(fault): fault for fault in faults}
    found: dict[Place, JSON] = {}
    for row in _quarantine_of(client, wanted):
        found[row_place(row)] = row
    for place, fault in wanted.items():
        if place not in found and fault["status"] != "quarantined":
            found |= {p: row for p, row in _messages(client, fault).items() if p == place}
    return found


def shares(faults: Sequence[JSON], stored: Mapping[Place, JSON]) -> dict[str, Share]:
    """Return per kind how many faults were planted, visible, and given the status and the rule that they must get."""
    by_kind: dict[str, Share] = {}
    for fault in faults:
        share = by_kind.setdefault(fault["kind"], Share())
        share.planted += 1
        share.visible += bool(fault["visible"])
        share.seen += bool(fault["visible"]) and is_as_it_must(fault, stored.get(place_of(fault)))
    return by_kind


def hard_range_slips(faults: Sequence[JSON], stored: Mapping[Place, JSON]) -> Share:
    """Return the share of faults that take a number out of what is possible: it must be 1."""
    leaving = [f for f in faults if f["leaves_hard_range"]]
    seen = sum(is_as_it_must(f, stored.get(place_of(f))) for f in leaving)
    return Share(planted=len(leaving), visible=len(leaving), seen=seen)


def is_as_it_must(fault: JSON, row: JSON | None) -> bool:
    """Return whether a stored message has the status and every finding that the fault must get."""
    if row is None or row["status"] != fault["status"]:
        return False
    found = {(i["rule"], i["field"], i["severity"]) for i in row["issues"]}
    return all((f["rule"], f["field"], f["severity"]) in found for f in fault["findings"])


def place_of(fault: JSON) -> Place:
    """Return the place in Kafka at which a fault was acknowledged."""
    return fault["topic"], fault["partition"], fault["offset"]


def row_place(row: JSON) -> Place:
    """Return the place in Kafka of a stored message."""
    position = row["position"]
    return position["topic"], position["partition"], position["offset"]


def _quarantine_of(client: Client, wanted: Mapping[Place, JSON]) -> list[JSON]:
    """Return the quarantined messages among the wanted places, newest first, as far back as need be."""
    missing = {place for place, fault in wanted.items() if fault["status"] == "quarantined"}
    rows = []
    for number, row in enumerate(client.quarantine()):
        if row_place(row) in missing:
            missing.discard(row_place(row))
            rows.append(row)
        if not missing or number > QUARANTINE_PAGES * 100:
            break
    return rows


def _messages(client: Client, fault: JSON) -> dict[Place, JSON]:
    institute = fault["topic"].rsplit(".", 1)[1]
    try:
        answer = client.event(institute, fault["event_id"])
    except GatewayProblem as problem:
        if problem.status == 404:
            return {}
        raise
    return {row_place(row): row for row in answer["messages"]}


def truth_lines(path: Path) -> list[JSON]:
    """Return the whole lines of truth.jsonl; none when it is not there yet."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _is_of_plant(line: JSON) -> bool:
    """Return whether a line is about the plant, which runs beside the laboratories: its messages are no events."""
    return str(line["kind"]).startswith("plant_")
