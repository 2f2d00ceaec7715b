"""The main job on real data, as a user does it: import, import again, correct, train with a hold-out, ask over HTTP.

`make first-run` runs it and writes the numbers of docs/explanations/first-run.md; the test asserts on what `first_run`
returns. The data are read where they lie; the copies with one changed cell stay in the folder that is given.
"""

import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import click

from sojae.client import Client
from sojae.domain.errors import SojaeError
from sojae.home import Home, RunInfo
from tests.e2e.processes import SOJAE, environment, free_port, last_json, run
from tests.e2e.real_cells import Cell, changed_copy
from tests.e2e.real_found import FirstRun, Imported, Trained, tables
from tests.e2e.real_heldout import compare, used_though_kept_out
from tests.e2e.real_store import Store, gained

JSON = dict[str, Any]
T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
MAPPINGS = REPOSITORY / "examples" / "mappings"
HOLDOUT = ("--holdout", "0.2", "--seed", "0")
FETCH_SECONDS, IMPORT_SECONDS, SETTLE_SECONDS, TRAIN_SECONDS = 180.0, 120.0, 60.0, 240.0
"""Patience, each many times what it takes; the first start on a machine fetches Kafka."""
COUNT = re.compile(r"(rows|sent|accepted|flagged|quarantined|duplicates|unread|unknown) (\d+)")
ROW = re.compile(r"  .*\brows? \d.* \[\w+(, \w+)?\]: ")
IMPORTED = (0, 3)
"""3: some rows are quarantined or unread, which is what these files are here for."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A published file, its mapping, the cell that is corrected, and what is learnt from it."""

    file: str
    mapping: str
    project: str
    institute: str
    cell: Cell
    field: str
    holdout_by: str


PCC = DataSet(
    file="pcc/Performance_data_pub.xlsx",
    mapping="pcc.toml",
    project="ceramic_electrode",
    institute="pcc-lab",
    cell=Cell(row=3, column="Peak power density (W/cm2)", value="0.044"),
    field="peak_power_density",
    holdout_by="raw.powder_batch",
)
MPEA = DataSet(
    file="mpea/MPEA_dataset.csv",
    mapping="mpea.toml",
    project="high_entropy_alloy",
    institute="mpea-curators",
    cell=Cell(row=2, column="PROPERTY: YS (MPa)", value="156.0"),
    field="yield_strength",
    holdout_by="header.references",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run happens: the files, a folder for state and copies, and the environment of its processes."""

    data: Path
    folder: Path
    env: Mapping[str, str]

    @property
    def home(self) -> Home:
        """Return the state folder."""
        return Home(self.folder / "home")

    @property
    def store(self) -> Store:
        """Return the store."""
        return Store(self.home.store)

    def sojae(self, *arguments: str, timeout_seconds: float, codes: Collection[int] = (0,)) -> str:
        """Return what `sojae` with these arguments wrote; it must end with one of the codes."""
        done = run(list(arguments), self.env, timeout_seconds)
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout


def first_run(data: Path, folder: Path) -> FirstRun:
    """Run everything on the files in `data`, with a new state in `folder`, and end all processes."""
    began, port = time.monotonic(), free_port()
    place = Place(data, folder, environment(folder / "home", SOJAE_GATEWAY__PORT=str(port)))
    with ExitStack() as stack:
        kafka = stack.enter_context(_process("broker", place))
        run_info = _eventually("the broker", lambda: _broker(kafka, place), FETCH_SECONDS)
        stack.enter_context(_process("ingest", place))
        stack.enter_context(_process("gateway", place))
        client = stack.enter_context(Client(f"http://127.0.0.1:{port}"))
        imported = {one.project: _import(one, place) for one in (PCC, MPEA)}
        trained = {one.project: _train(one, place, client) for one in (PCC, MPEA)}
    return FirstRun(run_info.broker, time.monotonic() - began, imported, trained)


def _import(one: DataSet, place: Place) -> Imported:
    """Import a file, the same again, a copy with one cell changed, and the file as it was."""
    file = place.data / one.file
    steps = {"first": file, "again": file, "changed": changed_copy(file, one.cell, place.folder), "back": file}
    told: dict[str, Mapping[str, int]] = {}
    seconds, lines = dict[str, float](), list[str]()
    records, rows = [], 0
    for step, path in steps.items():
        began = time.monotonic()
        options = ["--mapping", str(MAPPINGS / one.mapping), *([] if step == "again" else ["--json"])]
        said = place.sojae("import", str(path), *options, timeout_seconds=IMPORT_SECONDS, codes=IMPORTED)
        seconds[step] = time.monotonic() - began
        if step == "again":
            lines = [line.strip() for line in said.splitlines() if ROW.match(line)]
            told[step] = {name: int(count) for name, count in COUNT.findall(said.splitlines()[-1])}
        else:
            told[step] = last_json(said)
        rows += told[step]["accepted"]
        records.append(_eventually("the records", lambda: place.store.settled(one.project, rows), SETTLE_SECONDS))  # noqa: B023 - called at once
    # Records follow the messages in order: what the second import may have added stands there once the third's does.
    repeated, corrected, restored = (gained(a, b) for a, b in pairwise(records))
    return Imported(
        told,
        seconds,
        lines,
        stages=place.store.counts_by_stage(one.institute),
        refused=place.store.quarantined(one.institute),
        warned=place.store.warned(one.institute),
        repeated=repeated,
        corrected=corrected,
        restored=restored,
    )


def _train(one: DataSet, place: Place, client: Client) -> Trained:
    """Train with a hold-out, wait until the gateway serves that version, and predict what was kept out."""
    began, used = time.monotonic(), _cpu_seconds()
    options = ["--project", one.project, *HOLDOUT, "--holdout-by", one.holdout_by]
    said = place.sojae("train", "--once", *options, timeout_seconds=TRAIN_SECONDS)
    seconds, cpu_seconds = time.monotonic() - began, _cpu_seconds() - used
    version = said.splitlines()[0].removeprefix(f"{one.project} ")
    model = _eventually("the gateway", lambda: _served(client, one.project, version), SETTLE_SECONDS)
    manifest, materials = model["manifest"], place.store.materials(one.project)
    targets = [t for t in manifest["targets"] if t["field"] == one.field]
    compared = [compare(client, one.project, target, manifest, materials) for target in targets]
    return Trained(seconds, cpu_seconds, model, used_though_kept_out(manifest), compared)


def _served(client: Client, project: str, version: str) -> JSON | None:
    try:
        model = client.model(project)
    except SojaeError:  # it does not answer yet, or has no model yet
        return None
    return model if model["version"] == version else None


@contextmanager
def _process(command: str, place: Place) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `sojae COMMAND` for the time of the block, its words in a file; it must end well when it is asked to."""
    with (place.folder / f"{command}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen([SOJAE, command], env=dict(place.env), stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            code = process.wait(timeout=60)
    assert code in (0, -15), (place.folder / f"{command}.log").read_text(encoding="utf-8")


def _broker(process: "subprocess.Popen[bytes]", place: Place) -> RunInfo | None:
    assert process.poll() is None, (place.folder / "broker.log").read_text(encoding="utf-8")
    return place.home.live_run()


def _eventually(what: str, look: Callable[[], T | None], timeout_seconds: float) -> T:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.25)
    raise AssertionError(f"{what}: not as expected within {timeout_seconds:g} s")


def _cpu_seconds() -> float:
    """Return the processor time of all processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder with pcc/ and mpea/.")
def main(data: Path) -> None:
    """Run everything once on real data and write its tables. / 실제 자료로 한 번 실행하고 표를 씁니다."""
    missing = [one.file for one in (PCC, MPEA) if not (data / one.file).is_file()]
    if missing:
        click.echo(f"{data} has no {missing[0]}; give the folder with --data", err=True)
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        click.echo("\n".join(tables(first_run(data, Path(folder)))))


if __name__ == "__main__":
    main()
