"""One supervised process: started in a session of its own, asked whether it is ready, ended with a bound."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sojae.lifeline import Lifeline
from sojae_local.free_ports import LOOPBACK, free_ports
from sojae_local.log_files import open_log
from sojae_local.services import Service

POLL_SECONDS = 0.1
START_SECONDS = 60.0
ASK_SECONDS = 1.0


class Child:
    """A running process of one service; its output goes to the log file of its name."""

    def __init__(self, service: Service, logs: Path, environment: Mapping[str, str], lifeline: Lifeline) -> None:
        self.service = service
        self.telemetry_port = free_ports(1)[0]
        self.log, output = open_log(logs / f"{service.name}.log")
        with output:
            # A session of its own: Ctrl-C in the terminal reaches the launcher alone, which stops all in its order.
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                # -P: a file of the user's in the working folder must not stand in for a library.
                [sys.executable, "-P", "-m", service.module, *service.arguments],
                env={
                    **environment,
                    **lifeline.environment,
                    "SOJAE_TELEMETRY__PORT": str(self.telemetry_port),
                    "PYTHONUNBUFFERED": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(lifeline.child_fd,),
                start_new_session=True,
            )
        self._group_is_gone = False

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self._process.poll()

    async def became_ready(self) -> bool:
        """Return True once the process is ready, False when it ended before that, or was not ready after 60 s."""
        deadline = time.monotonic() + START_SECONDS
        while self.exit_code is None and time.monotonic() < deadline:
            if await answers_ready(self.telemetry_port):
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def ended(self) -> int:
        """Return the exit code, once there is one."""
        while (code := self.exit_code) is None:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(POLL_SECONDS)
        return code

    async def stop(self, bound_seconds: float) -> bool:
        """Ask the process to end with SIGTERM; return whether it did within the bound. It is gone in either case."""
        if self.exit_code is None:
            self._process.terminate()
        deadline = time.monotonic() + bound_seconds
        while self.exit_code is None and time.monotonic() < deadline:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(POLL_SECONDS / 4)
        clean = self.exit_code is not None
        self.kill()
        return clean

    def kill(self) -> None:
        """End the process, and whatever it may have left running in its session, at once."""
        if self._group_is_gone:  # by now the system may have given the number to somebody else
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody was left there
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._group_is_gone = True


async def answers_ready(port: int) -> bool:
    """Return whether GET /health/ready on `port` of 127.0.0.1 is answered with 200 within a second."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                status = (await reader.readline()).split()
            finally:
                writer.close()
    except OSError:  # a time-out, too: it is on its way
        return False
    return status[1:2] == [b"200"]
