"""The published data sets of examples/: each is read by its mapping, every finding is explained, every known defect found."""

from functools import lru_cache

import pytest

from sojae.adapters.template_files import TemplateBook
from tests.conftest import SHARED_DATA
from tests.datasets.catalogue import Dataset, Defect, amount, changed, datasets, unexplained
from tests.datasets.counts import Counts, book, counted, mapping_of, table_of
from tests.datasets.page import PAGE, section

LARGE = {"oqmd_bandgap"}
"""Read as a whole by `make datasets` only: more than 300,000 rows."""

SMALL = [d for d in datasets() if d.name not in LARGE]
DEFECTS = [pytest.param(d, x, id=f"{d.name}-{x.count}-{n}") for d in SMALL for n, x in enumerate(d.defects)]


@lru_cache
def templates() -> TemplateBook:
    return book()


def here(dataset: Dataset) -> None:
    if not (SHARED_DATA / dataset.file).is_file():
        pytest.skip(f"needs ../shared/data/{dataset.file} beside the checkout")


@lru_cache
def whole(name: str) -> Counts:
    dataset = next(d for d in SMALL if d.name == name)
    mapping = mapping_of(name, templates())
    return counted(mapping, table_of(mapping, dataset.file))


@pytest.mark.parametrize("dataset", SMALL, ids=lambda d: d.name)
def test_every_finding_is_explained(dataset: Dataset) -> None:
    """Nothing is found that the catalogue does not explain, and it explains nothing that is not found."""
    here(dataset)
    assert unexplained(dataset, whole(dataset.name)) == ([], [])


@pytest.mark.parametrize(("dataset", "defect"), DEFECTS)
def test_a_known_defect_is_found(dataset: Dataset, defect: Defect) -> None:
    """Exactly those rows, and one altered row of a copy makes one more."""
    here(dataset)
    assert amount(whole(dataset.name), defect.count) == defect.found
    if defect.change is not None:
        mapping = mapping_of(dataset.name, templates())
        table = changed(table_of(mapping, dataset.file), defect.change)
        joined = defect.count.startswith("joined.")
        assert amount(counted(mapping, table, join=joined), defect.count) == defect.found + 1


@pytest.mark.parametrize("dataset", SMALL, ids=lambda d: d.name)
def test_the_page_says_what_is_found(dataset: Dataset) -> None:
    """docs/reference/datasets.md is what `make datasets` writes."""
    here(dataset)
    assert section(dataset, whole(dataset.name)) in PAGE.read_text(encoding="utf-8")


def test_the_first_rows_of_a_large_set_are_read() -> None:
    """Computed records in numbers: the first 5,000 of 341,608 rows are all accepted."""
    dataset = next(d for d in datasets() if d.name == "oqmd_bandgap")
    here(dataset)
    mapping = mapping_of(dataset.name, templates())
    counts = counted(mapping, table_of(mapping, dataset.file, rows=5_000), join=False)
    assert {stage: (c.sent, c.clean) for stage, c in counts.stages.items()} == {
        "composition": (5_000, 5_000),
        "property": (5_000, 5_000),
    }
