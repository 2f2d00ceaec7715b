"""`sojae fresh`: forgets the state of a home, and nothing else that may lie there."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_table import events_uri
from sojae.adapters.table_query import query
from sojae.domain.errors import StateError, StoreError
from sojae.domain.text import Text
from sojae.home import FOLDERS, HOME_VARIABLE, MARKER_NAME, MARKER_TEXT, Home, replace_file
from sojae.topics import institute_of
from sojae_local.truth_share import TRUTH

SIMULATED_PLANTS = "simulated-*.json"
"""How far each simulated plant has come."""

INSTITUTES_SHOWN = 12
MESSAGES_BY_TOPIC = "select topic, count(*) as number from rows group by topic order by topic"


@dataclass(frozen=True, slots=True)
class Going:
    """What would go: files of so many bytes, and messages stored by institute; None where the store cannot be read."""

    home: Path
    size_bytes: int
    messages: Mapping[str, int] | None

    def sentence(self) -> Text:
        """Return what would be removed, for the person who is asked."""
        size = f"{self.size_bytes / 1_000_000:,.1f} MB"
        if self.messages is None:
            held = Text(ko="읽을 수 없는 저장소", en="a store that cannot be read")
        else:
            total, names = f"{sum(self.messages.values()):,}", _by_institute(self.messages)
            held = Text(
                ko=f"저장된 이벤트 {total}개{names}와 모델", en=f"{total} stored events{names} and their models"
            )
        return Text(
            ko=f"{self.home}에서 {held.ko}, 브로커 자료와 로그, 모두 {size}을(를) 지웁니다. 되돌릴 수 없습니다.",
            en=f"This removes {held.en}, the broker's data and the logs of {self.home}, {size} in all. There is no way back.",
        )


def going(home: Home) -> Going | None:
    """Return what `forget` would remove of a home, or None when there is nothing; raises StateError as it does."""
    if not home.path.exists():
        return None
    _check_ours(home)
    with home.locked("up"), home.locked("broker"):
        size = sum(_size(path) for path in _state(home))
        return Going(home.path, size, _messages(home)) if size else None


def forget(home: Home) -> Text:
    """Remove the broker's data, store, index, logs, run.json and the simulator's truth of a home in which nothing runs.

    Returns what was done; a damaged marker is mended. Raises StateError when `sojae up` or `sojae broker` runs there, when
    the folder has no marker at all, so that it may be somebody else's, or when the system does not let go of a file.
    """
    if not home.path.exists():
        return Text(
            en=f"{home.path} does not exist: nothing to forget.", ko=f"{home.path}이(가) 없어 지울 것이 없습니다."
        )
    _check_ours(home)
    with home.locked("up"), home.locked("broker"):
        try:
            for path in _state(home):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
            home.clear_run()
            replace_file(home.path / MARKER_NAME, MARKER_TEXT.encode())
        except OSError as exc:
            raise StateError(
                en=f"{exc.filename or home.path} cannot be removed ({exc.strerror}).",
                ko=f"{exc.filename or home.path}을(를) 지울 수 없습니다({exc.strerror}).",
            ) from exc
    return Text(en=f"{home.path} is empty again.", ko=f"{home.path}을(를) 비웠습니다.")


def _check_ours(home: Home) -> None:
    if not (home.path / MARKER_NAME).is_file():
        raise StateError(
            en=f"{home.path} has no {MARKER_NAME}, so it is not a state folder of Sojae: nothing was removed. Set "
            f"{HOME_VARIABLE} to the folder you mean.",
            ko=f"{home.path}에 {MARKER_NAME} 표식이 없어 Sojae의 상태 폴더가 아니므로 지우지 않았습니다. {HOME_VARIABLE}을(를) "
            "원하는 폴더로 지정하십시오.",
        )


def _state(home: Home) -> list[Path]:
    return [*(home.path / name for name in (*FOLDERS, TRUTH)), *sorted(home.path.glob(SIMULATED_PLANTS))]


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; 0 when it is not there."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _messages(home: Home) -> Mapping[str, int] | None:
    try:
        table = PinnedTable.open(events_uri(str(home.store)))
        if table is None:
            return {}
        counted = query(table, MESSAGES_BY_TOPIC).to_pylist()
    except StoreError:
        return None
    return {institute_of(one["topic"]): int(one["number"]) for one in counted}


def _by_institute(messages: Mapping[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in list(messages.items())[:INSTITUTES_SHOWN]]
    more = ["…"] if len(messages) > INSTITUTES_SHOWN else []
    return f" ({', '.join(shown + more)})" if shown else ""
