"""What must be true of a store after faults: every acknowledged event exactly once, and nothing else; each outcome told."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from sojae.adapters.avro import RecordCodec
from sojae.adapters.kafka_connection import Connection
from sojae.adapters.kafka_raw import log_bounds, read_raw
from sojae.adapters.template_files import read_common
from sojae.ports import Partition
from sojae.topics import PARTITIONS, outcomes_topic
from tests.growing_table import rows_so_far

Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of what went wrong; all zero is sound."""

    acknowledged: int
    stored: int
    lost: int
    repeated: int
    altered: int

    @property
    def sound(self) -> bool:
        return (self.lost, self.repeated, self.altered) == (0, 0, 0)


def acknowledged(path: Path) -> dict[Place, tuple[str, int, int]]:
    """Return (producer, epoch, seq) of every acknowledged event by (topic, partition, offset); a cut last line is left out."""
    events = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            ack = json.loads(line)
        except json.JSONDecodeError:
            continue
        if "offset" in ack:
            events[ack["topic"], ack["partition"], ack["offset"]] = (ack["producer"], ack["epoch"], ack["seq"])
    return events


def judge_store(store: Path, acks: Path) -> Verdict:
    """Return what the table `events` makes of the acknowledged events: lost, repeated, or not what was sent."""
    sent = acknowledged(acks)
    rows = pl.read_delta(str(store / "events")).select("topic", "partition", "offset", "producer", "epoch", "seq")
    stored: dict[Place, list[tuple[str, int, int]]] = {}
    for topic, partition, offset, *identity in rows.iter_rows():
        stored.setdefault((topic, partition, offset), []).append(tuple(identity))
    return Verdict(
        acknowledged=len(sent),
        stored=rows.height,
        lost=sum(place not in stored for place in sent),
        repeated=sum(len(found) - 1 for found in stored.values()),
        altered=sum(found[0] != sent[place] for place, found in stored.items() if place in sent),
    )


def already_broken(store: Path, acks: Path) -> bool:
    """Return whether the store is wrong whatever comes: a row repeated, or missing below a partition's stored end."""
    rows = rows_so_far(store / "events")
    if rows.is_empty():
        return False
    rows = rows.select("topic", "partition", "offset")
    ends = {(t, p): o for t, p, o in rows.group_by("topic", "partition").agg(pl.col("offset").max()).iter_rows()}
    stored = set(rows.iter_rows())
    passed = (place for place in acknowledged(acks) if place[2] < ends.get(place[:2], -1))
    return len(stored) < rows.height or any(place not in stored for place in passed)


def holes_and_surplus(store: Path, acks: Path) -> tuple[int, int]:
    """Return how many numbers the ledger misses below the last sent, and how many records stand beside the sent ones."""
    last: dict[tuple[str, int], int] = {}
    for producer, epoch, seq in acknowledged(acks).values():
        last[producer, epoch] = max(seq, last.get((producer, epoch), -1))
    ledger = pl.read_delta(str(store / "ledger")).sort("events_version").unique(["producer", "epoch"], keep="last")
    low = {(p, e): n for p, e, n in ledger.select("producer", "epoch", "low_water").iter_rows()}
    holes = sum(seq - low.get(key, -1) for key, seq in last.items())
    records = sum(pl.read_delta(str(p.parent)).height for p in (store / "records").rglob("_delta_log"))
    accepted = pl.read_delta(str(store / "events")).filter(pl.col("status") == "accepted").height
    return holes, records - accepted


def untold(store: Path, bootstrap_servers: str, institute: str) -> int:
    """Return how many stored events no outcome has told of with their status: outcomes come at least once."""
    codec, configuration = RecordCodec(read_common("outcome", "1.0")), Connection(bootstrap_servers).for_librdkafka()
    told: set[tuple[object, ...]] = set()
    for number in range(PARTITIONS):
        partition = Partition(outcomes_topic(institute), number)
        offset, end = log_bounds(configuration, partition)
        while offset < end:
            messages = read_raw(configuration, partition, offset, 1_000)
            assert messages, f"{partition} cannot be read from {offset} to {end}"
            offset = messages[-1].offset + 1
            for message in messages:
                items = cast("list[dict[str, Any]]", codec.decode(message.value or b"")["outcomes"])
                told |= {(i["topic"], i["partition"], i["offset"], i["status"]) for i in items}
    rows = pl.read_delta(str(store / "events")).select("topic", "partition", "offset", "status")
    return sum(row not in told for row in rows.iter_rows())
