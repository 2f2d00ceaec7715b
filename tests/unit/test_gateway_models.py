"""Models from the shelf: the newest answers, a bad one never does."""

from pathlib import Path

import msgspec
import pytest

from sojae.adapters.shelf import Bundle, ModelShelf, open_store
from sojae.domain.errors import ModelError
from sojae.domain.model import Card
from sojae_gateway.models import ModelHolder, ProjectModels
from sojae_gateway.refusal import Refused
from tests.gateway_parts import plain_manifest, vocabulary

PROJECT = "high_entropy_alloy"


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(open_store(tmp_path))


def publish(shelf: ModelShelf) -> str:
    manifest = plain_manifest()
    card = Card(
        project=PROJECT,
        dataset=manifest.dataset,
        targets=(),
        skipped_targets=(),
        ignored_inputs=(),
        library_rows=3,
        library_unmeasured=1,
        limits=(),
    )
    return shelf.publish(manifest, {"card.json": msgspec.json.encode(card)}).version


def prepare(bundle: Bundle) -> ProjectModels:
    return ProjectModels(bundle.manifest, bundle.card, {}, None, vocabulary(), None)  # type: ignore[arg-type]  # no graph is asked


def refuse(bundle: Bundle) -> ProjectModels:
    raise ModelError(en=f"{bundle.manifest.version} is broken", ko="망가졌습니다")


def test_an_empty_shelf_serves_nothing(shelf: ModelShelf) -> None:
    """Before the first model there is none, and no error."""
    holder = ModelHolder()
    assert holder.refresh(shelf, prepare) == []
    assert holder.current == {}


def test_the_newest_version_is_swapped_in(shelf: ModelShelf) -> None:
    """A newer version takes the place of the old one; the same one is not loaded again."""
    holder = ModelHolder()
    publish(shelf)
    holder.refresh(shelf, prepare)
    assert holder.refresh(shelf, refuse) == []
    publish(shelf)
    assert [m.version for m in holder.refresh(shelf, prepare)] == ["000002"]
    assert holder.current[PROJECT].version == "000002"


def test_a_bad_version_leaves_the_old_one(shelf: ModelShelf) -> None:
    """What cannot be loaded or does not pass its test is left out until a newer one comes."""
    holder = ModelHolder()
    publish(shelf)
    holder.refresh(shelf, prepare)
    publish(shelf)
    assert holder.refresh(shelf, refuse) == []
    assert holder.refresh(shelf, prepare) == []
    assert holder.current[PROJECT].version == "000001"
    publish(shelf)
    holder.refresh(shelf, prepare)
    assert holder.current[PROJECT].version == "000003"


def test_a_file_that_was_changed_is_a_bad_version(shelf: ModelShelf, tmp_path: Path) -> None:
    """The sum in the manifest decides, before anything is loaded."""
    holder = ModelHolder()
    publish(shelf)
    holder.refresh(shelf, prepare)
    version = publish(shelf)
    (tmp_path / "models" / PROJECT / version / "card.json").write_text("{}")
    assert holder.refresh(shelf, prepare) == []
    assert holder.current[PROJECT].version == "000001"


def test_a_start_falls_back_to_an_older_version(shelf: ModelShelf) -> None:
    """With the newest one bad, a gateway that has just started serves the one before it."""
    publish(shelf)
    publish(shelf)

    def only_the_first(bundle: Bundle) -> ProjectModels:
        return prepare(bundle) if bundle.manifest.version == "000001" else refuse(bundle)

    holder = ModelHolder()
    assert [m.version for m in holder.refresh(shelf, only_the_first)] == ["000001"]


def test_targets_are_chosen_by_name_or_by_field() -> None:
    """A field's name means each of its splits; an unknown one is refused with the known ones."""
    models = ProjectModels(plain_manifest(), None, {}, None, vocabulary(), None)  # type: ignore[arg-type]  # no graph is asked
    assert [t.name for t in models.chosen(["yield_strength"])] == [
        "yield_strength.tension",
        "yield_strength.compression",
    ]
    assert len(models.chosen(None)) == 3
    with pytest.raises(Refused, match="hardness_vickers"):
        models.chosen(["hardness"])
