"""Who may know whom: services meet on topics and in the store, the core knows no service, its centre does no I/O."""

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.contract.sources import SERVICES, imports, modules, name_of, packages, pyproject

CORE = "sojae"
PURE = {"lark", "numpy", "periodictable", "pint", "polars", "pyarrow", "pyparsing", "msgspec", "rfc8785", "ucumvert"}
"""Libraries of values, which the domain may use."""

LINTER = pyproject()["tool"]["importlinter"]


def test_every_package_is_looked_at() -> None:
    """import-linter knows only what it is told."""
    assert sorted(LINTER["root_packages"]) == packages()


def test_every_service_is_in_every_contract() -> None:
    """A new service would otherwise be free."""
    services = [p for p in packages() if p != CORE]
    by_type = {
        c["type"]: c for c in LINTER["contracts"] if c["type"] == "independence" or CORE in c.get("source_modules", ())
    }
    assert sorted(by_type["independence"]["modules"]) == services
    assert sorted(by_type["forbidden"]["forbidden_modules"]) == services


def test_services_know_the_core_and_themselves_only() -> None:
    """They meet on topics and in the store."""
    known = {p: {name.split(".")[0] for name in imports(p)} & set(packages()) for p in modules()}
    foreign = {name_of(p): names - {p.relative_to(SERVICES).parts[0], CORE} for p, names in known.items()}
    assert {name: names for name, names in foreign.items() if names} == {}


@pytest.mark.parametrize("path", sorted((SERVICES / "sojae/domain").glob("*.py")), ids=name_of)
def test_the_domain_imports_values_only(path: Path) -> None:
    """The standard library, libraries of values, and itself; `topics` holds names and nothing else."""
    standard = set(sys.stdlib_module_names)
    foreign = {name for name in imports(path) if name.split(".")[0] not in standard | PURE}
    assert {n for n in foreign if not n.startswith(("sojae.domain", "sojae.topics"))} == set()
    assert {n.split(".")[0] for n in imports(path)} & {
        "asyncio",
        "logging",
        "os",
        "pathlib",
        "socket",
        "sqlite3",
        "subprocess",
        "time",
    } == set()


@pytest.mark.parametrize("group", ["sojae.commands", "sojae.settings"])
def test_the_installation_knows_what_the_project_says(group: str) -> None:
    """An editable installation keeps the entry points of the day it was made: `pip install --no-deps -e .` renews it."""
    said = pyproject()["project"]["entry-points"][group]
    assert {e.name: e.value for e in entry_points(group=group)} == said


@pytest.mark.parametrize("group", ["sojae.commands", "sojae.settings"])
def test_every_entry_point_can_be_loaded(group: str) -> None:
    """A mistyped one would only be noticed by whoever calls it."""
    for found in entry_points(group=group):
        assert found.load() is not None, found
