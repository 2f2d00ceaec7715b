"""Tables in a folder that somebody, or a disk, has damaged: found, named, and set aside where they can be built again."""

import datetime as dt
import os
from pathlib import Path
from urllib.parse import unquote, urlparse

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from sojae.domain.errors import StoreError

LOG = "_delta_log"
FORBIDDEN = "permission denied"


def damage_of(uri: str) -> str | None:
    """Return in few words what is broken of a table in a folder; None when it is sound, not there, or in an object store.

    The log must be readable, and every data file that it names must be there in its full length. What may not be read is
    not broken.
    """
    folder = local_folder(uri)
    if folder is None or not folder.is_dir():
        return None
    if not (folder / LOG).exists():
        return f"its {LOG} is gone" if next(folder.rglob("*.parquet"), None) is not None else None
    try:
        table = DeltaTable(str(folder))
        sizes = table.get_add_actions(flatten=True)
        files = zip(sizes["path"].to_pylist(), sizes["size_bytes"].to_pylist(), strict=True)
    except TableNotFoundError:
        return f"its {LOG} holds no table" if next((folder / LOG).iterdir(), None) is not None else None
    except (DeltaError, OSError) as error:
        return None if FORBIDDEN in str(error).lower() else f"its {LOG} cannot be read: {first_line(error)}"
    return next((fault for path, size in files if (fault := _fault(folder / unquote(path), size)) is not None), None)


def set_aside(uri: str) -> Path:
    """Rename the folder of a damaged table, so that it can be looked at, and return where it is; raises StoreError."""
    folder = local_folder(uri)
    assert folder is not None, "only what lies in a folder is found damaged"
    aside = folder.with_name(f"{folder.name}.broken-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}")
    try:
        folder.rename(aside)
    except OSError as error:
        raise StoreError(
            en=f"{folder} is damaged and cannot be moved: {error.strerror}; move it away, it is built again",
            ko=f"{folder}이(가) 손상되었는데 옮길 수 없습니다({error.strerror}). 다른 곳으로 옮기면 다시 만들어집니다",
        ) from error
    return aside


def refuse_damaged_events(uri: str) -> None:
    """Return when the table `events` is sound or not there yet; raises StoreError that says what can be done."""
    fault = damage_of(uri)
    if fault is not None:
        folder = local_folder(uri)
        raise StoreError(
            en=f"the table of events in {folder} is damaged: {fault}. Nothing was changed. Restore the folder from a backup; or, "
            "while Kafka still holds every event, move the folder away and start again: all are read anew; or begin with "
            "nothing by `sojae fresh`",
            ko=f"{folder}의 이벤트 테이블이 손상되었습니다: {fault}. 아무것도 바꾸지 않았습니다. 백업에서 폴더를 되살리거나, Kafka에 "
            "모든 이벤트가 남아 있으면 폴더를 옮기고 다시 시작하십시오(모두 다시 읽습니다). `sojae fresh`로 처음부터 시작할 수도 있습니다",
        )


def local_folder(uri: str) -> Path | None:
    """Return the folder of a store or table, None when it lies in an object store."""
    if "://" not in uri:
        return Path(uri).expanduser()
    parsed = urlparse(uri)
    return Path(unquote(parsed.path)) if parsed.scheme == "file" else None


def first_line(error: Exception) -> str:
    """Return what a library says in its first line: what follows is its own stack."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _fault(path: Path, size: int) -> str | None:
    try:
        found = os.stat(path).st_size  # noqa: PTH116 - a table has thousands of files, and this is the quicker way
    except FileNotFoundError:
        return f"its file {path.name} is missing"
    except OSError:
        return None
    return None if found == size else f"its file {path.name} has {found} of {size} bytes"
