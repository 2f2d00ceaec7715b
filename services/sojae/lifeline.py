"""A pipe from a launcher to its children, and a signal from the kernel: a child whose launcher has died ends too."""

import ctypes
import logging
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable

from sojae.domain.errors import SettingsError

log = logging.getLogger(__name__)

FD_VARIABLE = "SOJAE_LIFELINE_FD"
KNOWN_INTERNAL = frozenset({FD_VARIABLE})
"""Names in the environment that a launcher sets for its children and that are no settings of a user."""
GRACE_SECONDS = 8.0
_PR_SET_PDEATHSIG = 1


class Lifeline:
    """The launcher's end: while it is open, the children live. Closing it, or dying, tells all of them to end."""

    def __init__(self) -> None:
        # Both ends are closed on exec, so a child holds only what `pass_fds` hands it: never the writing end.
        self.child_fd, self._own_fd = os.pipe()

    @property
    def environment(self) -> dict[str, str]:
        """Return what a child's environment must say; the child also needs `child_fd` in its `pass_fds`."""
        return {FD_VARIABLE: str(self.child_fd)}

    def close(self) -> None:
        """Let go: every child that still watches ends by itself."""
        for fd in (self.child_fd, self._own_fd):
            os.close(fd)


def watch(on_closed: Callable[[], None] | None = None, *, grace_seconds: float = GRACE_SECONDS) -> bool:
    """Return whether there is a lifeline to watch; if so, a daemon thread waits for its end.

    Then `on_closed` is called in that thread; by default the process sends itself SIGTERM (which its loop or its
    handlers take like anybody's), and SIGKILL if it still lives after `grace_seconds`. The name leaves the
    environment, so that the process's own children do not watch a pipe that is not theirs. Raises SettingsError when
    the name holds no pipe.
    """
    value = os.environ.pop(FD_VARIABLE, None)
    if value is None:
        return False
    fd = _pipe_of(value)
    os.set_inheritable(fd, False)

    def wait() -> None:
        while os.read(fd, 64):
            pass
        log.warning("the launcher is gone: this process ends")
        if on_closed is None:
            _end_self(grace_seconds)
        else:
            on_closed()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
    return True


def die_with_parent(signum: int = signal.SIGKILL) -> Callable[[], None] | None:
    """Return a `preexec_fn` that makes Linux send `signum` to the child when its parent dies; None where it cannot be.

    NOTE: the kernel means the *thread* that started the child (prctl(2), PR_SET_PDEATHSIG), so there is none outside
    the main thread: a child must not die because a worker thread came to its end.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        # The parent may have died between fork and prctl; then no signal ever comes.
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def _pipe_of(value: str) -> int:
    try:
        fd = int(value)
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
    except (ValueError, OverflowError, OSError):
        is_pipe = False
    if not is_pipe:
        raise SettingsError(
            en=f"{FD_VARIABLE} is {value!r}, which is no open pipe. Only `sojae up` sets it: remove it from your "
            "environment.",
            ko=f"{FD_VARIABLE} 값 {value!r}은(는) 열린 파이프가 아닙니다. 이 이름은 `sojae up`만 씁니다. 환경에서 "
            "지우십시오.",
        )
    return fd


def _end_self(grace_seconds: float) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_seconds)
    os.kill(os.getpid(), signal.SIGKILL)
