"""The model shelf: files first, manifest last, numbers that only go up, and nothing broken is ever served."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import msgspec
import obstore
import pytest
from obstore.store import MemoryStore, ObjectStore

from sojae.adapters.shelf import ModelShelf, open_store
from sojae.domain.errors import ModelError, StoreError
from sojae.domain.model import CARD_FILE, Card, Dataset, Library, Manifest

DATASET = Dataset(rows=50, left_out={}, materials_version=1, events_version=2, templates={}, records=50)
CARD = Card(
    project="alloy",
    dataset=DATASET,
    targets=(),
    skipped_targets=(),
    ignored_inputs=(),
    library_rows=0,
    library_unmeasured=0,
    limits=(),
)
FILES = {CARD_FILE: msgspec.json.encode(CARD), "forward/strength.onnx": b"graph", "inverse.onnx": b"inverse"}


def manifest(project: str = "alloy") -> Manifest:
    return Manifest(
        project=project,
        created=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        inputs=(),
        groups=(),
        targets=(),
        library=Library(rows=0, measured=(), conditions={}),
        dataset=DATASET,
        software={},
    )


@pytest.fixture
def store() -> ObjectStore:
    return MemoryStore()


def interrupt(monkeypatch: pytest.MonkeyPatch, when: str, act: Callable[[], object]) -> None:
    """Let `act` happen once, right before the first put of a path that ends with `when`."""
    real, done = obstore.put, []

    def put(target: ObjectStore, path: str, *args: object, **kwargs: object) -> object:
        if path.endswith(when) and not done:
            done.append(path)
            act()
        return real(target, path, *args, **kwargs)  # type: ignore[call-overload]  # handed through

    monkeypatch.setattr(obstore, "put", put)


def test_first_version_is_one_and_holds_every_file(store: ObjectStore) -> None:
    """The first version of a project is 000001; what was published is what is loaded."""
    shelf = ModelShelf(store)
    published = shelf.publish(manifest(), FILES)
    bundle = shelf.load("alloy", "000001")
    assert (published.version, shelf.latest("alloy"), shelf.projects()) == ("000001", "000001", ["alloy"])
    assert (bundle.files, bundle.manifest, bundle.card) == (FILES, published, CARD)


def test_numbers_go_up_by_project(store: ObjectStore) -> None:
    """Versions count up within a project and start anew in another."""
    shelf = ModelShelf(store)
    versions = [shelf.publish(manifest(p), FILES).version for p in ("alloy", "alloy", "cell")]
    assert versions == ["000001", "000002", "000001"]
    assert shelf.versions("alloy") == ["000001", "000002"]


def test_a_folder_and_a_memory_store_hold_the_same_paths(tmp_path: Path, store: ObjectStore) -> None:
    """A folder as root holds models/<project>/<version>/<file>, as an object store does."""
    for one in (store, open_store(tmp_path / "root")):
        ModelShelf(one).publish(manifest(), FILES)
    on_disk = {str(p.relative_to(tmp_path / "root")) for p in (tmp_path / "root").rglob("*") if p.is_file()}
    assert on_disk == {str(o["path"]) for page in obstore.list(store) for o in page}
    assert on_disk == {f"models/alloy/000001/{name}" for name in (*FILES, "manifest.json")}


def test_manifest_is_put_last(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader never sees a manifest whose files are not there yet."""
    shelf, seen = ModelShelf(store), []
    interrupt(monkeypatch, "manifest.json", lambda: seen.extend(o["path"] for p in obstore.list(store) for o in p))
    shelf.publish(manifest(), FILES)
    assert sorted(seen) == [f"models/alloy/000001/{name}" for name in sorted(FILES)]


@pytest.mark.parametrize("when", [CARD_FILE, "manifest.json"])
def test_loser_of_a_race_takes_the_next_number(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Two writers that chose the same number end with two whole versions, whenever the second one comes in."""
    first, second = ModelShelf(store), ModelShelf(store)
    other = {**FILES, "forward/strength.onnx": b"another graph"}
    interrupt(monkeypatch, when, lambda: second.publish(manifest(), other))
    first.publish(manifest(), FILES)
    graphs = {first.load("alloy", v).files["forward/strength.onnx"] for v in first.versions("alloy")}
    assert graphs == {b"graph", b"another graph"}


def test_manifest_that_somebody_else_put_is_never_replaced(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another writer's manifest takes the number at the last moment, ours goes to the next one."""
    shelf = ModelShelf(store)
    path = "models/alloy/000001/manifest.json"
    interrupt(monkeypatch, "manifest.json", lambda: obstore.put(store, path, b"{}", mode="create"))
    assert shelf.publish(manifest(), FILES).version == "000002"
    assert bytes(obstore.get(store, path).bytes()) == b"{}"


def test_files_without_manifest_are_no_version(store: ObjectStore) -> None:
    """What a crashed writer left behind is not latest, and its number is not used again."""
    shelf = ModelShelf(store)
    obstore.put(store, "models/alloy/000004/card.json", b"{}")
    assert shelf.latest("alloy") is None
    assert shelf.publish(manifest(), FILES).version == "000005"


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_damaged_file_is_a_model_error(store: ObjectStore, name: str) -> None:
    """A byte that changed in any file makes the version unusable, and the sentence names the file."""
    shelf = ModelShelf(store)
    shelf.publish(manifest(), FILES)
    path = f"models/alloy/000001/{name}"
    content = bytes(obstore.get(store, path).bytes())
    obstore.put(store, path, content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match=name):
        shelf.load("alloy", "000001")


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_missing_file_is_a_model_error(store: ObjectStore, name: str) -> None:
    """A file that is gone makes the version unusable, and the sentence names the file."""
    shelf = ModelShelf(store)
    shelf.publish(manifest(), FILES)
    obstore.delete(store, f"models/alloy/000001/{name}")
    with pytest.raises(ModelError, match=name):
        shelf.load("alloy", "000001")


def test_moved_version_is_a_model_error(store: ObjectStore) -> None:
    """A manifest that speaks of another version than its folder is refused."""
    shelf = ModelShelf(store)
    shelf.publish(manifest(), FILES)
    for name in (*FILES, "manifest.json"):
        obstore.copy(store, f"models/alloy/000001/{name}", f"models/alloy/000002/{name}")
    with pytest.raises(ModelError, match="000001"):
        shelf.load("alloy", "000002")


def test_unusable_store_is_a_store_error(tmp_path: Path) -> None:
    """A root that is a file is told in a sentence, not in a driver's error."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="file"):
        ModelShelf(open_store(tmp_path / "file")).publish(manifest(), FILES)


def test_unknown_address_is_a_store_error() -> None:
    """A URI that no store understands is told in a sentence."""
    with pytest.raises(StoreError, match="nowhere"):
        open_store("nowhere://bucket")
