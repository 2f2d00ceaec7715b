"""Apply one-line edits to the heart of the code, one at a time, and see that a test notices each: `make mutants`.

The edits stand in mutants.toml beside this file: `file`, `before` (a text that occurs once in it), `after`, `test` (what
must turn red) and `what` (in words). They are applied in temporary copies; the checkout is never touched.
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".toml")
COPIED = ("services", "tests", "schemas", "docs", "pyproject.toml", "Makefile")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis")
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


def run_tests(tree: Path, tests: Sequence[str], *, stop_at_first: bool) -> tuple[int, str]:
    """Return pytest's exit code in a tree, and its last lines; too long counts as red."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SOJAE_")}
    environment |= {"PYTHONPATH": str(tree / "services"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "-m", "not kafka"]
    command += ["-x"] if stop_at_first else []
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return RED, "too long"
    return done.returncode, "\n".join(done.stdout.splitlines()[-15:])


def judge(mutant: Mutant, tree: Path) -> Verdict:
    """Apply a mutant in a tree, run its tests, take it back, and say what became of it."""
    began = time.monotonic()
    path = tree / mutant.file
    source = path.read_text(encoding="utf-8")
    if source.count(mutant.before) != 1 or mutant.before == mutant.after:
        return Verdict(mutant, "broken", 0.0, f"`before` occurs {source.count(mutant.before)} times")
    path.write_text(source.replace(mutant.before, mutant.after), encoding="utf-8")
    try:
        code, said = run_tests(tree, mutant.test.split(), stop_at_first=True)
    finally:
        path.write_text(source, encoding="utf-8")
    result = {GREEN: "survived", RED: "killed"}.get(code, "broken")
    return Verdict(mutant, result, time.monotonic() - began, said)


def judge_all(mutants: Sequence[Mutant], workers: int) -> list[Verdict]:
    """Return the verdicts; each worker has a copy of the tree for itself."""
    with tempfile.TemporaryDirectory(prefix="sojae-mutants-") as folder:
        trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(workers):
            trees.put(copy_tree(Path(folder) / str(number)))
        sound(sorted({m.test for m in mutants}), trees)
        shown = threading.Lock()

        def work(mutant: Mutant) -> Verdict:
            tree = trees.get()
            try:
                verdict = judge(mutant, tree)
            finally:
                trees.put(tree)
            with shown:
                print(f"{verdict.result:<9} {verdict.seconds:5.1f} s  {mutant}", flush=True)  # noqa: T201 - a tool's output
            return verdict

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(work, mutants))


def sound(tests: Sequence[str], trees: "queue.SimpleQueue[Path]") -> None:
    """Return when the tests pass without any edit; else everything would look killed."""
    tree = trees.get()
    code, said = run_tests(tree, [t for group in tests for t in group.split()], stop_at_first=True)
    trees.put(tree)
    if code != GREEN:
        sys.exit(f"the tests do not pass as they are:\n{said}")


def main() -> None:
    """Judge the mutants and end with 1 when one survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose file, words or test contain this")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args()
    mutants = read_mutants(arguments.only)
    began = time.monotonic()
    verdicts = judge_all(mutants, arguments.workers)
    alive = [v for v in verdicts if v.result != "killed"]
    for verdict in alive:
        print(f"\n{verdict.result}: {verdict.mutant}\n  {verdict.mutant.test}\n{verdict.said}")  # noqa: T201 - the same
    print(f"\n{len(verdicts) - len(alive)} of {len(verdicts)} killed in {time.monotonic() - began:.0f} s")  # noqa: T201 - the same
    sys.exit(1 if alive or not verdicts else 0)


if __name__ == "__main__":
    main()
