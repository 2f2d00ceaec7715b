"""The source tree as the contract tests read it."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
SERVICES = REPOSITORY / "services"


def packages() -> list[str]:
    """Return the packages under services, sorted."""
    return sorted(p.parent.name for p in SERVICES.glob("*/__init__.py"))


def modules() -> list[Path]:
    """Return every Python file under services."""
    return sorted(p for p in SERVICES.rglob("*.py") if "__pycache__" not in p.parts)


def name_of(path: Path) -> str:
    """Return how a file is called in messages: its path from services on."""
    return str(path.relative_to(SERVICES))


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def pages() -> list[Path]:
    """Return every Markdown page of the repository."""
    found = [*REPOSITORY.glob("*.md"), *SERVICES.rglob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    return sorted(p for p in found if p.stat().st_size)
