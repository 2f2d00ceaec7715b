"""Real processes of the product, run as a user would run them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

SOJAE = str(Path(sys.executable).parent / "sojae")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Return an environment with this home and these settings, and no other SOJAE_* name."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SOJAE_")}
    return {**kept, "SOJAE_HOME": str(home), **settings}


def run(arguments: list[str], env: Mapping[str, str], timeout_seconds: float) -> subprocess.CompletedProcess[str]:
    """Run `sojae` with arguments and return what it printed and its exit code."""
    return subprocess.run(
        [SOJAE, *arguments], env=dict(env), capture_output=True, text=True, timeout=timeout_seconds, check=False
    )


def last_json(text: str) -> dict[str, Any]:
    """Return the JSON of the last line that is some."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    assert lines, text
    found = json.loads(lines[-1])
    assert isinstance(found, dict)
    return found


@contextmanager
def gateway(env: Mapping[str, str], port: int) -> Iterator[httpx.Client]:
    """Run the gateway alone for the time of the block and return a client of it, once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sojae_gateway"],
        env={**env, "SOJAE_GATEWAY__PORT": str(port)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            _await_ready(client, process)
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _await_ready(client: httpx.Client, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        try:
            if client.get("/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
        time.sleep(0.1)
    raise AssertionError("the gateway did not become ready")


def left_behind(home: Path) -> list[str]:
    """Return the command lines of processes that still belong to a home."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "environ", "status"]):
        environ = process.info["environ"] or {}
        line = " ".join(process.info["cmdline"] or [])
        ours = environ.get("SOJAE_HOME") == str(home) or str(home) in line
        if ours and process.info["pid"] != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(line)
    return found
