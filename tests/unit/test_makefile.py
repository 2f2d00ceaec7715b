"""How `make` makes its environment: which Python it takes, what it says first, and when it begins anew."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then echo {version}; exit; fi
echo "$@" >> {log}
if [ "$2" = venv ]; then mkdir -p "$3/bin" && touch "$3/pyvenv.cfg" && cp "$0" "$3/bin/python"; fi
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile, what it depends on, and no uv on the path."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "mkdir", "cp", "rm", "touch"):
        (tools / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def python(checkout: Path, version: str) -> Path:
    """Return a Python of a version that only writes down what it is asked to do."""
    path = checkout / f"python{version}"
    path.write_text(PYTHON.format(version=version, log=checkout / "log"), encoding="utf-8")
    path.chmod(0o755)
    return path


def install(checkout: Path, executable: Path | str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": str(checkout / "tools"), "LANG": os.environ.get("LANG", "C.UTF-8")}
    make = str(shutil.which("make"))
    return subprocess.run(
        [make, "-C", str(checkout), "install", f"PYTHON={executable}"],
        env=path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", ["3.10.13", "2.7.18", "3.9.1"])
def test_an_old_python_is_named_before_anything_is_made(checkout: Path, version: str) -> None:
    """One line says what is needed, what was found and what to do."""
    done = install(checkout, python(checkout, version))
    assert done.returncode != 0
    assert (
        f"Python ≥ 3.11 is needed (Python 3.11 이상이 필요합니다), {checkout}/python{version} is {version}; "
        in done.stderr
    )
    assert "make PYTHON=python3.12 run" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_not_there_is_named(checkout: Path) -> None:
    """As on a machine without any."""
    done = install(checkout, "python3.99")
    assert "python3.99 does not start" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("version", ["3.11.7", "3.12.0", "3.14.1", "3.20.0"])
def test_a_line_is_said_before_the_silent_part(checkout: Path, version: str) -> None:
    """How much is fetched, and that it takes a while; a second time there is nothing to make."""
    executable = python(checkout, version)
    done = install(checkout, executable)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"making .venv with Python {version}: about 1.5 GB, some minutes" in done.stdout
    assert "made anew" not in done.stdout
    assert "making" not in install(checkout, executable).stdout


def test_an_environment_of_another_python_is_made_anew(checkout: Path) -> None:
    """Else packages of two versions lie in one folder, and none is found."""
    install(checkout, python(checkout, "3.11.7"))
    stray = checkout / ".venv" / "lib"
    stray.mkdir()
    (checkout / ".venv" / ".ready").unlink()
    assert "made anew" not in install(checkout, python(checkout, "3.11.9")).stdout
    assert stray.exists()
    (checkout / ".venv" / ".ready").unlink()
    done = install(checkout, python(checkout, "3.12.0"))
    assert ".venv is of Python 3.11.9: it is made anew" in done.stdout
    assert not stray.exists()


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    """As after an upgrade of the system."""
    (checkout / ".venv" / "lib").mkdir(parents=True)
    (checkout / ".venv" / "pyvenv.cfg").touch()
    done = install(checkout, python(checkout, "3.12.0"))
    assert "it is made anew" in done.stdout
    assert (done.returncode, (checkout / ".venv" / "lib").exists()) == (0, False)


def test_a_folder_that_is_no_environment_is_never_removed(checkout: Path) -> None:
    """A mistyped VENV must not cost anybody a folder."""
    (checkout / ".venv" / "mine").mkdir(parents=True)
    install(checkout, python(checkout, "3.12.0"))
    assert (checkout / ".venv" / "mine").exists()
