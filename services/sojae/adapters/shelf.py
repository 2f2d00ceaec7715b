"""The model shelf on an object store: models/<project>/<version>/ with graphs, card and, last of all, the manifest.

Every file is put create-only. A version exists once its manifest does; until then it is a number that somebody has
taken. Whoever loses a number, at its first file or at its manifest, takes the next one and writes everything there.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from sojae.domain.errors import ModelError, StoreError
from sojae.domain.model import CARD_FILE, MANIFEST_FILE, Card, Manifest

FOLDER = "models"
VERSION = re.compile(r"\d{6}")
MAX_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Bundle:
    """One version as it was read: every file agrees with the SHA-256 in the manifest."""

    manifest: Manifest
    card: Card
    files: Mapping[str, bytes]


def open_store(uri: str | Path) -> ObjectStore:
    """Return the object store at a folder (made when it is not there) or at an object-store URI; raises StoreError."""
    text = str(uri)
    try:
        if "://" in text:
            return from_url(text)
        return LocalStore(prefix=Path(text).expanduser().resolve(), mkdir=True)
    except (BaseError, OSError, ValueError) as error:
        raise _store_error(text, error) from error


class ModelShelf:
    """Versions of models by project, on one object store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def projects(self) -> list[str]:
        """Return the projects that have a folder on the shelf, sorted; raises StoreError."""
        return sorted(self._folders(FOLDER))

    def versions(self, project: str) -> list[str]:
        """Return the versions of a project that have a manifest, lowest first; raises StoreError."""
        return [v for v in self._numbers(project) if self._exists(project, v, MANIFEST_FILE)]

    def latest(self, project: str) -> str | None:
        """Return the highest version that has a manifest, or None; raises StoreError."""
        numbers = reversed(self._numbers(project))
        return next((v for v in numbers if self._exists(project, v, MANIFEST_FILE)), None)

    def manifest(self, project: str, version: str) -> Manifest:
        """Return the manifest of a version; raises ModelError when it is missing or broken, StoreError."""
        try:
            manifest = msgspec.json.decode(self._read(project, version, MANIFEST_FILE), type=Manifest)
        except msgspec.MsgspecError as error:
            raise _broken(project, version, MANIFEST_FILE, str(error)) from error
        if (manifest.project, manifest.version) != (project, version):
            raise _broken(project, version, MANIFEST_FILE, f"it is of {manifest.project}/{manifest.version}")
        return manifest

    def load(self, project: str, version: str) -> Bundle:
        """Return a version with all its files; raises ModelError when one is missing or is not what the manifest says."""
        manifest = self.manifest(project, version)
        files: dict[str, bytes] = {}
        for name, expected in manifest.files.items():
            content = self._read(project, version, name)
            if _sha256(content) != expected:
                raise _broken(project, version, name, "its SHA-256 differs from the manifest's")
            files[name] = content
        try:
            card = msgspec.json.decode(files.get(CARD_FILE, b""), type=Card)
        except msgspec.MsgspecError as error:
            raise _broken(project, version, CARD_FILE, str(error)) from error
        return Bundle(manifest, card, files)

    def publish(self, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """Put the files and then the manifest under the next free number; returns the manifest as it was put.

        Raises StoreError when the store cannot be written.
        """
        taken = self._numbers(manifest.project)
        first = int(taken[-1]) + 1 if taken else 1
        sums = {name: _sha256(content) for name, content in sorted(files.items())}
        for number in range(first, first + MAX_ATTEMPTS):
            final = msgspec.structs.replace(manifest, version=f"{number:06d}", files=sums)
            if self._put_all(final, files):
                return final
        raise StoreError(
            en=f"models/{manifest.project}: {MAX_ATTEMPTS} numbers from {first} were all taken; is another trainer running?",
            ko=f"models/{manifest.project}: {first}부터 {MAX_ATTEMPTS}개 번호가 모두 사용 중입니다. 다른 학습기가 실행 중입니까?",
        )

    def _put_all(self, manifest: Manifest, files: Mapping[str, bytes]) -> bool:
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        everything = [*sorted(files.items()), (MANIFEST_FILE, content)]
        return all(self._create(_path(manifest.project, manifest.version, name), data) for name, data in everything)

    def _create(self, path: str, content: bytes) -> bool:
        try:
            with self._errors(path):
                obstore.put(self._store, path, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def _read(self, project: str, version: str, name: str) -> bytes:
        path = _path(project, version, name)
        try:
            with self._errors(path):
                return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError as error:
            raise _broken(project, version, name, "it is missing") from error

    def _exists(self, project: str, version: str, name: str) -> bool:
        path = _path(project, version, name)
        try:
            with self._errors(path):
                obstore.head(self._store, path)
        except FileNotFoundError:
            return False
        return True

    def _numbers(self, project: str) -> list[str]:
        return sorted(v for v in self._folders(f"{FOLDER}/{project}") if VERSION.fullmatch(v))

    def _folders(self, prefix: str) -> list[str]:
        with self._errors(prefix):
            found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
        return [path.rstrip("/").rsplit("/", 1)[-1] for path in found]

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        """Translate the driver's errors; that a file is there, or is not, is an answer and goes through."""
        try:
            yield
        except (AlreadyExistsError, FileNotFoundError):
            raise
        except (BaseError, OSError, ValueError) as error:
            raise _store_error(path, error) from error


def _path(project: str, version: str, name: str) -> str:
    return f"{FOLDER}/{project}/{version}/{name}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _broken(project: str, version: str, name: str, why: str) -> ModelError:
    where = _path(project, version, name)
    return ModelError(
        en=f"{where}: {why}; this version cannot be used, train again with `sojae train --once --project {project}`",
        ko=f"{where}: {why}. 이 버전은 쓸 수 없습니다. `sojae train --once --project {project}`로 다시 학습하십시오",
    )


def _store_error(where: str, error: Exception) -> StoreError:
    return StoreError(
        en=f"the model shelf at {where} cannot be used: {error}",
        ko=f"모델 저장소 {where}을(를) 쓸 수 없습니다: {error}",
    )
