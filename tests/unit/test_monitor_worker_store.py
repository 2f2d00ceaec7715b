"""What the monitor takes from the store: laboratory values by version, and the newest sound model."""

import datetime as dt
import shutil
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from sojae.adapters.delta import PinnedTable
from sojae.adapters.shelf import Bundle, ModelShelf, open_store
from sojae.domain.errors import StoreError
from sojae.domain.plant import ForecastOf, Plant
from sojae.domain.template import RecordsKey
from sojae_monitor.lab_values import LabValues
from sojae_monitor.shelf_models import ShelfModels
from tests.builders import book
from tests.monitor_model import model
from tests.monitor_parts import PLANT

NOW = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
SCHEMA = pa.schema(
    [
        ("institute", pa.string()),
        ("sample_id", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("record_id", pa.string()),
        ("event_id", pa.string()),
        ("retracted", pa.bool_()),
        ("ingest_time", pa.timestamp("us", tz="UTC")),
        ("topic_id", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("peak_power_density", pa.float64()),
        ("test_temperature", pa.float64()),
        ("yield_strength", pa.float64()),
        ("test_type", pa.string()),
    ]
)


class Records:
    """A property records table, and what a plant's follower makes of it."""

    def __init__(self, root: Path, plant: Plant = PLANT) -> None:
        self.uri = RecordsKey(plant.project, "property", 1).uri(str(root))
        self.values = LabValues(str(root), plant, book)
        self._offset = 0

    def add(self, sample: str, value: float | None = 500.0, **given: object) -> None:
        self._offset += 1
        row = {
            "institute": "test-firm",
            "sample_id": sample,
            "parents": ["B-1"],
            "record_id": f"r-{sample}",
            "event_id": f"e-{self._offset}",
            "retracted": False,
            "ingest_time": NOW,
            "topic_id": "t",
            "partition": 0,
            "offset": self._offset,
            "peak_power_density": value,
            "test_temperature": 600.0,
            **given,
        }
        table = PinnedTable.create_or_open(self.uri, SCHEMA)
        table.append(pa.Table.from_pylist([row], SCHEMA), {"test": self._offset})

    def new(self) -> list[str]:
        return [value.sample_id for value in self.values.step()]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


def test_values_that_are_there_come_first_then_each_new_one_once(records: Records) -> None:
    """From no table at all on."""
    assert records.new() == []
    records.add("A")
    records.add("B")
    assert records.new() == ["A", "B"]
    assert records.new() == []
    records.add("C")
    assert records.new() == ["C"]


def test_a_value_has_its_conditions_and_parents(tmp_path: Path) -> None:
    """What a score looks at."""
    plan = {
        **PLANT.plan,
        "property.test_temperature": msgspec.structs.replace(PLANT.plan["composition.nio"], value=600.0),
    }
    records = Records(tmp_path, msgspec.structs.replace(PLANT, plan=plan))
    records.add("A")
    (value,) = records.values.step()
    assert (value.record_id, value.event_id, value.parents) == ("r-A", "e-1", ["B-1"])
    assert value.fields == {"peak_power_density": 500.0, "test_temperature": 600.0}


def test_only_the_institute_s_own_valid_values_come(records: Records) -> None:
    """Not another's, not a retracted one, not a record without the target."""
    records.add("A", institute="another")
    records.add("B", retracted=True)
    records.add("C", value=None)
    records.add("D")
    assert records.new() == ["D"]
    records.add("E", institute="another")
    assert records.new() == []


def test_only_the_split_that_is_forecast_comes(tmp_path: Path) -> None:
    """Tension is not compression."""
    plant = msgspec.structs.replace(
        PLANT, project="high_entropy_alloy", plan={}, forecast=ForecastOf("yield_strength.tension")
    )
    records = Records(tmp_path, plant)
    records.add("A", yield_strength=300.0, test_type="tension")
    records.add("B", yield_strength=300.0, test_type="compression")
    assert records.new() == ["A"]


def test_a_table_made_anew_is_read_from_its_beginning(records: Records) -> None:
    """Scores have ids, so what is seen twice is scored once."""
    records.add("A")
    assert records.new() == ["A"]
    shutil.rmtree(records.uri)
    records.add("B")
    assert records.new() == ["B"]


def test_the_newest_sound_model_forecasts(tmp_path: Path) -> None:
    """None at first; a version that cannot be loaded leaves the one before it."""
    shelf = ModelShelf(open_store(tmp_path))
    models = ShelfModels(shelf, [(PLANT.project, "peak_power_density"), (PLANT.project, "no_such_target")])
    manifest, files = model(PLANT.project, {"process.co_sinter_time": 2.0})
    assert version(models) is None
    shelf.publish(manifest, files)
    assert version(models) == 1
    assert models.of(PLANT.project, "no_such_target") is None
    shelf.publish(manifest, {name: b"nonsense" if "onnx" in name else content for name, content in files.items()})
    assert version(models) == 1
    shelf.publish(manifest, files)
    assert version(models) == 3


class Interrupted(ModelShelf):
    """A shelf whose files cannot be read at the first try."""

    away = True

    def load(self, project: str, version: str) -> Bundle:
        if self.away:
            self.away = False
            raise StoreError(en="away", ko="없음")
        return super().load(project, version)


def test_a_version_that_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    """A store that is away for a moment costs no model."""
    shelf = Interrupted(open_store(tmp_path))
    shelf.publish(*model(PLANT.project, {"process.co_sinter_time": 2.0}))
    models = ShelfModels(shelf, [(PLANT.project, "peak_power_density")])
    with pytest.raises(StoreError):
        models.refresh()
    assert version(models) == 1


def version(models: ShelfModels) -> int | None:
    models.refresh()
    found = models.of(PLANT.project, "peak_power_density")
    return None if found is None else found.version
