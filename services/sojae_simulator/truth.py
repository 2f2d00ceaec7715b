"""The file truth.jsonl: every planted fault by the position of its message, what it must get, and totals.

Kinds of lines: `run_started`, one of `sojae_simulator.faults.FaultKind` for a planted fault, `burst_done`, `run_done`; of
the plant `plant_started`, `plant_history_sent`, `plant_batch_started`, `plant_batch_done`, `plant_property_sent`,
`plant_fault`, `plant_done`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Self

from sojae.domain.errors import StateError
from sojae_simulator.faults import Fault
from sojae_simulator.publish import Outgoing

FILE_NAME = "truth.jsonl"


class TruthFile:
    """Appends lines to truth.jsonl, each written out at once; a line that a killed process left unfinished is cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            _cut_unfinished_line(self._path)
            self._file = self._path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise StateError(
                en=f"{self._path}: cannot be written: {error.strerror}; free the file or set SOJAE_HOME to another folder",
                ko=f"{self._path}: 쓸 수 없습니다({error.strerror}). 파일을 비우거나 SOJAE_HOME을 다른 폴더로 지정하십시오",
            ) from error
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, kind: str, line: Mapping[str, object]) -> None:
        """Append one line of that kind."""
        assert self._file is not None, "use it as a context manager"
        self._file.write(json.dumps({"kind": kind, **line}, ensure_ascii=False) + "\n")

    def fault(self, fault: Fault, outgoing: Outgoing, partition: int, offset: int) -> None:
        """Append one planted fault that was acknowledged at (partition, offset) of its topic.

        `rule` and `field` are those of the first finding, hard ones before others; None where no rule can see it.
        """
        first = fault.findings[0] if fault.findings else None
        line: dict[str, object] = {
            "topic": outgoing.topic,
            "partition": partition,
            "offset": offset,
            "event_id": outgoing.event_id,
            "sample_id": outgoing.sample_id,
            "template": outgoing.template,
            "producer": outgoing.key,
            "epoch": outgoing.epoch,
            "seq": outgoing.seq,
            "variant": fault.variant,
            "status": fault.status,
            "rule": first.rule if first else None,
            "field": first.field if first else None,
            "findings": [asdict(finding) for finding in fault.findings],
            "visible": fault.visible,
            "leaves_hard_range": fault.leaves_hard_range,
        }
        if fault.slip is not None:
            line |= {"slipped": fault.slip.field, "original": fault.slip.original, "sent": fault.slip.sent}
        self.write(fault.kind, line)


def next_epoch(path: Path, now_ms: int) -> int:
    """Return the epoch of a new run: Unix time in ms, or one more than the last run's where the clock went back."""
    last = 0
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as lines:
            last = max((_epoch_of(line) for line in lines if '"run_started"' in line), default=0)
    return max(now_ms, last + 1)


def _epoch_of(line: str) -> int:
    try:
        return int(json.loads(line)["epoch"])
    except (ValueError, KeyError, TypeError):
        return 0


def _cut_unfinished_line(path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        return
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)
