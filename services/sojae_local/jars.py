"""The jars of Apache Kafka: a committed list with SHA-256, fetched once from Maven Central into the user's cache."""

import csv
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import platformdirs

from sojae.domain.errors import BrokerError

KAFKA_VERSION = "4.4.0"

Progress = Callable[[int, int], None]
"""Called with (jars at hand, jars in all) as the fetch goes on."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the list: a Maven coordinate and the SHA-256 that its file must have, in hex."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Return the name that Maven gives the file."""
        return f"{self.artifact}-{self.version}.jar"


class Repository(Protocol):
    """Where a jar comes from when it is not in the cache."""

    def fetch(self, jar: Jar, scratch: Path) -> Path:
        """Return the path, somewhere under `scratch`, of the fetched file; raises OSError when there is none to be had."""


class MavenCentral:
    """Maven Central, through jgo: only single artifacts, since jgo's own choice of a tree differs from Maven's."""

    def fetch(self, jar: Jar, scratch: Path) -> Path:
        """Return the path of the fetched jar under `scratch`; raises OSError without network or without jgo."""
        try:
            # Imported only here: it takes 0.3 s, belongs to the extra `local`, and is needed once per machine.
            from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415
        except ImportError as exc:
            raise OSError("the extra is not installed: `pip install 'sojae[local]'`") from exc
        try:
            project = MavenContext(repo_cache=scratch, resolver=PythonResolver()).project(jar.group, jar.artifact)
            return Path(project.at_version(jar.version).artifact().resolve())
        except (OSError, RuntimeError) as exc:  # no network, or the repository has no such file
            raise OSError(f"no answer for {jar.filename}: {type(exc).__name__}") from exc


def kafka_jars() -> list[Jar]:
    """Return the committed list: what Maven resolves for kafka_2.13 of KAFKA_VERSION with log4j-core and its bridge."""
    with files("sojae_local").joinpath("kafka_jars.csv").open(encoding="ascii") as file:
        return [Jar(**row) for row in csv.DictReader(file)]


def cache_folder() -> Path:
    """Return the folder of the jars and of what is derived from them, in the user's cache."""
    return Path(platformdirs.user_cache_dir("sojae", appauthor=False)) / f"kafka-{KAFKA_VERSION}"


def classpath(
    folder: Path,
    *,
    jars: Iterable[Jar] | None = None,
    repository: Repository | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Return the paths of all jars in `folder`, in the order of the list, fetching and checking what is missing.

    Every file is checked against its SHA-256 each time (30 ms for 45 MB), so a damaged cache mends itself. Raises
    BrokerError when a jar cannot be fetched, or is not the listed one; the cache then holds only whole, right files.
    """
    wanted = list(kafka_jars() if jars is None else jars)
    missing = [jar for jar in wanted if not _is_right(folder / jar.filename, jar)]
    if missing:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _fetch_all(missing, folder, repository or MavenCentral(), _counting(progress, wanted, missing))
        except OSError as exc:
            raise _unavailable(exc) from exc
    return [folder / jar.filename for jar in wanted]


def _fetch_all(missing: list[Jar], folder: Path, repository: Repository, step: Callable[[], None]) -> None:
    # The scratch folder lies in the cache, on the same file system: the last act for each jar is a rename.
    # One by one: four at a time took twice as long (7 s against 3 s), eight four times.
    scratch = Path(tempfile.mkdtemp(prefix="fetch-", dir=folder))
    try:
        for jar in missing:
            _fetch(jar, folder, repository, scratch)
            step()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fetch(jar: Jar, folder: Path, repository: Repository, scratch: Path) -> None:
    fetched = repository.fetch(jar, scratch)
    if not _is_right(fetched, jar):
        raise OSError(f"{jar.filename} has another SHA-256 than listed: a proxy may have answered instead")
    fetched.replace(folder / jar.filename)


def _is_right(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def _counting(progress: Progress | None, wanted: list[Jar], missing: list[Jar]) -> Callable[[], None]:
    at_hand = len(wanted) - len(missing)

    def step() -> None:
        nonlocal at_hand
        at_hand += 1
        if progress is not None:
            progress(at_hand, len(wanted))

    return step


def _unavailable(exc: OSError) -> BrokerError:
    return BrokerError(
        en=f"The jars of Apache Kafka {KAFKA_VERSION} cannot be had from Maven Central ({exc}).",
        ko=f"Apache Kafka {KAFKA_VERSION}의 jar 파일을 Maven Central에서 받을 수 없습니다({exc}).",
    )
