"""Apply one-line edits to the heart of the code, one at a time, and see that a test notices each: `make mutants`.

The edits stand in mutants.toml beside this file: `file`, `before` (a text that occurs once in it), `after`, `test` (what
must turn red: files or nodes, separated by blanks) and `what` (in words). They are applied in temporary copies; the
checkout is never touched. Each run of pytest is a fork of a process that has loaded the libraries, but nothing of ours.
"""

import argparse
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".toml")
COPIED = ("services", "tests", "schemas", "examples", "docs", "pyproject.toml", "Makefile")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")
PRELOADED = (
    "aiokafka", "confluent_kafka", "deltalake", "fastavro", "fastexcel", "hypothesis", "litestar", "msgspec", "obstore",
    "onnx", "onnxruntime", "pint", "polars", "prometheus_client", "psutil", "pyarrow.compute", "pyarrow.dataset",
    "pydantic_settings", "pytest_asyncio", "rich_click", "scipy", "skl2onnx", "sklearn.ensemble", "ucumvert",
)  # fmt: skip
"""Imports that cost most of a test run's time; what is not there is left out."""

PATIENCE_SECONDS = 60.0
GREEN, RED = 0, 1
"""Exit codes of pytest: all passed, some failed."""


@dataclass(frozen=True)
class Mutant:
    """One edit, and what must notice it."""

    file: str
    before: str
    after: str
    test: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.what or self.after.strip()}"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: killed, survived, or broken (the edit does not apply, or nothing was tested)."""

    mutant: Mutant
    result: str
    seconds: float
    said: str = ""


def read_mutants(only: str) -> list[Mutant]:
    """Return the list's entries that mention `only`."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    mutants = [Mutant(**entry) for entry in entries]
    return [m for m in mutants if only in f"{m} {m.test}"]


def copy_tree(target: Path) -> Path:
    """Copy what the tests need, and return where it lies."""
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=IGNORED)
        elif source.exists():
            shutil.copy2(source, target / name)
    return target


def run_tests(tree: Path, tests: Sequence[str], patience_seconds: float = PATIENCE_SECONDS) -> tuple[int, str]:
    """Return pytest's exit code in a tree, and its last lines; too long counts as red."""
    said = tree / "said.txt"
    pid = os.fork()
    if pid == 0:
        os._exit(_in_fork(tree, tests, said))
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), "\n".join(said.read_text(encoding="utf-8").splitlines()[-15:])
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return RED, "too long"


def _in_fork(tree: Path, tests: Sequence[str], said: Path) -> int:
    """Run pytest in this process, which nobody needs afterwards, with a tree's own sources first."""
    os.setpgid(0, 0)
    with said.open("w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.chdir(tree)
    for name in [n for n in os.environ if n.startswith("SOJAE_")]:
        del os.environ[name]
    sys.path.insert(0, str(tree / "services"))
    sys.dont_write_bytecode = True
    options = ["-q", "-x", "-p", "no:cacheprovider", "--no-header", "-m", "not kafka"]
    return int(pytest.main([*options, "-W", "ignore::pytest.PytestAssertRewriteWarning", *tests]))


def judge(work: tuple[Mutant, Path]) -> Verdict:
    """Apply a mutant in a tree that is nobody else's now, run its tests, take it back, and say what became of it."""
    mutant, folder = work
    tree = folder / multiprocessing.current_process().name
    if not tree.exists():
        copy_tree(tree)
    began = time.monotonic()
    path = tree / mutant.file
    source = path.read_text(encoding="utf-8")
    if source.count(mutant.before) != 1 or mutant.before == mutant.after:
        return Verdict(mutant, "broken", 0.0, f"`before` occurs {source.count(mutant.before)} times")
    path.write_text(source.replace(mutant.before, mutant.after), encoding="utf-8")
    try:
        code, said = run_tests(tree, mutant.test.split())
    finally:
        path.write_text(source, encoding="utf-8")
    result = {GREEN: "survived", RED: "killed"}.get(code, "broken")
    return Verdict(mutant, result, time.monotonic() - began, said)


def judge_all(mutants: Sequence[Mutant], workers: int) -> list[Verdict]:
    """Return the verdicts; each worker has a copy of the tree for itself."""
    with tempfile.TemporaryDirectory(prefix="sojae-mutants-") as name:
        folder = Path(name)
        _see_that_all_pass(sorted({t for m in mutants for t in m.test.split()}), copy_tree(folder / "unedited"))
        verdicts = []
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            for verdict in pool.imap_unordered(judge, [(m, folder) for m in mutants]):
                print(f"{verdict.result:<9} {verdict.seconds:5.1f} s  {verdict.mutant}", flush=True)  # noqa: T201 - a tool's output
                verdicts.append(verdict)
    return verdicts


def _see_that_all_pass(tests: Sequence[str], tree: Path) -> None:
    """Return when the tests pass without any edit; else everything would look killed."""
    code, said = run_tests(tree, tests, patience_seconds=10 * PATIENCE_SECONDS)
    if code != GREEN:
        sys.exit(f"the tests do not pass as they are:\n{said}")


def main() -> None:
    """Judge the mutants and end with 1 when one survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose file, words or test contain this")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args()
    began = time.monotonic()
    for name in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    mutants = read_mutants(arguments.only)
    if not mutants:
        sys.exit(f"no edit's file, words or test contain {arguments.only!r}")
    verdicts = judge_all(mutants, arguments.workers)
    alive = [v for v in verdicts if v.result != "killed"]
    for verdict in alive:
        print(f"\n{verdict.result}: {verdict.mutant}\n  {verdict.mutant.test}\n{verdict.said}")  # noqa: T201 - the same
    print(f"\n{len(verdicts) - len(alive)} of {len(verdicts)} killed in {time.monotonic() - began:.0f} s")  # noqa: T201 - the same
    sys.exit(1 if alive or not verdicts else 0)


if __name__ == "__main__":
    main()
