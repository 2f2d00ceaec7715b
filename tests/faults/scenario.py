"""Two ingest processes under a seeded schedule of leaves, joins, stops and kills, while events are sent."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sojae.home import Home
from sojae_local.endpoint import Endpoint

HERE = Path(__file__).parent
DIE = "die-before-kafka-commit"
WINDOW = "in-window-"
PATIENCE_SECONDS = 20.0
"""How long two processes may take to hold partitions both: on a machine that is busy a start alone takes ten seconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how much, how often; seconds and counts."""

    seconds: float
    events: int
    rate: int
    session_seconds: float
    stops: int
    kills: int
    kills_before_kafka_commit: int
    leave_every_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Frozen:
    """A stopped process: the partitions it was about to commit, and when it wakes at the latest."""

    partitions: frozenset[str]
    latest: float


@dataclass(slots=True)
class Sinks:
    """The two processes: started again after a kill, one at a time absent after a leave."""

    variant: str
    environment: dict[str, str]
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopped: dict[str, "Frozen"] = field(default_factory=dict)
    all: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            command = [sys.executable, str(HERE / "sink_process.py"), self.variant]
            self.running[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        self.all.append(self.running[name])

    def revive(self) -> None:
        """Start again whoever has died."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.start(name)

    def leave(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)

    def tend(self, home: Home) -> None:
        """Wake sleepers whose moment has come, start again who died, and wait a little."""
        self.thaw(home)
        self.revive()
        time.sleep(0.02)

    def freeze_in_window(self, home: Home, seconds: float) -> str:
        """Stop a process between its snapshot and its commit, with the other one there to take over."""
        for name in {"a", "b"} - set(self.running):
            self.start(name)
        seen: set[str] = set()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.revive()
            for name in sorted(self.running):
                partitions = self.window(name, home)
                if partitions:
                    seen.add(name)
                if partitions and len(seen) == len(self.running):
                    self.running[name].send_signal(signal.SIGSTOP)
                    self.stopped[name] = Frozen(partitions, time.monotonic() + seconds)
                    return f"{name} is frozen before its commit, beyond its session"
            time.sleep(0.01)
        return "nobody is frozen: the two never both had partitions"

    def thaw(self, home: Home, *, everybody: bool = False) -> None:
        """Wake who has slept long enough: at the worst moment, when a successor is about to commit the same partitions."""
        busy = frozenset[str]().union(*(self.window(name, home) for name in self.awake()))
        for name, frozen in list(self.stopped.items()):
            if everybody or time.monotonic() >= frozen.latest or frozen.partitions & busy:
                with suppress(KeyError, ProcessLookupError):
                    self.running[name].send_signal(signal.SIGCONT)
                del self.stopped[name]

    def window(self, name: str, home: Home) -> frozenset[str]:
        """Return the partitions that a process is about to commit; empty outside its window."""
        try:
            text = (home.path / f"{WINDOW}{self.running[name].pid}").read_text(encoding="utf-8")
        except FileNotFoundError:
            return frozenset()
        return frozenset(text.split())

    def awake(self) -> list[str]:
        return [n for n in self.running if n not in self.stopped]

    def kill_all(self) -> None:
        for process in self.all:
            process.kill()  # SIGKILL ends a stopped process too
            process.wait()


def environment_of(home: Home, endpoint: Endpoint, plan: Plan) -> dict[str, str]:
    """Return the environment of a sink: its home, its broker, a short session, frequent flushes."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("SOJAE_")},
        "SOJAE_HOME": str(home.path),
        "SOJAE_KAFKA__BOOTSTRAP_SERVERS": endpoint.bootstrap_servers,
        "SOJAE_INGEST__SESSION_TIMEOUT_SECONDS": str(plan.session_seconds),
        "SOJAE_INGEST__FLUSH_ROWS": "2000",
    }


def schedule(plan: Plan, seed: int) -> list[tuple[float, str]]:
    """Return (second, deed) in order: the same for every variant with the same seed."""
    draw = random.Random(seed)
    deeds = [(t, "leave or join") for t in _every(plan.leave_every_seconds, plan.seconds)]
    slots = plan.seconds / (plan.stops + 1)
    deeds += [(slots * (i + 1) - slots * 0.5 * draw.random(), "freeze") for i in range(plan.stops)]
    kinds = ["kill before kafka commit"] * plan.kills_before_kafka_commit
    kinds += ["kill"] * (plan.kills - plan.kills_before_kafka_commit)
    deeds += [(draw.uniform(1.0, plan.seconds * 0.95), kind) for kind in kinds]
    return sorted(deeds)


def play(plan: Plan, sinks: Sinks, home: Home, seed: int, enough: Callable[[], bool] = lambda: False) -> list[str]:
    """Play the schedule, or as much of it as is `enough`, and return what was done, one line each.

    While somebody is frozen nothing else happens: the successor must get the chance to collide with the sleeper.
    """
    draw, began, done = random.Random(seed + 1), time.monotonic(), []
    for at, deed in schedule(plan, seed):
        while time.monotonic() - began < at or sinks.stopped:
            sinks.tend(home)
        if enough():
            break
        done.append(f"{time.monotonic() - began:5.1f} s {_do(deed, sinks, home, draw, plan)}")
    while sinks.stopped:
        sinks.tend(home)
    return done


def _do(deed: str, sinks: Sinks, home: Home, draw: random.Random, plan: Plan) -> str:
    absent = sorted({"a", "b"} - set(sinks.running))
    if deed == "leave or join" and absent:
        sinks.start(absent[0])
        return f"{absent[0]} joins"
    name = draw.choice(sorted(sinks.running))
    if deed == "leave or join":
        sinks.leave(name)
        return f"{name} leaves"
    if deed == "kill":
        sinks.running[name].send_signal(signal.SIGKILL)
        return f"{name} is killed"
    if deed == "freeze":
        return sinks.freeze_in_window(home, plan.session_seconds + 6.0)
    (home.path / DIE).touch()
    return "the next to commit is killed between the store's commit and Kafka's"


@contextmanager
def load(command: Sequence[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the load for the time of the block; it ends by itself, or is killed."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _every(step: float, until: float) -> list[float]:
    return [step * i for i in range(1, int(until / step) + 1)]
