"""Published data through real processes: imported once, corrected, learnt from, and predicted where nothing was seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import left_behind
from tests.e2e.real_found import FirstRun, Imported, Trained
from tests.e2e.real_run import MPEA, PCC, DataSet, first_run

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(420)]

TARGETS = {
    PCC.project: ["peak_power_density"],
    MPEA.project: ["yield_strength.compression", "yield_strength.tension"],
}


def test_the_main_job_on_real_data(shared_data: Path, tmp_path: Path) -> None:
    """Two published files are stored once, corrected by one cell, learnt from, and kept-out rows predicted over HTTP."""
    found = first_run(shared_data, tmp_path)

    assert left_behind(tmp_path / "home") == []
    _cells_are_stored(found.imported[PCC.project])
    _alloys_are_stored(found.imported[MPEA.project])
    for one in (PCC, MPEA):
        imported = found.imported[one.project]
        _every_message_is_accounted_for(imported)
        _importing_again_adds_nothing(imported)
        _one_cell_is_one_correction(one, imported)
        _what_was_kept_out_was_not_seen(one, found.trained[one.project])
    for one, trained, name in _targets(found):
        _a_model_is_better_or_says_that_it_is_not(one, trained, name)


def _targets(found: FirstRun) -> Iterator[tuple[DataSet, Trained, str]]:
    for one in (PCC, MPEA):
        trained = found.trained[one.project]
        assert [c.target for c in trained.compared] == TARGETS[one.project]
        yield from ((one, trained, c.target) for c in trained.compared)
