"""The state folder: where it is, whether it is ours, who runs in it, and how a second terminal finds the first."""

import fcntl
import os
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

import msgspec
import platformdirs

from sojae.domain.errors import BrokerError, StateError

HOME_VARIABLE = "SOJAE_HOME"
MARKER_NAME = ".sojae-home"
MARKER_TEXT = "sojae-home 1\n"
FOLDERS = ("kafka", "store", "index", "logs")

BrokerKind = Literal["real", "mock", "given"]
LockName = Literal["up", "broker"]


class ProcessInfo(msgspec.Struct, frozen=True):
    """One running process: its id and the port of its metrics and health, if it has one."""

    pid: int
    telemetry_port: int | None = None


class RunInfo(msgspec.Struct, frozen=True):
    """What runs in a home, as run.json says it.

    `run_id` names the broker's data, not its process: a real broker keeps it over restarts, a mock gets a new one.
    """

    launcher: LockName
    run_id: str
    broker: BrokerKind
    bootstrap_servers: str
    started_at: datetime
    gateway_url: str | None = None
    processes: dict[str, ProcessInfo] = {}


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder at `path` (absolute): kafka, store, index, logs and run.json."""

    path: Path

    @property
    def kafka(self) -> Path:
        """Return the folder of the development broker's data."""
        return self.path / "kafka"

    @property
    def store(self) -> Path:
        """Return the folder of the Delta tables, unless a setting names another root."""
        return self.path / "store"

    @property
    def index(self) -> Path:
        """Return the folder of the local SQLite indexes, which can all be rebuilt."""
        return self.path / "index"

    @property
    def logs(self) -> Path:
        """Return the folder of one log file per process."""
        return self.path / "logs"

    @property
    def run_file(self) -> Path:
        """Return the path of run.json."""
        return self.path / "run.json"

    def prepare(self) -> "Home":
        """Return this home with its folders and marker made; what is there already stays.

        Raises StateError when the folder is a file, cannot be written, holds what is not ours, or has a broken marker.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._claim()
            for folder in FOLDERS:
                (self.path / folder).mkdir(exist_ok=True)
        except (FileExistsError, NotADirectoryError) as exc:
            raise _file_in_place(Path(exc.filename or self.path)) from exc
        except OSError as exc:
            raise _unusable(self.path, exc) from exc
        return self

    def _claim(self) -> None:
        marker = self.path / MARKER_NAME
        if marker.exists():
            self._check(marker)
            return
        foreign = sorted(entry.name for entry in self.path.iterdir() if not entry.name.startswith(MARKER_NAME))
        if foreign:
            raise StateError(
                en=f"{self.path} holds other things ({foreign[0]}) and no {MARKER_NAME}: it is not a state folder of "
                f"Sojae. Set {HOME_VARIABLE} to a new or an empty folder.",
                ko=f"{self.path} 폴더에 다른 내용({foreign[0]})이 있고 {MARKER_NAME} 표식이 없어 Sojae의 상태 폴더가 "
                f"아닙니다. {HOME_VARIABLE}을(를) 새 폴더나 빈 폴더로 지정하십시오.",
            )
        replace_file(marker, MARKER_TEXT.encode())

    @staticmethod
    def _check(marker: Path) -> None:
        try:
            content = marker.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            content = ""
        if content != MARKER_TEXT:
            raise StateError(
                en=f"The marker {marker} is damaged or of another version (expected {MARKER_TEXT.strip()!r}): this "
                f"state folder cannot be used. Set {HOME_VARIABLE} to another folder, or start afresh with `make fresh`.",
                ko=f"표식 파일 {marker}이(가) 손상되었거나 다른 버전입니다({MARKER_TEXT.strip()!r}이어야 함). 이 상태 "
                f"폴더는 쓸 수 없습니다. {HOME_VARIABLE}을(를) 다른 폴더로 지정하거나 `make fresh`로 새로 시작하십시오.",
            )

    @contextmanager
    def locked(self, name: LockName, *, patience_seconds: float = 0.5) -> Iterator[None]:
        """Hold the lock `name` for the time of the block, after at most `patience_seconds` of waiting for it.

        The system frees the lock when the holder dies, however it dies. Raises StateError with the holder's pid.
        """
        with self._lock_path(name).open("a+", encoding="ascii") as file:
            deadline = time.monotonic() + patience_seconds
            while not _try_lock(file, fcntl.LOCK_EX):
                if time.monotonic() >= deadline:
                    raise self._in_use(name, file)
                time.sleep(0.05)
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def is_locked(self, name: LockName) -> bool:
        """Return whether some process (this one counts) holds the lock `name`."""
        try:
            with self._lock_path(name).open("r", encoding="ascii") as file:
                return not _try_lock(file, fcntl.LOCK_SH)
        except OSError:
            return False

    def _lock_path(self, name: LockName) -> Path:
        return self.path / f"{name}.lock"

    def _in_use(self, name: LockName, file: IO[str]) -> StateError:
        file.seek(0)
        pid = file.read().strip() or "?"
        return StateError(
            en=f"`sojae {name}` already runs in {self.path} (process {pid}). Stop it first (Ctrl-C there, or "
            f"`kill {pid}`), or set {HOME_VARIABLE} to another folder.",
            ko=f"`sojae {name}`이(가) 이미 {self.path}에서 실행 중입니다(프로세스 {pid}). 먼저 멈추거나(그 창에서 Ctrl-C, "
            f"또는 `kill {pid}`) {HOME_VARIABLE}을(를) 다른 폴더로 지정하십시오.",
        )

    def read_run(self) -> RunInfo | None:
        """Return what run.json says, or None without one; it may be stale, see `live_run`.

        Raises StateError when it cannot be read.
        """
        try:
            return msgspec.json.decode(self.run_file.read_bytes(), type=RunInfo)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, msgspec.MsgspecError) as exc:
            raise StateError(
                en=f"{self.run_file} is damaged ({exc}). Stop `sojae up` if it runs, and start it again.",
                ko=f"{self.run_file} 파일이 손상되었습니다({exc}). `sojae up`이 실행 중이면 멈추고 다시 시작하십시오.",
            ) from exc

    def live_run(self) -> RunInfo | None:
        """Return what runs here now, or None: a run.json whose launcher no longer holds its lock is stale."""
        try:
            run = self.read_run()
        except StateError:
            if self.is_locked("up") or self.is_locked("broker"):
                raise
            return None  # damaged, and nobody runs: the next start writes it anew
        return run if run is not None and self.is_locked(run.launcher) else None

    def write_run(self, run: RunInfo) -> None:
        """Replace run.json in one step: a reader sees the old one or the new one. Raises StateError."""
        try:
            replace_file(self.run_file, msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
        except OSError as exc:
            raise _unusable(self.path, exc) from exc

    def clear_run(self) -> None:
        """Remove run.json, as the last act of a clean stop."""
        self.run_file.unlink(missing_ok=True)


def find_home(environ: Mapping[str, str] | None = None, start: Path | None = None) -> Home:
    """Return the home that SOJAE_HOME names, else `.sojae` of the checkout around `start`, else the user's data folder.

    `environ` and `start` are the process's environment and working folder unless given; nothing is made.
    """
    named = (os.environ if environ is None else environ).get(HOME_VARIABLE)
    here = Path.cwd() if start is None else start
    if named:
        return Home((here / Path(named).expanduser()).resolve())
    for folder in (here, *here.parents):
        if _is_checkout(folder / "pyproject.toml"):
            return Home((folder / ".sojae").resolve())
    return Home(Path(platformdirs.user_data_dir("sojae", appauthor=False)))


def bootstrap_servers(setting: str | None, home: Home) -> str:
    """Return Kafka's address: the setting, else that of the live run.json. Raises BrokerError when there is neither."""
    if setting:
        return setting
    run = home.live_run()
    if run is not None:
        return run.bootstrap_servers
    raise BrokerError(
        en=f"No Kafka to talk to: nothing runs in {home.path}. Start everything with `sojae up` (Kafka alone: "
        "`sojae broker`), or set SOJAE_KAFKA__BOOTSTRAP_SERVERS to the address of yours.",
        ko=f"연결할 Kafka가 없습니다. {home.path}에서 실행 중인 것이 없습니다. `sojae up`으로 전체를(Kafka만은 `sojae broker`) "
        "시작하거나 SOJAE_KAFKA__BOOTSTRAP_SERVERS에 사용할 Kafka 주소를 지정하십시오.",
    )


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step, by a rename: no reader sees half of it. Raises OSError."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def is_alive(pid: int) -> bool:
    """Return whether a process of this number runs now, be it ours or not; a dead one that nobody reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:  # not Linux, or gone this moment
        return True
    return state != "Z"


def _try_lock(file: IO[str], mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_checkout(pyproject: Path) -> bool:
    try:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        return False
    return isinstance(project, dict) and project.get("name") == "sojae"


def _file_in_place(path: Path) -> StateError:
    path = next((each for each in (path, *path.parents) if each.is_file()), path)
    return StateError(
        en=f"{path} is a file where the state folder needs a folder. Move it away, or set {HOME_VARIABLE} to another "
        "folder.",
        ko=f"상태 폴더 자리에 파일 {path}이(가) 있습니다. 파일을 옮기거나 {HOME_VARIABLE}을(를) 다른 폴더로 지정하십시오.",
    )


def _unusable(path: Path, exc: OSError) -> StateError:
    return StateError(
        en=f"The state folder {path} cannot be used ({exc.strerror}). Give yourself the rights and the space, or set "
        f"{HOME_VARIABLE} to another folder.",
        ko=f"상태 폴더 {path}을(를) 쓸 수 없습니다({exc.strerror}). 권한과 여유 공간을 확인하거나 {HOME_VARIABLE}을(를) "
        "다른 폴더로 지정하십시오.",
    )
