"""How far the plant has come, kept in a small file of the home: the next run goes on where this one ended."""

from pathlib import Path

import msgspec

from sojae.domain.errors import StateError
from sojae.home import replace_file
from sojae_simulator.plant_draws import Batch
from sojae_simulator.plant_stream import KilnState


class PendingTest(msgspec.Struct, frozen=True):
    """A batch whose cells are being tested, and when the result is due in the plant's time (Unix microseconds)."""

    due_us: int
    batch: Batch


class PlantState(msgspec.Struct, frozen=True):
    """What a plant must remember: `tag` tells this home's lots from others', `described` the last campaign of each kiln."""

    plant: str
    tag: str
    kilns: dict[str, KilnState]
    pending: list[PendingTest] = []
    described: dict[str, str] = {}


def state_file(home: Path, plant: str) -> Path:
    """Return where a plant's state lies in a home."""
    return home / f"simulated-{plant}.json"


def load_state(path: Path) -> PlantState | None:
    """Return what was kept, or None before the first run; raises StateError when the file is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlantState)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise StateError(
            en=f"{path}: cannot be read as the state of a simulated plant: {error}; remove it, and the plant begins anew",
            ko=f"{path}: 모의 설비의 상태로 읽을 수 없습니다({error}). 지우면 설비가 처음부터 다시 시작합니다",
        ) from error


def save_state(path: Path, state: PlantState) -> None:
    """Write what is to be kept, in one step; raises StateError."""
    try:
        replace_file(path, msgspec.json.encode(state))
    except OSError as error:
        raise StateError(
            en=f"{path}: cannot be written: {error.strerror}; free space, or set SOJAE_HOME to another folder",
            ko=f"{path}: 쓸 수 없습니다({error.strerror}). 공간을 확보하거나 SOJAE_HOME을 다른 폴더로 지정하십시오",
        ) from error
