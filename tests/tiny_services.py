"""Services small enough to be watched, and a launcher for them: real processes for tests of starting and stopping."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from sojae_local.services import Service

TINY = '''
"""A service that does nothing, and writes down what happens to it."""
import json, os, signal, subprocess, sys, threading, time
from prometheus_client import CollectorRegistry
from sojae.lifeline import FD_VARIABLE, watch
from sojae.telemetry import HealthServer

name, mode = sys.argv[1:]

def note(what, **more):
    with open(os.environ["TINY_NOTES"], "a") as file:
        file.write(json.dumps({"name": name, "what": what, "pid": os.getpid(), **more}) + "\\n")

note("started", environment={k: v for k, v in os.environ.items() if k.startswith("SOJAE_")})
assert watch()
stop = threading.Event()
if mode == "stubborn":
    signal.signal(signal.SIGTERM, lambda *_: note("refused"))
else:
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
if mode == "crash":
    print("starting")
    sys.exit("the disk is made of cheese")
if mode == "wrong":
    print("SOJAE_X=1: expected 2", file=sys.stderr)
    sys.exit(2)
if mode == "parent":
    note("grandchild", grandchild=subprocess.Popen(["sleep", "600"]).pid)
with HealthServer(CollectorRegistry(), lambda: mode != "unready", int(os.environ["SOJAE_TELEMETRY__PORT"])):
    note("serving")
    while not stop.wait(0.05):
        pass
note("stopped")
'''

DRIVER = """
import asyncio, json, sys
from pathlib import Path
import click
from sojae.domain.errors import SojaeError
from sojae.home import Home
from sojae.settings import KafkaSettings, read
from sojae_local.running_broker import kafka_parts
from sojae_local.services import Service
from sojae_local.up import Plan, up

home, port, tour_seconds, tour_code, tour_only, *services = sys.argv[1:]

async def tour(running):
    print("touring", running.run.gateway_url, flush=True)
    await asyncio.sleep(float(tour_seconds))
    return int(tour_code)

tiny = []
for each in services:
    name, mode, depends = each.split(":")
    tiny.append(Service(name, "tiny", frozenset(filter(None, depends.split(","))), (name, mode), 1.0))
plan = Plan(read(KafkaSettings), int(port), tiny, tour=tour, tour_only=tour_only == "only")
try:
    sys.exit(up(Home(Path(home)), plan, lambda text: print(text.en, flush=True)))
except SojaeError as error:
    click.echo(error, err=True)
    sys.exit(error.exit_code)
"""

GOOD = ("gateway:good:broker", "ingest:good:broker", "simulator:good:ingest")


@dataclass
class Notes:
    """What the small services have written down."""

    path: Path

    def all(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def names(self, what: str) -> list[str]:
        return [note["name"] for note in self.all() if note["what"] == what]

    def pids(self) -> list[int]:
        return [note["pid"] for note in self.all() if note["what"] == "started"]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    """Put the small service where `python -m tiny` finds it, and return what it will write down."""
    (folder / "tiny.py").write_text(TINY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("TINY_NOTES", str(folder / "notes"))
    return Notes(folder / "notes")


def tiny(name: str, mode: str = "good", *depends: str, stop_seconds: float = 1.0) -> Service:
    """Return a service that behaves as `mode` says."""
    return Service(name, "tiny", frozenset(depends), (name, mode), stop_seconds)


def is_gone(pid: int) -> bool:
    """Return whether no such process runs; a dead one that nobody has reaped counts as gone."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def eventually(check: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return as soon as `check` is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
