"""Two ingest processes under a seeded schedule of leaves, joins, stops and kills, while events are sent."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sojae.home import Home
from sojae_local.endpoint import Endpoint

HERE = Path(__file__).parent
DIE = "die-before-kafka-commit"
WINDOW = "in-window-"


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


@dataclass(slots=True)
class Sinks:
    """The two processes: started again after a kill, one at a time absent after a leave."""

    variant: str
    environment: dict[str, str]
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopped: dict[str, float] = field(default_factory=dict)

    def start(self, name: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            command = [sys.executable, str(HERE / "sink_process.py"), self.variant]
            self.running[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def revive(self) -> None:
        """Start again whoever has died."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.start(name)

    def leave(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)

    def freeze(self, name: str, seconds: float) -> None:
        self.running[name].send_signal(signal.SIGSTOP)
        self.stopped[name] = time.monotonic() + seconds

    def thaw(self, *, everybody: bool = False) -> None:
        for name, until in list(self.stopped.items()):
            if everybody or time.monotonic() >= until:
                with suppress(KeyError, ProcessLookupError):
                    self.running[name].send_signal(signal.SIGCONT)
                del self.stopped[name]

    def awake(self) -> list[str]:
        return [n for n in self.running if n not in self.stopped]

    def in_window(self, home: Home, *, patience_seconds: float) -> str | None:
        """Return a process that stands between reading the snapshot and committing, as soon as there is one."""
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            for name in self.awake():
                if (home.path / f"{WINDOW}{self.running[name].pid}").exists():
                    return name
            time.sleep(0.01)
        return None

    def kill_all(self) -> None:
        self.thaw(everybody=True)
        for process in self.running.values():
            process.kill()
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


def play(plan: Plan, sinks: Sinks, home: Home, seed: int) -> list[str]:
    """Play the schedule and return what was done, one line each."""
    draw, began, done = random.Random(seed + 1), time.monotonic(), []
    for at, deed in schedule(plan, seed):
        while time.monotonic() - began < at:
            sinks.thaw()
            sinks.revive()
            time.sleep(0.05)
        done.append(f"{at:5.1f} s {_do(deed, sinks, home, plan, draw)}")
    while sinks.stopped:
        sinks.thaw()
        time.sleep(0.05)
    return done


def _do(deed: str, sinks: Sinks, home: Home, plan: Plan, draw: random.Random) -> str:
    awake = sorted(sinks.awake())
    if deed == "leave or join":
        absent = sorted({"a", "b"} - set(sinks.running))
        if absent:
            sinks.start(absent[0])
            return f"{absent[0]} joins"
        if not awake:
            return "nobody leaves: both are frozen"
        name = draw.choice(awake)
        sinks.leave(name)
        return f"{name} leaves"
    if not awake:
        return f"{deed}: nobody is awake"
    name = draw.choice(awake)
    if deed == "freeze":
        name = sinks.in_window(home, patience_seconds=3.0) or name
        sinks.freeze(name, plan.session_seconds + 2.0)
        return f"{name} is frozen for {plan.session_seconds + 2.0:g} s"
    if deed == "kill":
        sinks.running[name].send_signal(signal.SIGKILL)
        return f"{name} is killed"
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
