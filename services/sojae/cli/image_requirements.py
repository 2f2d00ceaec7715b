"""Prints the part of requirements.lock that an image needs, hashes and all: `image_requirements.py pyproject.toml requirements.lock`.

NOTE: it runs while an image is built, before anything is installed, and so with the standard library alone.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

EXTRAS = ("train",)
"""One image serves every service: the extra `train` for the trainer; neither `local` (a JVM) nor `dev`."""


def image_requirements(project: Mapping[str, object], lock: str) -> str:
    """Return the blocks of the lock that the project and its image extras need, in their order.

    `project` is the table [project] of pyproject.toml. A block says by `# via` who asks for it. Raises LookupError for a
    direct requirement that the lock does not hold.
    """
    blocks = [(_name(block), block) for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE) if block]
    wanted = _direct(project)
    missing = sorted(wanted - {name for name, _ in blocks})
    if missing:
        raise LookupError(f"requirements.lock has no {', '.join(missing)}: `make lock` writes it anew")
    # One name may have two blocks, for two ranges of Python.
    asked = [
        (name, set(re.findall(r"^ +# +(?:via )? *([A-Za-z0-9._-]+)", block, re.MULTILINE))) for name, block in blocks
    ]
    while more := {name for name, askers in asked if askers & wanted} - wanted:
        wanted |= more
    return "".join(block for name, block in blocks if name in wanted)


def _direct(project: Mapping[str, object]) -> set[str]:
    extras = project.get("optional-dependencies", {})
    assert isinstance(extras, Mapping)
    lists: list[Iterable[str]] = [project.get("dependencies", ()), *(extras[extra] for extra in EXTRAS)]  # type: ignore[list-item]  # a table of TOML
    return {_name(requirement) for requirements in lists for requirement in requirements}


def _name(requirement: str) -> str:
    """Return the normalised name (PEP 503) at the beginning of a requirement."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def main() -> None:
    """Print the requirements of the image from the two files named as arguments."""
    pyproject, lock = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])
    sys.stdout.write(image_requirements(tomllib.loads(pyproject)["project"], lock))


if __name__ == "__main__":
    main()
