"""The chart's examples are what Kubernetes takes, in number and kind; and what it would refuse is found."""

import copy
from typing import Any

import pytest

from tests.contract.chart import OBJECTS, counts, example, invalid, lint, render

EXAMPLES = sorted(OBJECTS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_makes_valid_objects_of_the_expected_number(name: str) -> None:
    """Each is valid, strictly, in the oldest and the newest Kubernetes."""
    manifests = render(example(name))
    assert [said for said in map(invalid, manifests) if said] == []
    assert counts(manifests) == OBJECTS[name]


@pytest.mark.parametrize("values", [example("laptop"), example("centre"), {}], ids=["laptop", "centre", "defaults"])
def test_lint_finds_nothing(values: dict[str, Any]) -> None:
    """Strictly: a warning counts."""
    assert lint(values) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("kind",), "Deploymnet", "Deploymnet"),
        (("apiVersion",), "apps/v2", "Deployment"),
        (("spec", "replica"), 1, "replica"),
        (("spec", "replicas"), "two", "two"),
        (("spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "prot"), "telemetry", "prot"),
    ],
)
def test_a_wrong_object_is_found(path: tuple[str | int, ...], value: object, said: str) -> None:
    """A mistyped kind, version, field or value, each put into an object that was valid."""
    (manifest, *_) = [m for m in render(example("laptop")) if m["kind"] == "Deployment"]
    wrong = node = copy.deepcopy(manifest)
    for step in path[:-1]:
        node = node[step]  # type: ignore[index]  # the path says when it is a list
    node[path[-1]] = value  # type: ignore[index]  # the same
    assert said in (invalid(wrong) or "")


def test_names_are_unique() -> None:
    """Two objects of a kind and name would be one."""
    for name in EXAMPLES:
        names = [(m["kind"], m["metadata"]["name"]) for m in render(example(name))]
        assert len(names) == len(set(names))
