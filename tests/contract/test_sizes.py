"""The tail of sizes is limited: nothing grows until it can no longer be read."""

import ast
import inspect
import statistics
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from sojae.settings import groups
from tests.contract.sources import modules, name_of, tree

MODULE_LINES, FUNCTION_LINES, PARAMETERS, GROUP_FIELDS, MAIN_LINES = 400, 60, 7, 8, 30

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> list[Function]:
    return [n for n in ast.walk(tree(path)) if isinstance(n, Function)]


def length(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def parameters(function: Function) -> list[str]:
    a = function.args
    names = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return [n for n in names if n not in ("self", "cls")]


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_module_fits() -> None:
    """At most 400 lines, functions of at most 60 with at most 7 parameters."""
    assert {name_of(p): lines(p) for p in modules() if lines(p) > MODULE_LINES} == {}
    every = [(f"{name_of(p)}:{f.name}", f) for p in modules() for f in functions(p)]
    assert {name: length(f) for name, f in every if length(f) > FUNCTION_LINES} == {}
    assert {name: parameters(f) for name, f in every if len(parameters(f)) > PARAMETERS} == {}


def test_most_are_far_smaller() -> None:
    """The 95th percentile of modules is below 300 lines, of functions below 35; medians below 100 and 10."""
    by_module = statistics.quantiles([lines(p) for p in modules()], n=20)
    by_function = statistics.quantiles([length(f) for p in modules() for f in functions(p)], n=20)
    assert by_module[18] <= 300
    assert by_module[9] <= 100
    assert by_function[18] <= 35
    assert by_function[9] <= 10


def test_every_module_says_what_it_is() -> None:
    """By a docstring whose first line is a sentence."""
    first = {name_of(p): (ast.get_docstring(tree(p)) or "").partition("\n")[0].rstrip() for p in modules()}
    assert {name: line for name, line in first.items() if not line.endswith((".", "?", ":", "`"))} == {}


@pytest.mark.parametrize("path", [p for p in modules() if p.name == "__init__.py"], ids=name_of)
def test_a_package_s_init_is_a_docstring(path: Path) -> None:
    """Nothing happens at import, and nothing hides there."""
    assert len(tree(path).body) == 1


@pytest.mark.parametrize("path", [p for p in modules() if p.name == "__main__.py"], ids=name_of)
def test_a_main_is_short(path: Path) -> None:
    """What a process does stands in its composition root."""
    assert lines(path) < MAIN_LINES


@pytest.mark.parametrize("group", groups(), ids=lambda g: g.__name__)
def test_a_settings_group_fits(group: type[BaseSettings]) -> None:
    """At most 8 fields, each with a sentence, frozen, unknown keys refused."""
    assert 1 <= len(group.model_fields) <= GROUP_FIELDS
    assert [n for n, f in group.model_fields.items() if not (f.description or "").endswith(".")] == []
    assert group.model_config.get("frozen") is True
    assert group.model_config.get("extra") == "forbid"
    assert inspect.getdoc(group)
